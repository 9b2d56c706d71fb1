"""Where the module of an entry point lies, found without importing it or its parents."""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder, all_suffixes
from typing import Any, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from .disk import Stamp, stamp
from .distribution import Distribution
from .editable import Place, editable_project, places
from .tree import DirectoryTree, Tree

__all__ = ["Located", "locate"]

_SUFFIXES = tuple(all_suffixes())


class Located(NamedTuple):
    """Where a module lies.

    Attributes:
        tree: Where; None if it was not found.
        name: The package's directory or the module's file, relative to the tree.
        package: Whether it is a package.
        stale: The path that an editable installation names and that is no longer there, or that
            no longer holds the module; empty if there is none.
        watched: Files that led here; if their stamps change, the answer may too.
    """

    tree: Optional[Tree] = None
    name: str = ""
    package: bool = False
    stale: str = ""
    watched: Tuple[Tuple[str, Stamp], ...] = ()

    @property
    def path(self) -> Optional[str]:
        """The path of the package or module, or of the archive that holds it."""
        if self.tree is None:
            return None
        return self.tree.root if self.tree.archive else self.tree.path(self.name)


def locate(
    distribution: Distribution, module: str, search: Optional[Sequence[str]] = None
) -> Located:
    """Finds a module of a distribution; nothing of it is imported.

    In this order: beside the distribution's information directory; where its editable
    installation says; where the import system finds its top-level package.

    Args:
        distribution: What offers the entry point.
        module: Dotted name of the module.
        search: The ``sys.path`` that discovery looks at; None for the interpreter's own, with
            its ``sys.meta_path``.
    """
    parts = module.split(".")
    project = editable_project(distribution)
    if project is None:
        found = _below(distribution.tree, "", parts)
        if found is not None:
            return found
    watched: List[Tuple[str, Stamp]] = []
    missing = ""
    for place in places(distribution, project):
        if not any(place.declared_in == path for path, _ in watched):
            watched.append((place.declared_in, stamp(place.declared_in)))
        found = _at(place, parts)
        if found is not None:
            return found._replace(watched=tuple(watched))
        missing = missing or _gone(place, parts)
    if project is not None:
        found = _below(distribution.tree, "", parts)
        if found is not None:
            return found._replace(watched=tuple(watched))
        watched.append((project, stamp(project)))
    found = _imported_from(parts, search) or Located()
    if found.tree is None and (missing or project is not None):
        return Located(stale=missing or str(project), watched=tuple(watched))
    return found._replace(watched=tuple(watched))


def _at(place: Place, parts: Sequence[str]) -> Optional[Located]:
    """The module, if the place has it."""
    prefix = place.module.split(".") if place.module else []
    if list(parts[: len(prefix)]) != prefix:
        return None
    rest = list(parts[len(prefix) :])
    if not prefix:
        return _below(DirectoryTree(place.path), "", rest)
    parent, name = os.path.split(place.path)
    tree = DirectoryTree(parent)
    if name.startswith("__init__."):
        parent, name = os.path.split(parent)
        tree = DirectoryTree(parent)
    if tree.is_directory(name):
        return _below(tree, name, rest) if rest else Located(tree, name, True)
    return Located(tree, name) if not rest and tree.is_file(name) else None


def _gone(place: Place, parts: Sequence[str]) -> str:
    """The place's path, if it should hold the module and does not exist."""
    if place.module and place.module.split(".") != list(parts[: place.module.count(".") + 1]):
        return ""
    return "" if os.path.exists(place.path) else place.path


def _below(tree: Tree, base: str, parts: Sequence[str]) -> Optional[Located]:
    """The module under a directory, by the rules of the standard path finder."""
    name = "/".join((base, *parts) if base else parts)
    if tree.is_file(f"{name}/__init__.py"):
        return Located(tree, name, True)
    if tree.is_file(f"{name}.py"):
        return Located(tree, f"{name}.py")
    if tree.is_directory(name):
        return Located(tree, name, True)
    if not tree.archive and tree.is_directory(os.path.dirname(name)):
        for suffix in _SUFFIXES:
            if tree.is_file(name + suffix):
                return Located(tree, name + suffix)
    return None


def _imported_from(parts: Sequence[str], search: Optional[Sequence[str]]) -> Optional[Located]:
    """The module where the import system finds its top-level package.

    Only the top level is asked of the finders: asking for ``pkg.mod`` would import ``pkg``.
    """
    for spec in _specs(parts[0], search):
        for where in spec.submodule_search_locations or ():
            if isinstance(where, str) and os.path.isdir(where):
                parent, name = os.path.split(os.path.abspath(where))
                tree = DirectoryTree(parent)
                if len(parts) == 1:
                    return Located(tree, name, True)
                found = _below(tree, name, parts[1:])
                if found is not None:
                    return found
        origin = spec.origin
        if len(parts) == 1 and isinstance(origin, str) and os.path.isfile(origin):
            parent, name = os.path.split(os.path.abspath(origin))
            return Located(DirectoryTree(parent), name)
    return None


def _specs(top: str, search: Optional[Sequence[str]]) -> Iterator[Any]:
    """Where each finder that knows it says the top-level module lies; none of it is loaded."""
    if search is not None:
        spec = PathFinder.find_spec(top, list(search))
        if spec is not None:
            yield spec
        return
    loaded = getattr(sys.modules.get(top), "__spec__", None)
    if loaded is not None:
        yield loaded
    for finder in list(sys.meta_path):
        try:
            spec = finder.find_spec(top, None)
        except Exception:
            continue  # a finder of someone else that fails must not hide the others
        if spec is not None:
            yield spec
            return
