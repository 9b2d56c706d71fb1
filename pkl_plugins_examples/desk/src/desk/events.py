"""What happens at the desk, as events of the host: any plugin may subscribe.

The module belongs to no plugin, so these are ``HostEvent`` objects. Importing it needs no host;
subscriptions are filed for each host by itself.
"""

from __future__ import annotations

from time import perf_counter
from typing import Iterator

from pkl import event, log

from .ticket import Ticket

__all__ = ["desk_opened", "ticket_closed", "ticket_opened"]


@event(protected=True)
def desk_opened(name: str) -> None:
    """Called by the application, and by it alone, once its plugins run."""


@event
def ticket_opened(ticket: Ticket) -> None:
    """Called for each new ticket by whichever plugin keeps tickets."""


@event
def ticket_closed(ticket: Ticket) -> Iterator[None]:
    """Called when a ticket is done; says how long all who were told took over it."""
    began = perf_counter()
    yield
    milliseconds = (perf_counter() - began) * 1000
    log.debug("ticket %d: everybody was told in %.1f ms", ticket.number, milliseconds)
