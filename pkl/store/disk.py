"""The files under a state store: opened with suspicion, and set aside without a loss."""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import contextmanager, suppress
from typing import Iterator, Optional

from ..files import flush_directory
from .naming import aside_name

__all__ = ["MAX_BYTES", "Unsound", "load", "make_directory", "objection_to", "set_aside"]

MAX_BYTES = 16 * 1024 * 1024
"""A larger file is not read."""

_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
_READ |= getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class Unsound(Exception):
    """What is there is not a file that pkl wrote; the text says what it is."""


def load(path: str, *, or_of_root: bool = False) -> Optional[bytes]:
    """The content of a file of ours; None if there is none.

    Args:
        path: The file.
        or_of_root: Whether it may belong to root instead, who may do anything here anyway.

    Raises:
        Unsound: It is no regular file, is too large, or belongs to somebody else.
        OSError: It cannot be read.
    """
    try:
        # Asked first, because opening some devices does something.
        _check(os.lstat(path), or_of_root)
        fd = os.open(path, _READ)
    except FileNotFoundError:
        return None
    try:
        _check(os.fstat(fd), or_of_root)
        chunks = []
        left = MAX_BYTES + 1
        while left > 0:
            chunk = os.read(fd, min(left, 1 << 20))
            if not chunk:
                break
            chunks.append(chunk)
            left -= len(chunk)
    finally:
        os.close(fd)
    if left <= 0:
        raise Unsound(f"is larger than {MAX_BYTES} bytes")
    return b"".join(chunks)


def _check(found: os.stat_result, or_of_root: bool) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise Unsound("is a symbolic link")
    if stat.S_ISDIR(found.st_mode):
        raise Unsound("is a directory")
    if not stat.S_ISREG(found.st_mode):
        raise Unsound("is not a regular file")
    if sys.platform == "win32" or (or_of_root and found.st_uid == 0):
        return
    if found.st_uid != os.geteuid():
        raise Unsound(f"belongs to user {found.st_uid}")


def objection_to(directory: str) -> str:
    """Why nothing may be kept in a directory; empty if it may, or if there is none yet."""
    try:
        found = os.stat(directory)
    except OSError:
        return ""
    if stat.S_ISDIR(found.st_mode) and sys.platform != "win32" and found.st_uid != os.geteuid():
        return f"belongs to user {found.st_uid}"
    return ""


def make_directory(directory: str) -> None:
    """Makes a directory of ours, and those above it, so that they are there after a crash.

    Raises:
        OSError: It cannot be made, or belongs to somebody else.
    """
    missing = []
    nearest = directory
    while not os.path.lexists(nearest):
        missing.append(nearest)
        nearest = os.path.dirname(nearest)
    # Others may let us make something in theirs; but what root makes there, they cannot use.
    ours = not missing or (sys.platform != "win32" and os.geteuid() == 0)
    objection = objection_to(nearest) if ours else ""
    if objection:
        raise PermissionError(errno.EPERM, f"the directory {objection}", nearest)
    for each in reversed(missing):
        with suppress(FileExistsError):
            os.mkdir(each, 0o700)
        flush_directory(os.path.dirname(each))
    if not os.path.isdir(directory):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), nearest)


@contextmanager
def set_aside(path: str, stamp: str) -> Iterator[str]:
    """Gives what is at a path a second name, under which it stays; what fails undoes that.

    A file keeps its first name until it is replaced, so that there is no moment at which a
    crash would leave none; what is not a file is renamed.

    Args:
        path: What is to be set aside.
        stamp: The time, for the new name.

    Raises:
        OSError: It cannot be named anew.
    """
    directory, name = os.path.split(path)
    linked = stat.S_ISREG(os.lstat(path).st_mode)
    for attempt in range(1000):
        aside = os.path.join(directory, aside_name(name, stamp, attempt))
        if os.path.lexists(aside):
            continue
        try:
            if linked:
                os.link(path, aside)
            else:
                os.rename(path, aside)
            break
        except FileExistsError:
            continue
        except OSError as e:
            if not linked or e.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
                raise
            linked = False  # A file system without hard links.
            os.rename(path, aside)
            break
    else:
        raise FileExistsError(errno.EEXIST, "no free name to set it aside under", path)
    try:
        flush_directory(directory)
        yield aside
    except BaseException:
        with suppress(OSError):
            _undo(path, aside, linked)
        raise


def _undo(path: str, aside: str, linked: bool) -> None:
    """Takes the second name back, unless it is the only one by now."""
    if linked and os.path.samefile(path, aside):
        os.unlink(aside)
    elif not linked and not os.path.lexists(path):
        os.rename(aside, path)
