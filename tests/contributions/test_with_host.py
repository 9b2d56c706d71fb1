"""``host.contributions``: who counts, in which order, from when until when, and who hears of it."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
from pathlib import Path
from typing import Any, List, cast

import pytest

import pkl
from pkl.store import StateStore
from pkl.supervision import RestartPolicy, Supervision
from pkl.testing import FakeClock
from tests.contributions.conftest import Make, MakeHost, names

TRAP = "raise AssertionError('this plugin must not be imported')"
ID = [{"id": "x.y"}]


def plugin_of(host: pkl.PluginHost, name: str) -> pkl.Plugin:
    """A plugin that must be there."""
    found = host.get_plugin(name)
    assert found is not None
    return found


def test_contributions_are_read_without_importing_anybody(make: Make, host_of: MakeHost) -> None:
    """Before the host starts, and of lazy plugins afterwards, too."""
    directory = make(
        "git", {"commands": [{"id": "git.pull", "title": "Pull"}]}, TRAP, activation=["import"]
    )
    make("hg", {"commands": ID}, TRAP)
    host = host_of()
    assert names(host.contributions("commands")) == ["git", "hg"]
    shutil.rmtree(directory.parent / "hg")
    host.start()
    (entry,) = host.contributions("commands")
    file = str(directory / "plugin.json")
    assert entry == ("git", "1.0", ({"id": "git.pull", "title": "Pull"},), file)
    assert plugin_of(host, "git").state is pkl.PluginState.UNLOADED
    assert host.contributions("menus") == ()


def test_nobody_can_change_what_he_reads(make: Make, host_of: MakeHost) -> None:
    make("git", {"menus": {"a": [{"b": 1}]}})
    host = host_of()
    host.start()
    value: Any = host.contributions("menus")[0].value
    with pytest.raises(TypeError):
        value["a"] = 1
    with pytest.raises(TypeError):
        value["a"][0]["b"] = 1
    every: Any = host.all_contributions()
    with pytest.raises(TypeError):
        every["menus"] = ()
    assert dict(every) == {"commands": (), "menus": host.contributions("menus")}
    assert host.contributions("menus") is host.contributions("menus"), "made once"


def test_they_come_in_the_order_of_the_plan(make: Make, host_of: MakeHost) -> None:
    make("a", {"menus": 1}, requires=["z"])
    make("b", {"menus": 2})
    make("m", requires=["b"])
    make("z", {"menus": 3}, requires=["m"])
    host = host_of()
    foreseen = names(host.contributions("menus"))
    host.start()
    assert names(host.contributions("menus")) == foreseen == ["b", "z", "a"]
    plugin_of(host, "b").disable()
    plugin_of(host, "a").enable()
    assert names(host.contributions("menus")) == ["b", "z", "a"], "whoever came back last"


def test_what_was_loaded_by_hand_comes_after_what_it_requires(
    make: Make, host_of: MakeHost, tmp_path: Path
) -> None:
    for name, requires in (("p", ["q"]), ("q", ["r"]), ("r", [])):
        directory = make(name, {"menus": name} if name != "q" else None, requires=requires)
        target = tmp_path / "plugins" / name
        assert directory == target
    make("k", {"menus": "k"})
    host = host_of()
    host.start("k")
    assert names(host.contributions("menus")) == ["k"], "nobody starts the others"
    host.load_plugin("p").enable()
    assert names(host.contributions("menus")) == ["k", "r", "p"]


@pytest.mark.parametrize("way", ["disable", "unload", "crash", "parent"])
def test_they_go_in_one_step_and_come_back_in_one(way: str, make: Make, host_of: MakeHost) -> None:
    make("git", {"commands": ID, "menus": [1]}, requires=["base"])
    make("base")
    host = host_of()
    host.start()
    heard: List[Any] = []
    for point in ("commands", "menus"):
        host.on_contributions(point, heard.append)
    git = plugin_of(host, "git")
    if way == "disable":
        git.disable()
    elif way == "unload":
        git.unload()
    elif way == "crash":
        git.crash(RuntimeError("lost"))
    else:
        plugin_of(host, "base").disable()
    assert dict(host.all_contributions()) == {"commands": (), "menus": ()}
    assert [(each.point, names(each.before), each.after) for each in heard] == [
        ("commands", ["git"], ()),
        ("menus", ["git"], ()),
    ]
    assert heard[0].removed == heard[0].before
    assert heard[0].added == ()
    git.enable()
    assert names(host.contributions("commands")) == ["git"]
    assert [names(each.added) for each in heard[2:]] == [["git"], ["git"]]


def test_a_plugin_that_stops_is_gone_before_its_on_disable_runs(
    make: Make, host_of: MakeHost
) -> None:
    make(
        "git",
        {"menus": 1},
        """
        import pkl
        seen = []
        @pkl.this.on_enable.on
        def up(): seen.append(len(pkl.contributions("menus")))
        @pkl.this.on_disable.on
        def down(): seen.append(len(pkl.contributions("menus")))
        """,
    )
    host = host_of()
    git = host.load_plugin("git").enable()
    seen = git.module.seen
    git.disable()
    assert seen == [1, 0], "foreseen while it started by hand in a host that never started"


def test_who_is_disabled_masked_quarantined_blocked_or_in_error_does_not_count(
    make: Make, host_of: MakeHost
) -> None:
    for name in ("off", "masked", "held", "good"):
        make(name, {"menus": name}, activation=["import"])
    make("blocked", {"menus": 1}, requires=["nowhere"])
    make("lazy-blocked", {"menus": 1}, requires=["masked"], activation=["import"])
    make("raises", {"menus": 1}, "1 / 0")
    make("invalid", {"menus": 1, "commands": "none"})
    make("faulty", {"menus": 1}, nonsense=True)
    store = StateStore()
    store.set_desired("shop", {"off": pkl.Desired.DISABLED, "masked": pkl.Desired.MASKED}, by="me")
    store.quarantine("shop", "held", why="it kept failing")
    host = host_of("shop")
    assert names(host.contributions("menus")) == ["good", "raises"]
    report = host.start()
    assert names(host.contributions("menus")) == ["good"]
    assert report.failed["invalid"].code == "manifest"
    host.reset("held")
    assert names(host.contributions("menus")) == ["good", "held"]
    host.set_desired("off", "enabled")
    host.refresh()
    assert names(host.contributions("menus")) == ["good", "held", "off"]
    host.set_desired("good", "masked")
    assert names(host.contributions("menus")) == ["held", "off"], "nothing is to start it any more"


def test_what_is_required_runs_and_counts_although_people_disabled_it(
    make: Make, host_of: MakeHost
) -> None:
    make("base", {"menus": 1})
    make("top", requires=["base"])
    host = host_of()
    host.set_desired("base", "disabled")
    host.start()
    assert names(host.contributions("menus")) == ["base"]


def test_an_invalid_value_is_its_plugins_error_before_its_code_runs_and_nobody_elses(
    make: Make, host_of: MakeHost
) -> None:
    make("bad", {"commands": [{"id": 3}]}, TRAP)
    make("needs-bad", requires=["bad"])
    make("good", {"commands": ID})
    host = host_of()
    report = host.start()
    bad = plugin_of(host, "bad")
    assert bad.state is pkl.PluginState.ERROR
    assert report.failed["bad"] == bad.reason
    assert bad.reason is not None
    assert "contributes.commands[0].id = 3: must be string" in bad.reason.message
    assert bad.reason.cause.startswith("bad 1.0: contributes.commands[0].id = 3: must be string")
    assert report.blocked["needs-bad"].cause
    assert report.enabled == ("good",)
    with pytest.raises(pkl.PluginBlocked, match=r"contributes\.commands\[0\]\.id"):
        bad.enable()


def test_a_plugin_loaded_by_path_and_a_child_are_held_against_the_schemas_too(
    make: Make, host_of: MakeHost, tmp_path: Path
) -> None:
    host = host_of()
    elsewhere = shutil.move(str(make("bad", {"commands": 1}, TRAP)), str(tmp_path / "bad"))
    with pytest.raises(pkl.PluginBlocked, match=r"contributes\.commands = 1: must be array"):
        host.load_plugin(path=elsewhere).enable()
    child = make("child", {"commands": ID})
    shutil.move(str(child), str(tmp_path / "plugins" / "parent-child"))
    code = f"from pkl import load_plugin\nload_plugin(path={str(child) + '/../parent-child'!r})\n"
    make("parent", code=f"{code}").with_name("parent")
    host.load_plugin("parent").enable()
    plugin_of(host, "child").enable()
    assert names(host.contributions("commands")) == ["child"]
    plugin_of(host, "parent").disable()
    assert host.contributions("commands") == ()


def test_an_undeclared_key_is_a_note_a_finding_and_stops_nobody(
    make: Make, host_of: MakeHost
) -> None:
    directory = make("git", {"comands": [], "menus": 1})
    host = host_of()
    report = host.start()
    assert report.enabled == ("git",)
    assert report.status == "ok"
    text = "plugin 'git' 1.0 contributes to 'comands', which is no point of this host"
    hint = "did you mean 'commands'? a key that is for another host may stay"
    assert report.notes == (f"{text}: {hint}",)
    (finding,) = host.check()
    assert (finding.severity, finding.code, finding.message) == ("warning", "unknown-point", text)
    assert (finding.plugin, finding.hint) == ("git", hint)
    assert finding.file == str(directory / "plugin.json")


def test_a_host_that_declares_nothing_says_nothing(make: Make, host_of: MakeHost) -> None:
    make("git", {"comands": []})
    host = host_of(contributions=None)
    assert host.start().notes == ()
    assert host.check() == ()
    assert host.points is None
    assert host.all_contributions() == {}
    with pytest.raises(pkl.PointNotFound, match="its points: none; PluginHost"):
        host.contributions("comands")


def test_a_point_that_is_not_there_is_named_with_what_was_meant(host_of: MakeHost) -> None:
    host = host_of("shop")
    for ask in (host.contributions, lambda point: host.on_contributions(point, print)):
        with pytest.raises(pkl.PointNotFound) as caught:
            ask("comands")
        assert str(caught.value) == (
            "the host 'shop' declares no point 'comands'; did you mean 'commands'?\n"
            "hint: its points: commands, menus; PluginHost(contributions={...}) declares them"
        )
    with pytest.raises(LookupError):
        host.contributions(cast(Any, 3))
    with pytest.raises(TypeError, match="a handler must be callable"):
        host.on_contributions("menus", cast(Any, 3))


def test_one_start_is_one_change(make: Make, host_of: MakeHost) -> None:
    for number in range(5):
        make(f"p{number}", {"menus": number})
    host = host_of()
    heard: List[Any] = []
    undo = host.on_contributions("menus", heard.append)
    host.start()
    assert [len(each.after) for each in heard] == [5]
    host.close()
    assert [len(each.after) for each in heard] == [5, 0], "and so is closing"
    assert host.contributions("menus") == ()
    undo()


def test_who_fails_during_the_start_is_gone_when_it_ends(make: Make, host_of: MakeHost) -> None:
    make("a", {"menus": 1})
    make("b", {"menus": 2}, "1 / 0")
    make("c", {"menus": 3}, requires=["b"])
    host = host_of()
    heard: List[Any] = []
    host.on_contributions("menus", lambda change: heard.append(names(change.after)))
    host.start()
    assert names(host.contributions("menus")) == ["a"]
    assert heard[0] == ["a", "b", "c"]
    assert heard[-1] == ["a"]


def test_a_refused_start_leaves_nothing(make: Make, host_of: MakeHost) -> None:
    make("a", {"menus": 1})
    make("b", {"menus": 2}, "1 / 0", critical=True)
    host = host_of()
    assert host.start().status == "refused"
    assert host.contributions("menus") == ()


def test_a_lazy_plugin_counts_without_a_gap_while_it_is_started(
    make: Make, host_of: MakeHost
) -> None:
    make(
        "git",
        {"menus": 1},
        """
        import pkl
        seen = [len(pkl.contributions("menus"))]
        @pkl.this.on_enable.on
        def up(): seen.append(len(pkl.contributions("menus")))
        """,
        activation=["import"],
    )
    host = host_of()
    host.start()
    heard: List[Any] = []
    host.on_contributions("menus", heard.append)
    git = plugin_of(host, "git").enable()
    assert git.module.seen == [1, 1]
    assert names(host.contributions("menus")) == ["git"]
    assert heard == []
    git.disable()
    assert host.contributions("menus") == ()


def test_a_lazy_plugin_that_waits_is_gone_once_it_is_disabled(
    make: Make, host_of: MakeHost
) -> None:
    make("git", {"menus": 1}, TRAP, activation=["import"])
    host = host_of()
    host.start()
    heard: List[Any] = []
    host.on_contributions("menus", heard.append)
    plugin_of(host, "git").disable()
    assert host.contributions("menus") == ()
    assert len(heard) == 1


def test_a_lazy_plugin_that_fails_is_gone(make: Make, host_of: MakeHost) -> None:
    make("git", {"menus": 1}, "1 / 0", activation=["import"])
    clock = FakeClock()
    host = host_of(clock=clock)
    host.start()
    with pytest.raises(pkl.PluginLoadError):
        plugin_of(host, "git").enable()
    assert host.contributions("menus") == ()
    clock.advance(2)
    assert host.contributions("menus") == (), "although its trigger is heeded again"


def test_a_plugin_that_restarts_is_gone_until_it_runs_again(make: Make, host_of: MakeHost) -> None:
    make("git", {"menus": 1}, supervision={"restart": "on-failure"})
    clock = FakeClock()
    host = host_of(clock=clock, supervision=Supervision(restart=RestartPolicy(jitter=0)))
    host.start()
    plugin_of(host, "git").crash(RuntimeError("lost"))
    assert host.contributions("menus") == ()
    clock.advance(1)
    assert names(host.contributions("menus")) == ["git"]


@pytest.mark.parametrize("first", ["refresh", "disable"])
def test_a_new_generation_shows_the_new_values(first: str, make: Make, host_of: MakeHost) -> None:
    """In either order: looked for again while it runs, or while it does not."""
    make("git", {"menus": "old"})
    host = host_of()
    host.start()
    git = plugin_of(host, "git")
    make("git", {"menus": "new"}, version="1.1")
    if first == "refresh":
        host.refresh()
        assert host.contributions("menus")[0].value == "old", "what runs is what was loaded"
        git.disable()
    else:
        git.disable()
        host.refresh()
    git.enable()
    assert host.contributions("menus")[0][:3] == ("git", "1.1", "new")


def test_a_new_generation_heeds_all_of_its_new_manifest(make: Make, host_of: MakeHost) -> None:
    """Also what it requires and provides, which nobody could know of while the old one ran."""
    make("base")
    make("git", {"menus": "old"})
    host = host_of()
    host.start("git")
    git = plugin_of(host, "git")
    make("git", {"menus": "new"}, requires=["base"], provides=["vcs"])
    make("user", requires=["vcs"])
    host.refresh()
    assert plugin_of(host, "base").state.value == "unloaded"
    git.disable()
    git.enable()
    assert plugin_of(host, "base").state.value == "enabled"
    assert host.contributions("menus")[0].value == "new"
    assert plugin_of(host, "user").enable().bindings["vcs"] is git


def test_a_manifest_that_became_invalid_is_refused_by_the_next_generation(
    make: Make, host_of: MakeHost
) -> None:
    make("git", {"commands": ID})
    host = host_of()
    host.start()
    git = plugin_of(host, "git")
    make("git", {"commands": 3})
    host.refresh()
    assert git.state.value == "enabled"
    git.disable()
    with pytest.raises(pkl.PluginBlocked):
        git.enable()
    assert git.state.value == "error"
    make("git", {"commands": ID})
    host.refresh()
    git.enable()
    assert names(host.contributions("commands")) == ["git"]


def test_quarantine_holds_also_for_a_manifest_that_was_found_before(
    make: Make, host_of: MakeHost
) -> None:
    make("git", {"menus": 1})
    host = host_of("shop")
    host.start()
    git = plugin_of(host, "git")
    make("git", {"menus": 2})
    host.refresh()
    git.disable()
    StateStore().quarantine("shop", "git", why="it kept failing")
    host.refresh()
    with pytest.raises(pkl.PluginBlocked, match="quarantine"):
        git.enable()


def test_a_lazy_plugin_that_waits_shows_the_values_of_its_new_manifest_at_once(
    make: Make, host_of: MakeHost
) -> None:
    make("git", {"menus": "old"}, TRAP, activation=["import"])
    host = host_of()
    host.start()
    heard: List[Any] = []
    host.on_contributions("menus", heard.append)
    make("git", {"menus": "new"}, TRAP, activation=["import"])
    host.refresh()
    assert host.contributions("menus")[0].value == "new"
    assert len(heard) == 1
    make("git", {"menus": "newer", "commands": 3}, TRAP, activation=["import"])
    host.refresh()
    assert host.contributions("menus") == ()
    assert plugin_of(host, "git").state is pkl.PluginState.ERROR


def test_before_the_start_what_people_want_counts(make: Make, host_of: MakeHost) -> None:
    make("a", {"menus": 1})
    make("b", {"menus": 2}, requires=["a"])
    host = host_of()
    assert names(host.contributions("menus")) == ["a", "b"]
    host.set_desired("a", "masked")
    assert host.contributions("menus") == (), "b cannot be started without it"
    host.set_desired("a", "enabled")
    make("c", {"menus": 3})
    host.discover(refresh=True)
    assert names(host.contributions("menus")) == ["a", "c", "b"]
    host.start()
    assert names(host.contributions("menus")) == ["a", "c", "b"]


def test_in_safe_mode_only_what_is_critical_counts(make: Make, host_of: MakeHost) -> None:
    make("a", {"menus": 1}, critical=True)
    make("b", {"menus": 2})
    make("c", {"menus": 3}, activation=["import"])
    host = host_of()
    assert names(host.contributions("menus")) == ["a", "b", "c"]
    host.safe_mode = True
    assert names(host.contributions("menus")) == ["a"]
    host.start()
    assert names(host.contributions("menus")) == ["a"]


def test_a_handler_that_raises_harms_nobody(
    make: Make, host_of: MakeHost, caplog: pytest.LogCaptureFixture
) -> None:
    make("git", {"menus": 1})
    host = host_of()
    faults: List[Any] = []
    heard: List[Any] = []
    host.on_error.subscribe(faults.append)
    host.on_contributions("menus", lambda change: 1 / 0)
    host.on_contributions("menus", heard.append)
    with caplog.at_level(logging.ERROR):
        assert host.start().ok
    assert len(heard) == 1
    assert isinstance(faults[0].error, ZeroDivisionError)
    assert "which heard of the point menus," in faults[0].where


def test_the_undo_takes_a_handler_away(make: Make, host_of: MakeHost) -> None:
    make("git", {"menus": 1})
    host = host_of()
    heard: List[Any] = []
    undo = host.on_contributions("menus", heard.append)
    undo()
    undo()
    host.start()
    assert heard == []


def test_no_lock_is_held_while_a_handler_runs_and_it_may_change_things(
    make: Make, host_of: MakeHost
) -> None:
    """The handler stops a plugin, which is a change of its own, told after this one."""
    make("a", {"menus": 1})
    make("b", {"menus": 2})
    host = host_of()
    host.start()
    heard: List[Any] = []

    def handler(change: pkl.ContributionsChange) -> None:
        heard.append(names(change.after))
        b = plugin_of(host, "b")
        if b.running:
            b.disable()

    host.on_contributions("menus", handler)
    plugin_of(host, "a").disable()
    assert heard == [["b"], []]


MENU = """
import pkl
items = []
def rebuild(change=None):
    assert change is None or pkl.this.name == "menu"
    items[:] = [each.value for each in pkl.contributions("menus")]
