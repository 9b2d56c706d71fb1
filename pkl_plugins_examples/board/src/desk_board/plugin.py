"""The entry point: four routes, which go away with the plugin."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Dict, List

import pkl

if TYPE_CHECKING:
    import desk_auth as auth
    import desk_http as http
    import desk_tickets as tickets
else:
    from pkl.plugins import auth, http, tickets


@http.route("/tickets")
def listed(request: http.Request) -> List[Dict[str, Any]]:
    """``GET /tickets``: every ticket."""
    return [ticket.as_dict() for ticket in tickets.every_ticket()]


@http.route("/tickets", method="POST")
def opened(request: http.Request) -> Dict[str, Any]:
    """``POST /tickets`` with ``{"reporter": …, "title": …}``: opens a ticket."""
    asked = json.loads(request.body)
    ticket: Dict[str, Any] = tickets.open_ticket(asked["reporter"], asked["title"]).as_dict()
    return ticket


@http.route("/people")
def present(request: http.Request) -> List[str]:
    """``GET /people``: who is at the desk."""
    return sorted(set(auth.sessions()))


@http.route("/pages")
def offered(request: http.Request) -> List[Dict[str, Any]]:
    """``GET /pages``: what plugins have to show, of those that nobody has needed yet, too."""
    entries = pkl.contributions("pages")
    return [{"plugin": each.plugin, **page} for each in entries for page in each.value]
