"""The ``sys.meta_path`` finder, and the two ways in which a generation's modules are looked for."""

from __future__ import annotations

import os
import sys
from _thread import get_ident
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    PathFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence

from .extensions import ExtensionLoader
from .modules import ImportedElsewhere
from .names import NAMES
from .source import SourceLoader
from .wrapped import EmptyLoader, wrapped

if TYPE_CHECKING:
    from .modules import GenerationModules

__all__ = ["DirectorySearch", "PathSearch", "install_finder", "look"]


class GenerationFinder:
    """Finds the modules of living generations; everybody else's import passes by.

    The import system calls it while it holds its own lock, so nothing here waits for a lock.
    """

    def find_spec(
        self, fullname: str, path: Optional[Sequence[str]] = None, target: Any = None
    ) -> Optional[ModuleSpec]:
        """The spec of a generation's module; None for any other name.

        Raises:
            PluginNotRunning: The generation was stopped while its code was importing this.
            ImportedElsewhere: The name is one that the generation no longer has.
        """
        if fullname.partition(".")[0] not in _roots:
            return None
        modules = NAMES.holder(fullname)
        if modules is None:
            return None
        exposed = modules.exposed
        if exposed is None:
            if get_ident() in modules.importing:
                raise modules.stopped(fullname)
            return None
        if not f"{fullname}.".startswith((f"{exposed}.", f"{modules.root}.")):
            # It went back to its real name while this was being imported under a private one.
            # The other finders would make a module of nobody of the same file.
            raise ImportedElsewhere(f"{fullname!r} is {exposed!r} by now", name=fullname)
        return modules.search(modules, fullname, path)


_roots = NAMES.roots
_FINDER = GenerationFinder()


def install_finder() -> None:
    """Puts the finder first on ``sys.meta_path``, unless it is.

    It has to be: a hook before it would find a generation's modules as those of nobody. Hooks
    behind it are asked all the same, for the modules of installed distributions.
    """
    finders = sys.meta_path
    if finders and finders[0] is _FINDER:
        return
    with NAMES.lock:
        finders.insert(0, _FINDER)
        for at in range(len(finders) - 1, 0, -1):
            if finders[at] is _FINDER:
                del finders[at]


class DirectorySearch:
    """Looks for modules in a plugin's directory, past all caches of the import system.

    Args:
        directory: The plugin's directory, absolute.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._finders: Dict[str, FileFinder] = {}

    def __call__(
        self, modules: "GenerationModules", name: str, path: Optional[Sequence[str]]
    ) -> Optional[ModuleSpec]:
        """The spec of a module of the directory."""
        if name == modules.exposed:
            return self._package(modules, name)
        locations: List[str] = []
        for entry in path or ():
            found = self._in(modules, entry, name)
            if found is not None and found.loader is not None:
                return found
            if found is not None:
                locations.extend(found.submodule_search_locations or ())
        return _empty(modules, name, locations) if locations else None

    def _package(self, modules: "GenerationModules", name: str) -> ModuleSpec:
        # The listing is made now, so there is no older one to throw away.
        found = self._finder(self.directory).find_spec(f"{name}.__init__")
        if found is None or found.loader is None:
            return _empty(modules, name, [self.directory])
        found.name = name
        _give_loader(found, modules)
        found.submodule_search_locations = [self.directory]
        return found

    def _in(self, modules: "GenerationModules", entry: str, name: str) -> Optional[ModuleSpec]:
        finder = self._finder(entry)
        found = finder.find_spec(name)
        if found is None:
            # The listing may be older than a file made within the same tick of the clock.
            finder.invalidate_caches()
            found = finder.find_spec(name)
        if found is not None:
            _give_loader(found, modules)
        return found

    def _finder(self, entry: str) -> FileFinder:
        finder = self._finders.get(entry)
        if finder is None:
            finder = self._finders[entry] = FileFinder(entry, *_LOADERS)
        return finder


_LOADERS: Any = (
    (ExtensionFileLoader, EXTENSION_SUFFIXES),
    (SourceFileLoader, SOURCE_SUFFIXES),
    (SourcelessFileLoader, BYTECODE_SUFFIXES),
)
"""The order in which importlib itself prefers them."""


def _give_loader(found: ModuleSpec, modules: "GenerationModules") -> None:
    """Has a module that a ``FileFinder`` found loaded as one of the generation's."""
    loader: Any = found.loader
    own: Any = None
    if type(loader) is SourceFileLoader:
        own = SourceLoader(found.name, str(loader.path), modules.by_ref)
    elif type(loader) is ExtensionFileLoader:
        own = ExtensionLoader(found.name, str(loader.path), modules.by_ref)
    elif loader is not None:
        loader.name = found.name
        own = wrapped(loader, found.name, modules.by_ref)
    found.loader = own


