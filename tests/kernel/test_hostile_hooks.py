"""Handlers of hooks that raise anything, re-enter, stop plugins, change the handlers, or hang."""

from __future__ import annotations

import threading
from typing import Any, List

import pytest

import pkl
from pkl.testing import FakeClock

from .conftest import Make, enabled, state
from .running import PATIENCE, wait_until

OWNER = """
import pkl
@pkl.hook
def ask(x): pass
@pkl.hook(first=True)
def first(x): pass
@pkl.hook
def partly(x, y): pass
@pkl.hook(errors="raise")
def strict(x): pass
"""
ANSWERS = """
import pkl
from pkl.plugins import owner
this, out = pkl.this, pkl.this.host.out
@owner.{hook}.on
def {first}
@owner.{hook}.on
def second(x):
    out.append("second")
"""


class Nameless(BaseException):
    """Whose text cannot be made."""

    def __str__(self) -> str:
        raise ValueError("no text")


@pytest.fixture
def out(host: pkl.PluginHost) -> List[Any]:
    """What plugins note: they reach it as ``pkl.this.host.out``."""
    seen: List[Any] = []
    host.out = seen  # type: ignore[attr-defined]
    return seen


@pytest.fixture
def owner(host: pkl.PluginHost, make: Make, out: List[Any]) -> Any:
    return enabled(host, make("owner", OWNER)).module


EVERY = pytest.mark.parametrize("name", ["ask", "first", "partly"])


def call(owner: Any, name: str) -> Any:
    return getattr(owner, name)(*((1, 2) if name == "partly" else (1,)))


@EVERY
@pytest.mark.parametrize("error", [SystemExit, GeneratorExit, StopIteration, Nameless, MemoryError])
def test_whatever_a_handler_raises_is_contained_and_attributed(
    owner: Any, faults: List[Any], name: str, error: Any
) -> None:
    def fails(x: Any) -> None:
        raise error

    hook = getattr(owner, name)
    hook.subscribe(fails)
    hook.subscribe(lambda x: x)
    result = call(owner, name)
    assert (result if name == "first" else result.values[0]) == 1
    (fault,) = faults
    assert isinstance(fault.error, error) and f"of the hook owner.{name}" in fault.where
    assert pkl.get_current_plugin() is None


@EVERY
def test_an_interrupt_ends_the_call_with_the_context_restored(owner: Any, name: str) -> None:
    seen: List[int] = []

    def interrupted(x: Any) -> None:
        raise KeyboardInterrupt

    hook = getattr(owner, name)
    undo = hook.subscribe(interrupted)
    hook.subscribe(lambda x: seen.append(x))
    with pytest.raises(KeyboardInterrupt):
        call(owner, name)
    assert seen == [] and pkl.get_current_plugin() is None
    undo()
    call(owner, name)
    assert seen == [1]


@EVERY
def test_a_handler_may_disable_its_own_plugin(
    host: pkl.PluginHost, make: Make, owner: Any, out: List[Any], name: str
) -> None:
    """It runs to its end and its answer counts; the plugin's other handlers are not called."""
    first = 'ends(x):\n    this.disable()\n    out.append("ended")'
    plugin = enabled(host, make("a", ANSWERS.format(hook=name, first=first), requires=["owner"]))
    getattr(owner, name).subscribe(lambda x: out.append("host"))
    call(owner, name)
    assert out == ["ended", "host"] and state(plugin) == "disabled" and plugin.faults == 0


@EVERY
def test_the_host_may_disable_another_plugin_or_the_owner_in_the_middle(
    host: pkl.PluginHost, make: Make, owner: Any, out: List[Any], name: str
) -> None:
    code = ANSWERS.format(hook=name, first="one(x): out.append(1)")
    plugin = enabled(host, make("a", code, requires=["owner"]))
    hook = getattr(owner, name)
    undo = hook.subscribe(lambda x: plugin.disable(), tryfirst=True)
    call(owner, name)
    assert out == [] and state(plugin) == "disabled"
    undo()
    stop = host.get_plugin("owner")
    assert stop is not None
    hook.subscribe(lambda x: stop.disable(), tryfirst=True)
    hook.subscribe(lambda x: out.append("after"))
    call(owner, name)
    assert out == ["after"] and state(stop) == "disabled"
    with pytest.raises(pkl.PluginNotRunning):
        call(owner, name)


def test_a_handler_may_not_disable_another_plugin(
    host: pkl.PluginHost, make: Make, owner: Any, out: List[Any], faults: List[Any]
) -> None:
    victim = enabled(host, make("victim", ""))
    first = 'ends(x): this.host.get_plugin("victim").disable()'
    enabled(host, make("a", ANSWERS.format(hook="ask", first=first), requires=["owner"]))
    owner.ask(1)
    assert isinstance(faults[0].error, pkl.NotPermitted) and state(victim) == "enabled"
    assert out == ["second"]


@pytest.mark.parametrize("who", ["own", "host"])
def test_the_wrapper_of_a_plugin_that_is_disabled_meanwhile_is_torn_down(
    host: pkl.PluginHost, make: Make, owner: Any, out: List[Any], faults: List[Any], who: str
) -> None:
    code = """
        import pkl
        from pkl.plugins import owner
        this, out = pkl.this, pkl.this.host.out
        @owner.ask.on(wrapper=True)
        def around(x):
            try:
                yield
            finally:
                out.append(("torn down", pkl.this is this))
        @owner.ask.on
        def ends(x):
            if x == "own":
                this.disable()
        """
    plugin = enabled(host, make("a", code, requires=["owner"]))
    owner.ask.subscribe(lambda x: plugin.disable())
    owner.ask(who)
    assert out == [("torn down", True)] and state(plugin) == "disabled" and faults == []


