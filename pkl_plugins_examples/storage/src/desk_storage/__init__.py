"""The capability ``ticket-store`` 1.1, kept in a file: ``save(ticket)`` and ``load()``.

Whoever else provides ``ticket-store`` has the same two functions.
"""

from __future__ import annotations

import json
from pathlib import Path
from threading import Lock
from typing import Dict, List, Optional

from pkl import Resource, syscall

from desk.ticket import Ticket

__all__ = ["Journal", "load", "save"]


class Journal(Resource):
    """A file with one line for each change of a ticket; the last line about a ticket counts."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._lock = Lock()
        self._file = path.open("a+", encoding="utf-8")

    def __repr__(self) -> str:
        return f"<Journal {self.path.name}>"

    def add(self, ticket: Ticket) -> None:
        """Writes a ticket's present state; safe from any thread."""
        with self._lock:
            self._file.write(json.dumps(ticket.as_dict()) + "\n")
            self._file.flush()

    def read(self) -> List[Ticket]:
        """Every ticket in its last state, in the order of their numbers."""
        with self._lock:
            self._file.seek(0)
            last: Dict[int, Ticket] = {}
            for line in self._file:
                ticket = Ticket(**json.loads(line))
                last[ticket.number] = ticket
        return [last[number] for number in sorted(last)]

    def _cleanup(self) -> None:
        self._file.close()


journal: Optional[Journal] = None
"""The journal of this generation; None until the plugin is enabled."""


@syscall
def save(ticket: Ticket) -> None:
    """Keeps a new ticket, or a new state of one."""
    _open().add(ticket)


@syscall
def load() -> List[Ticket]:
    """Every ticket there is, by number."""
    return _open().read()


def _open() -> Journal:
    if journal is None:
        raise RuntimeError("the store opens when its plugin is enabled")
    return journal
