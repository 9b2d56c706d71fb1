"""The past calls of a historic hook in one host, and who has been given which of them.

Each load of the hook's plugin has a history of its own.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Callable, List, NamedTuple, Optional, Tuple

from .context import Subject

if TYPE_CHECKING:
    from .hook_route import HookEntries, HookRoute
    from .hook_subscription import HookSubscription

__all__ = ["History", "PastCall"]


class PastCall(NamedTuple):
    """One call of a historic hook."""

    positional: Tuple[Any, ...]
    """Its arguments, as the hook declares them."""
    recorder: Subject
    """Who made it."""
    on_answer: Optional[Callable[[Any], Any]]
    """What to do with an answer."""


class History:
    """Gives each handler each call exactly once: in the call, or when it has caught up.

    A handler takes part in calls from the moment on when there is none left that it missed. Both
    are decided under one lock, so that no call falls between.
    """

    __slots__ = ("_calls", "_lock")

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls: List[PastCall] = []

    def record(self, past: PastCall, route: "HookRoute") -> "HookEntries":
        """Remembers a call; who takes part in it."""
        with self._lock:
            self._calls.append(past)
            entries = route.current()
            there = tuple([entry for entry in entries.handlers if entry[2].caught_up is self])
            return entries._replace(handlers=there)

    def next_for(self, subscription: "HookSubscription") -> Optional[PastCall]:
        """The next call that a handler missed; None once it takes part in calls."""
        with self._lock:
            if subscription.history is not self:
                return None
            at = subscription.seen
            if at == len(self._calls):
                subscription.caught_up = self
                return None
            subscription.seen += 1
            return self._calls[at]

    def begin(self, subscription: "HookSubscription") -> None:
        """Makes a handler one that is to be given all of these calls, if it is not yet."""
        with self._lock:
            if subscription.history is not self:
                subscription.history, subscription.seen = self, 0
