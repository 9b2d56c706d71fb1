"""A registry as a folder on this machine: reading what is there, and changing it in safe order."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import List, Optional, Tuple

from ..errors import PathError, RegistryAbsent, RegistryGarbage
from ..files import FileLock, atomic_write
from .layout import INDEX, MAX_INDEX, MAX_REVOKED, REVOKED
from .model import Index, Revocations
from .schema import parse_index, parse_revoked

__all__ = ["RegistryFolder", "digest"]

_LOCK = ".pkl-build.lock"
_MODE = 0o644


class RegistryFolder:
    """The files of a registry.

    Args:
        root: The folder; it need not be there yet.
    """

    def __init__(self, root: str) -> None:
        self.root = root

    def path(self, name: str) -> str:
        """The path of a file of the registry."""
        return os.path.join(self.root, *name.split("/"))

    def lock(self) -> FileLock:
        """What keeps two changes apart."""
        return FileLock(self.path(_LOCK))

    def read(self, name: str, limit: int) -> Optional[bytes]:
        """The content of a file; None if there is none.

        Raises:
            RegistryGarbage: It is larger than ``limit`` bytes.
            OSError: It cannot be read.
        """
        path = self.path(name)
        try:
            with open(path, "rb") as file:
                data = file.read(limit + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if len(data) > limit:
            raise RegistryGarbage(f"{path} is larger than {limit} bytes", url=path, file=path)
        return data

    def measure(self, name: str, limit: int) -> Optional[Tuple[str, int]]:
        """The SHA-256 of a file, in hex, and its size; None if there is none.

        Args:
            name: The file.
            limit: How many bytes it is to have; of one that has more the digest is not made.

        Raises:
            OSError: It cannot be read.
        """
        try:
            path = self.path(name)
            size = os.stat(path).st_size
            return digest(path) if size <= limit else ("", size)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def index(self) -> Optional[Index]:
        """What the index says; None if there is none.

        Raises:
            RegistryGarbage: It is damaged.
        """
        data = self.read(INDEX, MAX_INDEX)
        if data is None:
            return None
        try:
            return parse_index(data, url=self.path(INDEX))
        except RegistryGarbage as e:
            raise RegistryGarbage(
                e.message,
                faults=e.faults,
                url=e.url,
                file=self.path(INDEX),
                hint="take it from a backup, or delete it and build with a --serial above the last"
                " one, which clients remember",
            ) from None

    def existing_index(self) -> Index:
        """What the index says.

        Raises:
            RegistryAbsent: There is none.
            RegistryGarbage: It is damaged.
        """
        found = self.index()
        if found is None:
            if not os.path.isdir(self.root):
                raise PathError(f"there is no folder {self.root}", file=self.root)
            raise RegistryAbsent(
                f"there is no registry in {self.root}: it has no {INDEX}",
                url=self.root,
                file=self.path(INDEX),
                hint=f"pkl registry build {self.root}",
            )
        return found

    def revocations(self) -> Revocations:
        """What must not run.

        Raises:
            RegistryGarbage: The list is damaged.
        """
        data = self.read(REVOKED, MAX_REVOKED)
        return Revocations() if data is None else parse_revoked(data, url=self.path(REVOKED))

    def write(self, name: str, data: bytes, *, fsync: bool = True) -> bool:
        """Writes a file as a whole, if its content changes; says whether it did.

        Raises:
            OSError: It cannot be written.
        """
        path = self.path(name)
        with suppress(OSError), open(path, "rb") as file:
            if file.read(len(data) + 1) == data:
                return False
        os.makedirs(os.path.dirname(path), exist_ok=True)
        atomic_write(path, data, mode=_MODE, fsync=fsync)
        return True

    def remove(self, name: str) -> None:
        """Removes a file, and its folder if that is empty then."""
        with suppress(FileNotFoundError):
            os.unlink(self.path(name))
        with suppress(OSError):
            os.rmdir(os.path.dirname(self.path(name)))

    def names(self, folder: str) -> List[str]:
        """What lies in a folder of the registry, sorted."""
        try:
            return sorted(os.listdir(self.path(folder)))
        except (FileNotFoundError, NotADirectoryError):
            return []


def digest(path: str) -> Tuple[str, int]:
    """The SHA-256 of a file, in hex, and its size.

    Raises:
        OSError: It cannot be read.
    """
    found, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            found.update(chunk)
            size += len(chunk)
    return found.hexdigest(), size
