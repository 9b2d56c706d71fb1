"""The JSON of a registry to values: strict, and with every fault at once.

A file is taken as a whole or not at all. Keys that are not known are passed over: later versions
of the format only add.
"""

from __future__ import annotations

import hashlib
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ..errors import ManifestError
from ..model.checking import dotted
from ..model.manifest import PluginMetadata
from ..model.requirement import is_version, version_key
from ..names import canonical
from .fields import Reader
from .keys import PublicKey, parse_public_key
from .model import (
    Index,
    IndexEntry,
    Page,
    Release,
    Revocation,
    Revocations,
    Rotation,
    WheelFile,
)
from .wheel_name import parse_wheel_name

__all__ = [
    "INDEX_SCHEMA",
    "PAGE_SCHEMA",
    "REVOKED_SCHEMA",
    "parse_index",
    "parse_page",
    "parse_revoked",
]

INDEX_SCHEMA = "pkl.index/1"
PAGE_SCHEMA = "pkl.page/1"
REVOKED_SCHEMA = "pkl.revoked/1"

MAX_ROTATIONS = 100
_FACTS = (
    "requires",
    "wants",
    "conflicts",
    "provides",
    "permissions",
    "requires-host",
    "requires-python",
)
"""What of a manifest is on a page."""


def parse_index(data: bytes, *, url: str = "", registry: Optional[str] = None) -> Index:
    """What an ``index.json`` says; its signature, serial and expiry are for ``trust``.

    Args:
        data: The file.
        url: Where it was read from, for errors.
        registry: The name under which the registry is known, for errors.

    Raises:
        RegistryGarbage: With every fault.
    """
    reader = Reader("the index of the registry", url, registry)
    whole = reader.whole(data, INDEX_SCHEMA)
    serial = reader.number(whole, "serial", 1)
    expires = reader.moment(whole, "", "expires", needed=False)
    revoked = reader.digest(whole, "", "revoked")
    simple = reader.digest(whole, "", "simple") if "simple" in whole else ""
    rotations = _rotations(reader, whole.get("rotations", []))
    plugins = _entries(reader, reader.table(whole, "", "plugins"))
    reader.done()
    digest = hashlib.sha256(data).hexdigest()
    return Index(serial, expires, revoked, plugins, rotations, simple, digest)


def parse_page(
    data: bytes, name: str, *, summary: str = "", url: str = "", registry: Optional[str] = None
) -> Page:
    """What the page of a plugin says.

    Args:
        data: The file.
        name: The canonical name of the plugin it is to be the page of.
        summary: What the index says of the plugin.
        url: Where it was read from, for errors.
        registry: The name under which the registry is known, for errors.

    Raises:
        RegistryGarbage: With every fault; also if it is the page of another plugin.
    """
    reader = Reader(f"the registry's page of {name!r}", url, registry)
    whole = reader.whole(data, PAGE_SCHEMA)
    if whole.get("name") != name:
        reader.fault("name", whole.get("name"), f"must be {name}, whose page it is to be")
    distribution = reader.name(whole, "", "distribution")
    releases: List[Release] = []
    seen: Dict[Any, str] = {}
    for version, row in reader.table(whole, "", "versions").items():
        path = dotted("versions", version)
        if not is_version(version) or version != version.strip():
            reader.fault(path, version, "must be a version (PEP 440) such as 1.4.0")
        elif version_key(version) in seen:
            other = seen[version_key(version)]
            reader.fault(path, version, f"must not be there twice: {other} is the same version")
        elif not isinstance(row, dict):
            reader.fault(path, row, "must be an object")
        else:
            seen[version_key(version)] = version
            release = _release(reader, path, row, name, version, summary, distribution)
            if release is not None:
                releases.append(release)
    reader.done()
    releases.sort(key=lambda each: version_key(each.version), reverse=True)
    return Page(name, distribution, tuple(releases))


def parse_revoked(data: bytes, *, url: str = "", registry: Optional[str] = None) -> Revocations:
    """What a ``revoked.json`` says.

    Args:
        data: The file.
        url: Where it was read from, for errors.
        registry: The name under which the registry is known, for errors.

    Raises:
        RegistryGarbage: With every fault.
    """
    reader = Reader("the registry's list of revoked versions", url, registry)
    whole = reader.whole(data, REVOKED_SCHEMA)
    entries: Dict[str, Dict[str, Revocation]] = {}
    for name, versions in reader.table(whole, "", "revoked").items():
        path = dotted("revoked", name)
        if not reader.is_name(path, name):
            continue
        if not isinstance(versions, dict):
            reader.fault(path, versions, "must be an object")
            continue
        for version, row in versions.items():
            where = dotted(path, version)
            if not is_version(version):
                reader.fault(where, version, "must be a version (PEP 440) such as 1.4.0")
            elif not isinstance(row, dict):
                reader.fault(where, row, "must be an object")
            else:
                found = _revocation(reader, where, row, name, version)
                entries.setdefault(name, {})[version] = found
    reader.done()
    return Revocations(entries)


