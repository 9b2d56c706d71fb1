"""Tickets: opened, closed and listed. Other plugins write ``from pkl.plugins import tickets``."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Iterator, List

from pkl import syscall, use

from desk.events import ticket_closed, ticket_opened
from desk.ticket import Ticket

if TYPE_CHECKING:
    import desk_auth as auth
else:
    from pkl.plugins import auth

__all__ = ["NotAtTheDesk", "close_ticket", "every_ticket", "open_ticket", "open_tickets"]

_lock = Lock()
_store = use("ticket-store>=1,<2")  # of whichever plugin was chosen to provide it


class NotAtTheDesk(PermissionError):
    """Somebody who has not logged in wants something."""


@syscall
def open_ticket(reporter: str, title: str) -> Ticket:
    """Makes a ticket and tells everybody who listens to ``desk.events.ticket_opened``.

    Raises:
        NotAtTheDesk: The reporter has not logged in.
    """
    if reporter not in auth.sessions():
        raise NotAtTheDesk(f"{reporter} has not logged in")
    with _lock:
        ticket = Ticket(len(every_ticket()) + 1, title, reporter)
        _store.api.save(ticket)
    ticket_opened(ticket)
    return ticket


@syscall
def close_ticket(number: int) -> Ticket:
    """Marks a ticket as done and tells everybody; a closed one is left as it is.

    Raises:
        LookupError: There is no such ticket.
    """
    with _lock:
        found = next((t for t in every_ticket() if t.number == number), None)
        if found is None:
            raise LookupError(f"there is no ticket {number}")
        if found.closed:
            return found
        ticket = replace(found, closed=True)
        _store.api.save(ticket)
    ticket_closed(ticket)
    return ticket


@syscall
def every_ticket() -> List[Ticket]:
    """All tickets, by number."""
    tickets: List[Ticket] = _store.api.load()
    return tickets


@syscall
def open_tickets() -> Iterator[Ticket]:
    """The tickets that are not done, one at a time."""
    for ticket in every_ticket():
        if not ticket.closed:
            yield ticket
