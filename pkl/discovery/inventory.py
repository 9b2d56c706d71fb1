"""What the environment holds beside the plugins of one group: every group, every distribution."""

from __future__ import annotations

from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .distribution import Distribution
from .environment import search_path
from .scan import scan
from .tree import Tree

__all__ = ["Installation", "Member", "groups", "installed", "installed_requirements"]


class Member(NamedTuple):
    """A distribution that offers entry points in a group."""

    distribution: str
    """Its name as it spells it."""
    version: str
    entry_points: int
    """How many entry points of the group it offers."""


class Installation(NamedTuple):
    """An installed distribution.

    Attributes:
        name: As it spells itself.
        version: Its version text.
        requires_dist: Its ``Requires-Dist``, verbatim (PEP 508).
        requires_python: Its ``Requires-Python``; empty if it states none.
        location: Its information directory.
    """

    name: str
    version: str
    requires_dist: Tuple[str, ...]
    requires_python: str
    location: str


def groups(sys_path: Optional[Sequence[str]] = None) -> Mapping[str, List[Member]]:
    """Every entry-point group in the environment, with the distributions that offer it.

    Broken distributions are left out; ``discover`` reports them as failures.

    Args:
        sys_path: Where distributions are looked for; by default the interpreter's ``sys.path``.
    """
    found: Dict[str, List[Member]] = {}
    seen: Dict[str, str] = {}
    for path, _ in search_path(sys_path):
        scanned = scan(path)
        for offer in scanned.offers:
            if offer.key in seen:
                continue
            headers = offer.distribution.headers
            for group, points in offer.groups.items():
                member = Member(headers.name, headers.version, len(points))
                found.setdefault(group, []).append(member)
        seen.update(scanned.infos)
    return {
        group: sorted(members, key=lambda each: (each.distribution.lower(), each.version))
        for group, members in sorted(found.items())
    }


def installed(sys_path: Optional[Sequence[str]] = None) -> Mapping[str, Installation]:
    """Every installed distribution by its canonical name; all their metadata is read.

    Args:
        sys_path: Where distributions are looked for; by default the interpreter's ``sys.path``.
    """
    found: Dict[str, Installation] = {}
    for tree, infos in _trees(sys_path):
        for key, info in infos.items():
            if key not in found:
                each = Distribution(tree, info)
                headers = each.headers
                found[key] = Installation(
                    headers.name,
                    headers.version,
                    headers.requires_dist,
                    headers.requires_python,
                    each.location,
                )
    return found


def installed_requirements(
    sys_path: Optional[Sequence[str]] = None,
) -> Mapping[str, Tuple[str, ...]]:
    """``Requires-Dist`` of every installed distribution, by its canonical name.

    For graph edges that pass through distributions outside of the group.
    """
    return {key: each.requires_dist for key, each in installed(sys_path).items()}


def _trees(sys_path: Optional[Sequence[str]]) -> Iterator[Tuple[Tree, Dict[str, str]]]:
    for path, _ in search_path(sys_path):
        scanned = scan(path, entry_points=False)
        if scanned.tree is not None:
            yield scanned.tree, scanned.infos
