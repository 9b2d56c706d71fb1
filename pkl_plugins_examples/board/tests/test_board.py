"""The board as a browser sees it."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Iterator, Tuple

import pkl
import pytest

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
    store = tmp_path / "memory"
    store.mkdir()
    (store / "plugin.toml").write_text('name = "memory"\nprovides = ["ticket-store==1.0"]\n')
    (store / "plugin.py").write_text(MEMORY)
    points = {"pages": None}
    with pkl.PluginHost(version="2.1", group="desk.plugins", contributions=points) as host:
        host.load_plugin(path=store)
        host.load_plugin("board").enable()
        host.plugins.auth.add_user("ana", "blue whale")
        host.plugins.auth.login("ana", "blue whale")
        yield host


def ask(host: pkl.PluginHost, method: str, path: str, body: str = "") -> Tuple[int, Any]:
    connection = HTTPConnection("127.0.0.1", host.plugins.http.port(), timeout=10)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_ticket_can_be_opened_and_seen(host: pkl.PluginHost) -> None:
    wanted = json.dumps({"reporter": "ana", "title": "No coffee"})
    status, ticket = ask(host, "POST", "/tickets", wanted)
    assert (status, ticket["number"], ticket["title"]) == (200, 1, "No coffee")
    assert ask(host, "GET", "/tickets") == (200, [ticket])


def test_who_is_not_at_the_desk_is_forbidden_to_open_one(host: pkl.PluginHost) -> None:
    wanted = json.dumps({"reporter": "ben", "title": "No coffee"})
    assert ask(host, "POST", "/tickets", wanted)[0] == 403


def test_it_shows_who_is_at_the_desk(host: pkl.PluginHost) -> None:
    assert ask(host, "GET", "/people") == (200, ["ana"])


def test_it_shows_what_plugins_contribute_for_as_long_as_they_count(
    host: pkl.PluginHost, tmp_path: Path
) -> None:
    lamp = tmp_path / "lamp"
    lamp.mkdir()
    text = 'name = "lamp"\n[contributes]\npages = [{ title = "Light", function = "light" }]\n'
    (lamp / "plugin.toml").write_text(text)
    (lamp / "plugin.py").write_text("")
    plugin = host.load_plugin(path=lamp).enable()
    page = {"plugin": "lamp", "title": "Light", "function": "light"}
    status, pages = ask(host, "GET", "/pages")
    assert status == 200
    assert page in pages
    plugin.disable()
    assert page not in ask(host, "GET", "/pages")[1]


def test_its_routes_go_with_it(host: pkl.PluginHost) -> None:
    board = host.get_plugin("board")
    assert board is not None
    board.disable()
    assert ask(host, "GET", "/tickets")[0] == 404
