"""One entry of ``sys.path`` as a tree of files: a directory, or a zip archive.

Names inside a tree are relative and use ``/``.
"""

from __future__ import annotations

import os
from typing import Iterable, List, Optional, Protocol, Tuple

from .disk import Stamp, read_file, read_head, stamp

__all__ = ["DirectoryTree", "Tree", "Watched"]

Watched = Tuple[str, Stamp]
"""A path, and the stamp it had before it was read."""


class Tree(Protocol):
    """What discovery asks of a place where distributions and packages lie."""

    @property
    def root(self) -> str:
        """Its absolute path."""

    @property
    def archive(self) -> bool:
        """Whether it is one file."""

    def read(self, name: str) -> Optional[bytes]:
        """The content of a file; None if there is nothing of that name.

        Raises:
            OSError: There is something, but it cannot be read as a file.
        """

    def read_head(self, name: str) -> Optional[bytes]:
        """The content of a file at least up to its first empty line; otherwise as ``read``."""

    def is_file(self, name: str) -> bool:
        """Whether it is there and is a file."""

    def is_directory(self, name: str) -> bool:
        """Whether it is there and is a directory."""

    def names(self, name: str) -> List[str]:
        """What lies in a directory.

        Raises:
            OSError: It cannot be listed.
        """

    def path(self, name: str) -> str:
        """The path of a file or directory, for people; of an archive, one inside of it."""

    def stamps(self, names: Iterable[str]) -> List[Watched]:
        """What to compare later, to know that the named files are the same."""


class DirectoryTree:
    """A directory as a ``Tree``."""

    __slots__ = ("root",)

    archive = False

    def __init__(self, root: str) -> None:
        self.root = root

    def read(self, name: str) -> Optional[bytes]:
        try:
            return read_file(f"{self.root}/{name}")
        except FileNotFoundError:
            return None

    def read_head(self, name: str) -> Optional[bytes]:
        try:
            return read_head(f"{self.root}/{name}")
        except FileNotFoundError:
            return None

    def is_file(self, name: str) -> bool:
        return os.path.isfile(f"{self.root}/{name}")

    def is_directory(self, name: str) -> bool:
        return os.path.isdir(f"{self.root}/{name}")

    def names(self, name: str) -> List[str]:
        return os.listdir(f"{self.root}/{name}")

    def path(self, name: str) -> str:
        if os.sep != "/":
            name = name.replace("/", os.sep)
        return f"{self.root}{os.sep}{name}" if name else self.root

    def stamps(self, names: Iterable[str]) -> List[Watched]:
        paths = [self.path(name) for name in names]
        return [(path, stamp(path)) for path in paths]
