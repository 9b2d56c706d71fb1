"""``pkl enable``, ``disable`` and ``mask``: what people want, said with no host running."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Dict, List

import pytest

import pkl as library
from pkl.model.state import Desired
from pkl.store import StateStore
from tests.cli.conftest import Process
from tests.cli.running import Pkl, directory_plugin
from tests.discovery.fakes import write

HEED = "a running host heeds this when it starts again or calls host.refresh()\n"


@pytest.fixture
def shop(pkl: Pkl, work: Path) -> StateStore:
    """The host ``shop`` of this directory, where mail needs audit, audit needs auth, auth db;
    and the store of its state."""
    for name, needed in (("db", []), ("auth", ["db>=1"]), ("audit", ["auth"]), ("mail", ["audit"])):
        directory_plugin(work / "plugins", name, requires=needed)
    directory_plugin(work / "plugins", "lone")
    write(work / "pkl.toml", 'name = "shop"\ngroup = "shop.plugins"\npaths = ["plugins"]\n')
    return StateStore()


def desired(store: StateStore) -> Dict[str, str]:
    """What is kept of the shop."""
    return {name: str(each) for name, each in store.read("shop").state.desired.items()}


def names(pkl: Pkl, *arguments: str) -> List[str]:
    """What would start."""
    return pkl.ok("list", "--state", "enabled", "-o", "name", *arguments).lines


def test_what_is_disabled_is_kept_and_not_started_until_it_is_enabled(
    pkl: Pkl, shop: StateStore
) -> None:
    ran = pkl.ok("disable", "Lone", "mail")
    assert (ran.out, ran.err) == (
        "lone: disabled (was enabled)\nmail: disabled (was enabled)\n",
        HEED,
    )
    assert names(pkl) == ["audit", "auth", "db"]
    assert desired(shop) == {"lone": "disabled", "mail": "disabled"}
    assert pkl.ok("enable", "lone").out == "lone: enabled (was disabled)\n"
    assert names(pkl) == ["audit", "auth", "db", "lone"]


def test_how_and_since_when_it_was_said_is_kept_and_shown(pkl: Pkl, shop: StateStore) -> None:
    pkl.ok("disable", "lone", "--reason", "it is slow")
    wish = shop.read("shop").state.record("lone").wish
    assert wish is not None and wish.by == "pkl disable lone: it is slow"
    assert (
        f"disabled (since {wish.since}, pkl disable lone: it is slow)" in pkl.ok("info", "lone").out
    )
    for verb in ("info", "why"):
        assert pkl.json(verb, "lone")["wish"] == {"since": wish.since, "by": wish.by}


def test_saying_it_twice_writes_nothing(pkl: Pkl, shop: StateStore) -> None:
    pkl.ok("disable", "lone")
    before = os.stat(shop.path_of("shop"))
    ran = pkl.ok("disable", "lone", "--reason", "again")
    assert (ran.out, ran.err) == ("lone: disabled already\n", "")
    assert os.stat(shop.path_of("shop")).st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("verb", ["disable", "mask"])
def test_what_is_in_use_is_refused_with_every_dependant(
    pkl: Pkl, shop: StateStore, verb: str
) -> None:
    ran = pkl(verb, "db")
    assert (ran.status, ran.out) == (7, "")
    assert ran.err == (
        "error[E_IN_USE]: db is needed by 3 plugins that are wanted\n"
        "  audit 1.0 requires auth\n"
        "  auth 1.0 requires db>=1\n"
        "  mail 1.0 requires audit\n"
        f"  hint: pkl {verb} db --cascade disables these, too\n"
    )
    assert not os.path.exists(shop.path_of("shop"))
    error = pkl.json(verb, "db", "lone", status=7)
    assert error["code"] == "E_IN_USE"
    assert error["details"] == {"dependants": ["audit", "auth", "mail"]}


@pytest.mark.parametrize(("verb", "kept"), [("disable", "disabled"), ("mask", "masked")])
def test_cascade_writes_the_dependants_too(
    pkl: Pkl, shop: StateStore, verb: str, kept: str
) -> None:
    ran = pkl.ok(verb, "auth", "--cascade")
    assert ran.out == (
        "audit: disabled (was enabled), because it requires auth\n"
        f"auth: {kept} (was enabled)\n"
        "mail: disabled (was enabled), because it requires audit\n"
    )
    assert desired(shop) == {"audit": "disabled", "auth": kept, "mail": "disabled"}
    assert names(pkl) == ["db", "lone"]


def test_dependants_that_nobody_wants_are_no_use(pkl: Pkl, shop: StateStore) -> None:
    pkl.ok("disable", "mail", "audit")
    pkl.ok("mask", "auth")
    assert pkl.ok("disable", "db").out == "db: disabled (was enabled)\n"


def test_a_dependant_that_is_wanted_but_cannot_start_counts(
    pkl: Pkl, shop: StateStore, work: Path
) -> None:
    """Else disabling would be undone as soon as the cause clears."""
    directory_plugin(work / "plugins", "stuck", requires=["lone", "nowhere"])
    ran = pkl("disable", "lone")
    assert ran.status == 7
    assert "why: stuck 1.0 requires lone" in ran.err


def test_a_dependant_that_another_provider_serves_is_no_use(
    pkl: Pkl, shop: StateStore, work: Path
) -> None:
    directory_plugin(work / "plugins", "one", 'provides = ["cache"]\n')
    directory_plugin(work / "plugins", "two", 'provides = ["cache"]\n')
    directory_plugin(work / "plugins", "user", requires=["cache"])
    assert pkl("disable", "one", "two").status == 7
    pkl.ok("disable", "one")
    assert {"two", "user"} <= set(names(pkl))


def test_enable_says_what_else_keeps_it_from_starting(pkl: Pkl, shop: StateStore) -> None:
    pkl.ok("mask", "db", "--cascade")
    ran = pkl.ok("enable", "auth")
    assert ran.out == (
        "auth: enabled (was disabled)\n"
        "    ◐ blocked auth 1.0 requires db>=1, and db cannot start\n"
        "    because db is masked\n"
        "    hint: pkl enable db\n"
    )


def test_a_dry_run_changes_nothing(pkl: Pkl, shop: StateStore) -> None:
    ran = pkl.ok("disable", "audit", "--cascade", "--dry-run")
    assert (ran.out, ran.err) == (
        "audit: would be disabled (is enabled)\n"
        "mail: would be disabled (is enabled), because it requires audit\n",
        "",
    )
    assert pkl("mask", "audit", "--dry-run").status == 7
    assert pkl.json("enable", "audit", "--dry-run")["dry_run"] is True
    assert not os.path.exists(shop.path_of("shop"))


def test_the_result_as_json(pkl: Pkl, shop: StateStore) -> None:
    found = pkl.json("disable", "audit", "--cascade")
    assert found == {
        "schema": "pkl.disable/1",
        "host": "shop",
        "group": "shop.plugins",
        "file": shop.path_of("shop"),
        "dry_run": False,
        "plugins": [
            {
                "name": name,
                "version": "1.0",
                "before": "enabled",
                "desired": "disabled",
                "changed": True,
                "needs": needs,
                "state": "disabled",
                "reason": {
                    "code": "disabled",
                    "message": f"{name} is disabled, and nothing that starts requires it",
                    "cause": f"{name} is disabled",
                    "remedy": f"pkl enable {name}",
                },
            }
            for name, needs in (("audit", None), ("mail", "audit"))
        ],
    }
    (row,) = pkl.json("mask", "audit")["plugins"]
    assert (row["before"], row["desired"], row["reason"]["code"]) == (
        "disabled",
        "masked",
        "masked",
    )
    assert pkl.json("enable", "audit")["plugins"][0]["state"] == "enabled"


@pytest.mark.parametrize("verb", ["enable", "disable", "mask", "reset", "permissions"])
def test_an_unknown_name_changes_nothing_and_is_answered_with_the_nearest(
    pkl: Pkl, shop: StateStore, verb: str
) -> None:
    arguments = ("lnoe",) if verb == "permissions" else ("lone", "lnoe")
    ran = pkl(verb, *arguments)
    assert ran.status == 4
    assert "error[E_NO_PLUGIN]: no plugin 'lnoe'" in ran.err
    assert "did you mean 'lone'?" in ran.err
    assert not os.path.exists(shop.path_of("shop"))
    assert pkl.json(verb, *arguments, status=4)["code"] == "E_NO_PLUGIN"


def test_what_is_gone_but_kept_can_still_be_named(pkl: Pkl, shop: StateStore) -> None:
    shop.set_desired("shop", {"legacy": "masked"})
    assert "did you mean 'legacy'" in pkl("enable", "legcy").err
    (row,) = pkl.json("enable", "legacy")["plugins"]
    assert (row["version"], row["before"], row["state"]) == (None, "masked", "absent")


@pytest.mark.parametrize("verb", ["enable", "disable", "mask", "reset", "permissions"])
def test_nothing_is_kept_of_a_host_without_a_name(pkl: Pkl, work: Path, verb: str) -> None:
    directory_plugin(work / "p", "auth")
    ran = pkl(verb, "auth", "--path", "p")
    assert ran.status == 2
    assert ran.err == (
        "error[E_USAGE]: nothing is kept of the entry-point group 'pkl.plugins' and "
        f"{work / 'p'}, because no host of that name is known\n"
        '  hint: say which host with --host NAME, or write name = "..." under [tool.pkl]\n'
    )


@pytest.mark.parametrize("verb", ["enable", "disable", "mask", "reset"])
def test_a_name_is_needed(pkl: Pkl, shop: StateStore, verb: str) -> None:
    assert pkl(verb).status == 2


@pytest.mark.parametrize(
    "line",
    [
        ("enable", "mail"),
        ("disable", "lone"),
        ("mask", "lone"),
        ("reset", "lone"),
        ("permissions", "lone", "--grant", "all"),
    ],
)
def test_a_state_that_cannot_be_written_is_refused_and_stays_as_it_is(
    pkl: Pkl, shop: StateStore, monkeypatch: pytest.MonkeyPatch, work: Path, line: List[str]
) -> None:
    write(
        work / "plugins" / "lone" / "plugin.toml",
        'name = "lone"\nversion = "1.0"\n[permissions]\nthreads = true\n',
    )
    shop.set_desired("shop", {"mail": "disabled"})
    shop.quarantine("shop", "lone", why="it crashed")
    before = Path(shop.path_of("shop")).read_bytes()

    def refuse(path: str, data: bytes) -> None:
        raise OSError(30, "Read-only file system", path)

    monkeypatch.setattr("pkl.store.store.atomic_write", refuse)
    ran = pkl(*line)
    assert ran.status == 8
    assert (
        "error[E_STATE_UNAVAILABLE]: the state of the host 'shop' could not be written" in ran.err
    )
    assert "Read-only file system; nothing was changed" in ran.err
    assert "set PKL_HOME" in ran.err
    assert Path(shop.path_of("shop")).read_bytes() == before


def test_a_damaged_state_is_set_aside_and_what_is_understood_counts(
    pkl: Pkl, shop: StateStore
) -> None:
    shop.set_desired("shop", {"mail": "disabled"})
    path = Path(shop.path_of("shop"))
    whole = json.loads(path.read_bytes())
    whole["plugins"]["lone"] = 3
    path.write_text(json.dumps(whole))
    listed = pkl.ok("list", "--state", "disabled", "-o", "name")
    assert listed.lines == ["mail"]
    assert listed.err.startswith(f"warning: the state file {path} is damaged (1 fault)\n")
    assert "plugins.lone = 3" in listed.err
    ran = pkl.ok("disable", "lone")
    assert ran.out == "lone: disabled (was enabled)\n"
    assert f"warning: the state file {path} is damaged (1 fault) and was set aside as" in ran.err
    assert desired(shop) == {"lone": "disabled", "mail": "disabled"}
    (aside,) = path.parent.glob("*.corrupt-*")
    assert json.loads(aside.read_bytes()) == whole


def test_a_state_of_a_later_version_is_read_and_not_changed(pkl: Pkl, shop: StateStore) -> None:
    shop.set_desired("shop", {"mail": "disabled"})
    path = Path(shop.path_of("shop"))
    content = json.dumps({**json.loads(path.read_bytes()), "schema": 99})
    path.write_text(content)
    assert pkl.ok("list", "--state", "disabled", "-o", "name").lines == ["mail"]
    assert pkl.json("disable", "lone", status=5)["code"] == "E_STATE_NEWER"
    assert path.read_text() == content


def test_two_processes_lose_nothing(shop: StateStore, process: Process, work: Path) -> None:
    for number in range(6):
        directory_plugin(work / "plugins", f"p{number}")
    running = [process.start("disable", f"p{number}") for number in range(6)]
    for each in running:
        _, err = each.communicate(timeout=60)
        assert each.returncode == 0, err
    assert desired(shop) == {f"p{number}": "disabled" for number in range(6)}


def test_the_next_start_of_the_host_heeds_it(pkl: Pkl, shop: StateStore) -> None:
    for directory in Path("plugins").iterdir():
        write(directory / "plugin.py", "")
    pkl.ok("disable", "mail")
    with library.PluginHost("shop", group="shop.plugins", paths=["plugins"]) as host:
        assert host.start().enabled == ("db", "lone", "auth", "audit")
        assert host.desired["mail"] is Desired.DISABLED
        pkl.ok("enable", "mail")
        host.refresh()
        mail = host.get_plugin("mail")
        assert mail is not None and mail.state.value == "enabled"
