"""Quarantine and pins: shown by the verbs that look, ended by ``pkl reset``."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkl.store import StateStore
from tests.cli.running import Pkl, directory_plugin
from tests.discovery.fakes import write
from tests.store.clock import Hand


@pytest.fixture
def shop(pkl: Pkl, work: Path) -> StateStore:
    """The host ``shop`` of this directory, with db in quarantine and auth, which needs it."""
    directory_plugin(work / "plugins", "db")
    directory_plugin(work / "plugins", "auth", requires=["db"])
    write(work / "pkl.toml", 'name = "shop"\ngroup = "shop.plugins"\npaths = ["plugins"]\n')
    store = StateStore(clock=Hand())
    store.quarantine("shop", "db", why="3 restarts in 60 s")
    return store


def test_quarantine_is_shown_with_since_when_and_why(pkl: Pkl, shop: StateStore) -> None:
    since = shop.now()
    said = f"db is in quarantine since {since}: 3 restarts in 60 s"
    listed = pkl.ok("list")
    assert listed.lines[2] == f"db    1.0      ◐ blocked  {said}"
    assert "auth 1.0 requires db, and db cannot start" in listed.lines[1]
    assert f"Why:         {said}" in pkl.ok("info", "db").out
    assert "Hint:        pkl reset db" in pkl.ok("info", "db").out
    assert "repair: pkl reset db" in pkl.ok("why", "db").out
    assert said in pkl("check").out
    assert pkl("doctor").status == 1
    for verb in ("info", "why"):
        found = pkl.json(verb, "db")
        assert found["quarantine"] == {"since": since, "why": "3 restarts in 60 s"}
        assert found["reason"]["code"] == "quarantined"
    assert pkl("resolve", "db").status == 5


def test_reset_ends_it_and_says_so(pkl: Pkl, shop: StateStore) -> None:
    ran = pkl.ok("reset", "DB")
    assert ran.out == f"db: out of quarantine (was in it since {shop.now()}: 3 restarts in 60 s)\n"
    assert "host.refresh()" in ran.err
    assert shop.read("shop").state.quarantined == {}
    assert pkl.ok("list", "--state", "enabled", "-o", "name").lines == ["auth", "db"]


def test_reset_of_what_is_in_none_says_so_and_what_else_is_wrong(
    pkl: Pkl, shop: StateStore
) -> None:
    ran = pkl.ok("reset", "auth")
    assert ran.out == (
        "auth: was not in quarantine\n"
        "    ◐ blocked auth 1.0 requires db, and db cannot start\n"
        "    because db is in quarantine: 3 restarts in 60 s\n"
        "    hint: pkl reset db\n"
    )
    assert ran.err == ""


def test_the_result_as_json(pkl: Pkl, shop: StateStore) -> None:
    since = shop.now()
    assert pkl.json("reset", "db", "auth") == {
        "schema": "pkl.reset/1",
        "host": "shop",
        "group": "shop.plugins",
        "file": shop.path_of("shop"),
        "plugins": [
            {
                "name": "db",
                "version": "1.0",
                "changed": True,
                "quarantine": {"since": since, "why": "3 restarts in 60 s"},
                "state": "enabled",
                "reason": None,
            },
            {
                "name": "auth",
                "version": "1.0",
                "changed": False,
                "quarantine": None,
                "state": "enabled",
                "reason": None,
            },
        ],
    }


def test_pins_choose_and_are_shown(pkl: Pkl, shop: StateStore) -> None:
    shop.reset("shop", "db")
    shop.pin("shop", "db", "1.0", by="me")
    assert pkl.ok("list").lines[2].endswith("enabled  pinned to 1.0")
    assert f"Pin:         1.0 (since {shop.now()}, me)" in pkl.ok("info", "db").out
    assert "pinned to 1.0\n" in pkl.ok("why", "db").out
    for verb in ("info", "why"):
        assert pkl.json(verb, "db")["pin"] == "1.0"


def test_what_is_disabled_but_required_starts_and_is_said_to(pkl: Pkl, shop: StateStore) -> None:
    shop.reset("shop", "db")
    shop.set_desired("shop", {"db": "disabled"})
    assert pkl.ok("list").lines[2].endswith("enabled  disabled, but required")


def test_doctor_finds_damaged_state_files_and_sets_them_aside(pkl: Pkl, shop: StateStore) -> None:
    path = Path(shop.path_of("shop"))
    path.write_text('{"schema": 1, "plugins": {"db": 3}}')
    shop.set_desired("Other Shop", {"db": "masked"})
    odd = Path(shop.path_of("Other Shop"))
    odd.write_text("garbage")
    found = pkl.json("doctor", status=1)["findings"]
    assert [(each["code"], each["file"]) for each in found] == [
        ("state-file", str(odd)),
        ("state-file", str(path)),
    ]
    fixed = pkl.json("doctor", "--fix")
    assert [each["file"] for each in fixed["fixed"]] == [str(odd), str(path)]
    assert [each["code"] for each in fixed["findings"]] == ["state-aside", "state-aside"]
    assert odd.read_text() != "garbage"
    for each in fixed["findings"]:
        Path(each["file"]).unlink()
    assert pkl.json("doctor")["findings"] == []


def test_doctor_leaves_what_a_later_version_wrote(pkl: Pkl, shop: StateStore) -> None:
    path = Path(shop.path_of("shop"))
    path.write_text('{"schema": 99, "plugins": {}}')
    (found,) = pkl.json("doctor", "--fix")["findings"]
    assert (found["code"], found["severity"]) == ("state-newer", "warning")
    assert path.read_text() == '{"schema": 99, "plugins": {}}'
