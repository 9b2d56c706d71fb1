"""``pkl registry search``: the verb ``pkl search`` under its other name."""

from __future__ import annotations

from ..search import command

__all__ = ["command"]
