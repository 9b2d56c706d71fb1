"""Events of plugins and of the host: who may do what, order, containment, survival."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any, Iterator, List

import pytest

import pkl
from pkl import event

from .conftest import Make, enabled, state

OWNER = """
import pkl
from pkl import event, syscall
trace = []
@event
def plain(x):
    trace.append(("body", x, pkl.this.name))
@event()
def around(x):
    trace.append(("before", x, pkl.this.name))
    yield
    trace.append(("after", x, pkl.this.name))
@event(protected=True)
def secret(): pass
@syscall
def fire(x): around(x)
"""

SUBSCRIBER = """
import pkl
from pkl.plugins import owner
@owner.around.on
def handler(x):
    owner.trace.append(("handler", x, pkl.this.name))
"""


@pytest.fixture
def owner(host: pkl.PluginHost, make: Make) -> pkl.Plugin:
    return enabled(host, make("owner", OWNER))


@pytest.fixture
def subscriber(host: pkl.PluginHost, make: Make, owner: pkl.Plugin) -> pkl.Plugin:
    return enabled(host, make("subscriber", SUBSCRIBER, requires=["owner"]))


def test_a_generator_runs_around_the_handlers_each_as_its_own_plugin(
    owner: pkl.Plugin, subscriber: pkl.Plugin
) -> None:
    owner.module.fire(1)
    assert owner.module.trace == [
        ("before", 1, "owner"),
        ("handler", 1, "subscriber"),
        ("after", 1, "owner"),
    ]
    assert pkl.get_current_plugin() is None


def test_a_plain_body_runs_before_the_handlers(owner: pkl.Plugin) -> None:
    owner.module.plain.subscribe(lambda x: owner.module.trace.append(("host", x)))
    owner.module.plain(7)
    assert owner.module.trace == [("body", 7, "owner"), ("host", 7)]


def test_a_generator_that_returns_before_its_yield_keeps_the_handlers_from_running(
    host: pkl.PluginHost, make: Make
) -> None:
    plugin = enabled(
        host,
        make("a", "from pkl import event\n@event\ndef e(ok):\n    if not ok: return\n    yield"),
    )
    seen: List[Any] = []
    plugin.module.e.subscribe(lambda ok: seen.append(ok))
    plugin.module.e(False)
    plugin.module.e(True)
    assert seen == [True]


def test_a_second_yield_is_an_error_that_names_the_event(host: pkl.PluginHost, make: Make) -> None:
    plugin = enabled(host, make("a", "from pkl import event\n@event\ndef e():\n  yield\n  yield"))
    with pytest.raises(RuntimeError, match=r"a\.e yielded a second time"):
        plugin.module.e()


def test_only_the_owner_and_the_host_invoke_a_plugins_event(
    owner: pkl.Plugin, host: pkl.PluginHost, make: Make
) -> None:
    other = enabled(
        host,
        make(
            "other",
            "import pkl\nfrom pkl.plugins import owner\n@pkl.syscall\ndef try_it(): owner.plain(1)",
            requires=["owner"],
        ),
    )
    with pytest.raises(pkl.NotPermitted, match=r"'other' may not invoke the event owner\.plain"):
        other.module.try_it()
    with pytest.raises(RuntimeError):
        other.module.try_it()
    owner.module.plain(1)


def test_only_the_owner_and_the_host_subscribe_to_a_protected_event(
    owner: pkl.Plugin, host: pkl.PluginHost, make: Make
) -> None:
    path = make(
        "spy",
        "from pkl.plugins import owner\nowner.secret.on(lambda: None)",
        requires=["owner"],
    )
    with pytest.raises(pkl.PluginLoadError, match="protected") as raised:
        host.load_plugin(path=path)
    assert isinstance(raised.value.__cause__, pkl.NotPermitted)
    owner.module.secret.subscribe(lambda: None)


def test_a_raising_handler_is_contained_logged_counted_and_reported(
    host: pkl.PluginHost,
    make: Make,
    owner: pkl.Plugin,
    faults: List[Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad = enabled(
        host,
        make(
            "bad",
            """
            from pkl.plugins import owner
            @owner.plain.on
            def handler(x): raise ValueError("boo")
            @owner.plain.on
            def other(x): raise SystemExit(3)
            """,
            requires=["owner"],
        ),
    )
    seen: List[int] = []
    owner.module.plain.subscribe(seen.append)
    owner.module.plain(5)
    assert seen == [5], "the others still run"
    assert bad.faults == 2 and state(bad) == "enabled"
    assert [type(f.error) for f in faults] == [ValueError, SystemExit]
    assert faults[0].plugin is bad
    assert "handler" in faults[0].where and "plugin.py:3" in faults[0].where
    record = caplog.records[0]
    assert record.name == "pkl.plugin.bad"
    assert "owner.plain raised ValueError: boo" in record.message
    assert vars(record)["plugin"] == "bad"


def test_keyboard_interrupt_passes_and_the_context_is_restored(owner: pkl.Plugin) -> None:
    def interrupt(x: int) -> None:
        raise KeyboardInterrupt

    later: List[int] = []
    owner.module.around.subscribe(interrupt)
    owner.module.around.subscribe(later.append)
    with pytest.raises(KeyboardInterrupt):
        owner.module.fire(1)
    assert later == [] and pkl.get_current_plugin() is None


def test_errors_raise_gathers_throws_into_the_generator_and_raises(
    host: pkl.PluginHost, make: Make
) -> None:
    plugin = enabled(
        host,
        make(
            "a",
            """
            from pkl import event
            rolled_back = []
            @event(errors="raise")
            def loud():
                try:
                    yield
                except Exception as error:
                    rolled_back.append(error)
                    raise
            @event(errors="raise")
            def quiet():
                try:
                    yield
                except Exception:
                    pass
            """,
        ),
    )

    def one() -> None:
        raise ValueError(1)

    def two() -> None:
        raise KeyError(2)

    for each in (plugin.module.loud, plugin.module.quiet):
        each.subscribe(one)
        each.subscribe(two)
    with pytest.raises(pkl.HandlerErrors) as raised:
        plugin.module.loud()
    assert [type(e) for e in raised.value.exceptions] == [ValueError, KeyError]
    assert plugin.module.rolled_back == [raised.value]
    plugin.module.quiet()


def test_priority_then_order_of_subscription_decides_and_once_is_once(owner: pkl.Plugin) -> None:
    seen: List[str] = []
    e: pkl.Event[[int], None] = owner.module.plain
    e.subscribe(lambda x: seen.append("first"))

    @e.on(priority=5)
    def high(x: int) -> None:
        seen.append("high")

    @e.on(once=True, priority=-1)
    def once(x: int) -> None:
        seen.append("once")

    e.subscribe(lambda x: seen.append("second"))
    e(1)
    e(2)
    assert seen == ["high", "first", "second", "once", "high", "first", "second"]


def test_plus_and_minus_equals_return_the_event(owner: pkl.Plugin) -> None:
    e = owner.module.plain
    seen: List[int] = []

    def handler(x: int) -> None:
        seen.append(x)

    before = e
    e += handler
    e(1)
    e -= handler
    e(2)
    assert e is before and seen == [1]
    with pytest.raises(ValueError, match="the host has not subscribed"):
        e -= handler


def test_subscribe_returns_its_undo(owner: pkl.Plugin) -> None:
    seen: List[int] = []
    undo = owner.module.plain.subscribe(seen.append)
    owner.module.plain(1)
    undo()
    undo()
    owner.module.plain(2)
    assert seen == [1]


def test_a_handler_set_changed_during_a_call_takes_effect_from_the_next(owner: pkl.Plugin) -> None:
    e = owner.module.plain
    seen: List[str] = []

    def adds(x: int) -> None:
        seen.append("adds")
        e.subscribe(lambda x: seen.append("added"))
        removed()

    e.subscribe(adds)
    removed = e.subscribe(lambda x: seen.append("removed"))
    e(1)
    assert seen == ["adds", "removed"]
    seen.clear()
    e(2)
    assert seen == ["adds", "added"]


def test_no_handler_of_a_plugin_that_stops_during_a_call_is_called(
    owner: pkl.Plugin, subscriber: pkl.Plugin
) -> None:
    owner.module.around.on(priority=1)(lambda x: subscriber.disable())
    owner.module.fire(1)
    assert [t[0] for t in owner.module.trace] == ["before", "after"]


def test_subscriptions_survive_their_events_owner(
    host: pkl.PluginHost, make: Make, owner: pkl.Plugin
) -> None:
    """They wait while it is stopped and serve its next generation's event of that name."""
    make("late", "import pkl\nseen = []", wants=["owner"])
    late = enabled(host, Path(host.paths[0]) / "late")
    with pkl.plugin_context(host, late):
        owner.module.plain.subscribe(late.module.seen.append)
    old = owner.module.plain
    owner.disable()
    assert state(late) == "enabled"
    with pytest.raises(pkl.PluginNotRunning):
        old(1)
    owner.enable()
    owner.module.plain(2)
    assert late.module.seen == [2]
    with pytest.raises(pkl.PluginNotRunning, match="earlier load"):
        old(3)


