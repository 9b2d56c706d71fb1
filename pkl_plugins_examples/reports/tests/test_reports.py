"""Reports, and the plugins inside it."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pkl
import pytest

from desk.events import ticket_closed
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
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pkl.PluginHost]:
    monkeypatch.setenv("DESK_HOME", str(tmp_path / "home"))
    store = tmp_path / "memory"
    store.mkdir()
    (store / "plugin.toml").write_text('name = "memory"\nprovides = ["ticket-store==1.0"]\n')
    (store / "plugin.py").write_text(MEMORY)
    with pkl.PluginHost(version="2.1", group="desk.plugins") as host:
        host.load_plugin(path=store)
        host.load_plugin("reports").enable()
        auth, tickets = host.plugins.auth, host.plugins.tickets
        auth.add_user("ana", "blue whale")
        auth.login("ana", "blue whale")
        tickets.open_ticket("ana", "No coffee")
        yield host


def plugin(host: pkl.PluginHost, name: str) -> pkl.Plugin:
    found = host.get_plugin(name)
    assert found is not None
    return found


def test_each_format_is_a_child(host: pkl.PluginHost) -> None:
    reports = plugin(host, "reports")
    assert [child.name for child in reports.children] == ["report-text", "report-csv"]
    assert host.plugins.reports.formats() == ["csv", "text"]
    assert host.plugins.reports.render("text") == "#1 [open] No coffee (ana)"
    assert host.plugins.reports.render("csv").splitlines()[1] == "1,No coffee,ana,False"


def test_a_child_can_be_switched_off_by_itself(host: pkl.PluginHost) -> None:
    plugin(host, "report-csv").disable()
    assert host.plugins.reports.formats() == ["text"]
    with pytest.raises(LookupError, match="no format 'csv'; there are: text"):
        host.plugins.reports.render("csv")


def test_children_stop_with_their_parent_but_the_detached_one_goes_on(
    host: pkl.PluginHost, tmp_path: Path
) -> None:
    plugin(host, "reports").disable()
    assert plugin(host, "report-text").state is pkl.PluginState.DISABLED
    assert plugin(host, "report-csv").state is pkl.PluginState.DISABLED
    archive = plugin(host, "report-archive")
    assert archive.state is pkl.PluginState.ENABLED
    assert archive.parent is None
    with host.as_current():
        ticket_closed(Ticket(1, "No coffee", "ana", closed=True))
    assert [path.name for path in tmp_path.rglob("ticket-*.json")] == ["ticket-1.json"]


def test_children_come_back_with_their_parent(host: pkl.PluginHost) -> None:
    plugin(host, "reports").disable()
    plugin(host, "reports").enable()
    assert host.plugins.reports.formats() == ["csv", "text"]
    assert plugin(host, "report-archive").generation.number == 1
