"""The watchdog: slow and hung calls are told of, once each, and whose they are; all by hand."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from textwrap import dedent, indent
from typing import Any, Callable, Iterator, List, Optional

import pytest

import pkl
from pkl.kernel.sighting import Mark, calls_on
from pkl.supervision import Watchdog
from pkl.supervision import watchdog as watchdog_module
from pkl.testing import FakeClock
from tests.kernel.conftest import Make, clock, enabled, host, make, state
from tests.kernel.running import PATIENCE, loop_in_thread, wait_until

__all__ = ["clock", "host", "make"]


class Shared:
    """What plugins and tests share, as the module ``shared``."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.entered = threading.Semaphore(0)
        self.seen: List[Any] = []

    def block(self) -> None:
        """Stands still until the test lets it go on."""
        self.entered.release()
        assert self.done.wait(PATIENCE)

    def is_in(self) -> None:
        """Waits until somebody stands still."""
        assert self.entered.acquire(timeout=PATIENCE)


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shared]:
    made = Shared()
    monkeypatch.setitem(sys.modules, "shared", made)
    yield made
    made.done.set()


@pytest.fixture
def stalls(host: pkl.PluginHost) -> List[pkl.Stall]:
    """Every report, in order."""
    seen: List[pkl.Stall] = []
    host.on_stall += seen.append
    return seen


@pytest.fixture
def going(shared: Shared) -> Iterator[Callable[..., threading.Thread]]:
    """Runs a function in a thread until it stands still; all are let go in the end."""
    threads: List[threading.Thread] = []

    def go(function: Callable[..., Any], *args: Any, name: str = "caller") -> threading.Thread:
        thread = threading.Thread(target=function, args=args, name=name, daemon=True)
        threads.append(thread)
        thread.start()
        shared.is_in()
        return thread

    yield go
    shared.done.set()
    for thread in threads:
        thread.join(PATIENCE)


def states(stalls: List[pkl.Stall]) -> List[str]:
    """What was told, in short."""
    return [f"{each.state} {each.plugin}" for each in stalls]


SHOP = """
import pkl, shared
@pkl.event
def ordered(number): pass
@pkl.hook
def priced(number): pass
@pkl.syscall
def wait(): shared.block()
"""

Going = Callable[..., threading.Thread]


def test_a_slow_handler_is_told_with_all_that_is_known_of_it(
    host: pkl.PluginHost,
    make: Make,
    stalls: List[pkl.Stall],
    clock: FakeClock,
    going: Going,
    caplog: pytest.LogCaptureFixture,
) -> None:
    make("shop", SHOP)
    path = make(
        "mail",
        """
        import shared
        from pkl.plugins import shop
        def deep(): shared.block()
        @shop.ordered.on
        def send(number): deep()
        """,
        requires=["shop"],
        version="2.1",
    )
    host.start()
    thread = going(host.plugins.shop.ordered, 7, name="till")
    clock.advance(0.9)
    assert stalls == []
    clock.advance(0.1)
    (stall,) = stalls
    file = str(path / "plugin.py")
    assert (stall.state, stall.plugin, stall.version) == ("slow", "mail", "2.1")
    assert stall.what == f"handler send ({file}:5) of the event shop.ordered"
    assert (stall.thread, stall.ident, stall.called_by) == ("till", thread.ident, "shop")
    assert (stall.file, stall.line) == (file, 4)
    assert stall.since == clock.monotonic() - 1 and abs(stall.seconds - 1) < 1e-6
    assert [line.split(" ")[0].rpartition(".")[2] for line in stall.stack[:3]] == [
        "send",
        "deep",
        "block",
    ]
    text = str(stall)
    assert text == (
        f"handler send ({file}:5) of the event shop.ordered of plugin 'mail' 2.1 is slow: it has "
        f"run for 1 s in the thread till, called by plugin 'shop', and is at {file}:4"
    )
    assert stall.as_text().splitlines()[0] == text
    assert len(stall.as_text().splitlines()) == 1 + len(stall.stack)
    assert stall.as_dict()["stack"] == list(stall.stack)
    (record,) = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert record.name == "pkl.plugin.mail" and text in record.getMessage()
    mail = host.get_plugin("mail")
    assert mail is not None
    (impairment,) = mail.impairments
    assert impairment.code == "slow" and impairment.remedy.endswith("pkl disable mail")