@pytest.mark.parametrize("code", ["", "from pkl import event\n@event\ndef plain(x, y): pass"])
def test_a_subscription_to_an_event_that_is_gone_or_changed_is_dropped_and_reported(
    host: pkl.PluginHost, make: Make, faults: List[Any], code: str
) -> None:
    path = make("owner", "from pkl import event\n@event\ndef plain(x): pass")
    owner = enabled(host, path)
    owner.module.plain.subscribe(lambda x: None)
    owner.disable()
    (path / "plugin.py").write_text(code)
    owner.enable()
    assert len(faults) == 1 and "owner.plain is gone or takes other arguments" in str(
        faults[0].error
    )
    assert host.resource_manager.get_resources(None) == ()


def test_an_async_handler_of_a_sync_event_is_refused_and_leaves_nothing(
    host: pkl.PluginHost, owner: pkl.Plugin
) -> None:
    async def handler(x: int) -> None: ...

    with pytest.raises(TypeError, match="is not async"):
        owner.module.plain.on(handler)
    with pytest.raises(pkl.HandlerRefused):
        owner.module.plain.on(task=True)(lambda x: None)
    with pytest.raises(pkl.HandlerRefused, match="cannot be called"):
        owner.module.plain.subscribe(3)
    assert host.resource_manager.get_resources(None) == ()


