"""The package index of a registry from JSON: strict, and with every fault at once."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from ..names import canonical
from .fields import Reader
from .simple import DIGEST_KEY, SimpleFile
from .wheel_name import parse_wheel_name

__all__ = ["parse_project", "parse_root"]


def parse_root(data: bytes, *, url: str = "", registry: Optional[str] = None) -> Dict[str, str]:
    """The digest of each distribution's part of the package index, by its canonical name.

    Args:
        data: ``simple/index.v1.json``.
        url: Where it was read from, for errors.
        registry: The name under which the registry is known, for errors.

    Raises:
        RegistryGarbage: With every fault.
    """
    reader = Reader("the package index of the registry", url, registry)
    found: Dict[str, str] = {}
    for path, row in _rows(reader, reader.loaded(data), "projects"):
        name = row.get("name")
        if isinstance(name, str) and reader.is_name(f"{path}.name", name):
            found[name] = reader.digest(row, path, DIGEST_KEY)
        elif not isinstance(name, str):
            reader.fault(f"{path}.name", name, "must be the name of a distribution")
    reader.done()
    return found


def parse_project(
    data: bytes, name: str, *, url: str = "", registry: Optional[str] = None
) -> Tuple[SimpleFile, ...]:
    """The wheels of a distribution.

    Args:
        data: Its ``index.v1.json``.
        name: Its canonical name.
        url: Where it was read from, for errors.
        registry: The name under which the registry is known, for errors.

    Raises:
        RegistryGarbage: With every fault; also if it is the part of another distribution.
    """
    reader = Reader(f"the package index of {name!r}", url, registry)
    whole = reader.loaded(data)
    if whole.get("name") != name:
        reader.fault("name", whole.get("name"), f"must be {name}, whose wheels these are to be")
    found = [_file(reader, path, row, name) for path, row in _rows(reader, whole, "files")]
    reader.done()
    return tuple(found)


def _rows(reader: Reader, whole: Dict[str, Any], key: str) -> List[Tuple[str, Dict[str, Any]]]:
    """The objects of a list, each with its path."""
    listed = whole.get(key)
    if not isinstance(listed, list):
        reader.fault(key, listed, "must be a list")
        return []
    found = []
    for index, row in enumerate(listed):
        if isinstance(row, dict):
            found.append((f"{key}[{index}]", row))
        else:
            reader.fault(f"{key}[{index}]", row, "must be an object")
    return found


def _file(reader: Reader, path: str, row: Dict[str, Any], distribution: str) -> SimpleFile:
    file = row.get("filename")
    stated = parse_wheel_name(file) if isinstance(file, str) else None
    if stated is None or stated.distribution != canonical(distribution):
        reader.fault(f"{path}.filename", file, f"must be the name of a wheel of {distribution}")
    hashes = reader.table(row, path, "hashes")
    metadata = reader.table(row, path, "core-metadata")
    yanked = row.get("yanked", False)
    if not isinstance(yanked, (bool, str)):
        reader.fault(f"{path}.yanked", yanked, "must be false, true or the reason")
    pythons = row.get("requires-python", "")
    if not isinstance(pythons, str):
        reader.fault(f"{path}.requires-python", pythons, "must be text")
    return SimpleFile(
        str(file),
        "" if stated is None else stated.version,
        reader.digest(hashes, f"{path}.hashes", "sha256"),
        reader.number(row, "size", 1, path),
        reader.moment(row, path, "upload-time") or 0,
        str(pythons),
        reader.digest(metadata, f"{path}.core-metadata", "sha256"),
        yanked if isinstance(yanked, str) else ("" if yanked else None),
    )
