"""``create_task``: coroutines as resources, cancelled when their plugin stops."""

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import Any, Awaitable, Callable, Iterator, List

import pytest

import pkl

from .running import PATIENCE, loop_in_thread, no_thread_left, overdue, wait_until
from .synthetic import Synthetic, check_settled


@pytest.fixture
def hosts() -> Iterator[Synthetic]:
    made = Synthetic(stop_timeout=PATIENCE)
    pkl.set_default_host(made.host)
    yield made
    if not made.host.closed:
        made.host.close()
    check_settled(made.host)
    pkl.set_default_host(None)


def run(main: Callable[[], Awaitable[Any]]) -> None:
    asyncio.run(asyncio.wait_for(main(), PATIENCE))


def faults_of(host: pkl.PluginHost) -> List[Any]:
    seen: List[Any] = []
    host.on_error.subscribe(seen.append)
    return seen


def test_a_task_runs_as_its_plugin_from_the_moment_it_is_live(hosts: Synthetic) -> None:
    trace: List[Any] = []

    def body(module: Any) -> None:
        async def work() -> str:
            trace.append(pkl.this.name)
            await asyncio.sleep(0)
            trace.append((pkl.this.state.value, asyncio.current_task().get_name()))  # type: ignore[union-attr]
            return "result"

        module.task = pkl.create_task(work(), name="the work")

    plugin = hosts.add("a", body)

    async def main() -> None:
        hosts.host.kernel.adopt_loop(asyncio.get_running_loop())
        hosts.host.load_plugin("a")
        for _ in range(5):
            await asyncio.sleep(0)
        task = plugin.module.task
        assert not trace and not task.running() and task.held, "staged"
        await plugin.aenable()
        assert await task == "result" and task.result() == "result"
        assert trace == ["a", ("enabled", "the work")]
        assert not hosts.host.resource_manager.get_resources(plugin), "it deregisters itself"
        assert pkl.get_current_plugin() is None and not plugin.generation.tasks

    run(main)


def test_an_error_goes_to_who_awaits_it_else_to_the_host(hosts: Synthetic) -> None:
    faults = faults_of(hosts.host)

    async def fails() -> None:
        raise ValueError("told")

    plugin = hosts.add("a")

    async def main() -> None:
        await hosts.host.astart()
        await plugin.aenable()
        with pkl.plugin_context(hosts.host, plugin):
            awaited, alone = pkl.create_task(fails()), pkl.create_task(fails(), name="alone")
        with pytest.raises(ValueError, match="told"):
            await awaited
        while not alone.done():
            await asyncio.sleep(0)
        assert [(f.plugin, f.where) for f in faults] == [(plugin, "task alone")]
        assert plugin.faults == 1 and isinstance(alone.exception(), ValueError)

    run(main)


@pytest.mark.parametrize(
    "error", [SystemExit(3), GeneratorExit(), asyncio.CancelledError(), StopAsyncIteration()]
)
def test_whatever_a_task_raises_by_itself_is_its_plugins_fault(
    hosts: Synthetic, error: BaseException
) -> None:
    faults = faults_of(hosts.host)
    plugin = hosts.add("a")

    async def fails() -> None:
        await asyncio.sleep(0)
        raise error

    async def main() -> None:
        await hosts.host.astart()
        await plugin.aenable()
        with pkl.plugin_context(hosts.host, plugin):
            task = pkl.create_task(fails())
        while not task.done():
            await asyncio.sleep(0)

    run(main)
    assert [type(f.error) for f in faults] == [type(error)] and faults[0].plugin is plugin


def test_a_polite_task_is_cancelled_when_its_plugin_stops(hosts: Synthetic) -> None:
    trace: List[Any] = []

    def body(module: Any) -> None:
        async def work() -> None:
            try:
                await asyncio.sleep(PATIENCE * 5)
            finally:
                await asyncio.sleep(0)
                trace.append((pkl.this.name, bool(pkl.this.stopping), bool(pkl.stop_token())))

        module.task = pkl.create_task(work())

    plugin = hosts.add("a", body)

    async def main() -> None:
        await hosts.host.astart()
        task = plugin.module.task
        while not task.running():
            await asyncio.sleep(0)
        await plugin.adisable()
        assert trace == [("a", True, True)]
        assert task.done() and task.cancelled()
        with pytest.raises(concurrent.futures.CancelledError):
            task.result()

    run(main)


