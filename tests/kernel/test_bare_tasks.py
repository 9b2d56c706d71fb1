"""Bare ``asyncio.create_task`` in a plugin, on the host's loop: known to pkl, cancelled with it."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Awaitable, Callable, Iterator, List

import pytest

import pkl
from pkl.kernel.runner import AsyncRunner

from .running import PATIENCE, overdue
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


async def endless(ended: List[str], name: str = "") -> None:
    try:
        await asyncio.sleep(PATIENCE * 5)
    finally:
        ended.append(name or pkl.this.name)


def create_task(ended: List[str]) -> Any:
    return asyncio.create_task(endless(ended))


def ensure_future(ended: List[str]) -> Any:
    return asyncio.ensure_future(endless(ended))


def gather(ended: List[str]) -> Any:
    return asyncio.gather(endless(ended), endless(ended))


def from_a_callback(ended: List[str]) -> Any:
    loop = asyncio.get_running_loop()
    return loop.call_soon(lambda: loop.create_task(endless(ended)))


def threadsafe(ended: List[str]) -> Any:
    return asyncio.run_coroutine_threadsafe(endless(ended), asyncio.get_running_loop())


def group(ended: List[str]) -> Any:
    async def grouped() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(endless(ended))

    return asyncio.create_task(grouped())


WAYS: List[Callable[[List[str]], Any]] = [
    create_task,
    ensure_future,
    gather,
    from_a_callback,
    threadsafe,
]
if sys.version_info >= (3, 11):
    WAYS.append(group)


@pytest.mark.parametrize("way", WAYS)
def test_what_a_plugin_left_running_is_cancelled_with_it(
    hosts: Synthetic, way: Callable[[List[str]], Any]
) -> None:
    ended: List[str] = []
    other: List[str] = []
    plugin = hosts.add("a")
    bystander = hosts.add("b")

    async def main() -> None:
        await hosts.host.astart()
        with pkl.plugin_context(hosts.host, bystander):
            kept = asyncio.ensure_future(endless(other))
        with pkl.plugin_context(hosts.host, plugin):
            held = way(ended)
        mine = asyncio.ensure_future(endless(other, "the application"))
        for _ in range(10):
            await asyncio.sleep(0)
        assert plugin.generation.tasks
        await plugin.adisable()
        assert ended and set(ended) == {"a"} and not other and held is not None
        assert not plugin.generation.tasks
        for task in (kept, mine):
            task.cancel()
        await asyncio.wait([kept, mine])

    run(main)


def test_a_task_that_ended_a_moment_ago_is_not_held_any_more(
    hosts: Synthetic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits sees that a task is done before the loop has run its callbacks."""

    async def pause(runner: AsyncRunner, seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(AsyncRunner, "pause", pause)
    ended: List[str] = []
    plugin = hosts.add("a")

    async def main() -> None:
        await hosts.host.astart()
        with pkl.plugin_context(hosts.host, plugin):
            task = create_task(ended)
        await asyncio.sleep(0)
        await plugin.adisable()
        assert task.done() and ended == ["a"]
        assert not plugin.generation.tasks

    run(main)


def test_a_task_created_in_a_syscall_belongs_to_the_plugin_current_there(
    hosts: Synthetic,
) -> None:
    ended: List[str] = []

    def body(module: Any) -> None:
        @pkl.syscall
        def spawn() -> Any:
            return asyncio.ensure_future(endless(ended))

        module.spawn = spawn

    owner, caller = hosts.add("owner", body), hosts.add("caller")

    async def main() -> None:
        await hosts.host.astart()
        with pkl.plugin_context(hosts.host, caller):
            task = owner.module.spawn()
        await asyncio.sleep(0)
        assert task in owner.generation.tasks and not caller.generation.tasks
        await caller.adisable()
        assert not task.done()
        await owner.adisable()
        assert ended == ["owner"]

    run(main)


def test_a_stubborn_bare_task_is_named_with_its_line(hosts: Synthetic) -> None:
    stop = False
    plugin = hosts.add("a")

    async def stubborn() -> None:
        while not stop:
            try:
                await asyncio.sleep(0.001)
            except asyncio.CancelledError:
                continue

    async def main() -> None:
        nonlocal stop
        await hosts.host.astart()
        with pkl.plugin_context(hosts.host, plugin):
            task = asyncio.ensure_future(stubborn())
            task.set_name("bare and stubborn")
        await asyncio.sleep(0)
        with pytest.raises(pkl.CleanupError) as caught:
            await plugin.adisable(timeout=0.05)
        (error,) = overdue(caught.value)
        assert error.details["tasks"] == ["bare and stubborn"]
        assert "task bare and stubborn, at " in error.message
        stop = True
        await task

    run(main)


def test_tasks_that_cancelled_tasks_start_while_the_plugin_stops_are_cancelled_at_once(
    hosts: Synthetic,
) -> None:
    ran: List[str] = []
    kept: List[Any] = []
    plugin = hosts.add("a")

    async def never() -> None:
        ran.append("never")

    async def hydra() -> None:
        try:
            await asyncio.sleep(PATIENCE * 5)
        finally:
            ran.append("hydra")
            kept.append(asyncio.ensure_future(never()))
            with pytest.raises(pkl.PluginNotRunning):
                pkl.create_task(never())

    async def main() -> None:
        await hosts.host.astart()
        with pkl.plugin_context(hosts.host, plugin):
            kept.append(asyncio.ensure_future(hydra()))
        await asyncio.sleep(0)
        await plugin.adisable()
        await asyncio.sleep(0)
        assert ran == ["hydra"] and all(task.cancelled() for task in kept)

    run(main)


@pytest.mark.parametrize("blocking", [False, True])
def test_a_clean_up_may_create_tasks_to_do_its_work(hosts: Synthetic, blocking: bool) -> None:
    """``asyncio.wait_for`` makes one before Python 3.12."""
    trace: List[str] = []

    async def flush() -> None:
        await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))
        trace.append("flushed")

    class Buffer(pkl.Resource):
        async def _acleanup(self) -> None:
            await asyncio.wait_for(asyncio.ensure_future(flush()), PATIENCE)
            self.task = asyncio.ensure_future(endless(trace, "left behind"))
            await asyncio.sleep(0)

    def body(module: Any) -> None:
        module.plugin.host.resource_manager.register(Buffer())

    plugin = hosts.add("a", body)

    async def main() -> None:
        await hosts.host.astart()
        if blocking:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, plugin.disable)
        else:
            await plugin.adisable()

    run(main)
    assert trace == ["flushed", "left behind"]


