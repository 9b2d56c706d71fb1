"""What a candidate names: the root of its generation, its entry-point module and its API."""

from __future__ import annotations

import os
import sys
from importlib import import_module, invalidate_caches
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, List, NamedTuple, Optional, Sequence, Tuple

from ..errors import PluginLoadError
from ..model.candidate import Origin
from ..names import identifier
from .finder import DirectorySearch, PathSearch, look
from .modules import Owner, Search

if TYPE_CHECKING:
    from ..model.candidate import Candidate

__all__ = ["Target", "missing_attribute", "missing_module", "target_of"]

_HOUSE = __name__.partition(".")[0]
_STDLIB = os.path.join(os.path.dirname(os.__file__), "")
_INSTALLED = ("site-packages", "dist-packages")


class Target(NamedTuple):
    """What has to be imported for a plugin.

    Attributes:
        root: Real name of what a generation is made of: a package, or one module.
        entry: Real name of the entry-point module; the root or below it.
        attribute: What the entry point names inside that module; empty for the module itself.
        search: Where the modules come from.
        places: The root's files or directories.
        local: Whether the root is named by pkl, so that nobody else imports it.
        package_is_api: Whether the root is the API if it has code, rather than the entry-point
            module.
    """

    root: str
    entry: str
    attribute: str
    search: Search
    places: Tuple[str, ...]
    local: bool
    package_is_api: bool


def target_of(candidate: "Candidate", owner: Owner) -> Target:
    """Finds what a candidate names; of its code only packages above the root are imported.

    Raises:
        PluginLoadError: The entry point names no module, or one that cannot be a plugin's.
        BaseException: What a package above the root raised.
    """
    if candidate.origin in (Origin.DIRECTORY, Origin.PATH):
        return _directory(candidate, owner)
    return _entry_point(candidate, owner)


def _directory(candidate: "Candidate", owner: Owner) -> Target:
    # Never the directory's own name: json/plugin.py would hide the standard library's json.
    root = f"pkl_local_{identifier(owner.plugin)}"
    directory = os.path.abspath(candidate.location or candidate.target)
    entry = f"{root}.{candidate.metadata.entrypoint}"
    return Target(root, entry, "", DirectorySearch(directory), (directory,), True, True)


def _entry_point(candidate: "Candidate", owner: Owner) -> Target:
    value = candidate.target.partition("[")[0]
    name, _, attribute = (part.strip() for part in value.partition(":"))
    found = _found(name, candidate, owner)
    origin = found.origin or ""
    inside = origin.startswith(_STDLIB) and not any(part in origin for part in _INSTALLED)
    if origin in ("built-in", "frozen") or inside or name.partition(".")[0] == _HOUSE:
        raise _error(
            candidate,
            owner,
            f"{name!r} is part of {'pkl' if name.partition('.')[0] == _HOUSE else 'Python'} "
            "itself, which is not loaded as a plugin's code",
        )
    # With a manifest the generation is the package that holds it. Without one it is what the
    # entry point names and no more: the package around a module may serve others, as xdist does
    # with its two entry points xdist.plugin and xdist.looponfail, and a second copy of it for
    # each of them would make strangers of them.
    manifest = candidate.manifest_file is not None
    entry = f"{name}.{candidate.metadata.entrypoint}" if manifest else name
    locations = found.submodule_search_locations
    if locations is not None:
        places = tuple(os.path.abspath(each) for each in locations)
    else:
        places = (os.path.abspath(origin),) if origin else ()
    return Target(name, entry, attribute, PathSearch(found), places, False, manifest)


def _found(name: str, candidate: "Candidate", owner: Owner) -> ModuleSpec:
    parent = name.rpartition(".")[0]
    path: Optional[Sequence[str]] = None
    if parent:
        try:
            path = import_module(parent).__path__
        except ModuleNotFoundError as e:
            if e.name is None or not f"{parent}.".startswith(f"{e.name}."):
                raise
            raise _error(candidate, owner, f"there is no module {e.name!r}") from None
        except AttributeError:
            raise _error(candidate, owner, f"{parent!r} is a module, not a package") from None
    found = look(name, path)
    if found is None:
        # A package installed a moment ago may be missing from a listing of sys.path.
        invalidate_caches()
        found = look(name, path)
    archive = getattr(found.loader, "archive", None) if found is not None else None
    if archive is not None:
        _forget_archive(archive)
        found = look(name, path)
    if found is None:
        raise _error(candidate, owner, f"there is no module {name!r}")
    return found


def _forget_archive(archive: str) -> None:
    """Has an archive's table of contents read again: zipimport keeps it after the file changed."""
    import zipimport

    getattr(zipimport, "_zip_directory_cache", {}).pop(archive, None)
    for path in list(sys.path_importer_cache):
        if path.startswith(archive):
            sys.path_importer_cache.pop(path, None)


def missing_module(candidate: "Candidate", owner: Owner, target: Target) -> PluginLoadError:
    """The error for a package that lacks its entry-point module."""
    places = target.places
    where = places[0] if places else target.root
    module = candidate.metadata.entrypoint
    error = _describe(candidate, owner, f"{where} has no module {module!r}")
    file = os.path.join(where, *module.split(".")) + ".py"
    said = candidate.manifest_file or "the manifest"
    return PluginLoadError(
        error,
        plugin=owner.plugin,
        version=owner.version,
        distribution=owner.distribution,
        file=file,
        hint=f"create {file}, or name another module under entrypoint in {said}",
    )


def missing_attribute(
    candidate: "Candidate", owner: Owner, target: Target, name: str
) -> PluginLoadError:
    """The error for an entry point whose module lacks the object that it names."""
    return _error(candidate, owner, f"module {target.entry!r} has no attribute {name!r}")


def _describe(candidate: "Candidate", owner: Owner, what: str) -> str:
    whose = f"plugin {owner.plugin!r} {owner.version}"
    if candidate.origin not in (Origin.DIRECTORY, Origin.PATH):
        whose += f" of {candidate.source}"
    return f"{whose} cannot be loaded: {what}"


def _error(candidate: "Candidate", owner: Owner, why: str) -> PluginLoadError:
    group = f"[{candidate.group}] " if candidate.group else ""
    said = f"entry_points.txt says {group}{candidate.name} = {candidate.target}"
    hint: List[str] = ["correct the entry point in the plugin's pyproject.toml"]
    if candidate.distribution:
        hint.append(f"pip install --force-reinstall {candidate.distribution}")
    return PluginLoadError(
        _describe(candidate, owner, f"{why}; {said}"),
        plugin=owner.plugin,
        version=owner.version,
        distribution=owner.distribution,
        file="entry_points.txt",
        hint=", then run: ".join(hint),
        entry_point=candidate.target,
    )
