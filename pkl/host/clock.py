"""The real clock."""

from __future__ import annotations

from time import monotonic
from typing import Callable, Optional

__all__ = ["RealClock"]


class RealClock:
    """``time.monotonic``; a scheduler on it runs its own thread."""

    @staticmethod
    def monotonic() -> float:
        """Seconds since an arbitrary point."""
        return monotonic()

    @staticmethod
    def attach(run_due: Callable[[float], Optional[float]]) -> bool:
        """Declines: real time does not wait to be advanced."""
        return False

    @staticmethod
    def detach(run_due: Callable[[float], Optional[float]]) -> None:
        """Nothing was attached."""
