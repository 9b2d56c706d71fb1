"""Reminders come when they should; time is moved by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator, List

import pkl
import pytest
from pkl.testing import FakeClock

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
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def host(tmp_path: Path, clock: FakeClock) -> Iterator[pkl.PluginHost]:
    store = tmp_path / "memory"
    store.mkdir()
    (store / "plugin.toml").write_text('name = "memory"\nprovides = ["ticket-store==1.0"]\n')
    (store / "plugin.py").write_text(MEMORY)
    with pkl.PluginHost(version="2.1", group="desk.plugins", clock=clock) as host:
        host.load_plugin(path=store)
        host.load_plugin("reminders").enable()
        auth, tickets = host.plugins.auth, host.plugins.tickets
        auth.add_user("ana", "blue whale")
        auth.login("ana", "blue whale")
        tickets.open_ticket("ana", "The printer is out of ink")
        tickets.open_ticket("ana", "No coffee")
        yield host


@pytest.fixture
def reminded(host: pkl.PluginHost) -> List[int]:
    numbers: List[int] = []

    def note(ticket: Any) -> None:
        numbers.append(ticket.number)

    with host.as_current():
        host.plugins.reminders.reminder_due.on(note)
    return numbers


def test_the_oldest_open_ticket_is_reminded_of_at_each_tick(
    host: pkl.PluginHost, clock: FakeClock, reminded: List[int]
) -> None:
    clock.advance(0.5)
    assert reminded == [1, 1]
    host.plugins.tickets.close_ticket(1)
    clock.advance(0.25)
    assert reminded == [1, 1, 2]


def test_a_single_reminder_comes_once_unless_it_is_cancelled(
    host: pkl.PluginHost, clock: FakeClock, reminded: List[int]
) -> None:
    host.plugins.reminders.remind_of(2, 0.1)
    host.plugins.reminders.remind_of(2, 0.15).cancel()
    clock.advance(0.2)
    assert reminded == [2]


def test_no_reminder_comes_once_the_plugin_stopped(
    host: pkl.PluginHost, clock: FakeClock, reminded: List[int]
) -> None:
    plugin = host.get_plugin("reminders")
    assert plugin is not None
    host.plugins.reminders.remind_of(2, 0.1)
    plugin.disable()
    clock.advance(10)
    assert reminded == []
    assert host.resource_manager.get_resources(plugin) == ()


def test_a_subscription_waits_for_the_next_generation(
    host: pkl.PluginHost, clock: FakeClock, reminded: List[int]
) -> None:
    plugin = host.get_plugin("reminders")
    assert plugin is not None
    plugin.disable()
    plugin.enable()
    clock.advance(0.25)
    assert reminded == [1]


def test_another_period_counts_from_the_moment_it_is_set(
    host: pkl.PluginHost, clock: FakeClock, reminded: List[int]
) -> None:
    host.set_config("reminders", {"period": 2})
    clock.advance(1.9)
    assert reminded == []
    clock.advance(0.2)
    assert reminded == [1]
