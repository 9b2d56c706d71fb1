"""What is checked: files, the distribution they make, and the plugins it offers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List, NamedTuple, Optional, Set

from ...model.manifest import MANIFEST_FILES
from .files import Files

__all__ = ["Located", "Point", "Subject", "nested_plugins"]

_COMPILED = (".so", ".pyd", ".pyc")


class Point(NamedTuple):
    """An entry point that is said to be a plugin."""

    name: str
    value: str
    group: str
    line: Optional[int] = None
    """The line it is stated in, in the subject's ``points_file``."""


class Located(NamedTuple):
    """Where the module of an entry point lies among the files."""

    name: str
    """The folder of a package, or the file of a module."""
    package: bool


@dataclass
class Subject:
    """Something to check.

    Attributes:
        files: Its files.
        kind: ``directory``, ``project`` or ``wheel``.
        roots: The folders in which top-level modules lie, the best first; ``""`` is the top.
        points: Its entry points in the groups of plugins.
        points_file: The file that states them, or None.
        name: The distribution's name, if it is known.
        version: The distribution's version, if it is known without building it.
        dependencies: What the distribution requires (PEP 508); None if that is not known.
        metadata_file: The file that states name, version and dependencies.
        build: ``[build-system]`` and ``[tool]`` of a project.
    """

    files: Files
    kind: str
    roots: List[str] = field(default_factory=lambda: [""])
    points: List[Point] = field(default_factory=list)
    points_file: Optional[str] = None
    name: Optional[str] = None
    version: Optional[str] = None
    dependencies: Optional[List[str]] = None
    metadata_file: Optional[str] = None
    build: Dict[str, object] = field(default_factory=dict)

    def locate(self, module: str) -> Optional[Located]:
        """Where a dotted module lies, or None."""
        names = set(self.files.names())
        folders = folders_of(names)
        for root in self.roots:
            name = "/".join(filter(None, (root, *module.split("."))))
            if f"{name}/__init__.py" in names:
                return Located(name, True)
            if f"{name}.py" in names:
                return Located(f"{name}.py", False)
            if name in folders:
                return Located(name, True)
            for each in names:
                if each.startswith(f"{name}.") and each.endswith(_COMPILED):
                    return Located(each, False)
        return None

    def manifest_in(self, folder: str) -> List[str]:
        """The manifests that lie in a folder."""
        names = set(self.files.names())
        inside = (f"{folder}/{each}" if folder else each for each in MANIFEST_FILES)
        return [each for each in inside if each in names]


def folders_of(names: Set[str]) -> Set[str]:
    """Every folder that holds one of the files, at any depth."""
    found: Set[str] = set()
    for name in names:
        folder = name.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found


def nested_plugins(files: Files, folder: str) -> List[str]:
    """The folders below ``folder``, itself left out, that hold a manifest: children of a plugin."""
    inside = f"{folder}/" if folder else ""
    found = {
        name.rpartition("/")[0]
        for name in files.names()
        if name.startswith(inside) and name.rpartition("/")[2] in MANIFEST_FILES
    }
    return sorted(found - {folder})
