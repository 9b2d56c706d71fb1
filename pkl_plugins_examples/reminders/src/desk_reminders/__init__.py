"""Reminders of tickets. Other plugins write ``from pkl.plugins import reminders``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkl import Timer, event, set_timeout, syscall

from desk.ticket import Ticket

if TYPE_CHECKING:
    import desk_tickets as tickets
else:
    from pkl.plugins import tickets

__all__ = ["remind_of", "reminder_due"]


@event
def reminder_due(ticket: Ticket) -> None:
    """Called when somebody should be reminded of a ticket that is still open."""


@syscall
def remind_of(number: int, seconds: float) -> Timer:
    """Reminds of one ticket after some time, if it is still open then.

    The timer is a resource of this plugin, because a syscall runs as the plugin that defines it.

    Returns:
        The timer; ``cancel()`` forgets the reminder.
    """
    return set_timeout(_remind, seconds, number)


def _remind(number: int) -> None:
    for ticket in tickets.open_tickets():
        if ticket.number == number:
            reminder_due(ticket)
