"""``pkl upgrade`` takes the newest, holds what nobody consented to; ``rollback`` undoes it."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

from pkl import PluginHost
from pkl.install.environment.generations import Generations
from tests.cli.running import Pkl
from tests.discovery.fakes import plugin
from tests.install.fake_backend import FakeBackend
from tests.install.making import GROUP
from tests.install.market import Shop

ASKS = '[permissions]\nnet-connect = ["*:443"]\n'


def test_all_are_upgraded_or_only_the_named(
    pkl: Pkl, shop: Shop, publish: Callable[[], None]
) -> None:
    for name in ("auth", "mail"):
        shop.plugin(name, "1.0", libraries=["libx"])
    shop.library("libx", "1.0")
    publish()
    pkl.ok("install", "auth", "mail", "-y")
    for name in ("auth", "mail"):
        shop.plugin(name, "1.1", libraries=["libx"])
    shop.library("libx", "1.1")
    publish()
    assert pkl.ok("upgrade", "auth", "-y").lines == ["~ auth 1.0 → 1.1 (acme-auth)"]
    assert pkl.ok("upgrade", "-y").lines == [
        "~ mail 1.0 → 1.1 (acme-mail)",
        "~ libx 1.0 → 1.1 (library)",
    ]
    assert pkl.ok("upgrade").lines == ["everything is at its newest version that fits"]


def test_without_anything_there_is_nothing_to_upgrade(pkl: Pkl) -> None:
    assert pkl.ok("upgrade").lines == ["nothing is installed"]
    ran = pkl("upgrade", "auth")
    assert ran.status == 4 and "pkl install auth" in ran.err


def test_what_was_asked_for_still_holds(pkl: Pkl, shop: Shop, publish: Callable[[], None]) -> None:
    shop.plugin("auth", "1.0")
    publish()
    pkl.ok("install", "auth<2", "-y")
    shop.plugin("auth", "1.5")
    shop.plugin("auth", "2.0")
    publish()
    assert pkl.ok("upgrade", "-y").lines == ["~ auth 1.0 → 1.5 (acme-auth)"]


def test_an_update_that_asks_for_more_is_held_and_the_rest_is_taken(
    pkl: Pkl, shop: Shop, publish: Callable[[], None]
) -> None:
    shop.plugin("audit", "1.0")
    shop.plugin("auth", "1.0")
    publish()
    pkl.ok("install", "audit", "auth", "-y")
    shop.plugin("audit", "1.1", manifest=ASKS)
    shop.plugin("auth", "1.1")
    publish()
    ran = pkl("upgrade", "-y")
    assert ran.status == 8
    assert ran.lines[0] == "~ auth 1.0 → 1.1 (acme-auth)"
    assert ran.lines[1].startswith("HELD audit 1.0 → 1.1: ") and "*:443" in ran.lines[1]
    assert "--consent audit==1.1" in ran.err
    versions = {each["name"]: each["version"] for each in pkl.json("list")["plugins"]}
    assert versions == {"audit": "1.0", "auth": "1.1"}
    said = pkl.json("upgrade", "-y", status=8)
    assert [each["name"] for each in said["held"]] == ["audit"] and not said["done"]
    ran = pkl.ok("upgrade", "audit", "--consent", "audit==1.1", "-y")
    assert ran.lines[0] == "~ audit 1.0 → 1.1 (acme-audit)"
    assert any("*:443" in line for line in ran.lines[1:])
    assert pkl.ok("upgrade").lines == ["everything is at its newest version that fits"]


def test_a_version_that_is_too_young_is_not_taken(
    pkl: Pkl, shop: Shop, publish: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.plugin("auth", "1.0")
    publish()
    today = shop.now + 5 * 86400
    monkeypatch.setattr("time.time", lambda: today)
    pkl.ok("install", "auth", "-y", "--min-age", "3d")
    shop.now += 4 * 86400
    shop.plugin("auth", "1.1")
    publish()
    ran = pkl.ok("upgrade", "--min-age", "3d")
    assert ran.lines == ["everything is at its newest version that fits"]
    assert "auth 1.1 is left out" in ran.err
    assert pkl.ok("upgrade", "-y").lines == ["~ auth 1.0 → 1.1 (acme-auth)"]


def test_a_rollback_says_what_changes_back_and_needs_nothing(
    pkl: Pkl,
    shop: Shop,
    publish: Callable[[], None],
    fake_backend: FakeBackend,
    generations: Generations,
) -> None:
    shop.plugin("auth", "1.0")
    publish()
    pkl.ok("install", "auth", "-y")
    shop.plugin("auth", "1.1")
    shop.plugin("mail", "1.0")
    publish()
    pkl.ok("upgrade", "-y")
    pkl.ok("install", "mail", "-y")
    asked = len(fake_backend.asked)
    ran = pkl.ok("rollback", "--dry-run")
    assert ran.lines == ["- mail 1.0 (acme-mail)"] and generations.current_number() == 3
    assert pkl("rollback").status == 2, "nobody can be asked"
    said = pkl.json("rollback", "1", "-y")
    assert (said["schema"], said["done"], said["generation"]) == ("pkl.rollback/1", True, 1)
    assert [each["name"] for each in said["removed"]] == ["mail"]
    assert [(e["from"], e["to"]) for e in said["changed"]] == [("1.1", "1.0")]
    assert pkl.ok("rollback", "1").lines == ["generation 1 is what counts already"]
    assert len(fake_backend.asked) == asked
    ran = pkl("rollback", "9", "-y")
    assert ran.status == 4 and "there are: 1, 2, 3" in ran.err
    ran = pkl("rollback", "-y")
    assert ran.status == 4 and "no generation to go back to" in ran.err
    assert "hint: pkl rollback --list shows" in ran.err
    listed = pkl.json("rollback", "--list")["generations"]
    assert [(each["generation"], each["current"]) for each in listed] == [
        (1, True),
        (2, False),
        (3, False),
    ]
    assert listed[1]["by"] == "pkl upgrade" and listed[1]["plugins"] == ["auth 1.1"]
    assert pkl.ok("rollback", "--list").lines[0].startswith("* 1 ")


def test_a_running_host_is_named_and_keeps_what_it_has(
    pkl: Pkl, shop: Shop, publish: Callable[[], None]
) -> None:
    shop.plugin("auth", "1.0", code="")
    publish()
    pkl.ok("install", "auth", "-y")
    shop.plugin("auth", "1.1", code="")
    publish()
    with PluginHost("shop", version="2.0", group=GROUP) as host:
        assert host.start().enabled == ("auth",)
        ran = pkl.ok("upgrade", "-y")
        assert "keeps generation 1 until the next start" in ran.err
        running = host.get_plugin("auth")
        assert running is not None and running.version == "1.0"


@pytest.mark.parametrize("verb", ["list", "uninstall", "disable", "rollback", "doctor", "install"])
@pytest.mark.parametrize("what", ["current", "record"])
def test_with_a_damaged_generation_every_verb_of_repair_works(
    pkl: Pkl,
    shop: Shop,
    publish: Callable[[], None],
    generations: Generations,
    verb: str,
    what: str,
) -> None:
    shop.plugin("auth", "1.0")
    shop.plugin("mail", "1.0")
    publish()
    pkl.ok("install", "auth", "-y")
    pkl.ok("install", "mail", "-y")
    places = generations.places
    damaged = places.current if what == "current" else places.record(2)
    Path(damaged).write_text("{")
    if verb == "list":
        ran = pkl.ok("list")
        assert "what is installed for the host 'shop' cannot be used" in ran.err
        assert "pkl rollback" in ran.err
    elif verb == "uninstall":
        name = "mail" if what == "current" else "auth"
        ran = pkl.ok("uninstall", name, "-y")
        assert ran.lines == [f"- {name} 1.0 (acme-{name})"]
        assert "the plan starts from generation" in ran.err
    elif verb == "disable":
        assert pkl.ok("disable", "auth").out.startswith("auth: disabled")
    elif verb == "rollback":
        pkl.ok("rollback", "-y")
        assert generations.current() is not None
        assert "auth" in pkl.ok("list").out
    elif verb == "doctor":
        ran = pkl("doctor")
        assert ran.status == 1 and "what is installed for the host 'shop'" in ran.out
    else:
        pkl.ok("install", "auth", "mail", "-y")
        assert {each["name"] for each in pkl.json("list")["plugins"]} == {"auth", "mail"}
        assert generations.current() is not None


def test_what_another_installed_is_upgraded_by_that(
    pkl: Pkl,
    shop: Shop,
    publish: Callable[[], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop.plugin("old", "1.0")
    publish()
    site = tmp_path / "site"
    plugin(site, "acme-old", "1.0", entry_points={GROUP: {"old": "acme_old"}})
    monkeypatch.syspath_prepend(str(site))
    ran = pkl("upgrade", "old", "-y")
    assert ran.status == 8 and "old was not installed by pkl" in ran.err
    assert "hint: python -m pip install --upgrade acme-old" in ran.err
    ran = pkl("install", "old>=2", "-y")
    assert ran.status == 5 and "old>=2, but old is 1.0" in ran.err
    assert "acme-old 1.0 is in the environment" in ran.err
    assert "python -m pip install --upgrade acme-old" in ran.err
