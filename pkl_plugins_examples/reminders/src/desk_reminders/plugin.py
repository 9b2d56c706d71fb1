"""The entry point: every quarter of a second it reminds of the oldest open ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkl import get_logger, set_interval, set_timeout

from . import reminder_due

if TYPE_CHECKING:
    import desk_tickets as tickets
else:
    from pkl.plugins import tickets

clock = get_logger("clock")

PERIOD = 0.25
"""Seconds; a desk with people at it would take a day."""


def remind_of_the_oldest() -> None:
    """Reminds of the open ticket with the lowest number, if there is one."""
    oldest = next(iter(tickets.open_tickets()), None)
    if oldest is not None:
        reminder_due(oldest)


def say_so() -> None:
    """Says that the clock runs."""
    clock.info("it ticks every %.2f s", PERIOD)


# Both are staged while the module is imported, and count from the moment the plugin is enabled.
set_interval(remind_of_the_oldest, PERIOD)
set_timeout(say_so, 0.05)