def test_a_task_that_swallows_one_cancellation_is_cancelled_again(hosts: Synthetic) -> None:
    swallowed: List[int] = []

    def body(module: Any) -> None:
        async def work() -> None:
            try:
                await asyncio.sleep(PATIENCE * 5)
            except asyncio.CancelledError:
                swallowed.append(1)
            await asyncio.sleep(PATIENCE * 5)

        module.task = pkl.create_task(work())

    plugin = hosts.add("a", body)

    async def main() -> None:
        await hosts.host.astart()
        while not plugin.module.task.running():
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        await plugin.adisable(timeout=3.0)
        assert swallowed == [1] and plugin.state.value == "disabled"

    run(main)


def test_a_task_that_never_gives_in_is_named_with_the_line_it_hangs_at(hosts: Synthetic) -> None:
    let_go = False

    def body(module: Any) -> None:
        async def deeper() -> None:
            while not let_go:
                try:
                    await asyncio.sleep(0.001)  # the line
                except asyncio.CancelledError:
                    continue

        async def work() -> None:
            await deeper()

        module.task = pkl.create_task(work(), name="stubborn")

    plugin = hosts.add("a", body)

    async def main() -> None:
        nonlocal let_go
        await hosts.host.astart()
        task = plugin.module.task
        while not task.running():
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(pkl.CleanupError) as caught:
            await plugin.adisable(timeout=0.1)
        assert plugin.state.value == "disabled"
        (error,) = overdue(caught.value)
        assert error.details["tasks"] == ["stubborn"]
        assert error.message.startswith(
            "1 of what plugin 'a' 1.0 ran did not end within 0.1 s of being asked to; it was "
            "stopped all the same\n  task stubborn, at "
        )
        assert "test_tasks.py:" in error.message or "tasks.py:" in error.message
        assert error.hint == "let CancelledError pass in tasks"
        let_go = True
        while not task.done():
            await asyncio.sleep(0)

    run(main)


def test_a_task_that_sits_in_its_own_plugins_syscall_is_cancelled_not_waited_for(
    hosts: Synthetic,
) -> None:
    """The drain of calls leaves it alone; otherwise the deadline would pass twice."""

    def body(module: Any) -> None:
        @pkl.syscall
        async def forever() -> None:
            await asyncio.sleep(PATIENCE * 5)

        module.task = pkl.create_task(forever())
        module.forever = forever

    plugin = hosts.add("a", body)

    async def main() -> None:
        await hosts.host.astart()
        while not plugin.generation.async_calls:
            await asyncio.sleep(0)
        await plugin.adisable(timeout=PATIENCE)

    run(main)


def test_a_task_that_stops_its_own_plugin_ends_by_itself(hosts: Synthetic) -> None:
    trace: List[Any] = []
    plugin = hosts.add("a")

    async def suicide() -> None:
        await pkl.this.adisable()
        trace.append(plugin.state.value)
        await asyncio.sleep(0)
        trace.append("went on")

    async def main() -> None:
        await hosts.host.astart()
        with pkl.plugin_context(hosts.host, plugin):
            task = pkl.create_task(suicide())
        await task

    run(main)
    assert trace == ["disabled", "went on"]


def test_a_task_that_awaits_a_task_that_stops_the_plugin_hangs_nobody(hosts: Synthetic) -> None:
    plugin = hosts.add("a")

    async def outer() -> None:
        await asyncio.create_task(plugin.adisable())

    async def main() -> None:
        await hosts.host.astart()
        with pkl.plugin_context(hosts.host, plugin):
            task = pkl.create_task(outer())
        await asyncio.wait([asyncio.wrap_future(task)])
        assert plugin.state.value == "disabled"

    run(main)


def test_a_task_needs_a_loop_a_coroutine_and_a_running_plugin(hosts: Synthetic) -> None:
    async def work() -> None: ...

    with pytest.raises(pkl.PklError, match="the host has none"):
        pkl.create_task(work())
    with pytest.raises(pkl.HandlerRefused, match="takes a coroutine") as caught:
        pkl.create_task(work)  # type: ignore[arg-type]
    assert caught.value.hint == "call the async function: create_task(work())"
    plugin = hosts.add("a")

    async def main() -> None:
        await hosts.host.astart()
        with pkl.plugin_context(hosts.host, plugin):
            await plugin.adisable()
            with pytest.raises(pkl.PluginNotRunning):
                pkl.create_task(work())

    run(main)


