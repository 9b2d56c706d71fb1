"""One installed distribution: its name, its metadata, and the files of its own directory."""

from __future__ import annotations

import os
import re
from typing import Optional, Tuple

from ..names import canonical, is_valid
from .headers import Headers, read_headers, read_requires_txt
from .tree import Tree

__all__ = ["Distribution", "canonical_fast", "is_source_tree", "split_name"]

_EGG = re.compile(r"(?P<name>[^-]+)(?:-(?P<version>[^-]+?)(?:-py[0-9].*)?)?")


def split_name(directory: str) -> Tuple[str, str]:
    """Name and version as the name of an information directory states them.

    ``my_plugin-1.0.dist-info``, ``My.Plugin-1.0-py3.9.egg-info``, ``src_project.egg-info``,
    ``my_plugin-1.0-py3.9.egg``; what is not stated is ``""``.
    """
    stem, _, suffix = directory.rpartition(".")
    if suffix == "dist-info":
        name, dash, version = stem.rpartition("-")
        return (name, version) if dash else (stem, "")
    match = _EGG.fullmatch(stem)
    return (match["name"], match["version"] or "") if match else (stem, "")


def canonical_fast(name: str) -> str:
    """``canonical(name)``; nearly all directory names need no regular expression for it."""
    if "." in name or "__" in name or "-" in name:
        return canonical(name)
    return name.replace("_", "-").lower()


def is_source_tree(info: str) -> bool:
    """Whether an information directory is one that setuptools leaves in a source tree."""
    return info.endswith(".egg-info") and "-" not in info[:-9]


class Distribution:
    """An information directory (``*.dist-info``, ``*.egg-info``, ``EGG-INFO``) in a tree.

    Attributes:
        tree: The entry of ``sys.path`` it lies in.
        info: Its directory, relative to the tree.
        wheel: Whether it was installed from a wheel, and so has METADATA and RECORD.
    """

    __slots__ = ("_headers", "_problem", "info", "tree", "wheel")

    def __init__(self, tree: Tree, info: str) -> None:
        self.tree = tree
        self.info = info
        self.wheel = info.endswith(".dist-info")
        self._headers: Optional[Headers] = None
        self._problem = ""

    @property
    def stated(self) -> Tuple[str, str]:
        """Its name and version as the name of its directory states them."""
        egg = self.info.lower() == "egg-info"
        return split_name(os.path.basename(self.tree.root) if egg else self.info)

    @property
    def metadata_file(self) -> str:
        """Its metadata file, relative to the tree."""
        return f"{self.info}/METADATA" if self.wheel else f"{self.info}/PKG-INFO"

    @property
    def files(self) -> Tuple[str, str, str]:
        """Its directory, entry points and metadata, relative to the tree."""
        return (self.info, f"{self.info}/entry_points.txt", self.metadata_file)

    @property
    def location(self) -> str:
        """The path of its information directory."""
        return self.tree.path(self.info)

    @property
    def headers(self) -> Headers:
        """What it says about itself, completed from the name of its directory where it fails."""
        if self._headers is None:
            self._headers = self._read_headers()
        return self._headers

    @property
    def problem(self) -> str:
        """Why its metadata cannot be relied on; empty if it can."""
        if self._headers is None:
            self._headers = self._read_headers()
        return self._problem

    def _read_headers(self) -> Headers:
        data: Optional[bytes] = b""
        try:
            data = self.tree.read_head(self.metadata_file)
        except OSError as e:
            self._problem = f"cannot be read ({e.strerror or e})"
        else:
            if data is None:
                self._problem = "is missing"
            elif not data.strip():
                self._problem = "is empty"
        found = read_headers(data or b"")
        if not self._problem:
            if not is_valid(found.name):
                self._problem = f"has no valid Name (found {found.name!a})"
            elif not found.version:
                self._problem = "has no Version"
        if self._problem:
            self._problem = f"{self.tree.path(self.metadata_file)} {self._problem}"
            name, version = self.stated
            found = found._replace(
                name=found.name if is_valid(found.name) else name,
                version=found.version or version or "0",
            )
        if not self.wheel and not found.requires_dist:
            found = found._replace(requires_dist=self._requires_txt())
        return found

    def _requires_txt(self) -> Tuple[str, ...]:
        try:
            data = self.tree.read(f"{self.info}/requires.txt")
        except OSError:
            return ()
        return read_requires_txt(data) if data else ()

    def text(self, name: str) -> str:
        """A file of the information directory as text; empty if it cannot be read."""
        try:
            data = self.tree.read(f"{self.info}/{name}")
        except OSError:
            return ""
        return data.decode("utf-8", "replace") if data else ""
