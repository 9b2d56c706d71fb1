"""Async: events, lifecycle handlers, tasks, astart and aclose, context across tasks."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, List

import pytest

import pkl

from .conftest import Make, enabled, state

EVENTS = """
import asyncio, pkl
from pkl import event
trace = []
@event
async def plain(x):
    trace.append(("body", pkl.this.name))
@event(errors="raise")
async def around(x):
    trace.append("before")
    try:
        yield
    except Exception as error:
        trace.append(type(error).__name__)
        raise
    finally:
        trace.append("after")
@event
def sync(x): pass
"""


def test_async_events_are_awaited_and_run_async_and_sync_handlers(
    host: pkl.PluginHost, make: Make
) -> None:
    a = enabled(host, make("a", EVENTS))
    b = enabled(
        host,
        make(
            "b",
            """
            import asyncio, pkl
            from pkl.plugins import a
            @a.plain.on
            async def one(x):
                await asyncio.sleep(0)
                a.trace.append(("async", x, pkl.this.name))
            @a.plain.on
            def two(x): a.trace.append(("sync", x, pkl.this.name))
            @a.plain.on
            async def three(x): raise ValueError
            """,
            requires=["a"],
        ),
    )

    async def main() -> None:
        await a.module.plain(1)
        assert pkl.get_current_plugin() is None

    asyncio.run(main())
    assert a.module.trace == [("body", "a"), ("async", 1, "b"), ("sync", 1, "b")]
    assert b.faults == 1


def test_an_async_generator_event_sees_the_gathered_errors(
    host: pkl.PluginHost, make: Make
) -> None:
    a = enabled(host, make("a", EVENTS))

    async def fails(x: int) -> None:
        raise ValueError

    a.module.around.subscribe(fails)
    with pytest.raises(pkl.HandlerErrors):
        asyncio.run(a.module.around(1))
    assert a.module.trace == ["before", "HandlerErrors", "after"]


def test_cancelling_the_caller_passes_through_and_a_handlers_own_cancellation_does_not(
    host: pkl.PluginHost, make: Make
) -> None:
    a = enabled(host, make("a", EVENTS))
    seen: List[str] = []

    async def own(x: int) -> None:
        raise asyncio.CancelledError

    async def slow(x: int) -> None:
        seen.append("slow")
        await asyncio.sleep(60)

    async def main() -> None:
        a.module.plain.subscribe(own)
        await a.module.plain(1)
        a.module.plain.subscribe(slow)
        task = asyncio.create_task(a.module.plain(1))
        while not seen:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert seen == ["slow"]


def test_astart_and_aclose_await_async_lifecycle_handlers(host: pkl.PluginHost, make: Make) -> None:
    code = """
    import asyncio, pkl
    trace = []
    host = pkl.this.host
    class R(pkl.Resource):
        async def _acleanup(self):
            await asyncio.sleep(0)
            host.trace.append(("acleanup", pkl.this.name))
    host.resource_manager.register(R())
    @pkl.this.on_enable.on
    async def start():
        await asyncio.sleep(0)
        host.trace.append(("enable", pkl.this.name))
    @pkl.this.on_disable.on
    async def stop():
        await asyncio.sleep(0)
        host.trace.append(("disable", pkl.this.name))
    """
    make("a", code)
    make("b", code, requires=["a"])
    trace: List[Any] = []
    host.trace = trace  # type: ignore[attr-defined]

    async def main() -> None:
        async with host:
            report = await host.astart()
            assert report.enabled == ("a", "b")

    asyncio.run(main())
    assert trace == [
        ("enable", "a"),
        ("enable", "b"),
        ("disable", "b"),
        ("acleanup", "b"),
        ("disable", "a"),
        ("acleanup", "a"),
    ]


def test_the_plugins_of_a_layer_are_started_together(host: pkl.PluginHost, make: Make) -> None:
    """Each waits in on_enable for the other; one after the other would never end."""
    for name in "ab":
        make(
            name,
            """
            import asyncio, pkl
            host = pkl.this.host
            @pkl.this.on_enable.on
            async def start():
                host.arrived.append(1)
                while len(host.arrived) < 2: await asyncio.sleep(0)
            """,
        )
    host.arrived = []  # type: ignore[attr-defined]

    async def main() -> pkl.StartReport:
        return await asyncio.wait_for(host.astart(), 20)

    assert asyncio.run(main()).ok


def test_blocking_enable_runs_async_handlers_too_but_not_on_a_running_loop(
    host: pkl.PluginHost, make: Make
) -> None:
    code = (
        "import asyncio, pkl\nran = []\n@pkl.this.on_enable.on\nasync def f():\n"
        "    await asyncio.sleep(0)\n    ran.append(pkl.this.name)"
    )
    assert enabled(host, make("a", code)).module.ran == ["a"]

    async def main() -> None:
        plugin = host.load_plugin(path=make("b", code))
        with pytest.raises(pkl.PluginEnableError, match="aenable"):
            plugin.enable()
        await plugin.aenable()
        assert plugin.module.ran == ["b"]

    asyncio.run(main())


def test_an_async_handler_of_a_sync_event_can_be_a_task(
    host: pkl.PluginHost, make: Make, faults: List[Any]
) -> None:
    a = enabled(host, make("a", EVENTS))
    seen: List[Any] = []

    async def later(x: int) -> None:
        await asyncio.sleep(0)
        seen.append((x, pkl.get_current_plugin()))
        raise ValueError(x)

    async def main() -> None:
        await host.astart()
        a.module.sync.on(task=True)(later)
        a.module.sync(3)
        assert seen == [], "it is not awaited"
        while not faults:
            await asyncio.sleep(0)

    asyncio.run(main())
    assert seen == [(3, None)] and "a.sync" in faults[0].where


def test_tasks_of_a_plugin_are_cancelled_with_it(host: pkl.PluginHost, make: Make) -> None:
    path = make(
        "a",
        """
        import asyncio, pkl
        ended = pkl.this.host.ended
        @pkl.event
        def go(): pass
        @go.on(task=True)
        async def work():
            try:
                await asyncio.sleep(60)
            finally:
                ended.append(pkl.this.name)
        """,
    )
    ended: List[str] = []
    host.ended = ended  # type: ignore[attr-defined]

    async def main() -> None:
        await host.astart()
        plugin = host.load_plugin(path=path)
        await plugin.aenable()
        plugin.module.go()
        await asyncio.sleep(0.01)
        assert len(host.resource_manager.get_resources(plugin)) == 2
        await plugin.adisable()
        await asyncio.sleep(0.01)
        assert state(plugin) == "disabled"

    asyncio.run(main())
    assert ended == ["a"]


def test_timers_run_on_the_hosts_loop_if_it_has_one(make: Make) -> None:
    path = make(
        "a",
        """
        import asyncio, pkl, threading
        seen = []
        def plain(): seen.append((threading.get_ident(), pkl.this.name))
        async def coroutine():
            await asyncio.sleep(0)
            seen.append((threading.get_ident(), pkl.this.name))
        pkl.set_timeout(plain, 0)
        pkl.set_timeout(coroutine, 0)
        """,
    )

    async def main() -> None:
        async with pkl.PluginHost() as host:
            await host.astart()
            plugin = host.load_plugin(path=path)
            await plugin.aenable()
            while len(plugin.module.seen) < 2:
                await asyncio.sleep(0.001)
            assert plugin.module.seen == [(threading.get_ident(), "a")] * 2

    asyncio.run(asyncio.wait_for(main(), 20))


def test_the_current_plugin_is_right_across_interleaved_tasks_and_threads(
    host: pkl.PluginHost, make: Make
) -> None:
    code = """
    import asyncio, pkl
    @pkl.syscall
    async def work(n):
        for _ in range(n):
            assert pkl.this.name == "%s"
            await asyncio.sleep(0)
            await asyncio.create_task(inner())
        await asyncio.to_thread(check) if hasattr(asyncio, "to_thread") else None
        return pkl.this.name
    async def inner(): assert pkl.this.name == "%s"
    def check(): assert pkl.this.name == "%s"
    """
    plugins = [enabled(host, make(n, code % (n, n, n))) for n in "abc"]

    async def main() -> List[str]:
        return list(await asyncio.gather(*(p.module.work(20) for p in plugins for _ in range(5))))

    assert asyncio.run(main()) == [p.name for p in plugins for _ in range(5)]