def test_waiting_for_a_task_that_begins_only_once_one_is_enabled_is_refused(
    hosts: Synthetic,
) -> None:
    async def work() -> None: ...

    def body(module: Any) -> None:
        task = pkl.create_task(work())
        with pytest.raises(pkl.WorkDeadlock, match=r"begins when plugin 'a' 1\.0 is enabled"):
            task.result()
        module.refused = True

    plugin = hosts.add("a", body)

    async def main() -> None:
        await hosts.host.astart()
        assert plugin.module.refused

    run(main)


def test_a_task_of_a_plugin_that_is_never_enabled_never_runs(hosts: Synthetic) -> None:
    def body(module: Any) -> None:
        async def work() -> None:
            raise AssertionError

        module.task = pkl.create_task(work())

    plugin = hosts.add("a", body)

    async def main() -> None:
        hosts.host.kernel.adopt_loop(asyncio.get_running_loop())
        hosts.host.load_plugin("a")
        task = plugin.module.task
        await plugin.aunload()
        assert task.cancelled()
        await asyncio.sleep(0)

    run(main)


def test_tasks_are_stopped_from_other_threads_and_results_reach_them(hosts: Synthetic) -> None:
    with no_thread_left(), loop_in_thread() as loop:
        host = pkl.PluginHost(loop=loop, stop_timeout=PATIENCE)

        async def answer() -> int:
            await asyncio.sleep(0)
            return 7

        async def endless() -> None:
            await asyncio.sleep(PATIENCE * 5)

        with host.as_current():
            assert pkl.create_task(answer()).result(PATIENCE) == 7
            task = pkl.create_task(endless())
            wait_until(task.running)
        host.close()
        assert task.cancelled()


def test_a_loop_that_is_closed_under_a_task_is_no_reason_to_wait(hosts: Synthetic) -> None:
    loop = asyncio.new_event_loop()
    host = pkl.PluginHost(loop=loop)
    closed: List[str] = []

    async def endless() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            closed.append("closed")

    with host.as_current():
        task = pkl.create_task(endless())
    loop.run_until_complete(asyncio.sleep(0.001))
    assert task.running()
    loop.close()
    host.close()
    assert closed == ["closed"] and task.cancelled()
    with host.as_current(), pytest.raises(pkl.PklError, match="has none"):
        pkl.create_task(endless())


def test_what_a_resource_registered_before_a_task_holds_outlives_the_task(
    hosts: Synthetic,
) -> None:
    """Reverse order of registration: the task has ended before what it uses is taken away."""
    trace: List[str] = []

    class Connection(pkl.Resource):
        def _cleanup(self) -> None:
            trace.append("connection closed")

    def body(module: Any) -> None:
        module.plugin.host.resource_manager.register(Connection())

        async def work() -> None:
            try:
                await asyncio.sleep(PATIENCE * 5)
            finally:
                for _ in range(3):
                    await asyncio.sleep(0)
                trace.append("task ended")

        module.task = pkl.create_task(work())

    plugin = hosts.add("a", body)

    async def main() -> None:
        await hosts.host.astart()
        while not plugin.module.task.running():
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        await plugin.adisable()

    run(main)
    assert trace == ["task ended", "connection closed"]


def test_cancelling_who_awaits_a_task_cancels_it_and_the_callbacks_run_as_who_added_them(
    hosts: Synthetic,
) -> None:
    seen: List[Any] = []
    faults = faults_of(hosts.host)
    plugin = hosts.add("a")

    async def endless() -> None:
        await asyncio.sleep(PATIENCE * 5)

    def called(future: Any) -> None:
        seen.append(pkl.this.name)
        raise ValueError

    async def main() -> None:
        await hosts.host.astart()
        with pkl.plugin_context(hosts.host, plugin):
            task = pkl.create_task(endless())
            task.add_done_callback(called)

        async def waits() -> None:
            await task

        waiting = asyncio.ensure_future(waits())
        while not task.running():
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting, asyncio.wrap_future(task)])
        assert task.cancelled() and seen == ["a"]
        assert "called" in faults[0].where

    run(main)
