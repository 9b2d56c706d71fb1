"""Timers: one scheduler, a grid without drift, no overlap, cancelled with their plugin."""

from __future__ import annotations

import threading
from typing import Any, List

import pytest

import pkl
from pkl.testing import FakeClock

from .conftest import Make, enabled


def test_a_timeout_fires_once_and_deregisters_itself(
    host: pkl.PluginHost, clock: FakeClock
) -> None:
    seen: List[Any] = []
    timer = pkl.set_timeout(lambda *a, **k: seen.append((a, k)), 5, 1, x=2)
    assert timer.active and host.resource_manager.get_resources(None) == (timer,)
    clock.advance(4.99)
    assert seen == []
    clock.advance(60)
    assert seen == [((1,), {"x": 2})] and not timer.active and timer.fired == 1
    assert host.resource_manager.get_resources(None) == ()


def test_an_interval_keeps_to_its_grid(host: pkl.PluginHost, clock: FakeClock) -> None:
    ticks: List[float] = []
    timer = pkl.set_interval(lambda: ticks.append(clock.monotonic()), 10)
    start = clock.monotonic()
    clock.advance(35)
    assert ticks == [start + 10, start + 20, start + 30]
    timer.cancel()
    timer.cancel()
    clock.advance(100)
    assert len(ticks) == 3


def test_ticks_missed_while_the_callback_ran_are_skipped_and_counted(
    host: pkl.PluginHost, clock: FakeClock
) -> None:
    def slow() -> None:
        ticks.append(clock.monotonic())
        if len(ticks) == 1:
            clock._now += 25

    ticks: List[float] = []
    start = clock.monotonic()
    timer = pkl.set_interval(slow, 10)
    clock.advance(50)
    assert ticks == [start + 10, start + 40, start + 50] and timer.missed == 2


def test_a_raising_callback_is_contained_and_does_not_end_its_interval(
    host: pkl.PluginHost, make: Make, clock: FakeClock, faults: List[Any]
) -> None:
    plugin = enabled(
        host,
        make(
            "a",
            "import pkl\nn = []\ndef f():\n    n.append(pkl.this.name)\n"
            "    raise ValueError\npkl.set_interval(f, 1)",
        ),
    )
    clock.advance(3)
    assert plugin.module.n == ["a"] * 3 and plugin.faults == 3
    assert "Timer" in faults[0].where and faults[0].plugin is plugin


def test_timers_stop_with_their_plugin(host: pkl.PluginHost, make: Make, clock: FakeClock) -> None:
    out: List[int] = []
    host.out = out  # type: ignore[attr-defined]
    plugin = enabled(
        host,
        make(
            "a",
            "import pkl\nout = pkl.this.host.out\npkl.set_interval(lambda: out.append(1), 1)"
            "\npkl.set_timeout(lambda: out.append(2), 1)",
        ),
    )
    plugin.disable()
    clock.advance(10)
    assert out == []


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_a_senseless_delay_is_refused(host: pkl.PluginHost, seconds: float) -> None:
    with pytest.raises(ValueError, match="a timer takes"):
        pkl.set_timeout(print, seconds)
    with pytest.raises(ValueError, match="more than 0"):
        pkl.set_interval(print, 0)
    with pytest.raises(pkl.HandlerRefused):
        pkl.set_timeout(3, 1)  # type: ignore[arg-type]


def test_an_async_callback_needs_a_loop(host: pkl.PluginHost) -> None:
    async def later() -> None: ...

    with pytest.raises(pkl.HandlerRefused, match="no event loop"):
        pkl.set_timeout(later, 1)


def test_real_timers_run_on_few_threads_and_as_their_plugin(make: Make) -> None:
    """10,000 timers on one scheduler thread and at most four threads of the plugin."""
    with pkl.PluginHost() as host:
        plugin = enabled(
            host,
            make(
                "many",
                """
                import pkl, threading
                names, seen, done = set(), [], threading.Event()
                def f():
                    names.add(threading.current_thread().name)
                    seen.append(pkl.this.name)
                    if len(seen) == 10_000: done.set()
                for _ in range(10_000): pkl.set_timeout(f, 0)
                """,
            ),
        )
        module = plugin.module
        assert module.done.wait(20)
        assert set(module.seen) == {"many"} and module.names == {"pkl-many"}
        pools = [t for t in threading.enumerate() if t.name == "pkl-many"]
        assert len(pools) <= 4
        assert len([t for t in threading.enumerate() if t.name.startswith("pkl-timers")]) <= 2


def test_a_real_interval_ticks_and_stops(make: Make) -> None:
    with pkl.PluginHost() as host:
        plugin = enabled(
            host,
            make(
                "a",
                """
                import pkl, threading
                enough, n = threading.Event(), []
                def f():
                    n.append(1)
                    if len(n) == 3: enough.set()
                timer = pkl.set_interval(f, 0.005)
                """,
            ),
        )
        assert plugin.module.enough.wait(10)
        timer = plugin.module.timer
        plugin.disable()
        assert not timer.active


def test_no_thread_of_a_plugin_or_a_host_outlives_its_stop(make: Make) -> None:
    host = pkl.PluginHost()
    plugin = enabled(
        host,
        make(
            "threads",
            """
            import pkl, threading
            ran = threading.Event()
            pkl.set_timeout(ran.set, 0)
            """,
        ),
    )
    assert plugin.module.ran.wait(10)
    host.close()
    names = ("pkl-threads", f"pkl-timers-{host.kernel.name}")
    for thread in threading.enumerate():
        if thread.name in names:
            thread.join(5)
            assert not thread.is_alive()
