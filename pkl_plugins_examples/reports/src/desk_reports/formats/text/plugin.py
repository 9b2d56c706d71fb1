"""Tickets as a list, one to a line."""

from __future__ import annotations

from typing import List

from pkl.plugins import reports  # a child may import its parent without requiring it

from desk.ticket import Ticket


def as_text(tickets: List[Ticket]) -> str:
    """A line for each ticket."""
    return "\n".join(
        f"#{t.number} [{'done' if t.closed else 'open'}] {t.title} ({t.reporter})" for t in tickets
    )


reports.add_format("text", as_text)
