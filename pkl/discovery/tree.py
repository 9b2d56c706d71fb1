"""One entry of ``sys.path`` as a tree of files: a directory, or a zip archive.

Names inside a tree are relative and use ``/``.
"""

from __future__ import annotations

import os
from typing import Iterator, List, Optional, Protocol, Tuple

from .disk import Stamp, read_file, read_head, stamp

__all__ = ["DirectoryTree", "Tree"]


class Tree(Protocol):
    """What discovery asks of a place where distributions and packages lie."""

    root: str
    """Its absolute path."""
    archive: bool
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

    def names(self, name: str) -> Iterator[str]:
        """The names in a directory, in no order; nothing if it is none."""

    def path(self, name: str) -> str:
        """The path of a file or directory, for people; of an archive, one inside of it."""

    def stamps(self, *names: str) -> List[Tuple[str, Stamp]]:
        """The paths and stamps to compare later, to know that the named files are the same."""


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

    def names(self, name: str) -> Iterator[str]:
        try:
            return iter(os.listdir(f"{self.root}/{name}"))
        except OSError:
            return iter(())

    def path(self, name: str) -> str:
        return os.path.join(self.root, *name.split("/")) if name else self.root

    def stamps(self, *names: str) -> List[Tuple[str, Stamp]]:
        paths = [self.path(name) for name in names]
        return [(path, stamp(path)) for path in paths]
