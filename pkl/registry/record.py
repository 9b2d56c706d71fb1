"""What the last build read of each wheel, so that the next one reads only what changed.

The record is a convenience: without it, or with one that cannot be read, every wheel is read anew.
"""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping, NamedTuple, Tuple

from ..errors import ManifestError
from ..model.manifest import PluginMetadata
from ..model.strict_json import decode_json
from ..version import VERSION
from .writing import manifest_facts

__all__ = ["RECORD", "WheelRow", "dump_record", "load_record"]

RECORD = ".pkl-build.json"
"""Its name, at the root of the registry."""


class WheelRow(NamedTuple):
    """A wheel of the registry.

    Attributes:
        file: Its name.
        size: How many bytes it has.
        mtime_ns: When it was last changed; 0 if that may have been after it was read.
        sha256: Its digest, in hex.
        uploaded: When it came into the registry, in seconds since 1970.
        distribution: The name of its distribution, as that spells itself.
        version: The version of that.
        requires_python: Which Pythons it is for; empty for any.
        metadata_sha256: The digest of its METADATA.
        plugins: The plugins that it carries.
    """

    file: str
    size: int
    mtime_ns: int
    sha256: str
    uploaded: int
    distribution: str
    version: str
    requires_python: str
    metadata_sha256: str
    plugins: Tuple[PluginMetadata, ...]


_TYPES = (str, int, int, str, int, str, str, str, str, list)


def dump_record(rows: Mapping[str, WheelRow], groups: Tuple[str, ...]) -> bytes:
    """The content of the record.

    Args:
        rows: The wheels by name.
        groups: The entry-point groups that were looked at.
    """
    wheels = [
        [
            *each[:-1],
            [
                {
                    "name": said.name,
                    "version": said.version,
                    "summary": said.summary,
                    **manifest_facts(said),
                }
                for said in each.plugins
            ],
        ]
        for _, each in sorted(rows.items())
    ]
    whole = {"pkl": VERSION, "groups": list(groups), "wheels": wheels}
    return (json.dumps(whole, sort_keys=True, separators=(",", ":")) + "\n").encode("ascii")


def load_record(data: bytes, groups: Tuple[str, ...]) -> Dict[str, WheelRow]:
    """The wheels of a record by name; none if another version of pkl wrote it, or it is damaged.

    Args:
        data: Its content.
        groups: The entry-point groups that are looked at; a record of others says nothing.
    """
    try:
        whole = decode_json(data)
        if whole["pkl"] != VERSION or whole["groups"] != list(groups):
            return {}
        rows = [_row(each) for each in whole["wheels"]]
    except (ValueError, RecursionError, LookupError, TypeError, ManifestError):
        return {}
    return {each.file: each for each in rows}


def _row(values: Any) -> WheelRow:
    if tuple(map(type, values)) != _TYPES:
        raise TypeError("a value is not of the type that is written")
    row = WheelRow._make(values)
    said = tuple(PluginMetadata(each, distribution=row.distribution) for each in values[-1])
    return row._replace(plugins=said)
