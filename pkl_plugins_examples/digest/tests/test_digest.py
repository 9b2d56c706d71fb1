"""The digest, and that nobody pays for it before it is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pkl
import pytest

from desk.app import POINTS

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
    with pkl.PluginHost(version="2.1", group="desk.plugins", contributions=POINTS) as host:
        host.load_plugin(path=store)
        yield host


def test_it_is_started_by_whoever_first_wants_it(host: pkl.PluginHost) -> None:
    for other in host.discover().candidates:
        if other.name not in ("auth", "tickets", "digest"):
            host.set_desired(other.name, "disabled")
    report = host.start()
    found = host.get_plugin("digest")
    assert found is not None and found.state == "unloaded"
    assert "digest" in report.waiting
    (page,) = host.contributions("pages")
    assert (page.plugin, page.value[0]["function"]) == ("digest", "of_today")
    assert found.state == "unloaded"
    auth, tickets = host.plugins.auth, host.plugins.tickets
    auth.add_user("ana", "blue whale")
    auth.login("ana", "blue whale")
    for title in ("No coffee", "No tea"):
        tickets.open_ticket("ana", title)
    tickets.close_ticket(1)
    assert host.plugins.digest.of_today() == "1 open, 1 closed"
    assert found.state == "enabled"
    assert found.activation is not None and found.activation.trigger == "import"
