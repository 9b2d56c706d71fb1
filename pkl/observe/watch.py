"""Notes what changes in the process while a plugin's own code runs in a thread."""

from __future__ import annotations

import sys
import threading
from _thread import get_ident
from types import FrameType
from typing import Any, Callable, List, Optional

from ..kernel.generation import MARK, Generation
from ..kernel.quiet import is_quiet, stirrings
from ..kernel.receipt import Held
from .changes import Change
from .snapshot import Snapshot, differences, take_snapshot

__all__ = ["ProcessWatch"]

_THREADING: Any = threading
"""For what is there, but not in the documentation."""


class ProcessWatch:
    """A ``Watch`` that compares the process before and after.

    What changed is the plugin's only if nobody else ran meanwhile. So it is enough that one other
    thread was there for the changes to be uncertain, unless that is one of pkl's own which does
    nothing, or runs code of this very plugin.

    Args:
        generation: Whose code it is.
        note: Takes what has changed, and whether the plugin was alone.
    """

    __slots__ = ("_alone", "_before", "_generation", "_note", "_stirrings")

    def __init__(self, generation: Generation, note: Callable[[List[Change], bool], None]) -> None:
        self._generation = generation
        self._note = note
        self._before: Optional[Snapshot] = None
        self._alone = True
        self._stirrings = 0

    def resume(self) -> None:
        """Code of the plugin is about to run in this thread."""
        try:
            self._stirrings = stirrings()
            self._alone = _is_alone(self._generation)
            self._before = take_snapshot()
        except Exception:
            self._before = None

    def pause(self) -> None:
        """It has ended, or something else is about to run in between."""
        before, self._before = self._before, None
        if before is None:
            return
        alone = self._alone
        try:  # objects of others are compared on the way
            after = take_snapshot()
            if before != after:
                alone = alone and stirrings() == self._stirrings
                self._note(differences(before, after), alone)
        except Exception as error:
            held = Held("search", type(error).__name__, f"for what it changed raised {error}")
            self._note([Change(held, lambda: True, None)], alone)


def _is_alone(generation: Generation) -> bool:
    frames = sys._current_frames()
    if len(frames) == 1:
        return True
    here = get_ident()
    return all(
        ident == here or is_quiet(ident) or _started(generation, ident) or _runs(generation, frame)
        for ident, frame in frames.items()
    )


def _started(generation: Generation, ident: int) -> bool:
    """Whether a thread is one of a plugin's, which may not have come to its code yet."""
    thread = _THREADING._active.get(ident)
    for function in (getattr(thread, "_target", None), getattr(type(thread), "run", None)):
        function = getattr(function, "__func__", function)
        if getattr(function, "__globals__", {}).get(MARK) is generation:
            return True
    return False


def _runs(generation: Generation, top: FrameType) -> bool:
    """Whether a thread, which may move meanwhile, is in code of a plugin's modules."""
    frame: Optional[FrameType] = top
    while frame is not None:
        if frame.f_globals.get(MARK) is generation:
            return True
        frame = frame.f_back
    return False