def test_each_call_is_told_of_when_slow_when_hung_and_when_it_has_ended(
    host: pkl.PluginHost,
    make: Make,
    stalls: List[pkl.Stall],
    clock: FakeClock,
    going: Going,
    shared: Shared,
) -> None:
    make("shop", SHOP)
    host.start()
    thread = going(host.plugins.shop.wait)
    clock.advance(60)
    clock.advance(60)
    assert states(stalls) == ["slow shop", "hung shop"]
    assert [round(each.seconds, 3) for each in stalls] == [1, 10]
    assert [each.code for each in host.all_plugins()[0].impairments] == ["hung"]
    shared.done.set()
    thread.join(PATIENCE)
    clock.advance(1)
    assert states(stalls) == ["slow shop", "hung shop", "ended shop"]
    assert stalls[-1].seconds == 120 and "has ended after all, after 120 s" in str(stalls[-1])
    assert host.all_plugins()[0].impairments == ()
    clock.advance(100)
    assert len(stalls) == 3


def test_a_plugin_that_waits_for_another_is_not_the_slow_one(
    host: pkl.PluginHost,
    make: Make,
    stalls: List[pkl.Stall],
    clock: FakeClock,
    going: Going,
    shared: Shared,
) -> None:
    make("shop", SHOP)
    make(
        "asks",
        """
        import pkl, shared
        from pkl.plugins import shop
        more = shared.__class__()
        @pkl.syscall
        def ask():
            shop.wait()
            more.block()
        """,
        requires=["shop"],
    )
    host.start()
    asks = host.get_plugin("asks")
    assert asks is not None
    more = asks.module.more
    thread = going(host.plugins.asks.ask)
    clock.advance(20)
    assert states(stalls) == ["slow shop", "hung shop"]
    assert stalls[0].called_by == "asks"
    shared.done.set()
    more.is_in()
    clock.advance(0.5)
    assert states(stalls)[2:] == ["ended shop"]  # its 20 seconds were not those of who waited
    clock.advance(20)
    assert states(stalls)[3:] == ["slow asks", "hung asks"]
    more.done.set()
    thread.join(PATIENCE)


