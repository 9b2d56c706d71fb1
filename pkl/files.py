"""Files that survive a crash and processes that share them: atomic write and file lock."""

from __future__ import annotations

import os
import stat
import sys
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Callable, Dict, Optional, Tuple, Type, Union

from .errors import LockReentered, LockTimeout

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["FileLock", "atomic_write", "flush_directory", "read_text_utf8"]

_Path = Union[str, "os.PathLike[str]"]
_O_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_O_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_O_BINARY = getattr(os, "O_BINARY", 0)


def read_text_utf8(path: _Path, *, limit: Optional[int] = None) -> str:
    """The content of a file as UTF-8 text, without a byte order mark, newlines as they are.

    Args:
        path: The file.
        limit: The most bytes it may have; None for any number.

    Raises:
        UnicodeDecodeError: It is not UTF-8 (a ``ValueError``).
        ValueError: It is longer than ``limit``.
        OSError: It cannot be read.
    """
    with open(path, "rb") as file:
        data = file.read() if limit is None else file.read(limit + 1)
    if limit is not None and len(data) > limit:
        raise ValueError(f"{os.fspath(path)} is longer than {limit} bytes")
    return data.decode("utf-8-sig")


def atomic_write(path: _Path, data: bytes, *, mode: int = 0o600, fsync: bool = True) -> None:
    """Replaces a file as a whole: whoever reads it sees the old content or the new, never a part.

    The data goes to a new file in the same directory, is flushed to the disk, and takes the
    place of the old in one step; then the directory is flushed. After a crash at any point the
    old or the new file is there; after a failure nothing is left behind. A symbolic link is
    followed: the file it points to is replaced.

    Args:
        path: The file; its directory must exist.
        data: The whole new content.
        mode: Permission bits of a new file; one that is replaced keeps its own.
        fsync: False leaves the flushing to the system: faster, still whole for readers, but a
            power failure may lose or empty the file. For caches.

    Raises:
        OSError: The file could not be written; the old one is untouched. Only if flushing the
            directory fails at the end is the new one in place all the same.
    """
    target = os.path.realpath(path)
    with suppress(FileNotFoundError):
        mode = stat.S_IMODE(os.stat(target).st_mode)
    fd, temporary = _create_beside(target)
    try:
        try:
            _write_all(fd, data)
            if hasattr(os, "fchmod"):
                os.fchmod(fd, mode)
            if fsync:
                os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    if fsync:
        flush_directory(os.path.dirname(target))


def _create_beside(target: str) -> Tuple[int, str]:
    directory, name = os.path.split(target)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _O_CLOEXEC | _O_NOFOLLOW | _O_BINARY
    for _ in range(100):
        temporary = os.path.join(directory, f".{name[:100]}.{os.urandom(6).hex()}.tmp")
        try:
            return os.open(temporary, flags, 0o600), temporary
        except FileExistsError:
            continue
    raise FileExistsError(f"no free name for a temporary file in {directory}")


