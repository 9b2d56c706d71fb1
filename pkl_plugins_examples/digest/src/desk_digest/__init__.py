"""The day in one line. Whoever writes ``from pkl.plugins import digest`` first starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkl import syscall

if TYPE_CHECKING:
    import desk_tickets as tickets
else:
    from pkl.plugins import tickets

__all__ = ["of_today"]


@syscall
def of_today() -> str:
    """Such as ``2 open, 1 closed``."""
    closed = sum(1 for ticket in tickets.every_ticket() if ticket.closed)
    return f"{len(tickets.every_ticket()) - closed} open, {closed} closed"
