"""Marks of hosts that are starting: one that stays behind tells which plugin ended the process.

A mark is made when a start begins, says at any moment which plugins are being started, and is
taken away when the start ends, however it ends. Only a process that was killed, or that a plugin
took down with it, leaves its mark. Who made a mark is known to be alive by a lock, which the system
releases with the process: process ids are used again.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
from contextlib import suppress
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from ..errors import LockReentered, LockTimeout
from ..files import FileLock
from ..model.strict_json import decode_json
from ..paths import user_state_dir
from .disk import Unsound, load, make_directory
from .naming import SUFFIX, file_name

__all__ = ["DeadStart", "StartMark", "dead_starts", "forget", "marks_directory"]

_MARK, _LOCK = ".start", ".lock"
_FACTS = 1024
"""How many bytes are for what does not change; the plugins stand behind it."""
_SHOWN = 70
"""How many characters of a host's name are kept: in JSON, each may take twelve bytes."""
_NAMES = 1024
"""How many bytes of plugins' names are kept."""


class DeadStart(NamedTuple):
    """A start that did not end: its process did.

    Attributes:
        host: The host's name.
        plugins: The plugins that were being started; more than one on an event loop.
        since: When the start began (RFC 3339).
        pid: The process.
        path: The mark that tells of it.
    """

    host: str
    plugins: Tuple[str, ...]
    since: str
    pid: int
    path: str

    @property
    def message(self) -> str:
        """What happened, in a line."""
        if not self.plugins:
            return f"the last start of {self.host} died before a plugin was starting"
        was = "was" if len(self.plugins) == 1 else "were"
        names = " and ".join(self.plugins)
        return f"the last start of {self.host} died while {names} {was} starting"

    @property
    def remedy(self) -> str:
        """What to type next."""
        safe = "pkl run --safe-mode (or PKL_SAFE_MODE=1) starts only what is critical"
        if not self.plugins:
            return safe
        it = "it" if len(self.plugins) == 1 else "them"
        return f"{safe}; pkl disable {' '.join(self.plugins)} --host {self.host} leaves {it} out"

    def as_dict(self) -> Dict[str, Any]:
        """The dead start as a JSON object."""
        return {
            "host": self.host,
            "plugins": list(self.plugins),
            "since": self.since,
            "pid": self.pid,
            "message": self.message,
            "remedy": self.remedy,
        }


def marks_directory() -> str:
    """Where the marks are; the directory may not exist."""
    return os.path.join(user_state_dir(), "starting")


class StartMark:
    """The mark of a start that goes on. For one thread at a time; made by ``begin``.

    Args:
        path: Its file, without the ending.
        lock: What tells that this process lives; held.
        fd: The file, open for writing.
    """

    def __init__(self, path: str, lock: FileLock, fd: int) -> None:
        self._path = path
        self._lock = lock
        self._fd = fd
        self._pid = os.getpid()
        self._width = 0
        self._open = True

    @classmethod
    def begin(
        cls, host: str, now: Callable[[], str], directory: Optional[str] = None
    ) -> "Optional[StartMark]":
        """Makes a mark; None where none can be made, which is no reason not to start.

        Args:
            host: The host's name.
            now: The time as it is noted (RFC 3339).
            directory: Where; ``marks_directory()`` if None.
        """
        where = directory or marks_directory()
        path = os.path.join(where, f"{_stem(host)}.{os.getpid()}-{os.urandom(4).hex()}")
        lock = FileLock(path + _LOCK, 0)
        try:
            make_directory(where)
            lock.__enter__()
        except OSError:  # a LockTimeout is one, too
            with suppress(OSError):
                os.unlink(lock.path)
            return None
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
        facts = {"host": host[:_SHOWN], "pid": os.getpid(), "since": now()}
        data = json.dumps(facts).encode("ascii")[:_FACTS].ljust(_FACTS)
        fd = -1
        try:
            fd = os.open(path + _MARK, flags | getattr(os, "O_BINARY", 0), 0o600)
            os.write(fd, data)
        except OSError:
            if fd >= 0:
                os.close(fd)
            _remove(path, lock)
            return None
        mark = cls(path, lock, fd)
        atexit.register(mark.end)
        return mark

    def starting(self, plugins: Iterable[str]) -> None:
        """Says which plugins are being started now; never raises.

        One system call, and nothing is flushed: what was written outlives the process, and need
        not outlive the machine.
        """
        if not self._open or os.getpid() != self._pid:
            return
        data = "\n".join(plugins).encode("utf-8", "replace")[:_NAMES]
        width, self._width = self._width, len(data)
        with suppress(OSError):
            _write_at(self._fd, data.ljust(width), _FACTS)

    def end(self) -> None:
        """Takes the mark away; doing it again does nothing. A forked child's changes nothing."""
        if not self._open:
            return
        self._open = False
        atexit.unregister(self.end)
        with suppress(OSError):
            os.close(self._fd)
        if os.getpid() == self._pid:
            _remove(self._path, self._lock)


