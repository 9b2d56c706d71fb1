"""Handlers that keep failing are skipped, tried again, and never hold up anybody else."""

from __future__ import annotations

import asyncio
from typing import Any, List

import pytest

import pkl
from pkl.supervision import BreakerPolicy, Supervision
from pkl.testing import FakeClock

from .conftest import Make, enabled

OWNER = """
import pkl
@pkl.event
def happened(x): pass
@pkl.event
def other(x): pass
@pkl.event(errors="raise")
def asked(x): pass
@pkl.event
async def later(x): pass
"""
USER = """
import pkl
from pkl.plugins import owner
calls, sound, well = [], [], False
@owner.happened.on
def bad(x):
    calls.append(x)
    if not well:
        raise ValueError(f"no {x}")
@owner.happened.on
def good(x):
    sound.append(x)
@owner.other.on
def another(x):
    calls.append("other")
"""


@pytest.fixture
def owner(host: pkl.PluginHost, make: Make) -> Any:
    """The API of the plugin with the events."""
    return enabled(host, make("owner", OWNER)).module


@pytest.fixture
def user(host: pkl.PluginHost, make: Make, owner: Any) -> pkl.Plugin:
    """A plugin with a handler that fails and one that does not."""
    return enabled(host, make("user", USER, requires=["owner"]))


def test_a_handler_that_always_fails_is_called_ten_times_in_a_minute(
    clock: FakeClock, owner: Any, user: pkl.Plugin, host: pkl.PluginHost, faults: List[Any]
) -> None:
    """6,000 events in 60 s: five failures open the breaker, trials come at 1, 3, 7, 15, 31 s."""
    heard: List[int] = []
    owner.happened.subscribe(heard.append)
    for number in range(6000):
        owner.happened(number)
        clock.advance(0.01)
    assert len(user.module.calls) == 10 == len(faults)
    assert heard == list(range(6000)), "nobody else misses anything"


def test_what_is_skipped_is_said_and_the_plugin_is_impaired(
    clock: FakeClock, owner: Any, user: pkl.Plugin, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(7):
        owner.happened(number)
    (impairment,) = user.impairments
    assert impairment.code == "breaker-open"
    assert "owner.happened" in impairment.message and "after 5 failures" in impairment.message
    assert "plugin 'user' 1.0.0" in impairment.message
    assert user.state is pkl.PluginState.ENABLED and user.reason is None
    said = [r for r in caplog.records if "is skipped for 1 s after 5 failures" in r.getMessage()]
    assert [r.name for r in said] == ["pkl.plugin.user"]
    assert "bad" in said[0].getMessage() and "ValueError: no 4" in said[0].getMessage()


def test_only_that_plugins_handlers_of_that_event_are_skipped(owner: Any, user: pkl.Plugin) -> None:
    for number in range(7):
        owner.happened(number)
    assert user.module.sound == [0, 1, 2, 3, 4], "both of its handlers rest"
    owner.other(1)
    assert user.module.calls[-1] == "other"


def test_a_trial_that_goes_well_brings_all_of_them_back(
    clock: FakeClock, owner: Any, user: pkl.Plugin
) -> None:
    for number in range(7):
        owner.happened(number)
    user.module.well = True
    clock.advance(1)
    owner.happened(8)
    assert user.module.calls[-1] == 8 and user.impairments == ()
    owner.happened(9)
    assert user.module.calls[-1] == 9 and user.module.sound[-1] == 9
    assert user.generation.gates["owner.happened"].skipped >= 4


def test_nothing_stands_before_a_handler_that_does_not_fail_any_more(
    clock: FakeClock, owner: Any, user: pkl.Plugin
) -> None:
    """Closed, the breaker costs nothing: the entries are those of before."""
    route = owner.happened._route
    before = route.build()
    for number in range(5):
        owner.happened(number)
    assert route.build() != before
    user.module.well = True
    clock.advance(1)
    owner.happened(5)
    assert route.build() == before


def test_a_new_generation_starts_with_a_clean_record(
    owner: Any, user: pkl.Plugin, host: pkl.PluginHost
) -> None:
    for number in range(7):
        owner.happened(number)
    user.disable()
    user.enable()
    owner.happened(1)
    assert user.module.calls == [1] and user.impairments == ()


def test_a_handler_subscribed_meanwhile_is_skipped_too(
    owner: Any, user: pkl.Plugin, host: pkl.PluginHost
) -> None:
    for number in range(5):
        owner.happened(number)
    heard: List[int] = []
    with pkl.plugin_context(host, user):
        owner.happened.subscribe(heard.append)
    owner.happened(6)
    assert heard == []


def test_where_failing_is_an_answer_nothing_is_skipped(
    owner: Any, user: pkl.Plugin, host: pkl.PluginHost
) -> None:
    """errors="raise" hands failures to the caller, who relies on every handler being asked."""
    asked: List[int] = []

    def veto(x: int) -> None:
        asked.append(x)
        raise PermissionError(x)

    with pkl.plugin_context(host, user):
        owner.asked.subscribe(veto)
    for number in range(20):
        with pytest.raises(pkl.HandlerErrors):
            owner.asked(number)
    assert len(asked) == 20 and user.impairments == ()


def test_the_hosts_own_handlers_are_never_skipped(owner: Any) -> None:
    calls: List[int] = []

    def bad(x: int) -> None:
        calls.append(x)
        raise ValueError

    owner.happened.subscribe(bad)
    for number in range(20):
        owner.happened(number)
    assert len(calls) == 20


def test_async_handlers_rest_and_come_back_too(
    clock: FakeClock, owner: Any, user: pkl.Plugin, host: pkl.PluginHost
) -> None:
    calls: List[int] = []

    async def bad(x: int) -> None:
        calls.append(x)
        await asyncio.sleep(0)
        if x < 10:
            raise ValueError

    with pkl.plugin_context(host, user):
        owner.later.subscribe(bad)

    async def scenario() -> None:
        for number in range(8):
            await owner.later(number)
        assert calls == [0, 1, 2, 3, 4]
        clock.advance(1)
        await owner.later(9)
        clock.advance(2)
        await owner.later(10)
        await owner.later(11)

    asyncio.run(scenario())
    assert calls == [0, 1, 2, 3, 4, 9, 10, 11]


def test_an_interrupted_trial_is_none(
    clock: FakeClock, owner: Any, user: pkl.Plugin, host: pkl.PluginHost
) -> None:
    calls: List[int] = []

    def bad(x: int) -> None:
        calls.append(x)
        raise KeyboardInterrupt if x == 100 else ValueError

    with pkl.plugin_context(host, user):
        owner.other.subscribe(bad)
    for number in range(6):
        owner.other(number)
    clock.advance(1)
    with pytest.raises(KeyboardInterrupt):
        owner.other(100)
    owner.other(101)
    assert calls == [0, 1, 2, 3, 4, 100, 101]


def test_the_policy_is_the_hosts_and_can_be_switched_off(tmp_path: Any, make: Make) -> None:
    make("owner", OWNER)
    make("user", USER, requires=["owner"])
    for supervision, calls in (
        (Supervision(breaker=BreakerPolicy(failures=2)), 2),
        (Supervision(breaker=None), 20),
    ):
        with pkl.PluginHost(paths=[tmp_path / "plugins"], supervision=supervision) as host:
            assert host.start().ok
            for number in range(20):
                host.plugins.owner.happened(number)
            user = host.get_plugin("user")
            assert user is not None and len(user.module.calls) == calls
