"""Where plugins are found: installed distributions and plugin directories; nothing is imported."""

from __future__ import annotations

from .directories import read_directory
from .environment import DEFAULT_GROUP, discover
from .groups import Installation, Member, groups, installed, installed_requirements

__all__ = [
    "DEFAULT_GROUP",
    "Installation",
    "Member",
    "discover",
    "groups",
    "installed",
    "installed_requirements",
    "read_directory",
]
