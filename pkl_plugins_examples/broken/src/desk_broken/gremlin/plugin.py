"""Fails wherever a running plugin can."""

from __future__ import annotations

from pkl import Resource, set_timeout, this

from desk.events import ticket_opened
from desk.ticket import Ticket


class Tangle(Resource):
    """Something that cannot be cleaned up."""

    def __repr__(self) -> str:
        return "<Tangle>"

    def _cleanup(self) -> None:
        raise OSError("the tangle will not come undone")


@ticket_opened.on(priority=100)
def trip(ticket: Ticket) -> None:
    """Fails before anybody else has heard of the ticket; they hear of it all the same."""
    raise ValueError(f"the gremlin does not like #{ticket.number}")


def bang() -> None:
    """Fails in a timer."""
    raise RuntimeError("bang")


set_timeout(bang, 0.05)
this.host.resource_manager.register(Tangle())