def _entries(reader: Reader, plugins: Mapping[str, Any]) -> Dict[str, IndexEntry]:
    """What the index says of each plugin."""
    found: Dict[str, IndexEntry] = {}
    for name, row in plugins.items():
        path = dotted("plugins", name)
        if not reader.is_name(path, name):
            continue
        if not isinstance(row, dict):
            reader.fault(path, row, "must be an object")
            continue
        latest = row.get("latest")
        if latest is not None and not (isinstance(latest, str) and is_version(latest)):
            reader.fault(f"{path}.latest", latest, "must be a version (PEP 440), or null")
        summary = reader.line(row, path, "summary")
        digest = reader.digest(row, path, "sha256")
        provides = _capabilities(reader, path, row.get("provides", []))
        carrier = reader.name(row, path, "distribution") if "distribution" in row else ""
        found[name] = IndexEntry(name, summary, latest, digest, provides, canonical(carrier))
    return found


def _capabilities(reader: Reader, path: str, listed: Any) -> Tuple[str, ...]:
    """The names of the capabilities that a plugin provides."""
    where = dotted(path, "provides")
    if not isinstance(listed, list):
        reader.fault(where, listed, "must be a list of names")
        return ()
    named = [each for each in listed if isinstance(each, str) and reader.is_name(where, each)]
    if not all(isinstance(each, str) for each in listed):
        reader.fault(where, listed, "must be a list of names")
    return tuple(sorted(named))


def _rotations(reader: Reader, listed: Any) -> Tuple[Rotation, ...]:
    """Which keys took the place of which."""
    if not isinstance(listed, list) or len(listed) > MAX_ROTATIONS:
        rule = f"must be a list of at most {MAX_ROTATIONS} changes of the key"
        reader.fault("rotations", listed, rule)
        return ()
    found = []
    for index, row in enumerate(listed):
        path = f"rotations[{index}]"
        if not isinstance(row, dict):
            reader.fault(path, row, "must be an object")
            continue
        old, new = _key(reader, row, path, "old"), _key(reader, row, path, "new")
        signature = reader.text(f"{path}.signature", row.get("signature"), "an SSH signature")
        if old is not None and new is not None and signature is not None:
            found.append(Rotation(old, new, signature))
    return tuple(found)


def _key(reader: Reader, row: Mapping[str, Any], path: str, key: str) -> Optional[PublicKey]:
    found = row.get(key)
    try:
        return parse_public_key(found if isinstance(found, str) else "")
    except ValueError as e:
        reader.fault(f"{path}.{key}", found, f"must be a public key of OpenSSH: {e}")
        return None


def _release(
    reader: Reader,
    path: str,
    row: Mapping[str, Any],
    name: str,
    version: str,
    summary: str,
    distribution: str,
) -> Optional[Release]:
    """One version of a plugin; None if something is wrong with it."""
    before = len(reader.faults)
    files = [_wheel(reader, path, row, distribution, version)]
    also = row.get("also", [])
    for index, each in enumerate(also if isinstance(also, list) else ()):
        where = f"{path}.also[{index}]"
        if isinstance(each, dict):
            files.append(_wheel(reader, where, each, distribution, version))
        else:
            reader.fault(where, each, "must be an object")
    if not isinstance(also, list):
        reader.fault(f"{path}.also", also, "must be a list of further wheels")
    if len({each.file for each in files}) < len(files):
        reader.fault(f"{path}.also", also, "must not name a wheel twice")
    yanked = row.get("yanked", False)
    if not isinstance(yanked, (bool, str)):
        reader.fault(f"{path}.yanked", yanked, "must be false, true or the reason")
    said = {key: row[key] for key in _FACTS if key in row}
    try:
        metadata = PluginMetadata(
            {"name": name, "version": version, "summary": summary, **said},
            distribution=distribution,
        )
    except ManifestError as e:
        reader.faults += [fault._replace(path=f"{path}.{fault.path}") for fault in e.faults]
    if len(reader.faults) > before:
        return None
    withdrawn = yanked if isinstance(yanked, str) else ("" if yanked else None)
    return Release(metadata, tuple(files), withdrawn)


def _wheel(
    reader: Reader, path: str, row: Mapping[str, Any], distribution: str, version: str
) -> WheelFile:
    file = row.get("file")
    stated = parse_wheel_name(file) if isinstance(file, str) else None
    if stated is None:
        reader.fault(f"{path}.file", file, "must be the name of a wheel, without a folder")
    elif distribution and not stated.is_of(distribution, version):
        reader.fault(f"{path}.file", file, f"must be a wheel of {distribution} {version}")
    digest, size = reader.digest(row, path, "sha256"), reader.number(row, "size", 1, path)
    return WheelFile(str(file), digest, size, reader.moment(row, path, "uploaded") or 0)


def _revocation(
    reader: Reader, path: str, row: Mapping[str, Any], name: str, version: str
) -> Revocation:
    """Why one version must not run."""
    stated = row.get("distribution", "")
    distribution = reader.name(row, path, "distribution") if stated != "" else ""
    reason = reader.line(row, path, "reason")
    since = reader.moment(row, path, "since") or 0
    return Revocation(name, version, distribution, reason, since)
