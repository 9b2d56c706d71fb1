"""What a ticket store promises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Iterator

import pkl
import pytest

from desk.ticket import Ticket

INK = Ticket(1, "The printer is out of ink", "ana")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pkl.PluginHost]:
    monkeypatch.setenv("DESK_HOME", str(tmp_path))
    with pkl.PluginHost(version="2.1", group="desk.plugins") as host:
        host.load_plugin("storage").enable()
        yield host


def test_the_last_state_of_a_ticket_counts(host: pkl.PluginHost) -> None:
    store = host.plugins.storage
    store.save(INK)
    store.save(Ticket(2, "No coffee", "ben"))
    store.save(replace(INK, closed=True))
    assert [(t.number, t.closed) for t in store.load()] == [(1, True), (2, False)]


def test_tickets_outlive_the_plugin_but_the_open_file_does_not(host: pkl.PluginHost) -> None:
    plugin = host.get_plugin("storage")
    assert plugin is not None
    host.plugins.storage.save(INK)
    journal = host.plugins.storage.journal
    plugin.disable()
    with pytest.raises(ValueError, match="closed file"):
        journal.read()
    plugin.enable()
    assert host.plugins.storage.load() == [INK]


def test_it_provides_the_capability_in_the_version_it_states(host: pkl.PluginHost) -> None:
    plugin = host.get_plugin("storage")
    assert plugin is not None
    assert [(p.name, p.version) for p in plugin.metadata.provides] == [("ticket-store", "1.1")]
    with host.as_current():
        store = pkl.use("ticket-store>=1.1,<2")
    store.api.save(INK)
    assert store.api.load() == [INK]
    assert store.provider is not None
    assert (store.provider.plugin, store.provider.version) == (plugin, "1.1")
    assert host.check() == ()
