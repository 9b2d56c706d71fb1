"""Fails in import, after it has registered something; that is taken back too."""

from __future__ import annotations

from desk.events import ticket_opened
from desk.ticket import Ticket


@ticket_opened.on
def send(ticket: Ticket) -> None:
    """Would send the ticket to the customer database."""
    acme_crm_client.send(ticket.as_dict())


import acme_crm_client  # type: ignore[import-not-found]  # noqa: E402
