"""One installed distribution: its name, its metadata, and the files of its own directory."""

from __future__ import annotations

import re
from typing import Optional, Tuple

from ..names import canonical, is_valid
from .headers import Headers, read_headers, read_requires_txt
from .tree import Tree

__all__ = ["Distribution", "split_name"]

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


class Distribution:
    """An information directory (``*.dist-info``, ``*.egg-info``, ``EGG-INFO``) in a tree.

    Attributes:
        tree: The entry of ``sys.path`` it lies in.
        info: Its directory, relative to the tree.
        key: The canonical name (PEP 503), as the name of the directory states it.
        stated_version: The version that the directory's name states, or ``""``.
    """

    __slots__ = ("_headers", "_problem", "_stated_name", "info", "key", "stated_version", "tree")

    def __init__(self, tree: Tree, info: str) -> None:
        self.tree = tree
        self.info = info
        named = info if info.lower() != "egg-info" else re.split(r"[\\/]", tree.root)[-1]
        self._stated_name, self.stated_version = split_name(named)
        self.key = canonical(self._stated_name)
        self._headers: Optional[Headers] = None
        self._problem = ""

    @property
    def wheel(self) -> bool:
        """Whether it was installed from a wheel, and so has METADATA and RECORD."""
        return self.info.endswith(".dist-info")

    @property
    def metadata_name(self) -> str:
        """The name of its metadata file, relative to the tree."""
        return f"{self.info}/METADATA" if self.wheel else f"{self.info}/PKG-INFO"

    @property
    def location(self) -> str:
        """The path of its information directory, for people."""
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
        return self._problem if self._headers is not None else (self.headers and self._problem)

    @property
    def name(self) -> str:
        """Its name as it spells it."""
        return self.headers.name

    @property
    def version(self) -> str:
        """Its version text, ``0`` if it is stated nowhere."""
        return self.headers.version

    def _read_headers(self) -> Headers:
        path = self.tree.path(self.metadata_name)
        try:
            data = self.tree.read_head(self.metadata_name)
        except OSError as e:
            data, self._problem = b"", f"cannot be read: {e.strerror or e}"
        else:
            if data is None:
                data, self._problem = b"", "is missing"
            elif not data.strip():
                self._problem = "is empty"
        found = read_headers(data)
        if not self._problem:
            if not is_valid(found.name):
                self._problem = f"has no valid Name (found {found.name!a})"
            elif not found.version:
                self._problem = "has no Version"
        if self._problem:
            self._problem = f"{path} {self._problem}"
            found = found._replace(
                name=found.name if is_valid(found.name) else self._stated_name,
                version=found.version or self.stated_version or "0",
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
