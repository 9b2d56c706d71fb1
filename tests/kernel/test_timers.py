"""Timers: one scheduler, a grid without drift, no overlap, cancelled with their plugin."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
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


def test_a_callback_may_cancel_itself_and_others(host: pkl.PluginHost, clock: FakeClock) -> None:
    ticks: List[str] = []

    def once() -> None:
        ticks.append("interval")
        interval.cancel()
        other.cancel()

    interval = pkl.set_interval(once, 1)
    other = pkl.set_timeout(ticks.append, 1, "other")
    clock.advance(10)
    assert ticks == ["interval"] and not interval.active and not other.active
    assert host.resource_manager.get_resources(None) == ()


def test_timers_of_one_deadline_fire_in_the_order_in_which_they_were_set(
    host: pkl.PluginHost, clock: FakeClock
) -> None:
    order: List[int] = []
    for n in range(100):
        pkl.set_timeout(order.append, 5, n)
    pkl.set_timeout(order.append, 0, -1)
    clock.advance(0)
    assert order == [-1], "no delay at all still waits for the clock to be looked at"
    clock.advance(5)
    assert order == [-1, *range(100)]


@pytest.mark.parametrize("jump", [3600 * 5 + 0.5, 86400.0 * 400])
def test_a_clock_that_jumps_ahead_is_one_tick_and_the_rest_missed(
    host: pkl.PluginHost, clock: FakeClock, jump: float
) -> None:
    ticks: List[float] = []
    timer = pkl.set_interval(lambda: ticks.append(clock.monotonic()), 10)
    start = clock.monotonic()
    clock._now += jump
    clock.advance(0)
    assert timer.fired == 1 and timer.missed == int(jump // 10) - 1
    clock.advance(10)
    assert timer.fired == 2 and (ticks[1] - start) % 10 == 0, "on its grid again"


def test_a_clock_that_goes_back_fires_nothing_twice(host: pkl.PluginHost, clock: FakeClock) -> None:
    ticks: List[float] = []
    timer = pkl.set_interval(lambda: ticks.append(clock.monotonic()), 10)
    start = clock.monotonic()
    clock.advance(10)
    clock._now -= 3600
    clock.advance(1800)
    assert ticks == [start + 10]
    clock.advance(1800)
    clock.advance(10)
    assert ticks == [start + 10, start + 20] and timer.missed == 0


def test_a_callback_that_takes_longer_than_its_interval_never_overlaps_itself(
    host: pkl.PluginHost, clock: FakeClock
) -> None:
    running = 0
    ticks: List[float] = []

    def slow() -> None:
        nonlocal running
        running += 1
        assert running == 1
        ticks.append(clock.monotonic())
        clock._now += 2.5
        running -= 1

    start = clock.monotonic()
    timer = pkl.set_interval(slow, 1)
    clock.advance(9)
    assert [t - start for t in ticks] == [1, 4, 7] and timer.missed == 2 * 3


def test_delays_without_end_do_not_end_the_scheduler(make: Make) -> None:
    """A wait longer than the platform can take would raise in its thread."""
    with pkl.PluginHost() as host, host.as_current():
        pkl.set_timeout(print, 1e300)
        fired = threading.Event()
        pkl.set_timeout(fired.set, 0.001)
        assert fired.wait(10)


def test_a_closed_host_takes_no_timer(host: pkl.PluginHost, clock: FakeClock) -> None:
    seen: List[int] = []
    timer = pkl.set_timeout(seen.append, 1, 1)
    host.close()
    assert not timer.active
    with host.as_current(), pytest.raises(pkl.HostClosed):
        pkl.set_timeout(seen.append, 1, 2)
    clock.advance(5)
    assert seen == []


def test_an_interval_goes_on_when_its_loop_is_closed_under_it() -> None:
    """The tick that had been handed to the loop is lost with it; the next one is not."""
    loop = asyncio.new_event_loop()
    host = pkl.PluginHost(loop=loop)
    fired = threading.Event()
    handed: List[Any] = []

    def keep(callback: Any, *args: Any) -> None:
        handed.append(callback)

    async def main() -> None:
        with host.as_current():
            host.timer = pkl.set_interval(fired.set, 0.002)  # type: ignore[attr-defined]
        # What is handed over now is never run, as if the loop were closed right then.
        loop.call_soon_threadsafe = keep  # type: ignore[assignment,method-assign]
        while not handed:
            await asyncio.sleep(0.001)

    loop.run_until_complete(main())
    assert not fired.is_set()
    loop.close()
    assert fired.wait(20)
    host.close()


def test_an_async_interval_whose_task_is_cancelled_goes_on() -> None:
    ticks: List[int] = []

    async def tick() -> None:
        ticks.append(1)
        if len(ticks) == 1:
            asyncio.current_task().cancel()  # type: ignore[union-attr]
            await asyncio.sleep(1)

    async def main() -> None:
        async with pkl.PluginHost() as host:
            await host.astart()
            with host.as_current():
                pkl.set_interval(tick, 0.001)
            while len(ticks) < 3:
                await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(main(), 20))


FORK = """
import os, threading, pkl
host = pkl.PluginHost()
pkl.set_default_host(host)
fired = []
pkl.set_interval(fired.append, 0.001, os.getpid())
pkl.submit(int).result()
while not fired: pass
child = os.fork()
if child == 0:
    try:
        fired.clear()
        mine = threading.Event()
        pkl.set_timeout(mine.set, 0.02)
        done = mine.wait(20) and pkl.submit(int).result(20) == 0 and not fired
        os._exit(0 if done else 1)
    except BaseException:
        os._exit(2)
_, status = os.waitpid(child, 0)
host.close()
raise SystemExit(status)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_has_timers_of_its_own_and_none_of_its_parents() -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout
