"""What a registry said at the last contact, kept on disk: never required, and never trusted.

Each file has a line of its own in front, which says what it is; it counts only if all of that
holds, and whoever reads it checks the chain of digests and the signature again.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from hashlib import sha256
from typing import NamedTuple, Optional

from ..files import atomic_write
from ..paths import user_cache_dir

__all__ = ["Cache", "Copy"]

_SCHEMA = 1
_LONGEST_HEAD = 8192
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
_READ |= getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class Copy(NamedTuple):
    """A file as it came.

    Attributes:
        data: Its content.
        since: When it was last known to be what the registry says, in seconds since 1970.
        etag: What the server called this state of it; empty if it does not say.
    """

    data: bytes
    since: float
    etag: str = ""


class Cache:
    """The copies of one registry's files.

    Reading never raises: what is not there, damaged, another's, or of another registry counts as
    not there. Writing never raises either: what cannot be kept is fetched again.

    Args:
        url: The registry's own URL, by which its copies are told from those of others.
        directory: Where the copies of all registries are; by default ``registries`` in the
            user's cache directory. It is made when something is first kept.
    """

    def __init__(self, url: str, directory: Optional[str] = None) -> None:
        self._url = url
        above = directory or os.path.join(user_cache_dir(), "registries")
        self.directory = os.path.join(above, sha256(url.encode()).hexdigest()[:32])

    def load(self, path: str, limit: int) -> Optional[Copy]:
        """The copy of a file, or None.

        Args:
            path: Its path in the registry.
            limit: The most bytes it may have.
        """
        try:
            whole = _read(self._place(path), limit + _LONGEST_HEAD)
            head, _, data = whole.partition(b"\n")
            said = json.loads(head)
            stated = (said["schema"], said["url"], said["path"], said["sha256"])
            if stated != (_SCHEMA, self._url, path, sha256(data).hexdigest()):
                return None
            return Copy(data, float(said["since"]), str(said["etag"]))
        except (OSError, ValueError, TypeError, KeyError, RecursionError, OverflowError):
            return None

    def save(self, path: str, copy: Copy) -> None:
        """Keeps a copy of a file, if it can be kept.

        Args:
            path: Its path in the registry.
            copy: What came.
        """
        said = {
            "schema": _SCHEMA,
            "url": self._url,
            "path": path,
            "sha256": sha256(copy.data).hexdigest(),
            "since": copy.since,
            "etag": copy.etag,
        }
        with suppress(OSError):
            os.makedirs(self.directory, mode=0o700, exist_ok=True)
            head = json.dumps(said).encode("ascii")
            atomic_write(self._place(path), head + b"\n" + copy.data, fsync=False)

    def _place(self, path: str) -> str:
        """The file that holds a copy: no path of a registry leads out of the directory."""
        name = path.rpartition("/")[2]
        plain = name.replace("-", "").replace(".", "").isalnum() and name.isascii()
        readable = name if plain and len(name) <= 60 else "x"
        return os.path.join(self.directory, f"{sha256(path.encode()).hexdigest()[:16]}-{readable}")


def _read(path: str, limit: int) -> bytes:
    """A file of ours of at most that many bytes.

    Raises:
        OSError: It cannot be read.
        ValueError: It is too large, no regular file, or not only ours to write.
    """
    fd = os.open(path, _READ)
    with open(fd, "rb") as file:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_size > limit:
            raise ValueError("no file of ours")
        if hasattr(os, "geteuid") and (found.st_uid != os.geteuid() or found.st_mode & 0o022):
            raise ValueError("others may write it")
        return file.read(limit)
