"""A clock that only moves when it is told to."""

from __future__ import annotations

from typing import Callable, List, Optional

__all__ = ["FakeClock"]


class FakeClock:
    """Stands still until ``advance``; give it to ``PluginHost(clock=…)``.

    Timers that come due run in the thread that advances the clock, in the order of their
    deadlines, each at its own time, and have run when ``advance`` returns. Not for use from
    several threads at once.
    """

    def __init__(self, start: float = 1000.0) -> None:
        self._now = start
        self._due: List[Callable[[float], Optional[float]]] = []

    def monotonic(self) -> float:
        """The time, in seconds."""
        return self._now

    def attach(self, run_due: Callable[[float], Optional[float]]) -> bool:
        """Takes on a scheduler."""
        self._due.append(run_due)
        return True

    def detach(self, run_due: Callable[[float], Optional[float]]) -> None:
        """Lets a scheduler go."""
        if run_due in self._due:
            self._due.remove(run_due)

    def advance(self, seconds: float) -> None:
        """Moves time on, stopping at each deadline on the way to run what is due."""
        end = self._now + seconds
        while True:
            upcoming = [d for run in list(self._due) if (d := run(self._now)) is not None]
            soonest = min(upcoming, default=end)
            if soonest >= end and self._now >= end:
                return
            self._now = max(self._now, min(soonest, end))
