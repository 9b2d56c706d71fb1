"""Plugin directories: a manifest or a ``plugin.py`` makes a directory a plugin."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Dict, List, Optional, Set, Tuple, Union

from ..errors import Fault, ManifestError, PathError
from ..model.candidate import Candidate, Failure, Origin
from ..model.manifest import MANIFEST_FILES, PluginMetadata
from ..model.state import Reason
from ..names import canonical, is_valid
from .disk import read_file, stamp
from .findings import Findings
from .manifests import ManifestText, NeedsExtra, one_line, parse_manifest, refuse_two

if TYPE_CHECKING:
    from ..kernel.ports import MetadataLoader

__all__ = ["read_directory", "read_path"]

_MARKS = frozenset((*MANIFEST_FILES, "plugin.py"))
_MANIFESTS = frozenset(MANIFEST_FILES)


def read_directory(
    path: str,
    *,
    metadata_loader: "Optional[MetadataLoader]" = None,
    origin: Origin = Origin.PATH,
) -> Candidate:
    """The plugin that a directory holds; its code is not touched.

    Without a manifest, a directory with a ``plugin.py`` is a plugin named as the directory, at
    version 0.

    Args:
        path: The directory, absolute or relative to the current one.
        metadata_loader: Reads the metadata in place of pkl; then any directory will do.
        origin: What the candidate says of its source.

    Raises:
        PathError: There is no such directory, or no plugin in it.
        ManifestError: Its manifest is faulty, or the metadata loader raised.
    """
    location = os.path.abspath(path)
    try:
        marks = _marks(location)
    except OSError as e:
        raise PathError(
            f"there is no plugin at {location}: {_why(location, e)}",
            file=location,
            hint="give the directory that holds plugin.toml (or plugin.json) and plugin.py",
        ) from None
    if not marks and metadata_loader is None:
        raise PathError(
            f"there is no plugin at {location}: it holds neither a manifest"
            f" ({', '.join(MANIFEST_FILES)}) nor plugin.py",
            file=location,
            hint=f"pkl check {location}",
        )
    return _read(location, marks, metadata_loader, origin)


def read_path(
    path: str,
    *,
    metadata_loader: "Optional[MetadataLoader]" = None,
    origin: Origin = Origin.DIRECTORY,
) -> Findings:
    """The plugins of one entry of ``paths``: the directory itself, or its immediate children.

    Never raises for what it finds: each fault is one failure, or one candidate's fault.

    Args:
        path: A directory, absolute.
        metadata_loader: As for ``read_directory``.
        origin: As for ``read_directory``.
    """
    found = Findings(path, watched=[(path, stamp(path))])
    children: List[str] = []
    try:
        marks = _marks(path, children)
    except OSError as e:
        found.add("", _unreadable(path, e))
        return found
    if marks:
        _add(found, path, marks, metadata_loader, origin)
        return found
    for child in sorted(children):
        found.watched.append((child, stamp(child)))
        try:
            marks = _marks(child)
        except NotADirectoryError:
            continue
        except OSError as e:
            found.add("", _unreadable(child, e))
            continue
        if marks:
            _add(found, child, marks, metadata_loader, origin)
    return found


def _marks(directory: str, children: Optional[List[str]] = None) -> List[str]:
    """The names in a directory that make it a plugin; its other directories go to ``children``."""
    marks: List[str] = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name in _MARKS:
                marks.append(entry.name)
            elif children is not None and (entry.is_dir() or entry.is_symlink()):
                children.append(entry.path)
    return marks


def _add(
    found: Findings,
    location: str,
    marks: List[str],
    metadata_loader: "Optional[MetadataLoader]",
    origin: Origin,
) -> None:
    for each in marks:
        if each in _MANIFESTS:
            file = os.path.join(location, each)
            found.watched.append((file, stamp(file)))
    try:
        result: Union[Candidate, Failure] = _read(location, marks, metadata_loader, origin)
    except ManifestError as e:
        found.lasting = found.lasting and not isinstance(e, NeedsExtra)
        result = _faulty(location, e, origin)
    found.add("", result)


def _read(
    location: str,
    marks: List[str],
    metadata_loader: "Optional[MetadataLoader]",
    origin: Origin,
) -> Candidate:
    """The plugin in a directory whose marks are known.

    Raises:
        ManifestError: Its manifest is faulty, or the metadata loader raised.
    """
    if metadata_loader is not None:
        return _candidate(_loaded(location, metadata_loader), location, None, origin)
    manifests = [each for each in marks if each in _MANIFESTS]
    if not manifests:
        return _candidate(_unstated(location), location, None, origin)
    if len(manifests) > 1:
        refuse_two(location, manifests, _only_name(location, manifests))
    file = os.path.join(location, manifests[0])
    try:
        data = read_file(file)
    except OSError as e:
        raise ManifestError(
            [Fault("", "", f"must be a file that can be read: {e.strerror or e}")], file=file
        ) from None
    parsed = parse_manifest(ManifestText(file, data))
    return _candidate(PluginMetadata(parsed, file=file), location, file, origin)


def _candidate(
    metadata: PluginMetadata, location: str, file: Optional[str], origin: Origin
) -> Candidate:
    return Candidate(metadata.name, metadata, origin, location, location, manifest_file=file)


def _unstated(location: str) -> PluginMetadata:
    name = os.path.basename(location)
    if not is_valid(name):
        rule = (
            "the directory has no manifest, so its name is the plugin's, and it is no plugin name"
            " (PEP 508): rename the directory, or add a plugin.toml with a name"
        )
        raise ManifestError([Fault("name", name, rule)], file=location)
    return PluginMetadata({"name": name}, file=None)


def _loaded(location: str, loader: "MetadataLoader") -> PluginMetadata:
    from pathlib import Path

    who = type(loader).__name__
    try:
        metadata = loader.load(Path(location))
    except (KeyboardInterrupt, ManifestError):
        raise
    except BaseException as e:
        rule = f"the metadata loader {who} raised {type(e).__name__}: {e}"
        raise ManifestError([Fault("", location, rule)], file=location) from e
    if not isinstance(metadata, PluginMetadata):
        rule = (
            f"the metadata loader {who} must return PluginMetadata, not {type(metadata).__name__}"
        )
        raise ManifestError([Fault("", location, rule)], file=location)
    return metadata


def _faulty(location: str, error: ManifestError, origin: Origin) -> Union[Candidate, Failure]:
    """A candidate in ERROR(manifest) if the manifest at least says its name, else a failure."""
    name, version = _salvaged(location, error)
    file = error.file or location
    if name is None:
        return Failure("manifest", error.message, None, file)
    reason = Reason(
        "manifest",
        f"plugin {name!r}: {error.message}",
        one_line(error.message),
        f"correct the manifest, then run: pkl check {file}",
    )
    metadata = PluginMetadata.bare(name, version, file=file, critical=error.critical)
    return Candidate(
        metadata.name, metadata, origin, location, location, manifest_file=file, fault=reason
    )


def _salvaged(location: str, error: ManifestError) -> Tuple[Optional[str], str]:
    """Name and version of a faulty manifest, as far as it can be read."""
    if error.plugin:
        return error.plugin, error.version or "0"
    file = error.file or location
    if os.path.basename(file) not in _MANIFESTS:
        return None, "0"
    try:
        return PluginMetadata.salvage(parse_manifest(ManifestText(file, read_file(file))))
    except (ManifestError, OSError):
        return None, "0"


def _only_name(location: str, manifests: List[str]) -> Optional[str]:
    """The name that several manifests agree on, or the only one that is stated."""
    names: Set[str] = set()
    for each in manifests:
        file = os.path.join(location, each)
        try:
            found, _ = PluginMetadata.salvage(parse_manifest(ManifestText(file, read_file(file))))
        except (ManifestError, OSError):
            continue
        if found is not None:
            names.add(canonical(found))
    return names.pop() if len(names) == 1 else None


def _why(path: str, error: OSError) -> str:
    """What is wrong with a path, in words."""
    if os.path.islink(path) and not os.path.exists(path):
        return f"it is a link to {os.readlink(path)}, which does not exist"
    if isinstance(error, FileNotFoundError):
        return "it does not exist"
    if isinstance(error, NotADirectoryError):
        return "it is a file, not a directory"
    return f"it cannot be read ({error.strerror or error})"


_CODES: Dict[type, str] = {
    FileNotFoundError: "path-missing",
    NotADirectoryError: "path-not-a-directory",
}


def _unreadable(path: str, error: OSError) -> Failure:
    code = _CODES.get(type(error), "path-unreadable")
    if code == "path-missing" and os.path.islink(path):
        code = "path-dangling"
    return Failure(code, f"no plugin was read from {path}: {_why(path, error)}", file=path)
