"""``--host NAME``: a host that has started before is looked at while nothing of it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import pkl as library
from pkl.store import HostFacts, StateStore
from tests.cli.running import Pkl, directory_plugin
from tests.discovery.fakes import plugin, write


@pytest.fixture
def shop(pkl: Pkl, work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another directory, after the host of ``work`` has started and stopped."""
    directory_plugin(work / "plugins", "auth", code="")
    directory_plugin(work / "plugins", "more", 'requires-host = ">=3"\n', code="")
    with library.PluginHost("shop", version="2.1", group="shop.plugins", paths=["plugins"]) as host:
        host.start()
    elsewhere = work.parent / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return elsewhere


def test_the_recorded_facts_serve(pkl: Pkl, shop: Path) -> None:
    plugin(pkl.site, "paid", entry_points={"shop.plugins": {"paid": "paid"}})
    found = pkl.json("list", "--host", "shop")
    assert (found["host"], found["group"]) == ("shop", "shop.plugins")
    assert [(p["name"], p["state"]) for p in found["plugins"]] == [
        ("auth", "enabled"),
        ("more", "blocked"),
        ("paid", "enabled"),
    ]
    assert found["plugins"][1]["reason"]["code"] == "host-version"


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (("list",), 0),
        (("info", "auth"), 0),
        (("graph",), 0),
        (("why", "more"), 0),
        (("resolve", "auth"), 0),
        (("check",), 1),
        (("doctor",), 1),
        (("discover",), 0),
    ],
)
def test_every_verb_that_looks_takes_it(
    pkl: Pkl, shop: Path, line: "tuple[str, ...]", status: int
) -> None:
    ran = pkl("--host", "shop", *line)
    assert ran.status == status, ran
    assert "auth" in ran.out or "more" in ran.out
    assert pkl(*line).out != ran.out, "without it, there is nothing here"


def test_the_state_verbs_take_it(pkl: Pkl, shop: Path) -> None:
    assert pkl.ok("disable", "auth", "--host", "shop").out == "auth: disabled (was enabled)\n"
    assert pkl.json("list", "--host", "shop")["plugins"][0]["state"] == "disabled"
    assert pkl.ok("mask", "auth", "--host", "shop").status == 0
    assert pkl.ok("enable", "auth", "--host", "shop").status == 0
    assert pkl.ok("reset", "auth", "--host", "shop").status == 0
    assert pkl.ok("permissions", "auth", "--host", "shop").status == 0


def test_it_comes_before_the_directorys_own_host(pkl: Pkl, shop: Path) -> None:
    write(shop / "pkl.toml", 'name = "other"\n')
    assert pkl.json("list")["host"] == "other"
    assert pkl.json("list", "--host", "shop")["host"] == "shop"


def test_a_host_that_the_directory_describes_need_not_have_started(pkl: Pkl, work: Path) -> None:
    directory_plugin(work / "p", "auth")
    write(work / "pkl.toml", 'name = "fresh"\npaths = ["p"]\n')
    assert pkl.ok("list", "--host", "fresh", "-o", "name").lines == ["auth"]


def test_an_unknown_host_is_said_with_those_that_are_known(pkl: Pkl, shop: Path) -> None:
    ran = pkl("list", "--host", "shpo")
    assert ran.status == 3
    assert ran.err == (
        "error[E_NO_HOST]: no host 'shpo' has ever started here; did you mean 'shop'?\n"
        "  hint: start it once, or describe it under [tool.pkl] (known here: shop)\n"
    )
    StateStore().set_desired("named-only", {"auth": "masked"})
    error = pkl.json("disable", "auth", "--host", "named-only", status=3)
    assert error["code"] == "E_NO_HOST"


def test_where_no_host_is_known_that_is_said(pkl: Pkl) -> None:
    assert "(no host is known here yet)" in pkl("list", "--host", "shop").err


def test_facts_that_are_damaged_are_an_error_of_the_file(pkl: Pkl, shop: Path) -> None:
    path = Path(StateStore().path_of("shop"))
    path.write_text("{")
    ran = pkl("list", "--host", "shop")
    assert ran.status == 5
    assert f"error[E_STATE_CORRUPT]: the state file {path} is damaged" in ran.err


@pytest.mark.parametrize("line", [("list",), ("run",)])
def test_an_application_brings_its_own_host(pkl: Pkl, shop: Path, line: "tuple[str, ...]") -> None:
    ran = pkl(*line, "--host", "shop", "--app", "shop:host")
    assert ran.status == 2
    assert "leave --host" in ran.err


def test_it_comes_before_the_application_of_the_environment(
    pkl: Pkl, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PKL_APP", "no_such_module:host")
    ran = pkl.ok("list", "--host", "shop", "-o", "name")
    assert (ran.lines, ran.err) == (["auth", "more"], "")


def test_the_recorded_facts_serve_where_the_application_cannot_be_imported(
    pkl: Pkl, shop: Path
) -> None:
    write(shop / "pkl.toml", 'name = "shop"\napp = "broken_shop:host"\n')
    write(shop / "broken_shop.py", "raise RuntimeError('no database')\n")
    ran = pkl.ok("list", "-o", "name", "--app", "broken_shop:host")
    assert ran.lines == ["auth", "more"]
    assert "warning: --app broken_shop:host" in ran.err


def test_run_starts_it_again(pkl: Pkl, shop: Path) -> None:
    pkl.may_import = True
    assert pkl.json("run", "--host", "shop", "--timeout", "0")["enabled"][0]["name"] == "auth"
    assert pkl("run", "--host", "nobody", "--timeout", "0").status == 3


def test_run_records_the_application_so_that_the_name_is_enough(
    pkl: Pkl, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pkl.may_import = True
    write(
        pkl.site / "recorded_shop.py",
        "import pkl\nhost = lambda: pkl.PluginHost('shop', group='shop.plugins')\n",
    )
    pkl.ok("run", "--app", "recorded_shop:host", "--timeout", "0")
    assert StateStore().read("shop").state.facts == HostFacts(
        "shop", None, "shop.plugins", (), "recorded_shop:host"
    )
    shown = pkl.json("run", "--host", "shop", "--timeout", "0")
    assert (shown["host"], shown["group"]) == ("shop", "shop.plugins")
    monkeypatch.setattr("recorded_shop.host", lambda: library.PluginHost("shop", group="other"))
    shown = pkl.json("run", "--host", "shop", "--timeout", "0")
    assert shown["group"] == "other", "it is the application that makes the host"


def test_an_application_sees_what_is_kept_of_its_host(pkl: Pkl, work: Path) -> None:
    directory_plugin(work / "p", "auth")
    directory_plugin(work / "p", "db")
    code = "import pkl\ndef host(): return pkl.PluginHost('shop', group='g', paths=['p'])\n"
    write(work / "kept_shop.py", code)
    app = ("--app", "kept_shop:host")
    pkl.ok("disable", "auth", *app)
    StateStore().quarantine("shop", "db", why="it crashed")
    found = {each["name"]: each for each in pkl.json("list", *app)["plugins"]}
    assert found["auth"]["desired"] == "disabled"
    assert found["db"]["reason"]["code"] == "quarantined"
    assert pkl.ok("reset", "db", *app).out.startswith("db: out of quarantine (was in it since ")
