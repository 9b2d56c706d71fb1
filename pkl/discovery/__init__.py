"""Where plugins are found: installed distributions and plugin directories; nothing is imported.

What is only needed without a warm cache is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .environment import DEFAULT_GROUP, discover

if TYPE_CHECKING:
    from .directories import read_directory as read_directory
    from .inventory import Installation as Installation
    from .inventory import Member as Member
    from .inventory import groups as groups
    from .inventory import installed as installed
    from .inventory import installed_requirements as installed_requirements

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

if not TYPE_CHECKING:  # or every misspelt name would pass a type check

    def __getattr__(name):
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = ".directories" if name == "read_directory" else ".inventory"
        value = getattr(import_module(home, __name__), name)
        globals()[name] = value
        return value
