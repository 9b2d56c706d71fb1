"""An update that is held, and what was consented to, as the offline verbs show it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkl.store import Consent, HeldUpdate, StateStore
from tests.cli.running import Pkl, directory_plugin
from tests.discovery.fakes import plugin, write

THEN = "2026-11-25T03:00:00Z"
HELD = HeldUpdate(
    "1.1", ("asks for threads", "requires six, and 1.0 did not"), "mail==1.1", THEN, "pkl upgrade"
)


@pytest.fixture
def shop(pkl: Pkl, work: Path) -> StateStore:
    """The host ``shop`` of this directory, of whose plugin mail 1.0 an update is held."""
    plugin(pkl.site, "mail", manifest='name = "mail"\n')
    directory_plugin(work / "plugins", "lone")
    write(work / "pkl.toml", 'name = "shop"\npaths = ["plugins"]\n')
    store = StateStore()
    store.change("shop", lambda state: state.with_held("mail", HELD))
    return store


def test_list_info_and_why_show_what_is_held_and_how_to_consent(pkl: Pkl, shop: StateStore) -> None:
    row = next(line for line in pkl.ok("list").lines if line.startswith("mail"))
    text = "held: 1.1 asks for threads; requires six, and 1.0 did not"
    assert row.endswith(text)
    assert text in pkl.ok("why", "mail").out
    lines = [line.split(None, 1) for line in pkl.ok("info", "mail").lines]
    assert [
        "Held:",
        f"1.1 asks for threads; requires six, and 1.0 did not (since {THEN}, pkl upgrade)",
    ] in lines
    assert ["Hint:", "to consent: pkl upgrade mail --consent mail==1.1"] in lines
    expected = {
        "version": "1.1",
        "changes": ["asks for threads", "requires six, and 1.0 did not"],
        "consent": "mail==1.1",
        "since": THEN,
        "by": "pkl upgrade",
    }
    for found in (pkl.json("info", "mail"), pkl.json("why", "mail")):
        assert found["held"] == expected
    held = {each["name"]: each["held"] for each in pkl.json("list")["plugins"]}
    assert held == {"lone": None, "mail": expected}


def test_what_came_in_by_another_way_is_not_held(pkl: Pkl, shop: StateStore) -> None:
    shop.change(
        "shop", lambda state: state.with_held("mail", HeldUpdate("1.0", ("asks for threads",)))
    )
    assert "held" not in pkl.ok("list").out + pkl.ok("info", "mail").out + pkl.ok("why", "mail").out


def test_permissions_show_what_else_an_update_was_let_in_for(pkl: Pkl, shop: StateStore) -> None:
    consent = Consent(True, "1.1", THEN, "pkl upgrade")
    shop.change("shop", lambda state: state.with_consent("mail", "dependency:six", consent))
    assert pkl.ok("permissions", "mail").lines[1].split() == [
        "dependency:six",
        "granted",
        "true",
        THEN,
    ]
    row = pkl.json("permissions", "mail", "--revoke", "dependency:six")["permissions"]
    assert row == []


def test_it_is_shown_of_a_plugin_that_does_not_run_as_well(pkl: Pkl, shop: StateStore) -> None:
    pkl.ok("disable", "mail")
    text = "held: 1.1 asks for threads; requires six, and 1.0 did not"
    row = next(line for line in pkl.ok("list").lines if line.startswith("mail"))
    assert "disabled" in row and row.endswith(f"; {text}")
    assert pkl.ok("why", "mail").lines[-1] == text
