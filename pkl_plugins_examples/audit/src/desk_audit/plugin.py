"""The entry point: listens to auth, to the desk, and to reminders if there are any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkl import log, this

import desk_audit
from desk.events import ticket_closed, ticket_opened
from desk.home import plugin_folder
from desk.ticket import Ticket

if TYPE_CHECKING:
    import desk_auth as auth
else:
    from pkl.plugins import auth

try:
    from pkl.plugins import reminders
except ImportError:  # a want: there need not be one
    reminders = None


@this.on_enable.on
def begin() -> None:
    """Opens the trail and holds it until the plugin stops."""
    trail = desk_audit.Trail(plugin_folder() / "audit.log")
    desk_audit.trail = trail
    this.host.resource_manager.register(trail)
    trail.write("audit begins")


@this.on_disable.on
def finish() -> None:
    """Puts the last entry on disk; the file is closed after this, with the other resources."""
    desk_audit.note("audit ends")
    log.info("%d entries are on disk", len(desk_audit.entries()))


@auth.user_login.on
def came(name: str) -> None:
    """Notes a login."""
    desk_audit.note(f"{name} came in")


@auth.user_logout.on
def went(name: str) -> None:
    """Notes a logout."""
    desk_audit.note(f"{name} went out")


@ticket_opened.on(priority=10)
def opened(ticket: Ticket) -> None:
    """Notes a new ticket, before less important handlers hear of it."""
    desk_audit.note(f"{ticket.reporter} opened #{ticket.number} {ticket.title}")


@ticket_closed.on
def closed(ticket: Ticket) -> None:
    """Notes that a ticket is done."""
    desk_audit.note(f"#{ticket.number} was closed")


def reminded(ticket: Ticket) -> None:
    """Notes a reminder."""
    desk_audit.note(f"{ticket.reporter} was reminded of #{ticket.number}")


if reminders is not None:
    # Reminders may stop and come back; the subscription waits for them.
    reminders.reminder_due += reminded
