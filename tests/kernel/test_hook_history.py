"""Historic hooks: every call reaches every handler once, whenever that came."""

from __future__ import annotations

import threading
from typing import Any, List

import pytest

import pkl

from .conftest import Make, enabled
from .running import PATIENCE

OWNER = "import pkl\n@pkl.hook(historic=True)\ndef loaded(name, size=1): pass\n"
LATE = """
import pkl
from pkl.plugins import owner
seen = []
@owner.loaded.on
def f(name):
    seen.append(name)
    return name
"""


@pytest.fixture
def owner(host: pkl.PluginHost, make: Make) -> pkl.Plugin:
    return enabled(host, make("owner", OWNER))


def test_late_answers_reach_who_recorded_the_call_as_whom_he_was(
    host: pkl.PluginHost, make: Make, owner: pkl.Plugin
) -> None:
    heard: List[Any] = []

    def listen(value: Any) -> None:
        heard.append((value, pkl.get_current_plugin()))

    with pkl.plugin_context(host, owner):
        owner.module.loaded.recorded(listen, "one")
    enabled(host, make("late", LATE, requires=["owner"]))
    assert heard == [("one", owner)]


def test_what_a_late_handler_or_listener_raises_is_its_own_fault(
    host: pkl.PluginHost, make: Make, owner: pkl.Plugin, faults: List[Any]
) -> None:
    def listen(value: Any) -> None:
        raise ValueError(value)

    owner.module.loaded.recorded(listen, "one")
    owner.module.loaded("two")
    late = enabled(host, make("late", LATE, requires=["owner"]))
    (fault,) = faults
    assert fault.plugin is None and "on_answer" in fault.where
    code = LATE.replace("seen.append(name)", "seen.append(name); 1 / 0")
    bad = enabled(host, make("bad", code, requires=["owner"]))
    assert late.module.seen == bad.module.seen == ["one", "two"]
    assert [each.plugin for each in faults[1:]] == [bad, bad]
    assert "past call of the hook owner.loaded" in faults[1].where


def test_history_is_that_of_one_load_of_the_owner_and_of_one_host(
    host: pkl.PluginHost, make: Make, owner: pkl.Plugin
) -> None:
    owner.module.loaded("old")
    owner.disable()
    owner.enable()
    owner.module.loaded("new")
    late = enabled(host, make("late", LATE, requires=["owner"]))
    assert late.module.seen == ["new"]


def test_who_stays_subscribed_is_given_the_calls_of_the_next_load_of_the_owner(
    host: pkl.PluginHost, make: Make, owner: pkl.Plugin
) -> None:
    """What the host calls while the owner is only loaded is given when it is enabled, once."""
    seen: List[str] = []
    owner.module.loaded("one")
    owner.module.loaded.subscribe(lambda name: seen.append(name))
    owner.unload()
    host.load_plugin("owner")
    owner.module.loaded("two")
    assert seen == ["one"]
    owner.enable()
    owner.module.loaded("three")
    assert seen == ["one", "two", "three"]


def test_a_load_of_the_owner_that_fails_takes_no_call_away_from_the_next(
    host: pkl.PluginHost, make: Make, owner: pkl.Plugin
) -> None:
    owner.disable()
    make("owner", OWNER + "1 / 0")
    with pytest.raises(pkl.PluginLoadError):
        owner.enable()
    make("owner", OWNER)
    owner.enable()
    owner.module.loaded("one")
    late = enabled(host, make("late", LATE, requires=["owner"]))
    assert late.module.seen == ["one"]


def test_a_handler_by_name_is_given_the_calls_of_a_hook_that_came_later(
    host: pkl.PluginHost, make: Make
) -> None:
    code = """
        import pkl
        seen = []
        @pkl.hookimpl("owner.loaded")
        def f(name): seen.append(name)
        """
    early = enabled(host, make("early", code))
    owner = host.load_plugin(path=make("owner", OWNER))
    owner.module.loaded("one")
    assert early.module.seen == []
    owner.enable()
    owner.module.loaded("two")
    assert early.module.seen == ["one", "two"]


def test_a_hosts_historic_hook_does_not_tell_one_host_of_anothers_calls(
    host: pkl.PluginHost,
) -> None:
    @pkl.hook(historic=True)
    def opened(name: str) -> None: ...

    opened("first")
    seen: List[str] = []
    with pkl.PluginHost() as other, other.as_current():
        opened("second")
        opened.subscribe(lambda name: seen.append(name))
        opened("third")
    assert seen == ["second", "third"]


def test_a_plugin_that_is_enabled_anew_hears_everything_anew(
    host: pkl.PluginHost, make: Make, owner: pkl.Plugin
) -> None:
    owner.module.loaded("one")
    late = enabled(host, make("late", LATE, requires=["owner"]))
    late.disable()
    owner.module.loaded("two")
    late.enable()
    assert late.module.seen == ["one", "two"]


def test_a_handler_that_calls_the_hook_hears_its_own_call_once(
    host: pkl.PluginHost, owner: pkl.Plugin
) -> None:
    seen: List[str] = []
    loaded = owner.module.loaded
    loaded("one")

    def handler(name: str) -> None:
        seen.append(name)
        if name == "one":
            loaded("nested")

    loaded.subscribe(handler)
    loaded("two")
    assert seen == ["one", "nested", "two"]


def test_blocked_handlers_are_given_no_past_calls_either(
    host: pkl.PluginHost, make: Make, owner: pkl.Plugin
) -> None:
    owner.module.loaded("one")
    undo = host.block_handlers("late")
    late = enabled(host, make("late", LATE, requires=["owner"]))
    undo()
    owner.module.loaded("two")
    assert late.module.seen == ["two"]


def test_wrappers_take_part_in_calls_and_are_given_no_past_ones(owner: pkl.Plugin) -> None:
    seen: List[str] = []
    owner.module.loaded("one")

    def around(name: str) -> Any:
        seen.append(name)
        yield

    owner.module.loaded.subscribe(around, wrapper=True)
    owner.module.loaded("two")
    assert seen == ["two"]


def test_only_a_historic_hook_is_recorded_and_takes_no_handlers_for_one_call(
    host: pkl.PluginHost, make: Make, owner: pkl.Plugin
) -> None:
    plain = enabled(host, make("plain", "import pkl\n@pkl.hook\ndef h(): pass")).module.h
    with pytest.raises(TypeError, match=r"plain\.h is not historic"):
        plain.recorded(print)
    with pytest.raises(pkl.HandlerRefused, match=r"owner\.loaded is historic"):
        owner.module.loaded.with_handlers(print)


def test_many_callers_and_subscribers_at_once_each_call_reaches_each_once(
    host: pkl.PluginHost, owner: pkl.Plugin
) -> None:
    """Subscribing falls before, between and into calls of other threads."""
    loaded = owner.module.loaded
    barrier = threading.Barrier(6)
    seen: "List[List[Any]]" = [[] for _ in range(60)]

    def calls(caller: int) -> None:
        barrier.wait(PATIENCE)
        for n in range(40):
            loaded((caller, n))

    def subscribes(first: int) -> None:
        barrier.wait(PATIENCE)
        for each in seen[first : first + 20]:
            loaded.subscribe(lambda name, each=each: each.append(name))

    threads = [threading.Thread(target=calls, args=(n,)) for n in range(3)]
    threads += [threading.Thread(target=subscribes, args=(n * 20,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    expected = sorted((caller, n) for caller in range(3) for n in range(40))
    assert [sorted(each) for each in seen] == [expected] * len(seen)
