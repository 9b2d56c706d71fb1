"""A circuit breaker (Nygard, Release It!, 2007) for a plugin's handlers of one event or hook."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import Any, Deque
from weakref import WeakSet

from ..kernel.ports import Admission
from .policy import BreakerPolicy

__all__ = ["Breaker"]

_CLOSED, _OPEN, _TRYING = "closed", "open", "trying"


class Breaker:
    """Opens after repeated failures, lets one trial through after a while, closes if it succeeds.

    It knows no clock: who asks says what time it is. The *handlers* that it is told of are any
    objects with an attribute ``held``; a trial is given to one that has failed, for the success
    of another says nothing. Safe from any thread: of many callers exactly one is the trial.

    Attributes:
        skipped: How many calls it has turned away since it was made.
        failures: How many failures it was told of.
        since: When it opened; 0 while it is closed.
        until: When the next trial is due; 0 while it is closed.
    """

    def __init__(self, policy: BreakerPolicy) -> None:
        self._policy = policy
        self._lock = Lock()
        self._state = _CLOSED
        self._recent: Deque[float] = deque(maxlen=policy.failures)
        self._culprits: WeakSet[Any] = WeakSet()
        self._cooldown = policy.cooldown
        self.skipped = 0
        self.failures = 0
        self.since = 0.0
        self.until = 0.0

    @property
    def open(self) -> bool:
        """Whether calls are being turned away."""
        return self._state is not _CLOSED

    def failed(self, now: float, handler: Any) -> bool:
        """Takes a failure of a handler; whether that opened it.

        Args:
            now: Seconds on the caller's clock.
            handler: What failed.
        """
        with self._lock:
            self.failures += 1
            if self._state is not _CLOSED:
                return False  # it had been called before the breaker opened
            self._recent.append(now)
            self._culprits.add(handler)
            if len(self._recent) < self._policy.failures:
                return False
            if now - self._recent[0] > self._policy.window:
                return False
            self.since = now
            self._open(now)
            return True

    def _open(self, now: float) -> None:
        self._state = _OPEN
        self.until = now + self._cooldown

    def admits(self, now: float, handler: Any) -> Admission:
        """Whether a call of a handler may go ahead, and whether it is the trial.

        Whoever is given the trial says how it went: ``succeeded``, ``failed_again`` or
        ``abandoned``.
        """
        with self._lock:
            if self._state is _CLOSED:
                return Admission.PASS
            if self._state is _OPEN and now >= self.until and self._may_try(handler):
                self._state = _TRYING
                return Admission.TRIAL
            self.skipped += 1
            return Admission.SKIP

    def _may_try(self, handler: Any) -> bool:
        return handler in self._culprits or not any(each.held for each in self._culprits)

    def succeeded(self) -> None:
        """The trial went well: closes."""
        with self._lock:
            self._state = _CLOSED
            self._recent.clear()
            self._culprits = WeakSet()
            self._cooldown = self._policy.cooldown
            self.since = self.until = 0.0

    def failed_again(self, now: float) -> None:
        """The trial failed: waits twice as long for the next."""
        with self._lock:
            self._cooldown = min(self._cooldown * 2, self._policy.longest)
            self._open(now)

    def abandoned(self, now: float) -> None:
        """The trial was interrupted, which says nothing: the next call may be one."""
        with self._lock:
            self._state = _OPEN
            self.until = now
