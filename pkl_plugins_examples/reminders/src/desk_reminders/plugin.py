"""The entry point: each time its setting ``period`` has passed, it reminds of the oldest ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkl import get_logger, set_interval, set_timeout, this

from . import reminder_due

if TYPE_CHECKING:
    import desk_tickets as tickets
else:
    from pkl.plugins import tickets

clock = get_logger("clock")


def remind_of_the_oldest() -> None:
    """Reminds of the open ticket with the lowest number, if there is one."""
    oldest = next(iter(tickets.open_tickets()), None)
    if oldest is not None:
        reminder_due(oldest)


def say_so() -> None:
    """Says that the clock runs."""
    clock.info("it ticks every %.2f s", this.config["period"])


# Both are staged while the module is imported, and count from the moment the plugin is enabled.
ticking = set_interval(remind_of_the_oldest, this.config["period"])
set_timeout(say_so, 0.05)


@this.config.on
def tick_otherwise(change: object) -> None:
    """Takes another period up at once."""
    global ticking
    ticking.cancel()
    ticking = set_interval(remind_of_the_oldest, this.config["period"])