class PathSearch:
    """Looks for modules as every import does, through ``sys.meta_path``, and takes them over.

    Args:
        root: The spec of the root, as found under its real name.
    """

    def __init__(self, root: ModuleSpec) -> None:
        self._root = root

    def __call__(
        self, modules: "GenerationModules", name: str, path: Optional[Sequence[str]]
    ) -> Optional[ModuleSpec]:
        """The spec of a module of an installed distribution."""
        if name == modules.exposed:
            return _taken_over(modules, name, self._root)
        real = modules.real_name(name)
        if real is None:
            return None
        found = look(real, path, name)
        if found is None:
            _forget(path or ())
            found = look(real, path, name)
        return None if found is None else _taken_over(modules, name, found)


def look(name: str, path: Optional[Sequence[str]], alias: str = "") -> Optional[ModuleSpec]:
    """What the finders of ``sys.meta_path`` other than pkl's have for a module.

    Args:
        name: The real name of the module.
        path: Where its package says that submodules are; None for a top-level module.
        alias: What the module is called in ``sys.modules``, if not that.
    """
    for finder in list(sys.meta_path):
        find_spec = getattr(finder, "find_spec", None)
        if finder is _FINDER or find_spec is None:
            continue
        # Namespace packages look their parent up in sys.modules, under the name asked for.
        asked = alias if alias and finder is PathFinder else name
        found: Optional[ModuleSpec] = find_spec(asked, path)
        if found is not None:
            return found
    return None


def _forget(path: Sequence[str]) -> None:
    """Has the listings of these directories read again, and no others."""
    for entry in path:
        finder = sys.path_importer_cache.get(entry)
        if finder is None:
            sys.path_importer_cache.pop(entry, None)
        elif hasattr(finder, "invalidate_caches"):
            finder.invalidate_caches()


def _taken_over(modules: "GenerationModules", name: str, found: ModuleSpec) -> ModuleSpec:
    loader: Any = found.loader
    locations = found.submodule_search_locations
    if loader is None:
        return _empty(modules, name, list(locations or ()))
    own: Any
    if type(loader) is SourceFileLoader:
        own = SourceLoader(name, str(loader.path), modules.by_ref)
    elif isinstance(loader, ExtensionFileLoader):
        own = ExtensionLoader(name, str(loader.path), modules.by_ref)
    else:
        own = wrapped(loader, found.name, modules.by_ref)
    spec = ModuleSpec(name, own, origin=found.origin, is_package=locations is not None)
    if locations is not None:
        spec.submodule_search_locations = list(locations)
    spec.has_location = found.has_location
    return spec


def _empty(modules: "GenerationModules", name: str, locations: List[str]) -> ModuleSpec:
    file = os.path.join(locations[0], "__init__.py")
    loader: Any = EmptyLoader(file, modules.by_ref)
    # An origin, although there is no such file: it is how importlib.resources of 3.9 finds data.
    spec = ModuleSpec(name, loader, origin=file, is_package=True)
    spec.submodule_search_locations = locations
    return spec
