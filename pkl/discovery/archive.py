"""Zip archives on ``sys.path``: wheels, eggs and zipped applications as a ``Tree``."""

from __future__ import annotations

import errno
from typing import Any, Dict, Iterable, List, Optional, Set

from .disk import MAX_BYTES, TooLarge, stamp
from .tree import Watched

__all__ = ["ArchiveTree", "BrokenArchive"]


class BrokenArchive(OSError):
    """The file cannot be read as a zip archive."""


class ArchiveTree:
    """A zip archive as a ``Tree``; it is opened for each read and never kept open.

    Raises:
        BrokenArchive: It is no zip archive, or a damaged one.
        OSError: It cannot be read at all.
    """

    __slots__ = ("_children", "_files", "root")

    archive = True

    def __init__(self, root: str) -> None:
        self.root = root
        self._files: Dict[str, str] = {}
        self._children: Dict[str, Set[str]] = {"": set()}
        with self._open() as opened:
            for name in opened.namelist():
                self._add(name)

    def _open(self) -> Any:
        import zipfile

        try:
            return zipfile.ZipFile(self.root)
        except OSError:
            raise
        except Exception as e:
            # zipfile raises whatever its parsing runs into: BadZipFile, struct.error,
            # NotImplementedError, UnicodeDecodeError, OverflowError.
            raise BrokenArchive(f"not a readable zip archive: {e}") from e

    def _add(self, name: str) -> None:
        parts = name.replace("\\", "/").rstrip("/").split("/")
        if not name.endswith("/"):
            self._files["/".join(parts)] = name
        for depth in range(len(parts)):
            self._children.setdefault("/".join(parts[:depth]), set()).add(parts[depth])
        if name.endswith("/"):
            self._children.setdefault("/".join(parts), set())

    def read(self, name: str) -> Optional[bytes]:
        stored = self._files.get(name)
        if stored is None:
            if name in self._children:
                raise IsADirectoryError(errno.EISDIR, "is a directory", self.path(name))
            return None
        with self._open() as opened:
            try:
                if opened.getinfo(stored).file_size > MAX_BYTES:
                    raise TooLarge(errno.EFBIG, f"larger than {MAX_BYTES} bytes", self.path(name))
                with opened.open(stored) as file:
                    data: bytes = file.read(MAX_BYTES + 1)
            except OSError:
                raise
            except Exception as e:
                raise BrokenArchive(f"cannot read {name} in the archive: {e}") from e
        return data

    read_head = read

    def is_file(self, name: str) -> bool:
        return name in self._files

    def is_directory(self, name: str) -> bool:
        return name in self._children

    def names(self, name: str = "") -> List[str]:
        return sorted(self._children.get(name, ()))

    def path(self, name: str) -> str:
        return f"{self.root}/{name}" if name else self.root

    def stamps(self, names: Iterable[str]) -> List[Watched]:
        return [(self.root, stamp(self.root))]
