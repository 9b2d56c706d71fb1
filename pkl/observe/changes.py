"""One change of the process's state, and how it is taken back."""

from __future__ import annotations

import weakref
from types import FunctionType
from typing import Any, Callable, NamedTuple, Optional, Protocol

from ..kernel.generation import MARK, Generation
from ..kernel.receipt import Held

__all__ = ["GONE", "Change", "Unwilling", "earlier", "take_back", "weakly"]

GONE = object()
"""What stands for an object that is no longer in memory."""


class Unwilling(Exception):
    """Something cannot be undone here and now; the text says why."""


class Change(NamedTuple):
    """What a plugin changed."""

    held: Held
    remains: Callable[[], bool]
    """Whether it is still as the plugin left it; what others changed since is theirs."""
    undo: Optional[Callable[[], object]]
    """Takes it back; None where nothing can."""


class Sink(Protocol):
    """Takes what became of a change."""

    def undone(self, held: Held) -> None:
        """It was taken back."""

    def kept(self, held: Held, remains: Callable[[], bool]) -> None:
        """It is still there."""


def take_back(change: Change, sink: Sink) -> None:
    """Undoes a change, if it is still there; never raises."""
    held, remains, undo = change
    try:
        if not remains():
            return
        if undo is None:
            sink.kept(held, remains)
            return
        undo()
    except Unwilling as error:
        sink.kept(held._replace(note=str(error)), remains)
    except Exception as error:
        note = f"taking it back raised {type(error).__name__}: {error}"
        sink.kept(held._replace(note=note), remains)
    else:
        sink.undone(held)


def weakly(thing: Any) -> Callable[[], Any]:
    """What gives the thing, or ``GONE``, without keeping it alive where that is possible."""
    try:
        ref = weakref.ref(thing)
    except TypeError:
        return lambda: thing

    def get() -> Any:
        found = ref()
        return GONE if found is None else found

    return get


def earlier(thing: Any) -> Callable[[], Any]:
    """What gives back what was there before, or ``GONE`` if that was a plugin's that has stopped.

    What no plugin owns is kept alive; who replaced it may have been the last to refer to it.
    """
    owner = _owner(thing)
    if owner is None:
        return lambda: thing
    get = weakly(thing)
    plugin_code = weakref.ref(owner)

    def living() -> Any:
        generation = plugin_code()
        return GONE if generation is None or generation.dead else get()

    return living


def _owner(thing: Any) -> Optional[Generation]:
    function = getattr(thing, "__func__", thing)
    if not isinstance(function, FunctionType):
        members = [getattr(type(thing), name, None) for name in ("__call__", "write")]
        function = next((each for each in members if isinstance(each, FunctionType)), None)
    if not isinstance(function, FunctionType):
        return None
    found = function.__globals__.get(MARK)
    return found if isinstance(found, Generation) else None
