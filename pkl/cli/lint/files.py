"""The files of what is checked: a directory on disk, or a wheel."""

from __future__ import annotations

import os
import zipfile
from typing import Dict, Iterator, List, Optional, Protocol

from ...errors import PathError

__all__ = ["Files", "Folder", "Wheel"]

MAX_BYTES = 8 * 1024 * 1024
_PASSED = frozenset(("__pycache__", "node_modules"))
_BUILT = frozenset(("build", "dist"))
"""At the top of a project these are made from the rest; further down they are packages."""


class Files(Protocol):
    """Files by relative names with ``/``."""

    root: str

    def names(self) -> List[str]:
        """Every file, sorted; caches, hidden folders and environments are passed over."""

    def read(self, name: str) -> Optional[bytes]:
        """The content; None if there is no such file, or none that can be read."""

    def shown(self, name: str) -> str:
        """The path of a file, for people."""


class Folder:
    """A directory on disk.

    Args:
        root: Its path; findings name files below it as they are reached from there.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._names: Optional[List[str]] = None

    def names(self) -> List[str]:
        """Every file, sorted."""
        if self._names is None:
            self._names = sorted(self._walk())
        return self._names

    def _walk(self) -> Iterator[str]:
        for folder, folders, files in os.walk(self.root):
            passed = _PASSED | _BUILT if folder == self.root else _PASSED
            folders[:] = [f for f in folders if f[0] != "." and f not in passed]
            folders[:] = [
                f for f in folders if not os.path.exists(os.path.join(folder, f, "pyvenv.cfg"))
            ]
            inner = os.path.relpath(folder, self.root).replace(os.sep, "/")
            for name in files:
                yield name if inner == "." else f"{inner}/{name}"

    def read(self, name: str) -> Optional[bytes]:
        """The content of a file, or None."""
        try:
            with open(os.path.join(self.root, *name.split("/")), "rb") as file:
                return file.read(MAX_BYTES)
        except OSError:
            return None

    def shown(self, name: str) -> str:
        """The path of a file."""
        return os.path.normpath(os.path.join(self.root, *name.split("/")))


class Wheel:
    """A wheel, or any zip archive.

    Args:
        path: The archive.

    Raises:
        PathError: It is none, or cannot be read.
    """

    def __init__(self, path: str) -> None:
        self.root = path
        self._content: Dict[str, Optional[bytes]] = {}
        try:
            with zipfile.ZipFile(path) as opened:
                for info in opened.infolist():
                    if not info.is_dir():
                        wanted = info.file_size <= MAX_BYTES and _is_text(info.filename)
                        self._content[info.filename] = opened.read(info) if wanted else None
        except Exception as e:  # zipfile raises whatever its parsing runs into
            raise PathError(
                f"{path} is not a readable wheel: {e}", file=path, hint="build it again"
            ) from None

    def names(self) -> List[str]:
        """Every file, sorted."""
        return sorted(self._content)

    def read(self, name: str) -> Optional[bytes]:
        """The content of a file of text, or None."""
        return self._content.get(name)

    def shown(self, name: str) -> str:
        """The archive and the file in it."""
        return f"{self.root}/{name}"


def _is_text(name: str) -> bool:
    return name.endswith((".py", ".toml", ".json", ".yaml", ".yml")) or ".dist-info/" in name
