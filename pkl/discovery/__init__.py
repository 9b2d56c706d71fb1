"""Where plugins are found: installed distributions and plugin directories; nothing is imported."""

from __future__ import annotations

from .directories import read_directory
from .environment import DEFAULT_GROUP, discover

__all__ = ["DEFAULT_GROUP", "discover", "read_directory"]