def test_two_events_of_one_name_are_refused(host: pkl.PluginHost, make: Make) -> None:
    code = "from pkl import event\n@event\ndef e(): pass\n@event\ndef e(): pass"
    with pytest.raises(pkl.PluginLoadError, match="two events of the name 'e'"):
        host.load_plugin(path=make("a", code))
    with pytest.raises(ValueError, match="'contain' or 'raise'"):
        event(errors="ignore")  # type: ignore[call-overload]


@pytest.fixture
def host_events(tmp_path: Path) -> Iterator[Any]:
    """A module of the application that declares host events."""
    (tmp_path / "desk_events.py").write_text(
        "import pkl\nran = []\n"
        "@pkl.event()\ndef message(text):\n    ran.append(pkl.get_current_plugin())\n    yield\n"
        "@pkl.event(protected=True)\ndef admin(text): pass\n"
    )
    sys.path.insert(0, str(tmp_path))
    try:
        import desk_events  # type: ignore[import-not-found, unused-ignore]

        yield desk_events
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop("desk_events", None)


def test_host_events_are_for_everybody_unless_protected(
    host: pkl.PluginHost, make: Make, host_events: Any
) -> None:
    assert isinstance(host_events.message, pkl.HostEvent)
    plugin = enabled(
        host,
        make(
            "a",
            """
            import pkl
            from desk_events import message, admin
            seen = []
            message += lambda text: seen.append((text, pkl.this.name))
            admin += lambda text: seen.append(("admin", text))
            @pkl.syscall
            def say(text): message(text)
            @pkl.syscall
            def command(): admin("no")
            """,
        ),
    )
    host_events.message("from host")
    plugin.module.say("from plugin")
    host_events.admin("yes")
    assert plugin.module.seen == [("from host", "a"), ("from plugin", "a"), ("admin", "yes")]
    assert host_events.ran == [None, None], "its body runs as the host"
    with pytest.raises(pkl.NotPermitted, match="only the host may invoke it, not plugin 'a'"):
        plugin.module.command()
    plugin.disable()
    host_events.message("gone")
    assert len(plugin.module.seen if plugin.module else []) in (0, 3)


def test_a_host_event_belongs_to_the_host_whoever_imports_it_first(
    host: pkl.PluginHost, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "first_events.py").write_text("import pkl\n@pkl.event\ndef e(): pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    plugin = enabled(host, make("a", "import first_events\ne = first_events.e"))
    assert isinstance(plugin.module.e, pkl.HostEvent)
    sys.modules.pop("first_events")


def test_a_raising_on_error_handler_is_logged_and_no_more(
    host: pkl.PluginHost, owner: pkl.Plugin, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(fault: Any) -> None:
        raise RuntimeError("me too")

    host.on_error += broken
    owner.module.plain.subscribe(lambda x: 1 / 0)
    with caplog.at_level(logging.ERROR):
        owner.module.plain(1)
    assert "on_error handler" in caplog.text
    host.on_error -= broken
    with pytest.raises(ValueError, match="is not subscribed"):
        host.on_error -= broken
