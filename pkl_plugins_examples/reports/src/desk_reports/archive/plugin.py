"""Keeps every closed ticket in a file of its own."""

from __future__ import annotations

import json

from desk.events import ticket_closed
from desk.home import plugin_folder
from desk.ticket import Ticket


@ticket_closed.on
def keep(ticket: Ticket) -> None:
    """Writes the ticket down for good."""
    path = plugin_folder() / f"ticket-{ticket.number}.json"
    path.write_text(json.dumps(ticket.as_dict()), encoding="utf-8")
