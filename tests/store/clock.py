"""A wall clock that is set by hand."""

from __future__ import annotations

__all__ = ["Hand"]


class Hand:
    """Says the same time until somebody sets it; 2026-11-25, 03:00 UTC at first."""

    def __init__(self) -> None:
        self.now = 1795575600.0

    def __call__(self) -> float:
        return self.now
