"""Puts a generation on ``sys.path`` for as long as a host runs with it, and says so to others."""

from __future__ import annotations

import importlib
import os
import sys
from threading import Lock
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ...errors import PklError
from .places import places_of
from .standing import Standing, standing

__all__ = ["Pinned", "entries_of_others", "pin"]

_TRIES = 3
"""How often to look again, if the generation was deleted between looking and marking."""

_lock = Lock()
_appended: Dict[str, int] = {}
"""The entries of ``sys.path`` that pins of this process appended, and how many need each."""


class Pinned(NamedTuple):
    """The generation that a host runs with.

    Attributes:
        number: Its number; 0 if the host has none.
        entries: What it added to ``sys.path``.
        problem: Why the one that counts could not be used, or None.
        release: Takes it back; called again, it does nothing.
    """

    number: int
    entries: Tuple[str, ...]
    problem: Optional[PklError]
    release: Callable[[], None]


def pin(host: str, directory: Optional[str] = None) -> Pinned:
    """Appends the generation that counts to ``sys.path``, and marks it as in use.

    What was there before comes first: nothing that is installed in the environment is hidden.
    No ``.pth`` file is heeded. Never raises for what is on the disk.

    Args:
        host: The host's name.
        directory: What holds the generations of all hosts; None for the user's.
    """
    for _ in range(_TRIES):
        found = standing(host, directory)
        if not found.number:
            return Pinned(0, (), found.problem, _nothing)
        from .marks import mark_in_use

        unmark = mark_in_use(places_of(host, directory).generations, found.number)
        # Between looking and marking, it may have been deleted as one that nobody uses.
        if os.path.isdir(found.entries[0]):
            return Pinned(found.number, found.entries, None, _append(found, unmark or _nothing))
        if unmark is not None:
            unmark()
    return Pinned(0, (), standing(host, directory).problem, _nothing)


def _nothing() -> None:
    """The undo of nothing."""


def _append(found: Standing, unmark: Callable[[], None]) -> Callable[[], None]:
    mine: List[str] = []
    with _lock:
        for entry in found.entries:
            if entry in _appended:
                _appended[entry] += 1
            elif entry not in sys.path:
                sys.path.append(entry)
                _appended[entry] = 1
            else:
                continue  # The application put it there, and it stays.
            mine.append(entry)
    importlib.invalidate_caches()

    def release() -> None:
        with _lock:
            while mine:
                entry = mine.pop()
                _appended[entry] -= 1
                if not _appended[entry]:
                    del _appended[entry]
                    if entry in sys.path:
                        sys.path.remove(entry)
        unmark()

    return release


def entries_of_others(own: Sequence[str]) -> Tuple[str, ...]:
    """What other hosts of this process appended to ``sys.path``; it is not for this one.

    Args:
        own: The entries of the host that asks.
    """
    with _lock:
        return tuple(entry for entry in _appended if entry not in own)