@EVERY
def test_a_handler_set_changed_in_a_call_takes_effect_at_the_next(owner: Any, name: str) -> None:
    hook = getattr(owner, name)
    seen: List[str] = []
    undo: List[Any] = []

    def changes(x: Any) -> None:
        seen.append("changes")
        while undo:
            undo.pop()()
        hook.subscribe(lambda x: seen.append("new"))

    hook.subscribe(changes)
    undo.append(hook.subscribe(lambda x: seen.append("old")))
    call(owner, name)
    assert seen == ["changes", "old"]
    call(owner, name)
    assert seen == ["changes", "old", "changes", "new"]


@EVERY
def test_a_handler_may_unsubscribe_itself(owner: Any, name: str) -> None:
    hook = getattr(owner, name)
    seen: List[int] = []

    def once(x: Any) -> None:
        seen.append(x)
        hook.unsubscribe(once)

    hook.subscribe(once)
    call(owner, name)
    call(owner, name)
    assert seen == [1]
    with pytest.raises(ValueError, match=rf"the host has not .* the hook owner\.{name}"):
        hook.unsubscribe(once)


@EVERY
def test_a_hook_may_call_itself_and_ends_with_an_error_not_a_crash(
    owner: Any, faults: List[Any], name: str
) -> None:
    def again(x: Any) -> Any:
        return call(owner, name)

    getattr(owner, name).subscribe(again)
    call(owner, name)
    assert faults and all(isinstance(fault.error, RecursionError) for fault in faults)
    assert pkl.get_current_plugin() is None


def test_a_handler_that_never_ends_holds_no_lock_and_is_named_at_the_stop(
    host: pkl.PluginHost, make: Make, owner: Any
) -> None:
    """Others call the hook, subscribe to it and stop its plugins all the while."""
    code = """
        import threading
        from pkl.plugins import owner
        entered, release = threading.Event(), threading.Event()
        @owner.ask.on
        def hangs(x):
            if x == "hang":
                entered.set()
                release.wait(60)
            return x
        """
    plugin = enabled(host, make("a", code, requires=["owner"]))
    thread = threading.Thread(target=owner.ask, args=("hang",))
    thread.start()
    try:
        assert plugin.module.entered.wait(PATIENCE)
        undo = owner.ask.subscribe(lambda x: "other")
        assert owner.ask(1).values == [1, "other"]
        undo()
        release = plugin.module.release
        with pytest.raises(pkl.CleanupError) as caught:
            plugin.disable(timeout=0.05)
        (overdue,) = caught.value.exceptions
        assert isinstance(overdue, pkl.StopTimeout) and overdue.plugin == "a"
        assert state(plugin) == "disabled" and owner.ask(1).values == []
    finally:
        release.set()
        thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_handler_that_keeps_failing_is_skipped_and_tried_again(
    host: pkl.PluginHost, make: Make, owner: Any, clock: FakeClock, faults: List[Any]
) -> None:
    """In hooks as in events; the others answer, and a hook that raises skips nobody."""
    code = """
        from pkl.plugins import owner
        bad = True
        @owner.ask.on
        @owner.strict.on
        def answer(x):
            if bad:
                raise ValueError
            return x
        """
    plugin = enabled(host, make("a", code, requires=["owner"]))
    owner.ask.subscribe(lambda x: "host")
    for _ in range(9):
        assert owner.ask(1).values == ["host"]
        with pytest.raises(ValueError):
            owner.strict(1)
    assert len(faults) == 5 + 9
    assert [reason.code for reason in plugin.impairments] == ["breaker-open"]
    plugin.module.bad = False
    clock.advance(60)
    assert owner.ask(1).values == [1, "host"] and plugin.impairments == ()
    assert owner.ask(1).values == [1, "host"]


def test_ten_threads_call_subscribe_and_disable_at_once(
    host: pkl.PluginHost, make: Make, owner: Any, faults: List[Any]
) -> None:
    code = """
        from pkl.plugins import owner
        @owner.ask.on
        def answer(x): return x
        @owner.partly.on
        def some(y): return y
        @owner.ask.on(wrapper=True)
        def around(x): return (yield)
        """
    plugins = [enabled(host, make(f"p{n}", code, requires=["owner"])) for n in range(2)]
    barrier = threading.Barrier(10)
    wrong: List[Any] = []

    def calls() -> None:
        barrier.wait(PATIENCE)
        for n in range(60):
            if set(owner.ask(n).values) > {n} or set(owner.partly(0, n).values) > {n}:
                wrong.append(n)

    def subscribes() -> None:
        barrier.wait(PATIENCE)
        for _ in range(60):
            owner.ask.subscribe(lambda x: x)()

    def restarts(plugin: pkl.Plugin) -> None:
        barrier.wait(PATIENCE)
        for _ in range(5):
            plugin.disable()
            plugin.enable()

    threads = [threading.Thread(target=calls) for _ in range(5)]
    threads += [threading.Thread(target=subscribes) for _ in range(3)]
    threads += [threading.Thread(target=restarts, args=(plugin,)) for plugin in plugins]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert wrong == [] and faults == []
    wait_until(lambda: owner.ask(1).values == [1, 1])
    assert len(owner.ask.handlers()) == 4
