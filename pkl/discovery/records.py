"""Candidates and failures as plain JSON values, column by column, and back.

Columns, because the types of a whole column are checked in one go: a cache of a thousand
plugins is checked and loaded in the time that a thousand checks would take.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Dict, Iterable, List, Sequence, Set, Tuple

from ..model.candidate import Candidate, Failure, Origin
from ..model.manifest import PluginMetadata
from ..model.state import Reason
from .deferred import deferred

__all__ = ["dump_candidates", "dump_failures", "load_candidates", "load_failures"]

_ORIGINS: Dict[str, Origin] = {origin.value: origin for origin in Origin}
_FIELDS = tuple(each.name for each in fields(Candidate))
_TEXT: Set[Any] = {str}
_TEXT_OR_NONE: Set[Any] = {str, type(None)}


def dump_failures(failures: Iterable[Tuple[str, Failure]]) -> List[Any]:
    """Failures, each under the name of its distribution, as values that JSON can hold."""
    return [
        [key, each.code, each.message, each.distribution, each.file, each.name]
        for key, each in failures
    ]


def load_failures(rows: Any) -> List[Tuple[str, Failure]]:
    """The failures that ``dump_failures`` wrote.

    Raises:
        ValueError: The values are not of the shape that is written.
        TypeError: Likewise.
    """
    loaded: List[Tuple[str, Failure]] = []
    for key, code, message, distribution, file, name in rows:
        _only(_TEXT, (key, code, message))
        _only(_TEXT_OR_NONE, (distribution, file, name))
        loaded.append((key, Failure(code, message, distribution, file, name)))
    return loaded


def dump_candidates(
    candidates: Sequence[Tuple[str, Candidate]], fold: bool
) -> Dict[str, List[Any]]:
    """Candidates, each under the name of its distribution, as columns that JSON can hold.

    Args:
        candidates: What was found.
        fold: Whether names are folded, as in a host's own group.
    """
    both = [each for _, each in candidates]
    said = [each.metadata for each in both]
    return {
        "key": [key for key, _ in candidates],
        "name": [each.name for each in both],
        "display_name": [each.display_name for each in said],
        "version": [each.version for each in said],
        "summary": [each.summary for each in said],
        "origin": [each.origin.value for each in both],
        "target": [each.target for each in both],
        "location": [each.location for each in both],
        "distribution": [each.distribution for each in both],
        "distribution_version": [each.distribution_version for each in both],
        "manifest_file": [each.manifest_file for each in both],
        "group": [each.group for each in both],
        "file": [each.file for each in said],
        "carrier": [each.distribution for each in said],
        "data": [each.data for each in said],
        "bare": [each.fault is not None and each.metadata == _bare(each, fold) for each in both],
        "requires_dist": [each.requires_dist for each in both],
        "fault": [each.fault for each in both],
        "notes": [each.notes for each in both],
    }


_TEXT_COLUMNS = ("key", "name", "display_name", "version", "summary", "origin", "target")
_LOOSE_COLUMNS = (
    "location",
    "distribution",
    "distribution_version",
    "manifest_file",
    "group",
    "file",
    "carrier",
)


def _bare(each: Candidate, fold: bool) -> PluginMetadata:
    said = each.metadata
    return PluginMetadata.bare(
        said.display_name,
        said.version,
        summary=said.summary,
        file=said.file,
        distribution=said.distribution,
        fold=fold,
        critical=said.critical,
    )


def _only(types: "Set[Any]", values: Iterable[Any]) -> None:
    """Refuses values of any other type."""
    if not types.issuperset(map(type, values)):
        raise TypeError("a value is not of the type that is written")


def _texts(values: Any) -> Tuple[str, ...]:
    if not values:
        return ()
    _only(_TEXT, values)
    return tuple(values)


def load_candidates(columns: Any, fold: bool) -> List[Tuple[str, Candidate]]:
    """The candidates that ``dump_candidates`` wrote; only what is shown of them is worked out.

    Raises:
        ValueError: The values are not of the shape that is written.
        TypeError: Likewise.
        KeyError: Likewise.
    """
    for name in _TEXT_COLUMNS:
        _only(_TEXT, columns[name])
    for name in _LOOSE_COLUMNS:
        _only(_TEXT_OR_NONE, columns[name])
    _only({dict}, columns["data"])
    if len({len(column) for column in columns.values()}) > 1:
        raise ValueError("the columns differ in length")
    metadata = _metadata(columns, fold)
    parts = zip(
        columns["name"],
        metadata,
        map(_ORIGINS.__getitem__, columns["origin"]),
        columns["location"],
        columns["target"],
        columns["distribution"],
        columns["distribution_version"],
        columns["manifest_file"],
        columns["group"],
        map(_texts, columns["requires_dist"]),
        [None if each is None else Reason(*_texts(each)) for each in columns["fault"]],
        map(_texts, columns["notes"]),
    )
    return list(zip(columns["key"], [_candidate(each) for each in parts]))


def _candidate(parts: Sequence[Any]) -> Candidate:
    """``Candidate(*parts)`` without a frozen dataclass's setting of each field by itself."""
    made = object.__new__(Candidate)
    made.__dict__.update(zip(_FIELDS, parts))
    return made


def _metadata(columns: Any, fold: bool) -> List[PluginMetadata]:
    rows = zip(
        columns["name"],
        columns["display_name"],
        columns["version"],
        columns["summary"],
        columns["file"],
        columns["carrier"],
        columns["data"],
        columns["bare"],
    )
    return [
        PluginMetadata.bare(
            display,
            version,
            summary=summary,
            file=file,
            distribution=carrier,
            fold=fold,
            critical=data.get("critical") is True,
        )
        if bare
        else deferred(data, name, display, version, summary, file, carrier, fold)
        for name, display, version, summary, file, carrier, data, bare in rows
    ]