KINDS = {
    "hook": ("@shop.priced.on\ndef f(number): shared.block()", "shop.priced", "of the hook"),
    "timer": ("def f(): shared.block()\npkl.set_timeout(f, 0.001)", "", "timer f ("),
    "on_enable": ("@pkl.this.on_enable.on\ndef f(): shared.block()", "enable", "on_enable f ("),
    "clean-up": (
        "class R(pkl.Resource):\n    def _cleanup(self): shared.block()\n"
        "pkl.this.host.resource_manager.register(R())",
        "disable",
        "clean-up R._cleanup (",
    ),
    "on_disable": ("@pkl.this.on_disable.on\ndef f(): shared.block()", "disable", "on_disable f ("),
    "event's body": ("@pkl.event\ndef f(): shared.block()", "mine.f", "the body f ("),
    "service": (
        "class S:\n    def ask(self): shared.block()\npkl.provide(S, S())\nused = pkl.use(S)\n"
        "def g(): used.api.ask()",
        "module.g",
        "call of the service S.ask (",
    ),
    "bound function": ("g = pkl.bind(shared.block)\n", "module.g", ""),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_call_is_watched_and_named(
    make: Make, shared: Shared, tmp_path: Path, kind: str
) -> None:
    code, how, words = KINDS[kind]
    real = pkl.PluginHost(
        paths=[tmp_path / "plugins"],
        supervision=pkl.Supervision(watchdog=pkl.WatchdogPolicy(slow=0.02, hung=3600)),
    )
    seen: List[pkl.Stall] = []
    real.on_stall += seen.append
    make("shop", SHOP)
    make("mine", f"import pkl, shared\nfrom pkl.plugins import shop\n{code}\n", requires=["shop"])
    with real.as_current():
        shop = real.load_plugin("shop").enable()
        plugin = real.load_plugin("mine")
        begin: List[Callable[..., Any]] = [plugin.enable]
        if how != "enable":
            plugin.enable()
            begin = [lambda: None]
        if how == "disable":
            begin = [plugin.disable]
        elif how.startswith("shop."):
            begin = [lambda: shop.module.priced(1)]
        elif how.startswith(("mine.", "module.")):
            begin = [getattr(plugin.module, how.partition(".")[2])]
        thread = threading.Thread(target=begin[0], daemon=True)
        thread.start()
        shared.is_in()
        wait_until(lambda: seen)
        shared.done.set()
        thread.join(PATIENCE)
        real.close()
    assert seen[0].plugin == "mine" and words in seen[0].what and seen[0].stack


def test_a_coroutine_is_judged_by_its_steps(make: Make, shared: Shared, tmp_path: Path) -> None:
    make(
        "a",
        """
        import asyncio, pkl, shared
        async def polite():
            for _ in range(50): await asyncio.sleep(0.01)
            shared.block()
        def begin(): return pkl.create_task(polite())
        """,
    )
    with loop_in_thread() as loop:
        clock = FakeClock()
        real = pkl.PluginHost(paths=[tmp_path / "plugins"], clock=clock, loop=loop)
        seen: List[pkl.Stall] = []
        real.on_stall += seen.append
        with real.as_current():
            real.start()
            plugin = real.get_plugin("a")
            assert plugin is not None
            with pkl.plugin_context(real, plugin):
                plugin.module.begin()
            while not shared.entered.acquire(blocking=False):
                clock.advance(0.5)  # many steps, of which none takes as long as two looks
                time.sleep(0.001)
            before = list(seen)
            clock.advance(1)
            assert [each.state for each in seen[len(before) :]] == ["slow"]
            assert "a step of the coroutine" in seen[-1].what and "polite" in seen[-1].what
            assert seen[-1].file.endswith("plugin.py")
            shared.done.set()
            real.close()


def test_many_short_calls_are_not_one_long_one(
    host: pkl.PluginHost, make: Make, stalls: List[pkl.Stall], clock: FakeClock
) -> None:
    make("shop", "import pkl\n@pkl.event\ndef ordered(): pass\n")
    make(
        "mail",
        """
        import time
        from pkl.plugins import shop
        @shop.ordered.on
        def send(): time.sleep(0.002)
        """,
        requires=["shop"],
    )
    host.start()
    end, calls = threading.Event(), [0]

    def main() -> None:
        while not end.is_set():
            host.plugins.shop.ordered()
            calls[0] += 1

    thread = threading.Thread(target=main)
    thread.start()

    def enough(number: int) -> bool:
        return calls[0] >= number

    for _ in range(50):
        wait_until(partial(enough, calls[0] + 2))
        clock.advance(0.5)
    end.set()
    thread.join(PATIENCE)
    assert stalls == []


def test_a_plugins_own_thread_is_no_call_but_the_calls_it_makes_are(
    host: pkl.PluginHost, make: Make, stalls: List[pkl.Stall], clock: FakeClock, shared: Shared
) -> None:
    make("shop", SHOP)
    make(
        "works",
        """
        import pkl, shared
        from pkl.plugins import shop
        own = shared.__class__()
        def work():
            own.block()
            shop.wait()
        thread = pkl.start_thread(work)
        """,
        requires=["shop"],
    )
    host.start()
    works = host.get_plugin("works")
    assert works is not None
    own, thread = works.module.own, works.module.thread
    own.is_in()
    clock.advance(60)
    assert stalls == []
    own.done.set()
    shared.is_in()
    clock.advance(60)
    assert states(stalls) == ["slow shop", "hung shop"]
    shared.done.set()
    thread.result(PATIENCE)


HOSTILE = {
    "in an endless loop": """
        while not shared.done.is_set(): pass
    """,
    "in C": """
        time.sleep(0.1)
        shared.done.wait()
    """,
    "catching everything": """
        while not shared.done.is_set():
            try:
                time.sleep(0.001)
            except BaseException:
                pass
    """,
    "unknown to threading": """
        here = threading.get_ident()
        thread = threading._active.pop(here)
        shared.done.wait()
        threading._active[here] = thread
    """,
}


@pytest.mark.parametrize("how", HOSTILE)
def test_hostile_calls_are_told_of_all_the_same(
    host: pkl.PluginHost,
    make: Make,
    stalls: List[pkl.Stall],
    clock: FakeClock,
    going: Going,
    how: str,
) -> None:
    begin = "import pkl, shared, threading, time\n@pkl.syscall\ndef f():\n"
    begin += "    shared.entered.release()\n"
    plugin = enabled(host, make("a", begin + indent(dedent(HOSTILE[how]), "    ")))
    going(plugin.module.f)
    clock.advance(1)
    clock.advance(1)
    (stall,) = stalls
    assert stall.plugin == "a" and stall.what.startswith("syscall f (")
    assert stall.line > 4 and stall.file.endswith("plugin.py")
    if how == "unknown to threading":
        assert stall.thread == f"number {stall.ident}"


def test_a_host_in_a_plugin_tells_of_its_own_plugins_and_the_outer_host_of_who_made_it(
    host: pkl.PluginHost,
    make: Make,
    stalls: List[pkl.Stall],
    clock: FakeClock,
    going: Going,
    shared: Shared,
    tmp_path: Path,
) -> None:
    make(
        "inner",
        "import pkl, shared\n@pkl.syscall\ndef f(): shared.block()\n",
        under=tmp_path / "in",
    )
    outer = enabled(
        host,
        make(
            "outer",
            f"""
            import pkl
            clock = pkl.this.host.kernel.clock
            nested = pkl.PluginHost(paths=[{str(tmp_path / "in")!r}], clock=clock)
            with nested.as_current():
                nested.start()
            @pkl.syscall
            def run():
                with nested.as_current(): nested.plugins.inner.f()
            """,
        ),
    )
    nested = outer.module.nested
    inside: List[pkl.Stall] = []
    nested.on_stall += inside.append
    going(outer.module.run)
    clock.advance(2)
    clock.advance(2)
    assert states(stalls) == ["slow outer"] and states(inside) == ["slow inner"]
    assert inside[0].called_by == "outer"
    shared.done.set()
    nested.close()


def test_nothing_of_a_call_is_kept_alive_by_looking(
    host: pkl.PluginHost, make: Make, clock: FakeClock, going: Going, shared: Shared
) -> None:
    from weakref import ref

    class Thing:
        pass

    plugin = enabled(
        host, make("a", "import pkl, shared\n@pkl.syscall\ndef f(x): shared.block()\n")
    )
    thing = Thing()
    get = ref(thing)
    thread = going(plugin.module.f, thing)
    clock.advance(0)
    clock.advance(0.5)
    del thing
    shared.done.set()
    thread.join(PATIENCE)
    del thread
    wait_until(lambda: get() is None)


def test_a_thread_that_is_being_debugged_is_not_watched(
    host: pkl.PluginHost, make: Make, stalls: List[pkl.Stall], clock: FakeClock, going: Going
) -> None:
    plugin = enabled(
        host,
        make(
            "a",
            """
            import pkl, shared, sys
            @pkl.syscall
            def f():
                sys._getframe().f_trace = lambda *_: None
                shared.block()
            """,
        ),
    )
    going(plugin.module.f)
    clock.advance(60)
    clock.advance(60)
    assert stalls == []


def test_a_mark_is_a_trace_function_that_does_nothing() -> None:
    assert Mark()(sys._getframe(), "line", None) is None
    assert list(calls_on(sys._getframe())) == []


def test_an_observer_that_raises_is_contained_and_one_may_be_taken_back(
    host: pkl.PluginHost, make: Make, stalls: List[pkl.Stall], clock: FakeClock, going: Going
) -> None:
    errors: List[Any] = []
    host.on_error.subscribe(errors.append)
    taken: List[Any] = []
    host.on_stall += taken.append
    host.on_stall -= taken.append

    @host.on_stall
    def raises(stall: pkl.Stall) -> None:
        raise OSError("no")

    make("shop", SHOP)
    host.start()
    going(host.plugins.shop.wait)
    clock.advance(1)
    assert len(stalls) == 1 and taken == []
    assert "on_stall handler" in errors[0].where
    with pytest.raises(ValueError, match="not subscribed to on_stall"):
        host.on_stall -= taken.append
    with pytest.raises(AttributeError, match="cannot be replaced"):
        host.on_stall = None  # type: ignore[assignment]


# What is done about it.


@pytest.fixture
def strict(tmp_path: Path, clock: FakeClock) -> Iterator[pkl.PluginHost]:
    """The default host, which puts plugins that hang in quarantine."""
    made = pkl.PluginHost(
        paths=[tmp_path / "plugins"],
        clock=clock,
        stop_timeout=PATIENCE,
        supervision=pkl.Supervision(
            restart=pkl.RestartPolicy(default="always"),
            watchdog=pkl.WatchdogPolicy(on_hung="quarantine"),
        ),
    )
    pkl.set_default_host(made)
    yield made
    made.close()
    pkl.set_default_host(None)


def reason(plugin: Optional[pkl.Plugin]) -> str:
    """The code of why it does not run; empty while it does."""
    assert plugin is not None
    return plugin.reason.code if plugin.reason is not None else ""


def test_a_plugin_that_hangs_is_stopped_with_its_dependants_and_quarantined_until_it_is_reset(
    strict: pkl.PluginHost, make: Make, clock: FakeClock, going: Going, shared: Shared
) -> None:
    make("shop", SHOP + "@pkl.this.on_disable.on\ndef stop(): shared.seen.append('shop')\n")
    make(
        "asks",
        """
        import pkl, shared
        from pkl.plugins import shop
        @pkl.syscall
        def ask(): shop.wait()
        @pkl.this.on_disable.on
        def stop(): shared.seen.append("asks")
        """,
        requires=["shop"],
    )
    strict.start()
    given_up: List[str] = []

    @strict.on_stall
    def note(stall: pkl.Stall) -> None:
        if stall.state == "quarantined":
            given_up.append(str(stall))

    shop, asks = strict.get_plugin("shop"), strict.get_plugin("asks")
    assert shop is not None and asks is not None
    thread = going(strict.plugins.asks.ask)
    clock.advance(10)
    # It does not wait for the call, or the stop would take its 20 seconds twice.
    wait_until(lambda: given_up)
    assert reason(shop) == "quarantined"
    assert given_up[0].startswith(
        "plugin 'shop' 1.0.0 was stopped and is in quarantine: syscall wait"
    )
    assert given_up[0].endswith("hangs, cannot be stopped, and runs on in the thread caller")
    assert shared.seen == ["asks", "shop"] and thread.is_alive()
    assert shop.reason is not None and shop.reason.remedy == "pkl reset shop"
    assert "is hung" in shop.reason.message and "in the thread caller" in shop.reason.message
    assert state(asks) == "blocked" and asks.reason is not None
    assert asks.reason.remedy == "pkl reset shop"
    receipt = shop.receipt
    assert receipt is not None
    assert [(each.kind, each.what) for each in receipt.left] == [("thread", "caller")]
    with pytest.raises(pkl.PluginBlocked):
        shop.enable()
    clock.advance(120)  # no restart, whatever the policy says
    assert state(shop) == "blocked"
    shared.done.set()
    thread.join(PATIENCE)
    assert receipt.left == ()
    strict.reset("shop")
    assert (state(shop), state(asks)) == ("enabled", "enabled")


def test_the_error_of_a_plugin_that_hung_says_where(
    strict: pkl.PluginHost, make: Make, clock: FakeClock, going: Going
) -> None:
    make("shop", SHOP)
    strict.start()
    errors: List[Any] = []
    shop = strict.get_plugin("shop")
    assert shop is not None
    strict.add_disable_hook(lambda plugin: errors.append(plugin.error))
    going(strict.plugins.shop.wait)
    clock.advance(10)
    wait_until(lambda: state(shop) == "blocked")
    (error,) = errors
    assert isinstance(error, pkl.PluginCrashed) and isinstance(error.__cause__, pkl.PluginHung)
    hung = error.__cause__
    assert (hung.plugin, hung.code, hung.exit_status) == ("shop", "E_HUNG", 9)
    assert "the call cannot be stopped and runs on in that thread" in hung.message
    assert hung.details["thread"] == "caller" and hung.hint.endswith("pkl reset shop")


def test_a_quarantine_is_kept_on_disk(
    make: Make, clock: FakeClock, going: Going, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PKL_HOME", str(tmp_path / "home"))
    make("shop", SHOP)
    hung = pkl.Supervision(watchdog=pkl.WatchdogPolicy(on_hung="quarantine"))
    paths = [tmp_path / "plugins"]
    first = pkl.PluginHost("app", paths=paths, clock=clock, supervision=hung)
    first.start()
    going(first.plugins.shop.wait)
    clock.advance(10)
    wait_until(lambda: reason(first.get_plugin("shop")) == "quarantined")
    first.close()
    second = pkl.PluginHost("app", paths=paths, supervision=hung)
    report = second.start()
    assert report.blocked["shop"].code == "quarantined"
    second.close()


def test_a_stopped_plugins_old_call_does_not_quarantine_its_next_load(
    strict: pkl.PluginHost, make: Make, clock: FakeClock, going: Going
) -> None:
    make("shop", SHOP)
    strict.start()
    shop = strict.get_plugin("shop")
    assert shop is not None
    going(strict.plugins.shop.wait)
    clock.advance(0)
    with pytest.raises(pkl.CleanupError):
        shop.disable(timeout=0)
    shop.enable()
    clock.advance(60)
    time.sleep(0.05)
    assert state(shop) == "enabled"


# When it looks.


def test_a_policy_is_checked() -> None:
    assert pkl.WatchdogPolicy() == pkl.WatchdogPolicy(slow=1.0, hung=10.0, on_hung="report")
    with pytest.raises(ValueError, match="slow must be more than 0, not 0"):
        pkl.WatchdogPolicy(slow=0)
    with pytest.raises(ValueError, match=r"hung \(1\) is less than slow \(2\)"):
        pkl.WatchdogPolicy(slow=2, hung=1)
    with pytest.raises(ValueError, match="hung"):
        pkl.WatchdogPolicy(hung=float("nan"))
    with pytest.raises(ValueError, match="on_hung must be one of report, quarantine, not 'kill'"):
        pkl.WatchdogPolicy(on_hung="kill")


def named(host: pkl.PluginHost) -> List[str]:
    """The watchdog threads of a host."""
    name = f"pkl-watchdog-{host.kernel.name}"
    return [each.name for each in threading.enumerate() if each.name == name]


def test_the_thread_begins_with_the_first_plugin_and_ends_with_the_host(
    make: Make, tmp_path: Path
) -> None:
    made = pkl.PluginHost(paths=[tmp_path / "plugins"])
    make("a")
    assert named(made) == []
    plugin = made.load_plugin("a")
    assert named(made) == []
    plugin.enable()
    assert len(named(made)) == 1
    plugin.disable()
    plugin.enable()
    assert len(named(made)) == 1
    made.close()
    wait_until(lambda: not named(made))


def test_a_host_may_do_without_and_one_on_a_fake_clock_has_no_thread(
    host: pkl.PluginHost, make: Make, tmp_path: Path
) -> None:
    make("a")
    host.start()
    none = pkl.Supervision(watchdog=None)
    with pkl.PluginHost(paths=[tmp_path / "plugins"], supervision=none) as other:
        assert other.start().ok
        assert named(host) == named(other) == []


def test_a_host_that_is_forgotten_takes_its_thread_along(make: Make, tmp_path: Path) -> None:
    end = threading.Event()
    watchdog = Watchdog(
        pkl.PluginHost().kernel, pkl.WatchdogPolicy(slow=0.02), lambda stall, generation: None
    )
    watchdog._end = end
    watchdog.start()
    thread = watchdog._thread
    assert thread is not None and thread.is_alive()
    del watchdog
    thread.join(PATIENCE)
    assert not thread.is_alive() and not end.is_set()


def test_where_stacks_cannot_be_read_nothing_is_watched(
    host: pkl.PluginHost,
    make: Make,
    stalls: List[pkl.Stall],
    clock: FakeClock,
    going: Going,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watchdog_module, "can_watch", lambda: False)
    make("shop", SHOP)
    assert host.start().ok
    going(host.plugins.shop.wait)
    clock.advance(60)
    clock.advance(60)
    assert stalls == []


def test_free_threaded_and_other_interpreters_are_not_watched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert watchdog_module.can_watch()
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    assert not watchdog_module.can_watch()
    monkeypatch.undo()
    monkeypatch.delattr(sys, "_current_frames")
    assert not watchdog_module.can_watch()


def test_a_watchdog_that_fails_says_so_and_ends(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(watchdog: Watchdog, now: float) -> None:
        raise RuntimeError("no frames")

    monkeypatch.setattr(Watchdog, "sample", fails)
    make("a")
    with pkl.PluginHost(paths=[tmp_path / "plugins"]) as made:
        made.start()
        wait_until(lambda: not named(made))
    assert "the watchdog failed; calls that hang are not reported" in caplog.text


def test_moving_the_clock_stops_only_where_there_is_something_to_tell(
    host: pkl.PluginHost,
    make: Make,
    stalls: List[pkl.Stall],
    clock: FakeClock,
    going: Going,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: List[float] = []
    plain = Watchdog.sample

    def counted(watchdog: Watchdog, now: float) -> Optional[float]:
        looks.append(now)
        return plain(watchdog, now)

    monkeypatch.setattr(Watchdog, "sample", counted)
    make("shop", SHOP)
    host.start()
    going(host.plugins.shop.wait)
    clock.advance(1_000_000)
    assert states(stalls) == ["slow shop", "hung shop"] and len(looks) < 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_watches_from_the_next_start_on(tmp_path: Path, make: Make) -> None:
    """In a process of its own: whoever forks must not have pytest's threads."""
    make("a", "import pkl, time\n@pkl.syscall\ndef f(): time.sleep(600)\n")
    program = f"""
    import os, pkl, threading
    host = pkl.PluginHost(
        paths=[{str(tmp_path / "plugins")!r}],
        supervision=pkl.Supervision(watchdog=pkl.WatchdogPolicy(slow=0.02)),
    )
    pkl.set_default_host(host)
    plugin = host.load_plugin("a").enable()
    if os.fork():
        os._exit(os.WEXITSTATUS(os.wait()[1]))
    told = threading.Event()
    host.on_stall.subscribe(lambda stall: told.set())
    assert threading.active_count() == 1
    plugin.disable()
    plugin.enable()
    threading.Thread(target=plugin.module.f, daemon=True).start()
    os._exit(7 if told.wait(20) else 1)
    """
    ran = subprocess.run(
        [sys.executable, "-c", dedent(program)],
        timeout=3 * PATIENCE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert ran.returncode == 7, ran.stderr


def test_a_plugin_whose_own_start_hangs_is_quarantined_from_the_next_on(
    make: Make,
    clock: FakeClock,
    going: Going,
    shared: Shared,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    make("a", "import pkl, shared\npkl.this.on_enable += shared.block\n")
    made = pkl.PluginHost(
        paths=[tmp_path / "plugins"],
        clock=clock,
        transition_timeout=0.05,
        supervision=pkl.Supervision(watchdog=pkl.WatchdogPolicy(on_hung="quarantine")),
    )
    faults: List[Any] = []
    seen: List[pkl.Stall] = []
    made.on_error.subscribe(faults.append)
    made.on_stall += seen.append
    with made.as_current():
        plugin = made.load_plugin("a")
        thread = going(plugin.enable)
        clock.advance(60)
        wait_until(lambda: faults)
        assert isinstance(faults[0].error, pkl.TransitionTimeout)
        assert faults[0].where == "stopping of a, which hangs,"
        shared.done.set()
        thread.join(PATIENCE)
        assert state(plugin) == "enabled"
        wait_until(lambda: "it is in quarantine from its next start on" in caplog.text)
        plugin.disable()
        with pytest.raises(pkl.PluginBlocked, match="is in quarantine"):
            plugin.enable()
        assert [each.state for each in seen] == ["slow", "hung"]
        made.close()


def test_a_handler_that_was_given_up_does_not_quarantine_the_plugin_that_was_stopped(
    strict: pkl.PluginHost, make: Make, clock: FakeClock, shared: Shared
) -> None:
    make("a", "import pkl, shared\npkl.this.on_disable += shared.block\n")
    strict.start()
    plugin = strict.get_plugin("a")
    assert plugin is not None
    with pytest.raises(pkl.CleanupError):
        plugin.disable(timeout=0)
    seen: List[pkl.Stall] = []
    strict.on_stall += seen.append
    clock.advance(60)
    clock.advance(60)
    assert [(each.state, each.thread) for each in seen] == [
        ("slow", "pkl-stop-a"),
        ("hung", "pkl-stop-a"),
    ]
    time.sleep(0.02)
    assert reason(plugin) == "deadline"
