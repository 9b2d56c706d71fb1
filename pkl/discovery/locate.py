"""Where the module of an entry point lies, found without importing it or its parents."""

from __future__ import annotations

import os
from importlib.machinery import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES
from typing import List, NamedTuple, Optional, Sequence, Tuple

from .disk import stamp
from .distribution import Distribution
from .editable import Place, editable_project, places
from .tree import DirectoryTree, Tree, Watched

__all__ = ["Located", "locate"]

_OTHER_SUFFIXES = (*EXTENSION_SUFFIXES, *BYTECODE_SUFFIXES)


class Located(NamedTuple):
    """Where a module lies.

    Attributes:
        tree: Where; None if it was not found.
        name: The package's directory or the module's file, relative to the tree.
        package: Whether it is a package.
        regular: Whether it is a module or has an ``__init__``; such a one hides any directory
            of that name that has none.
        stale: The path that an editable installation names and that is gone, or that does not
            hold the module; empty if there is none.
        watched: What led here and is no part of the distribution's own directory; if a stamp
            changes, the answer may too.
        searched: Whether the other entries of ``sys.path`` were looked at.
    """

    tree: Optional[Tree] = None
    name: str = ""
    package: bool = False
    regular: bool = False
    stale: str = ""
    watched: Tuple[Watched, ...] = ()
    searched: bool = False

    @property
    def path(self) -> Optional[str]:
        """The path of the package or module, or of the archive that holds it."""
        if self.tree is None:
            return None
        return self.tree.root if self.tree.archive else self.tree.path(self.name)


def locate(distribution: Distribution, module: str, search: Sequence[str]) -> Located:
    """Finds a module of a distribution; nothing of it is imported.

    In this order: beside the distribution's information directory, where the import system
    looks first; where its editable installation says; in the other entries of ``sys.path``. A
    directory without an ``__init__.py`` beside the information directory may be what an earlier
    installation left, so there the editable installation is asked first.

    Args:
        distribution: What offers the entry point.
        module: Dotted name of the module.
        search: The entries of ``sys.path``, absolute.
    """
    parts = module.split(".")
    beside = _below(distribution.tree, "", parts)
    if beside is not None and beside.regular:
        return beside
    project = editable_project(distribution)
    if beside is not None and project is None:
        return beside
    watched: List[Watched] = []
    missing = ""
    for place in places(distribution, project):
        if all(place.declared_in != path for path, _ in watched):
            watched.append((place.declared_in, stamp(place.declared_in)))
        found = _at(place, parts)
        if found is not None:
            return found._replace(watched=tuple(watched))
        missing = missing or _gone(place, parts)
    if project is not None:
        watched.append((project, stamp(project)))
    stale = missing or project or ""
    found = beside or (None if stale else _elsewhere(distribution, parts, search))
    if beside is None:
        for entry in (distribution.tree.root,) if stale else search:
            packages = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
            watched += DirectoryTree(entry).stamps(("", *packages))
    if found is not None:
        return found._replace(watched=tuple(watched), searched=beside is None)
    return Located(stale=stale, watched=tuple(watched), searched=not stale)


def _at(place: Place, parts: Sequence[str]) -> Optional[Located]:
    """The module, if the place has it."""
    prefix = place.module.split(".") if place.module else []
    if list(parts[: len(prefix)]) != prefix:
        return None
    rest = parts[len(prefix) :]
    if not prefix:
        return _below(DirectoryTree(place.path), "", rest)
    path = place.path
    if os.path.basename(path).startswith("__init__."):
        path = os.path.dirname(path)
    parent, name = os.path.split(path)
    tree = DirectoryTree(parent)
    if tree.is_directory(name):
        return _below(tree, name, rest) if rest else Located(tree, name, True)
    # setuptools maps a single module to its path without the suffix.
    for each in (name, f"{name}.py"):
        if not rest and tree.is_file(each):
            return Located(tree, each)
    return None


def _gone(place: Place, parts: Sequence[str]) -> str:
    """The place's path, if it should hold the module and does not exist."""
    prefix = place.module.split(".") if place.module else []
    if list(parts[: len(prefix)]) != prefix or os.path.exists(place.path):
        return ""
    return "" if prefix and os.path.exists(f"{place.path}.py") else place.path


def _below(tree: Tree, base: str, parts: Sequence[str]) -> Optional[Located]:
    """The module under a directory, by the rules of the standard path finder."""
    name = "/".join((base, *parts) if base else parts)
    if tree.is_file(f"{name}/__init__.py"):
        return Located(tree, name, True, True)
    if tree.is_file(f"{name}.py"):
        return Located(tree, f"{name}.py", regular=True)
    found = Located(tree, name, True) if tree.is_directory(name) else None
    if not tree.archive and tree.is_directory(os.path.dirname(name)):
        for suffix in _OTHER_SUFFIXES:
            if found is not None and tree.is_file(f"{name}/__init__{suffix}"):
                return found._replace(regular=True)
            if tree.is_file(name + suffix):
                return Located(tree, name + suffix, regular=True)
    return found


def _elsewhere(
    distribution: Distribution, parts: Sequence[str], search: Sequence[str]
) -> Optional[Located]:
    """The module in another entry of ``sys.path``, as the standard path finder would find it."""
    directory: Optional[Located] = None
    for entry in search:
        if entry == distribution.tree.root:
            continue
        found = _below(DirectoryTree(entry), "", parts)
        if found is not None and found.regular:
            return found
        directory = directory or found
    return directory
