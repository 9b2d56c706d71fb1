"""Notes what changes in the process while a plugin's own code runs in a thread."""

from __future__ import annotations

import sys
from _thread import get_ident
from typing import Callable, List, Optional

from ..kernel.receipt import Held
from ..kernel.scheduler import is_handing_out
from .changes import Change
from .snapshot import Snapshot, differences, take_snapshot

__all__ = ["ProcessWatch"]


class ProcessWatch:
    """A ``Watch`` that compares the process before and after.

    What changed is the plugin's only if nobody else ran meanwhile. So it is enough that one other
    thread was there, which is not known to be pkl's own, for the changes to be uncertain.

    Args:
        note: Takes what has changed, and whether the plugin was alone.
    """

    __slots__ = ("_alone", "_before", "_note")

    def __init__(self, note: Callable[[List[Change], bool], None]) -> None:
        self._note = note
        self._before: Optional[Snapshot] = None
        self._alone = True

    def resume(self) -> None:
        """Code of the plugin is about to run in this thread."""
        try:
            self._alone = _is_alone()
            self._before = take_snapshot()
        except Exception:
            self._before = None

    def pause(self) -> None:
        """It has ended, or something else is about to run in between."""
        before, self._before = self._before, None
        if before is None:
            return
        try:  # objects of others are compared on the way
            after = take_snapshot()
            if before != after:
                self._note(differences(before, after), self._alone)
        except Exception as error:
            held = Held("search", type(error).__name__, f"for what it changed raised {error}")
            self._note([Change(held, lambda: True, None)], self._alone)


def _is_alone() -> bool:
    here = get_ident()
    return all(ident == here or is_handing_out(ident) for ident in sys._current_frames())
