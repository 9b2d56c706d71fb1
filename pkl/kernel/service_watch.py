"""Who is told when a handle gains or loses a provider, in the order in which that happened."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Callable, Deque, Tuple

from .context import Subject
from .describe import describe
from .dispatch import call_one
from .resource import Resource

if TYPE_CHECKING:
    from .provision import Provision
    from .service_handle import ServiceHandle

__all__ = ["Telling", "Watch"]


class Watch(Resource):
    """A callback of a handle's ``on_bound`` or ``on_unbound``, held by who added it."""

    def __init__(
        self, subject: Subject, handle: "ServiceHandle", callback: Callable[..., Any], bound: bool
    ) -> None:
        self._subject = subject
        self.handle = handle
        self.callback = callback
        self.bound = bound

    def __repr__(self) -> str:
        return f"<Watch of {self.handle!r} by {describe(self.callback)}>"

    @property
    def staged(self) -> bool:
        """It is told nothing before its plugin is enabled."""
        return True

    def _activate(self, now: float) -> None:
        self.handle.watch(self)

    def _cleanup(self) -> None:
        self.handle.unwatch(self)

    def call(self, provision: "Provision") -> None:
        """Calls the callback as who added it; what it raises is contained."""
        subject = self._subject
        if not subject.live or not self.held:
            return
        try:
            call_one(subject, self.callback, (provision,), {})
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            where = f"service callback {describe(self.callback)}"
            subject.kernel.contain(subject, error, where)


class Telling:
    """What is still to be told, and whether somebody is at it.

    Notes are added under the registry's lock. Whoever comes first tells all of them, those that
    others add meanwhile included, so that no callback sees two changes in the wrong order.
    """

    __slots__ = ("_busy", "_notes")

    def __init__(self) -> None:
        self._notes: Deque[Tuple[Watch, "Provision"]] = deque()
        self._busy: Deque[bool] = deque([False])

    def note(self, watches: "Tuple[Watch, ...]", provision: "Provision", bound: bool) -> None:
        """Notes that a provider came or went."""
        self._notes.extend((watch, provision) for watch in watches if watch.bound is bound)

    def tell(self) -> None:
        """Calls the callbacks; returns at once if another thread, or who called this, is at it."""
        while self._notes:
            try:
                # The one slot there is: taking it is atomic.
                self._busy.pop()
            except IndexError:
                return
            try:
                while self._notes:
                    watch, provision = self._notes.popleft()
                    watch.call(provision)
            finally:
                self._busy.append(False)
