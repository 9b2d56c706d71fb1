"""Notes what changes in the process while a plugin's own code runs in a thread."""

from __future__ import annotations

import sys
from _thread import get_ident
from contextlib import suppress
from typing import List, Optional

from ..kernel.scheduler import is_handing_out
from .changes import Change
from .snapshot import Snapshot, differences, take_snapshot

__all__ = ["ProcessWatch"]


class ProcessWatch:
    """A ``Watch`` that compares the process before and after.

    What changed is the plugin's only if nobody else ran meanwhile. So it is enough that one other
    thread was there, which is not known to be pkl's own, for the changes to be uncertain.

    Args:
        changes: Takes what the plugin has changed.
        unsure: Takes what changed while others ran too.
    """

    def __init__(self, changes: List[Change], unsure: List[Change]) -> None:
        self._changes = changes
        self._unsure = unsure
        self._before: Optional[Snapshot] = None
        self._alone = True

    def resume(self) -> None:
        """Code of the plugin is about to run in this thread."""
        with suppress(Exception):  # objects of others are compared on the way
            self._alone = _is_alone()
            self._before = take_snapshot()

    def pause(self) -> None:
        """It has ended, or something else is about to run in between."""
        before, self._before = self._before, None
        if before is None:
            return
        with suppress(Exception):
            after = take_snapshot()
            if before != after:
                found = differences(before, after)
                (self._changes if self._alone else self._unsure).extend(found)


def _is_alone() -> bool:
    here = get_ident()
    return all(ident == here or is_handing_out(ident) for ident in sys._current_frames())
