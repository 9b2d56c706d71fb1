"""Marks that keep a generation from being deleted while a process runs with it.

A mark is a locked file ``N.inuse-PID`` beside the generation. The system lets go of the lock
when the process ends, however it ends, so that neither a killed process nor another that got
its number keeps anything; a forked child keeps it as long as its parent would.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

from ...errors import LockReentered, LockTimeout
from ...files import FileLock

__all__ = ["Mark", "mark_in_use", "marks", "sweep_marks"]

_NAME = re.compile(r"([1-9][0-9]{0,8})\.inuse-([0-9]{1,10})(?:-[0-9]{1,4})?")
_MOST = 1000
"""How many hosts of one name a process may have."""


class Mark(NamedTuple):
    """A file that says that a generation is in use."""

    path: str
    number: int
    pid: int
    """The process that made it, or forked from the one that did."""
    alive: bool
    """Whether that process, or a child of it, still runs."""


def mark_in_use(generations: str, number: int) -> Optional[Callable[[], None]]:
    """Marks a generation as in use by this process.

    Args:
        generations: The directory of the generations.
        number: The generation.

    Returns:
        What takes the mark back; None if nothing can be written there, such as on a disk that is
        read-only, where nobody deletes anything either.
    """
    for attempt in range(_MOST):
        name = f"{number}.inuse-{os.getpid()}" + (f"-{attempt + 1}" if attempt else "")
        lock = FileLock(os.path.join(generations, name), 0, inherited=True)
        try:
            lock.__enter__()
        except (LockReentered, LockTimeout):
            continue
        except OSError:
            return None
        return lambda: _release(lock)
    return None


def _release(lock: FileLock) -> None:
    if lock.is_held:
        lock.__exit__(None, None, None)
        _unlink_if_free(lock.path)


def _unlink_if_free(path: str) -> bool:
    """Deletes a mark that nobody holds; whether it did, or it was gone already."""
    lock = FileLock(path, 0)
    try:
        with lock, suppress(FileNotFoundError):
            os.unlink(path)
    except (LockReentered, LockTimeout, OSError):
        return False
    return True


def _named(generations: str) -> Iterator[Tuple[str, int, int]]:
    try:
        names = sorted(os.listdir(generations))
    except OSError:
        return
    for name in names:
        match = _NAME.fullmatch(name)
        if match is not None:
            yield os.path.join(generations, name), int(match[1]), int(match[2])


def marks(generations: str) -> List[Mark]:
    """Every mark there is, without deleting any.

    Args:
        generations: The directory of the generations.
    """
    found = []
    for path, number, pid in _named(generations):
        lock = FileLock(path, 0)
        try:
            with lock:
                alive = False
        except (LockReentered, LockTimeout):
            alive = True
        except OSError:
            alive = True  # Not to be told; the safe answer.
        found.append(Mark(path, number, pid, alive))
    return found


def sweep_marks(generations: str) -> Dict[int, List[int]]:
    """Deletes the marks of processes that have ended.

    Args:
        generations: The directory of the generations.

    Returns:
        The processes that still use each generation.
    """
    held: Dict[int, List[int]] = {}
    for path, number, pid in _named(generations):
        if not _unlink_if_free(path):
            held.setdefault(number, []).append(pid)
    return held
