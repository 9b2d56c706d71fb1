"""What tickets promises, whoever keeps them."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator, List

import pkl
import pytest

from desk.events import ticket_closed, ticket_opened
from desk.ticket import Ticket

MEMORY = """
from pkl import provide
kept = {}
class Memory:
    def save(self, ticket):
        kept[ticket.number] = ticket
    def load(self):
        return list(kept.values())
provide("ticket-store", Memory())
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[pkl.PluginHost]:
    """A host with a ticket store of its own, so that these tests need no other distribution."""
    store = tmp_path / "memory"
    store.mkdir()
    (store / "plugin.toml").write_text('name = "memory"\nprovides = ["ticket-store==1.0"]\n')
    (store / "plugin.py").write_text(MEMORY)
    with pkl.PluginHost(version="2.1", group="desk.plugins") as host:
        host.load_plugin(path=store)
        host.load_plugin("tickets").enable()
        auth = host.plugins.auth
        auth.add_user("ana", "blue whale")
        auth.login("ana", "blue whale")
        yield host


def test_any_provider_of_the_capability_will_do(host: pkl.PluginHost) -> None:
    plugin = host.get_plugin("tickets")
    assert plugin is not None
    assert plugin.bindings["ticket-store"] is host.get_plugin("memory")


def test_tickets_are_numbered_and_announced(host: pkl.PluginHost) -> None:
    opened: List[Ticket] = []
    closed: List[Ticket] = []
    tickets = host.plugins.tickets
    with host.as_current():
        ticket_opened.on(opened.append)
        ticket_closed.on(closed.append)
    ink = tickets.open_ticket("ana", "The printer is out of ink")
    tickets.open_ticket("ana", "No coffee")
    tickets.close_ticket(1)
    tickets.close_ticket(1)
    assert opened[0] == ink
    assert [(t.number, t.closed) for t in closed] == [(1, True)]
    assert [t.number for t in tickets.open_tickets()] == [2]


def test_only_who_is_at_the_desk_may_open_a_ticket(host: pkl.PluginHost) -> None:
    with pytest.raises(host.plugins.tickets.NotAtTheDesk):
        host.plugins.tickets.open_ticket("ben", "No coffee")


def test_closing_an_unknown_ticket_is_refused(host: pkl.PluginHost) -> None:
    with pytest.raises(LookupError, match="no ticket 7"):
        host.plugins.tickets.close_ticket(7)


def test_it_stops_with_whoever_keeps_the_tickets(host: pkl.PluginHost) -> None:
    store, plugin = host.get_plugin("memory"), host.get_plugin("tickets")
    assert store is not None
    assert plugin is not None
    store.disable()
    assert plugin.state is pkl.PluginState.DISABLED
