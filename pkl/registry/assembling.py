"""From the rows of wheels to the pages of plugins and the package index; touches no file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ..errors import NameRefused
from ..model.manifest import PluginMetadata
from ..model.requirement import specifier_contains, version_key
from ..names import canonical
from .gathering import Problem
from .model import IndexEntry, Page, Release, Revocations, WheelFile
from .record import WheelRow
from .simple import SimpleFile
from .wheel_name import parse_wheel_name
from .writing import manifest_facts

__all__ = ["Assembled", "assemble", "latest_of"]

Group = List[WheelRow]
"""The wheels of one version of one distribution, for this or that platform."""


@dataclass(frozen=True)
class Assembled:
    """What a registry holds.

    Attributes:
        pages: The page of each plugin, by canonical name.
        projects: The wheels of each distribution, by canonical name.
        problems: Wheels that were left out because they contradict each other.
    """

    pages: Mapping[str, Page]
    projects: Mapping[str, Sequence[SimpleFile]]
    problems: Tuple[Problem, ...]


def assemble(rows: Iterable[WheelRow], revoked: Revocations) -> Assembled:
    """Sorts the wheels by plugin and by distribution.

    Args:
        rows: The wheels.
        revoked: What must not run; it is listed as yanked.

    Raises:
        NameRefused: Two distributions offer a plugin of one name.
    """
    groups, problems = _agreeing(rows)
    _refuse_shared_names(groups)
    releases: Dict[str, List[Tuple[Release, WheelRow]]] = {}
    projects: Dict[str, List[SimpleFile]] = {}
    for group in groups:
        reasons = [_reason(each, revoked) for each in group[0].plugins]
        yanked = next((each for each in reasons if each is not None), None)
        files = projects.setdefault(canonical(group[0].distribution), [])
        files += [_simple(each, yanked) for each in group]
        wheels = tuple(WheelFile(e.file, e.sha256, e.size, e.uploaded) for e in group)
        for said, reason in zip(group[0].plugins, reasons):
            release = Release(_for_page(said, group[0]), wheels, reason)
            releases.setdefault(said.name, []).append((release, group[0]))
    pages = {}
    for name, found in sorted(releases.items()):
        found.sort(key=lambda each: version_key(each[0].version), reverse=True)
        listed = tuple(release for release, _ in found)
        pages[name] = Page(name, found[0][1].distribution, listed)
    return Assembled(pages, dict(sorted(projects.items())), tuple(problems))


def latest_of(page: Page, sha256: str) -> IndexEntry:
    """What the index says of a plugin.

    Args:
        page: Its page.
        sha256: The digest of that.
    """
    good = [each for each in page.releases if each.yanked is None]
    final = [each for each in good if specifier_contains("", each.version, False)]
    latest = next(iter(final or good), None)
    summary = (page.releases[0] if latest is None else latest).metadata.summary
    offered = {each.name for release in page.releases for each in release.metadata.provides}
    distribution = canonical(page.distribution)
    return IndexEntry(
        page.name,
        summary,
        None if latest is None else latest.version,
        sha256,
        tuple(sorted(offered)),
        distribution if distribution != page.name else "",
    )


def _agreeing(rows: Iterable[WheelRow]) -> Tuple[List[Group], List[Problem]]:
    """The wheels of each version together, unless they disagree on what they carry."""
    together: Dict[Any, Group] = {}
    for row in rows:
        key = (canonical(row.distribution), version_key(row.version))
        together.setdefault(key, []).append(row)
    groups: List[Group] = []
    problems: List[Problem] = []
    for _, group in sorted(together.items()):
        group.sort(key=_preference)
        different = [each for each in group if _carried(each) != _carried(group[0])]
        if not different:
            groups.append(group)
            continue
        problems += [Problem(each.file, _disagreement(each, group)) for each in group]
    return groups, problems


def _disagreement(row: WheelRow, group: Group) -> str:
    other = next(each for each in group if _carried(each) != _carried(row))
    return f"the wheels of one version declare the same plugins, but {other.file} declares others"


def _preference(row: WheelRow) -> Tuple[bool, str]:
    """The wheel for every platform first, then by name."""
    stated = parse_wheel_name(row.file)
    return (stated is None or not stated.tags.endswith("-none-any"), row.file)


def _carried(row: WheelRow) -> str:
    facts = [
        [said.name, version_key(said.version), said.summary, manifest_facts(said)]
        for said in row.plugins
    ]
    return json.dumps([row.requires_python, facts], sort_keys=True)


def _refuse_shared_names(groups: Sequence[Group]) -> None:
    owners: Dict[str, WheelRow] = {}
    for group in groups:
        for said in group[0].plugins:
            row = group[0]
            first = owners.setdefault(said.name, row)
            if canonical(first.distribution) == canonical(row.distribution):
                continue
            raise NameRefused(
                f"two distributions offer the plugin {said.name!r}: {first.distribution}"
                f" {first.version} ({first.file}) and {row.distribution} {row.version}"
                f" ({row.file}); nothing was changed",
                plugin=said.name,
                hint="take one of the two out of the folder, or rename its plugin",
                files=[first.file, row.file],
            )


def _reason(said: PluginMetadata, revoked: Revocations) -> Optional[str]:
    found = revoked.of(said.name, said.version)
    return None if found is None else found.reason


def _for_page(said: PluginMetadata, row: WheelRow) -> PluginMetadata:
    """The metadata with the Pythons that the distribution itself is for."""
    both = [each for each in (said.requires_python, row.requires_python) if each]
    wanted = ",".join(dict.fromkeys(both))
    if wanted == said.requires_python:
        return said
    facts = {**manifest_facts(said), "requires-python": wanted}
    return PluginMetadata(
        {"name": said.name, "version": said.version, "summary": said.summary, **facts},
        distribution=row.distribution,
    )


def _simple(row: WheelRow, yanked: Optional[str]) -> SimpleFile:
    return SimpleFile(
        row.file,
        row.version,
        row.sha256,
        row.size,
        row.uploaded,
        row.requires_python,
        row.metadata_sha256,
        yanked,
    )
