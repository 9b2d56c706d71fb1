"""Plugins in a temporary directory, and a host with a clock that stands still."""

from __future__ import annotations

from tests.kernel.conftest import clock, host, make

__all__ = ["clock", "host", "make"]