rebuild()
pkl.on_contributions("menus", rebuild)
"""


def test_a_plugin_may_implement_a_point(make: Make, host_of: MakeHost) -> None:
    make("git", {"menus": "git"}, requires=["menu"])
    make("menu", code=MENU)
    host = host_of()
    host.start()
    items = plugin_of(host, "menu").module.items
    assert items == ["git"]
    plugin_of(host, "git").disable()
    assert items == []
    plugin_of(host, "git").enable()
    assert items == ["git"]
    plugin_of(host, "menu").disable()
    assert plugin_of(host, "git").state is pkl.PluginState.DISABLED
    assert items == [], "its dependant went first"
    assert host.resource_manager.get_resources(plugin_of(host, "menu")) == ()


def test_a_plugin_hears_when_it_is_enabled_of_what_it_missed(make: Make, host_of: MakeHost) -> None:
    make("menu", code=MENU)
    make("git", {"menus": "git"})
    host = host_of()
    host.start("git")
    menu = host.load_plugin("menu")
    items = menu.module.items
    assert items == ["git"]
    plugin_of(host, "git").disable()
    assert items == ["git"], "staged"
    menu.enable()
    assert items == []


def test_on_an_event_loop_it_is_the_same(make: Make, host_of: MakeHost) -> None:
    make("a", {"menus": 1})
    make("b", {"menus": 2}, requires=["a"])
    make("c", {"menus": 3})
    host = host_of(clock=None)

    async def scenario() -> None:
        heard: List[Any] = []
        host.on_contributions("menus", lambda change: heard.append(names(change.after)))
        await host.astart()
        order = ["a", "c", "b"]
        assert heard == [order]
        await plugin_of(host, "a").adisable()
        assert names(host.contributions("menus")) == ["c"]
        await plugin_of(host, "b").aenable()
        assert names(host.contributions("menus")) == order
        await host.aclose()
        assert heard[-1] == []

    asyncio.run(scenario())


def test_what_a_host_declares_is_recorded_when_it_starts(host_of: MakeHost) -> None:
    host = host_of("shop")
    host.start()
    facts = StateStore().read("shop").state.facts
    assert facts is not None
    assert facts.points == host.points
    host_of("bare", contributions=None).start()
    bare = StateStore().read("bare").state.facts
    assert bare is not None and bare.points is None


def test_points_of_a_state_file_that_make_no_sense_are_faults(host_of: MakeHost) -> None:
    host_of("shop").start()
    store = StateStore()
    path = Path(store.path_of("shop"))
    whole = json.loads(path.read_text())
    whole["host"]["points"] = ["commands"]
    path.write_text(json.dumps(whole))
    reading = store.read("shop")
    facts = reading.state.facts
    assert facts is not None and not facts.points
    assert "host.points" in str(reading.problem)
