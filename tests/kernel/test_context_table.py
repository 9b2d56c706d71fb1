"""Where the current plugin is kept and where it is lost: the table of docs/async.md, row by row."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import os
import signal
import sys
import threading
import weakref
from typing import Any, AsyncIterator, Callable, Iterator, List

import pytest

import pkl
from pkl.host.clock import RealClock
from pkl.kernel.context import running_as

from .running import PATIENCE, no_thread_left, wait_until
from .synthetic import Synthetic

Report = Callable[[], None]
"""What a row has called somewhere; it notes the plugin that is current there."""


@pytest.fixture
def hosts() -> Iterator[Synthetic]:
    with no_thread_left():
        made = Synthetic(stop_timeout=PATIENCE)
        pkl.set_default_host(made.host)
        yield made
        made.host.close()
        pkl.set_default_host(None)


# What has no loop: each row has ``report`` called, and returns once that is done.


def start_thread(report: Report) -> None:
    pkl.start_thread(report).result(PATIENCE)


def submit(report: Report) -> None:
    pkl.submit(report).result(PATIENCE)


def submit_callback(report: Report) -> None:
    gate, called = threading.Event(), threading.Event()
    work = pkl.submit(gate.wait, PATIENCE)

    def callback(future: Any) -> None:
        report()
        called.set()

    work.add_done_callback(callback)
    gate.set()
    assert called.wait(PATIENCE)


def stop_callback(report: Report) -> None:
    thread = pkl.start_thread(lambda stop: stop.wait(PATIENCE))
    thread.stop.on_stop(report)
    threading.Thread(target=thread.cancel).start()
    thread.result(PATIENCE)


def plain_thread(report: Report) -> None:
    thread = threading.Thread(target=report)
    thread.start()
    thread.join(PATIENCE)


def timer_of_threading(report: Report) -> None:
    timer = threading.Timer(0, report)
    timer.start()
    timer.join(PATIENCE)


def executor_submit(report: Report) -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(report).result(PATIENCE)


def executor_map(report: Report) -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        list(pool.map(lambda run: run(), [report]))


def future_callback(report: Report) -> None:
    future: concurrent.futures.Future[None] = concurrent.futures.Future()
    future.add_done_callback(_ignoring_argument(report))
    _elsewhere(lambda: future.set_result(None))


def weakref_callback(report: Report) -> None:
    class Thing: ...

    things = [Thing()]
    ref = weakref.ref(things[0], _ignoring_argument(report))
    _elsewhere(things.clear)
    gc.collect()
    assert ref() is None


def finalizer(report: Report) -> None:
    class Thing: ...

    things = [Thing()]
    weakref.finalize(things[0], report)
    _elsewhere(things.clear)
    gc.collect()


def generator_body(report: Report) -> None:
    def body() -> Iterator[None]:
        report()
        yield

    made = body()
    _elsewhere(lambda: next(made))


def bound_generator(report: Report) -> None:
    @pkl.bind
    def body() -> Iterator[None]:
        report()
        yield

    _elsewhere(lambda: list(body()))


def syscall_generator(report: Report) -> None:
    @pkl.syscall
    def body() -> Iterator[None]:
        report()
        yield

    _elsewhere(lambda: list(body()))


def _ignoring_argument(report: Report) -> Callable[[Any], None]:
    """The report, keeping whether it is bound, as a callback of one argument."""

    def call(argument: Any) -> None:
        report()

    return call


def _elsewhere(call: Callable[[], Any]) -> None:
    """Calls something in a thread that knows of no plugin."""
    thread = threading.Thread(target=call)
    thread.start()
    thread.join(PATIENCE)


KEPT: List[Callable[[Report], None]] = [
    start_thread,
    submit,
    submit_callback,
    stop_callback,
    bound_generator,
    syscall_generator,
]
LOST: List[Callable[[Report], None]] = [
    plain_thread,
    timer_of_threading,
    executor_submit,
    executor_map,
    future_callback,
    weakref_callback,
    finalizer,
    generator_body,
]


def seen_by(hosts: Synthetic, row: Callable[[Report], None], bound: bool) -> List[Any]:
    seen: List[Any] = []

    def report() -> None:
        plugin = pkl.get_current_plugin()
        seen.append(plugin.name if plugin is not None else None)

    plugin = hosts.add("a").enable()
    with pkl.plugin_context(hosts.host, plugin):
        row(pkl.bind(report) if bound else report)
        assert pkl.get_current_plugin() is plugin
    wait_until(lambda: seen)
    assert pkl.get_current_plugin() is None
    return seen


@pytest.mark.parametrize("row", KEPT)
def test_what_pkl_starts_has_the_right_plugin(
    hosts: Synthetic, row: Callable[[Report], None]
) -> None:
    assert seen_by(hosts, row, bound=False) == ["a"]


@pytest.mark.parametrize("row", LOST)
def test_what_the_standard_library_starts_has_none(
    hosts: Synthetic, row: Callable[[Report], None]
) -> None:
    assert seen_by(hosts, row, bound=False) == [None]


@pytest.mark.parametrize("row", LOST)
def test_what_is_bound_has_the_right_plugin_wherever_it_is_called(
    hosts: Synthetic, row: Callable[[Report], None]
) -> None:
    assert seen_by(hosts, row, bound=True) == ["a"]


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="no such signal here")
def test_a_bound_signal_handler_runs_as_its_plugin(hosts: Synthetic) -> None:
    seen: List[Any] = []

    def handler(number: int, frame: Any) -> None:
        seen.append(pkl.this.name)

    plugin = hosts.add("a").enable()
    with pkl.plugin_context(hosts.host, plugin):
        bound = pkl.bind(handler)
    before = signal.signal(signal.SIGUSR1, bound)
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        wait_until(lambda: seen)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert seen == ["a"]


# What a loop calls: each row arranges a call of ``report``, which comes later.


async def create_task(report: Report) -> Any:
    return pkl.create_task(_call(report))


async def bare_task(report: Report) -> Any:
    return asyncio.create_task(_call(report))


async def ensure_future(report: Report) -> Any:
    return asyncio.ensure_future(_call(report))


async def gather(report: Report) -> Any:
    return asyncio.gather(_call(report))


async def task_group(report: Report) -> Any:
    async with asyncio.TaskGroup() as group:
        return group.create_task(_call(report))


async def to_thread(report: Report) -> Any:
    return await asyncio.to_thread(report)


async def threadsafe(report: Report) -> Any:
    return asyncio.run_coroutine_threadsafe(_call(report), asyncio.get_running_loop())


async def call_soon(report: Report) -> Any:
    return asyncio.get_running_loop().call_soon(report)


async def call_later(report: Report) -> Any:
    return asyncio.get_running_loop().call_later(0, report)


async def call_at(report: Report) -> Any:
    loop = asyncio.get_running_loop()
    return loop.call_at(loop.time(), report)


async def call_soon_threadsafe(report: Report) -> Any:
    return asyncio.get_running_loop().call_soon_threadsafe(report)


async def asyncio_future_callback(report: Report) -> Any:
    future = asyncio.get_running_loop().create_future()
    future.add_done_callback(_ignoring_argument(report))
    future.set_result(None)
    return future


async def reader(report: Report) -> Any:
    loop = asyncio.get_running_loop()
    receiver, sender = os.pipe()

    def ready() -> None:
        loop.remove_reader(receiver)
        os.close(receiver)
        report()

    loop.add_reader(receiver, ready)
    os.write(sender, b"x")
    os.close(sender)


async def timer(report: Report) -> Any:
    return pkl.set_timeout(report, 0)


async def async_timer(report: Report) -> Any:
    async def callback() -> None:
        await asyncio.sleep(0)
        report()

    return pkl.set_timeout(callback, 0)


async def finaliser_of_a_syscalls_async_generator(report: Report) -> Any:
    @pkl.syscall
    async def items() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            report()

    async def takes_one() -> None:
        async for _ in items():
            break

    # Left suspended, and closed by the loop's hook, in a task that is nobody's.
    await asyncio.ensure_future(_as_nobody(takes_one))
    gc.collect()


async def bound_in_an_executor(report: Report) -> Any:
    return asyncio.get_running_loop().run_in_executor(None, pkl.bind(report))


async def _as_nobody(function: Callable[[], Any]) -> None:
    with running_as(None):
        await function()


async def _call(report: Report) -> None:
    await asyncio.sleep(0)
    report()


LOOPED: List[Callable[[Report], Any]] = [
    create_task,
    bare_task,
    ensure_future,
    gather,
    to_thread,
    threadsafe,
    call_soon,
    call_later,
    call_at,
    call_soon_threadsafe,
    asyncio_future_callback,
    reader,
    timer,
    async_timer,
    finaliser_of_a_syscalls_async_generator,
    bound_in_an_executor,
]
if sys.version_info >= (3, 11):
    LOOPED.append(task_group)


def on_a_loop(row: Callable[[Report], Any]) -> List[Any]:
    seen: List[Any] = []

    def report() -> None:
        plugin = pkl.get_current_plugin()
        seen.append(plugin.name if plugin is not None else None)

    async def main() -> None:
        # On the real clock, as timers on a fake one do not run by themselves.
        made = Synthetic(clock=RealClock(), stop_timeout=PATIENCE)
        plugin = made.add("a")
        await made.host.astart()
        pkl.set_default_host(made.host)
        with pkl.plugin_context(made.host, plugin):
            held = await row(report)
        while not seen:
            await asyncio.sleep(0.001)
        if hasattr(held, "__await__"):
            await held
        assert pkl.get_current_plugin() is None
        await made.host.aclose()
        pkl.set_default_host(None)

    with no_thread_left():
        asyncio.run(asyncio.wait_for(main(), PATIENCE))
    return seen


@pytest.mark.parametrize("row", LOOPED)
def test_what_a_loop_calls_has_the_right_plugin(row: Callable[[Report], Any]) -> None:
    assert on_a_loop(row) == ["a"]


def test_an_executor_of_a_loop_has_none(hosts: Synthetic) -> None:
    async def row(report: Report) -> Any:
        return asyncio.get_running_loop().run_in_executor(None, report)

    assert on_a_loop(row) == [None]


# What ``bind`` promises besides.


def test_a_bound_function_keeps_its_kind_and_is_refused_once_its_plugin_is_stopped(
    hosts: Synthetic,
) -> None:
    def body(module: Any) -> None:
        @pkl.bind
        def plain(a: int, b: int = 2) -> Any:
            """Adds."""
            return pkl.this.name, a + b

        @pkl.bind
        async def coroutine() -> str:
            await asyncio.sleep(0)
            return pkl.this.name

        module.plain, module.coroutine = plain, coroutine
        assert plain(1) == ("a", 3), "while it is loaded too"

    plugin = hosts.add("a", body).enable()
    plain, coroutine = plugin.module.plain, plugin.module.coroutine
    assert plain(1, b=4) == ("a", 5) and plain.__name__ == "plain" and plain.__doc__ == "Adds."
    assert asyncio.iscoroutinefunction(coroutine) and asyncio.run(coroutine()) == "a"
    plugin.disable()
    with pytest.raises(pkl.PluginNotRunning):
        plain(1)
    with pytest.raises(pkl.PluginNotRunning):
        asyncio.run(coroutine())
    with pkl.plugin_context(hosts.host, plugin), pytest.raises(pkl.PluginNotRunning):
        pkl.bind(print)
    with pytest.raises(pkl.HandlerRefused, match="cannot be called"):
        pkl.bind(3)  # type: ignore[arg-type]


def test_a_bound_call_in_flight_is_waited_for(hosts: Synthetic) -> None:
    begun, gate, trace = threading.Event(), threading.Event(), []

    def slow() -> None:
        begun.set()
        gate.wait(PATIENCE)
        trace.append("ended")

    plugin = hosts.add("a").enable()
    with pkl.plugin_context(hosts.host, plugin):
        bound = pkl.bind(slow)
        plugin.stopping.on_stop(gate.set)
    thread = threading.Thread(target=bound)
    thread.start()
    assert begun.wait(PATIENCE)
    plugin.disable()
    assert trace == ["ended"]
    thread.join(PATIENCE)


def test_what_the_host_binds_runs_as_the_host(hosts: Synthetic) -> None:
    plugin = hosts.add("a").enable()
    bound = pkl.bind(pkl.get_current_plugin)
    with pkl.plugin_context(hosts.host, plugin):
        assert bound() is None