def _stem(host: str) -> str:
    return file_name(host)[: -len(SUFFIX)]


def _remove(path: str, lock: FileLock) -> None:
    """The mark goes while the lock is held, so that nobody takes it for one that was left."""
    with suppress(OSError):
        os.unlink(path + _MARK)
    if sys.platform != "win32":
        with suppress(OSError):
            os.unlink(path + _LOCK)
    with suppress(OSError):
        lock.__exit__(None, None, None)
    if sys.platform == "win32":
        with suppress(OSError):
            os.unlink(path + _LOCK)


if hasattr(os, "pwrite"):
    _write_at: Callable[[int, bytes, int], int] = os.pwrite
else:

    def _write_at(fd: int, data: bytes, offset: int) -> int:
        os.lseek(fd, offset, os.SEEK_SET)
        return os.write(fd, data)


def dead_starts(
    host: Optional[str] = None, directory: Optional[str] = None
) -> Tuple[DeadStart, ...]:
    """The starts whose processes ended before they did, the latest last; never raises.

    Nothing is changed: a mark stays until ``forget`` takes it away.

    Args:
        host: The host; None for all.
        directory: Where the marks are; ``marks_directory()`` if None.
    """
    where = directory or marks_directory()
    prefix = f"{_stem(host)}." if host is not None else ""
    found = [
        each
        for path in _marks(where)
        if os.path.basename(path).startswith(prefix)
        and (each := _read(path)) is not None
        and (host is None or each.host == host[:_SHOWN])
        and _is_dead(path)
    ]
    return tuple(sorted(found, key=lambda each: (each.since, each.path)))


def _marks(where: str) -> Iterator[str]:
    try:
        names = sorted(os.listdir(where))
    except OSError:
        return
    for name in names:
        if name.endswith(_MARK):
            yield os.path.join(where, name)


def _read(path: str) -> Optional[DeadStart]:
    try:
        data = load(path)
        facts = decode_json(data[:_FACTS].strip()) if data else None
    except (Unsound, OSError, ValueError, RecursionError):
        return None
    if not data or not isinstance(facts, dict):
        return None
    host, since, pid = facts.get("host"), facts.get("since"), facts.get("pid")
    if not isinstance(host, str) or not isinstance(since, str) or not isinstance(pid, int):
        return None
    text = data[_FACTS : _FACTS + _NAMES].decode("utf-8", "replace")
    plugins: List[str] = [line for line in text.strip(" \0").split("\n") if line.strip(" \0")]
    return DeadStart(host, tuple(plugins), since, pid, path)


def _is_dead(path: str) -> bool:
    """Whether whoever made a mark is gone, and did not take it away."""
    lock = FileLock(path[: -len(_MARK)] + _LOCK, 0)
    try:
        with lock:
            return os.path.lexists(path)
    except (LockTimeout, LockReentered, OSError):
        return False
    finally:
        if not os.path.lexists(path):
            with suppress(OSError):
                os.unlink(lock.path)


def forget(starts: Iterable[DeadStart]) -> None:
    """Takes the marks of dead starts away; never raises."""
    for each in starts:
        with suppress(OSError):
            os.unlink(each.path)
        with suppress(OSError):
            os.unlink(each.path[: -len(_MARK)] + _LOCK)
