"""Reading files that nobody vouches for, and the stamps that tell whether they changed."""

from __future__ import annotations

import errno
import os
import sys
from typing import List, Optional, Tuple

__all__ = [
    "MAX_BYTES",
    "RACY_NS",
    "Stamp",
    "TooLarge",
    "is_racy",
    "read_file",
    "read_head",
    "stamp",
]

MAX_BYTES = 8 * 1024 * 1024
"""The largest file that is read, in bytes; no metadata file comes near it."""

RACY_NS = 2_000_000_000
"""A file changed less than this before it was read may change again unseen (git's rule)."""

Stamp = Optional[Tuple[int, int, int, int]]
"""``(mtime_ns, ctime_ns, inode, size)``, or None where there is nothing."""

_CHUNK = 16384
# A named pipe would block an ordinary open for ever.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_WINDOWS = sys.platform == "win32"


class TooLarge(OSError):
    """A file is larger than ``MAX_BYTES``."""


def read_file(path: str) -> bytes:
    """The content of a file.

    Raises:
        OSError: It cannot be read, is a directory, or is larger than ``MAX_BYTES``.
    """
    fd = os.open(path, _FLAGS)
    try:
        data = os.read(fd, _CHUNK)
        return data if len(data) < _CHUNK else data + _rest(fd, path, len(data))
    finally:
        os.close(fd)


def read_head(path: str) -> bytes:
    """The content of a file at least as far as its first empty line, where the headers end.

    Raises:
        OSError: As ``read_file``.
    """
    fd = os.open(path, _FLAGS)
    try:
        data = os.read(fd, _CHUNK)
        if len(data) < _CHUNK or b"\n\n" in data or b"\r\n\r\n" in data:
            return data
        return data + _rest(fd, path, len(data))
    finally:
        os.close(fd)


def _rest(fd: int, path: str, have: int) -> bytes:
    parts: List[bytes] = []
    while True:
        part = os.read(fd, 1 << 20)
        if not part:
            return b"".join(parts)
        have += len(part)
        if have > MAX_BYTES:
            raise TooLarge(errno.EFBIG, f"larger than {MAX_BYTES} bytes", path)
        parts.append(part)


def stamp(path: str) -> Stamp:
    """What identifies the present content of a file or directory; None if it cannot be seen."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size)


def is_racy(found: Stamp, began_ns: int) -> bool:
    """Whether what was read after ``began_ns`` may have changed since without the stamp showing it.

    Args:
        found: The stamp of what was read.
        began_ns: ``time.time_ns()`` from before it was read.
    """
    if found is None:
        return False
    # ctime cannot be set by a program and moves with every change; on Windows it is the time
    # of creation instead.
    return found[0 if _WINDOWS else 1] > began_ns - RACY_NS
