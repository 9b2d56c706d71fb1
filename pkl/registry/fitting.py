"""Which versions of a registry may be chosen here, and why the others may not."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import FrozenSet, List, Optional, Tuple

from ..model.candidate import Candidate, Origin
from ..model.requirement import specifier_contains
from ..model.state import Reason
from ..names import printable
from .model import Page, Release, Revocations
from .revocation import revoked_reason
from .wheel_name import parse_wheel_name

__all__ = ["candidates_of", "fits_here", "misfits"]


def candidates_of(
    page: Page,
    url: str,
    revoked: Revocations,
    *,
    pinned: Optional[str] = None,
    fault: Optional[Reason] = None,
) -> Tuple[Candidate, ...]:
    """The versions of a plugin as candidates, the highest first.

    Args:
        page: The plugin's page.
        url: Where the page is from.
        revoked: What the registry revoked.
        pinned: A version that may be chosen although it was withdrawn (PEP 592).
        fault: Why none of them may be chosen, such as a collision.
    """
    return tuple(
        Candidate(
            page.name,
            each.metadata,
            Origin.REGISTRY,
            target=url,
            distribution=page.distribution,
            distribution_version=each.version,
            fault=fault or _fault(page, each, revoked, pinned),
        )
        for each in page.releases
    )


def _fault(
    page: Page, release: Release, revoked: Revocations, pinned: Optional[str]
) -> Optional[Reason]:
    called = f"{page.name} {release.version}"
    held = revoked.of(page.name, release.version)
    if held is not None:
        return revoked_reason(held)
    if release.yanked is not None and release.version != pinned:
        why = f": {printable(release.yanked)}" if release.yanked else ""
        text = f"{called} was withdrawn{why}"
        return Reason("yanked", text, text, f"take another version of {page.name}")
    if not _fits_platform(release):
        text = f"{called} has no wheel for this Python and platform"
        return Reason("platform", text, text, "take another version, or run it elsewhere")
    return None


def misfits(
    page: Page,
    release: Release,
    revoked: Revocations,
    *,
    host_version: Optional[str],
    python_version: Optional[str] = None,
) -> List[str]:
    """Why a version does not fit this host, each in a few words; empty if it does.

    Whether what it requires is there is another question, which takes a plan.

    Args:
        page: The plugin's page.
        release: The version.
        revoked: What the registry revoked.
        host_version: The host's version; None leaves it unchecked.
        python_version: The version of Python; None for the running one.
    """
    found = []
    held = revoked.of(page.name, release.version)
    if held is not None:
        found.append(f"revoked: {printable(held.reason)}" if held.reason else "revoked")
    if release.yanked is not None:
        found.append(f"withdrawn: {printable(release.yanked)}" if release.yanked else "withdrawn")
    python = python_version or ".".join(map(str, sys.version_info[:3]))
    metadata = release.metadata
    if metadata.requires_python and not specifier_contains(metadata.requires_python, python, True):
        found.append(f"needs Python {metadata.requires_python}, and this is {python}")
    needed = metadata.requires_host
    if needed and host_version is not None and not specifier_contains(needed, host_version, True):
        found.append(f"needs host {needed}, and this is {host_version}")
    if not _fits_platform(release):
        tags = ", ".join(sorted(tags for each in release.files if (tags := _tags(each.file))))
        found.append(f"has no wheel for this Python and platform, only for {tags}")
    return found


def _tags(file: str) -> str:
    name = parse_wheel_name(file)
    return name.tags if name is not None else ""


def fits_here(file: str) -> bool:
    """Whether a wheel of that name is for this Python and platform (PEP 425)."""
    tags = _tags(file)
    if tags.endswith("-none-any") and "py3" in tags.partition("-")[0].split("."):
        return True
    return bool(_expanded(tags) & _supported())


def _fits_platform(release: Release) -> bool:
    return any(fits_here(each.file) for each in release.files)


def _expanded(tags: str) -> FrozenSet[str]:
    """Every tag that a compressed set of tags stands for (PEP 425)."""
    parts = [part.lower().split(".") for part in tags.split("-")]
    if len(parts) != 3:
        return frozenset()
    pythons, interfaces, platforms = parts
    return frozenset(f"{p}-{i}-{t}" for p in pythons for i in interfaces for t in platforms)


@lru_cache(maxsize=1)
def _supported() -> FrozenSet[str]:
    from packaging.tags import sys_tags

    return frozenset(map(str, sys_tags()))
