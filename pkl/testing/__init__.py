"""What plugin authors and host developers test with."""

from __future__ import annotations

from .clean import assert_clean
from .clock import FakeClock

__all__ = ["FakeClock", "assert_clean"]
