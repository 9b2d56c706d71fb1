"""Which thread waits in the import system for what another one is importing.

While a thread imports a module it holds that module's lock, and may in there wait for a plugin's
transition; whoever is in that transition may need the same module. importlib sees through loops
of its own locks only, so that the other half has to be seen from here.
"""

from __future__ import annotations

import sys
from importlib import _bootstrap
from typing import Any, List, NamedTuple

__all__ = ["ImportWait", "import_waits", "importing_threads"]


class ImportWait(NamedTuple):
    """What a thread waits for in an import.

    Attributes:
        module: The module that is being imported.
        owner: The thread that imports it.
    """

    module: str
    owner: int


def import_waits(thread: int) -> List[ImportWait]:
    """What the thread waits for at this moment; nothing if it does not stand in an import.

    Nothing is locked: of a thread that moves, this may be the moment before.
    """
    # One lock up to Python 3.11; from then on a list, for imports that interrupt each other.
    locks: Any = _bootstrap._blocking_on.get(thread)  # type: ignore[attr-defined]
    if locks is None:
        return []
    waits = []
    for lock in [locks] if hasattr(locks, "owner") else list(locks):
        owner = lock.owner
        # Its own, or nobody's: it is passing through and does not wait.
        if owner is not None and owner != thread:
            waits.append(ImportWait(lock.name, owner))
    return waits


def importing_threads() -> List[int]:
    """The threads that wait for anything in an import."""
    return [thread for thread in sys._current_frames() if import_waits(thread)]
