"""What plugin authors and host developers test with."""

from __future__ import annotations

from .clock import FakeClock

__all__ = ["FakeClock"]