def test_the_applications_task_factory_is_called_and_comes_back(hosts: Synthetic) -> None:
    made: List[Any] = []
    plugin = hosts.add("a")

    def factory(loop: Any, coro: Any, **options: Any) -> Any:
        task = asyncio.Task(coro, loop=loop, **options)
        made.append(task)
        return task

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(factory)
        await hosts.host.astart()
        other = Synthetic()
        await other.host.astart()
        with pkl.plugin_context(hosts.host, plugin):
            task = asyncio.ensure_future(asyncio.sleep(0))
        assert made[-1] is task and task in plugin.generation.tasks
        await task
        await hosts.host.aclose()
        assert loop.get_task_factory() is not factory, "the other host still follows it"
        await other.host.aclose()
        assert loop.get_task_factory() is factory

    run(main)


def test_a_factory_that_the_application_sets_around_is_left_alone(hosts: Synthetic) -> None:
    plugin = hosts.add("a")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        await hosts.host.astart()
        inner: Any = loop.get_task_factory()

        def around(loop: Any, coro: Any, **options: Any) -> Any:
            return inner(loop, coro, **options)

        loop.set_task_factory(around)
        with pkl.plugin_context(hosts.host, plugin):
            task = asyncio.ensure_future(asyncio.sleep(0))
        assert task in plugin.generation.tasks
        await hosts.host.aclose()
        assert loop.get_task_factory() is around
        await asyncio.ensure_future(asyncio.sleep(0))
        again = Synthetic()
        again_plugin = again.add("b")
        await again.host.astart()
        with pkl.plugin_context(again.host, again_plugin):
            task = asyncio.ensure_future(asyncio.sleep(0))
        assert task in again_plugin.generation.tasks
        await task
        await again.host.aclose()

    run(main)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks are new in 3.12")
def test_eager_tasks_are_fine(hosts: Synthetic) -> None:
    ended: List[str] = []
    plugin = hosts.add("a")

    async def at_once() -> str:
        return pkl.this.name

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(vars(asyncio)["eager_task_factory"])
        await hosts.host.astart()
        with pkl.plugin_context(hosts.host, plugin):
            done = asyncio.create_task(at_once())
            held = pkl.create_task(at_once())
            left = asyncio.create_task(endless(ended))
        assert done.done() and done.result() == "a"
        assert await held == "a" and len(plugin.generation.tasks) == 1
        await plugin.adisable()
        assert ended == ["a"] and left.cancelled()
        loop.set_task_factory(None)

    run(main)