def _write_all(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def flush_directory(directory: str) -> None:
    """Flushes the names in a directory to the disk.

    Raises:
        OSError: It cannot be opened, or not be flushed.
    """
    if sys.platform == "win32":
        return  # A directory cannot be opened there; NTFS journals the rename.
    fd = os.open(directory, os.O_RDONLY | _O_CLOEXEC | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class FileLock:
    """A lock between processes on a file of its own, as a context manager.

    The system lets go of it when the process that holds it ends, however it ends; a forked child
    does not hold what its parent holds, unless that is asked for. The file stays; while the lock
    is held it names the process that holds it. One object is for one thread at a time; two
    objects for one file exclude each other also within a process. The lock works between
    processes of one machine; a network file system may not keep it.

    Attributes:
        path: The lock file, made with mode 0600 if it is not there; its directory must exist.
        timeout: How long to wait for it, in seconds; 0 tries once, None waits without end.
        inherited: Whether a forked child holds it, too.
    """

    def __init__(
        self,
        path: _Path,
        timeout: Optional[float] = 10.0,
        *,
        inherited: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Names the lock; nothing is opened before it is entered.

        Args:
            path: The lock file.
            timeout: How long to wait for it, in seconds; 0 tries once, None waits without end.
            inherited: Whether a forked child holds it, too: then it is held until both have
                let go of it or ended.
            clock: What time it is, in seconds.
            sleep: How to wait between two tries, in seconds.
        """
        self.path = os.fspath(path)
        self.timeout = timeout
        self.inherited = inherited
        self._clock = clock
        self._sleep = sleep
        self._fd: Optional[int] = None
        self._key = (0, 0)
        self._thread = 0

    @property
    def is_held(self) -> bool:
        """Whether this object holds the lock."""
        return self._fd is not None

    def __enter__(self) -> "FileLock":
        """Takes the lock.

        Raises:
            LockTimeout: Another holds it; the text names the process.
            LockReentered: This thread holds it already, by this or another object.
            OSError: The lock file cannot be opened.
        """
        if self._fd is not None:
            raise self._reentered()
        deadline = None if self.timeout is None else self._clock() + self.timeout
        while not self._attempt():
            if deadline is not None and self._clock() >= deadline:
                raise self._timed_out()
            self._sleep(_INTERVAL)
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        """Lets go of the lock."""
        fd, self._fd = self._fd, None
        if fd is None:
            raise RuntimeError(f"the lock {self.path} is not held")
        _held.pop(self._key, None)
        try:
            # Unlocking would end the lock of a forked child as well; closing does not.
            if not self.inherited or sys.platform == "win32":
                os.ftruncate(fd, 0)
                _unlock(fd)
        finally:
            os.close(fd)

    def _attempt(self) -> bool:
        """Tries once; the file is open afterwards only if the lock was taken."""
        flags = os.O_RDWR | os.O_CREAT | _O_CLOEXEC | _O_NOFOLLOW | _O_BINARY
        fd = os.open(self.path, flags, 0o600)
        taken = False
        try:
            found = os.fstat(fd)
            key = (found.st_dev, found.st_ino)
            holder = _held.get(key)
            if holder is not None and holder._thread == threading.get_ident():
                raise self._reentered()
            if not _lock(fd) or not _is_still(self.path, key):
                return False
            os.ftruncate(fd, 0)
            os.write(fd, str(os.getpid()).encode())
            self._fd, self._key, self._thread = fd, key, threading.get_ident()
            _held[key] = self
            taken = True
            return True
        finally:
            if not taken:
                os.close(fd)

    def _reentered(self) -> LockReentered:
        return LockReentered(
            f"this thread holds the lock {self.path} already; waiting for it would never end",
            path=self.path,
        )

    def _timed_out(self) -> LockTimeout:
        pid = _owner(self.path)
        who = "another process" if pid is None else f"process {pid}"
        if pid == os.getpid():
            who = f"another thread of this process ({pid})"
        return LockTimeout(
            f"{who} holds the lock {self.path}; waited {self.timeout:g} s",
            hint="wait until it is done, or end it, and try again",
            path=self.path,
            pid=pid,
        )


_INTERVAL = 0.02
"""Seconds between two tries to take a lock."""

_held: Dict[Tuple[int, int], FileLock] = {}
"""The locks this process holds, by device and inode of their files."""


def _forget_held() -> None:
    """In a forked child: its copies of the parent's locks must not keep them held."""
    for key, lock in list(_held.items()):
        if lock.inherited:
            continue
        del _held[key]
        fd, lock._fd = lock._fd, None
        if fd is not None:
            os.close(fd)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_held)


def _is_still(path: str, key: Tuple[int, int]) -> bool:
    """Whether the path still leads to the file that was locked, and not to a newer one."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return False
    return (found.st_dev, found.st_ino) == key


def _owner(path: str) -> Optional[int]:
    try:
        with open(path, "rb") as file:
            return int(file.read(20))
    except (OSError, ValueError):
        return None


if sys.platform == "win32":
    # Far behind the process id, which others must be able to read while the lock is held.
    _LOCKED_BYTE = 0x7FFF0000

    def _lock(fd: int) -> bool:
        os.lseek(fd, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(fd, 0, os.SEEK_SET)
        return True

    def _unlock(fd: int) -> None:
        os.lseek(fd, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)

else:

    def _lock(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)
