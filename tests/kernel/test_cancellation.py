"""Cancelling a transition at any of its awaits: it passes, and nothing is left half-way."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Awaitable, Callable, Iterator, List

import pytest

import pkl

from .conftest import state
from .running import PATIENCE
from .synthetic import Synthetic, check_settled


@pytest.fixture
def hosts() -> Iterator[Synthetic]:
    made = Synthetic(stop_timeout=PATIENCE)
    pkl.set_default_host(made.host)
    yield made
    made.host.close()
    check_settled(made.host)
    pkl.set_default_host(None)


class Slow(pkl.Resource):
    """A resource whose clean-up takes a few steps of the loop."""

    async def _acleanup(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)


def slow(module: Any) -> None:
    """A plugin that awaits something at every stage."""
    plugin = module.plugin
    module.steps = []
    plugin.host.resource_manager.register(Slow())

    async def handler() -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        module.steps.append(1)

    for stage in ("on_enable", "on_disable", "on_unload"):
        getattr(plugin, stage).subscribe(handler)

    @pkl.syscall
    async def call() -> None:
        await asyncio.sleep(0.005)

    module.call = call


async def cancelled_after(steps: int, operation: Callable[[], Awaitable[Any]]) -> bool:
    """Whether an operation was cut short by a cancellation after so many steps of the loop."""

    async def run() -> None:
        await operation()

    task = asyncio.ensure_future(run())
    for _ in range(steps):
        await asyncio.sleep(0)
        if task.done():
            await task
            return False
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return True
    return False


def test_cancelling_aenable_at_any_step_leaves_nothing_half_way(hosts: Synthetic) -> None:
    base = hosts.add("base", slow)
    top = hosts.add("top", slow, requires=["base"])
    cut: List[str] = []

    async def main() -> None:
        steps = 0
        while await cancelled_after(steps, top.aenable):
            check_settled(hosts.host)
            cut.append(f"{state(base)} {state(top)}")
            await top.aunload()
            await base.aunload()
            steps += 1
        assert state(top) == "enabled"

    asyncio.run(asyncio.wait_for(main(), 30))
    assert len(set(cut)) > 2, "at stages that differ"
    assert "enabled error" in cut, "the need is up, the plugin itself was cut short"


def test_cancelling_adisable_at_any_step_stops_the_plugin_all_the_same(hosts: Synthetic) -> None:
    """What has begun is ended: a plugin is never left half stopped."""
    base = hosts.add("base", slow)
    top = hosts.add("top", slow, requires=["base"])

    async def main() -> List[str]:
        cut = []
        steps = 0
        cancelled = True
        while cancelled:
            await top.aenable()
            call = asyncio.ensure_future(top.module.call())
            await asyncio.sleep(0)
            cancelled = await cancelled_after(steps, base.adisable)
            assert state(base) in ("enabled", "disabled"), steps
            cut.append(f"{state(base)} {state(top)}")
            with suppress(pkl.PluginNotRunning):  # where its being waited for was cut short
                await call
            check_settled(hosts.host)
            await base.aunload()
            steps += 1 + steps // 8
        return cut

    cut = asyncio.run(asyncio.wait_for(main(), 60))
    assert {"enabled enabled", "enabled disabled", "disabled disabled"} <= set(cut)


def test_cancelling_astart_at_any_step_can_be_followed_by_another(
    host: pkl.PluginHost, make: Any
) -> None:
    code = """
        import asyncio, pkl
        @pkl.this.on_enable.on
        async def start():
            for _ in range(3): await asyncio.sleep(0)
        """
    for name, requires in (("a", []), ("b", []), ("c", ["a", "b"]), ("d", ["c"])):
        make(name, code, requires=requires)

    async def main() -> None:
        steps = 0
        while await cancelled_after(steps, host.astart):
            check_settled(host)
            for plugin in reversed(host.all_plugins()):
                await plugin.aunload()
            steps += 1
        assert steps > 6
        assert all(state(p) == "enabled" for p in host.all_plugins())

    asyncio.run(asyncio.wait_for(main(), 30))


def test_cancelling_aclose_can_be_followed_by_another(hosts: Synthetic) -> None:
    for i in range(3):
        hosts.add(f"p{i}", slow)

    async def main() -> None:
        for plugin in hosts.host.all_plugins():
            await plugin.aenable()
        steps = 1
        while await cancelled_after(steps, hosts.host.aclose):
            check_settled(hosts.host)
            steps += 3
        assert hosts.host.closed

    asyncio.run(asyncio.wait_for(main(), 30))
    assert {state(p) for p in hosts.host.all_plugins()} == {"unloaded"}


def test_waiting_for_anothers_transition_can_be_cancelled(hosts: Synthetic) -> None:
    gate: List[asyncio.Event] = []

    def body(module: Any) -> None:
        async def wait() -> None:
            await gate[0].wait()

        module.plugin.on_enable.subscribe(wait)

    plugin = hosts.add("a", body)

    async def main() -> None:
        gate.append(asyncio.Event())
        first = asyncio.ensure_future(plugin.aenable())
        while state(plugin) != "enabling":
            await asyncio.sleep(0)
        for operation in (plugin.aenable, plugin.adisable, plugin.aunload):
            assert await cancelled_after(5, operation)
        assert not hosts.host.kernel.transitions._awaited
        gate[0].set()
        await first
        assert state(plugin) == "enabled"

    asyncio.run(asyncio.wait_for(main(), 30))


def test_a_blocking_call_on_the_loop_that_a_transition_needs_raises_at_once(
    hosts: Synthetic,
) -> None:
    """It would wait for a task that cannot run while it waits."""

    def body(module: Any) -> None:
        async def wait() -> None:
            await asyncio.sleep(0.05)

        module.plugin.on_enable.subscribe(wait)

    plugin = hosts.add("a", body)

    async def main() -> None:
        first = asyncio.ensure_future(plugin.aenable())
        while state(plugin) != "enabling":
            await asyncio.sleep(0)
        for operation in (plugin.enable, plugin.disable):
            with pytest.raises(pkl.TransitionDeadlock, match="async twin"):
                operation()
        await first

    asyncio.run(asyncio.wait_for(main(), 30))


def test_a_blocking_stop_does_not_wait_for_calls_that_its_own_thread_would_resume(
    hosts: Synthetic,
) -> None:
    plugin = hosts.add("a", slow)

    async def main() -> None:
        await plugin.aenable()
        call = asyncio.ensure_future(plugin.module.call())
        await asyncio.sleep(0)
        plugin.generation.handlers.pop("on_disable")
        with pytest.raises(pkl.CleanupError) as raised:
            plugin.disable(timeout=60)
        assert "event loop of the thread that stopped it" in str(raised.value)
        with pytest.raises(pkl.PluginNotRunning):
            await call

    asyncio.run(asyncio.wait_for(main(), 30))


@pytest.mark.parametrize("stage", ["on_enable", "on_disable"])
@pytest.mark.parametrize("blocking", [True, False])
def test_an_async_handler_may_act_on_its_own_plugin_within_its_transition(
    hosts: Synthetic, stage: str, blocking: bool
) -> None:
    """It is the same transition, whichever task or loop the handler runs on."""
    other = hosts.add("other")

    def body(module: Any) -> None:
        async def handler() -> None:
            await asyncio.sleep(0)
            await other.aenable()
            await module.plugin.adisable()

        getattr(module.plugin, stage).subscribe(handler)

    plugin = hosts.add("a", body)
    if blocking:
        plugin.enable()
        plugin.disable()
    else:

        async def main() -> None:
            await plugin.aenable()
            await plugin.adisable()

        asyncio.run(asyncio.wait_for(main(), 10))
    assert [state(p) for p in (plugin, other)] == ["disabled", "enabled"]


def test_a_handlers_own_cancelled_error_is_its_fault(hosts: Synthetic) -> None:
    def body(module: Any) -> None:
        async def handler() -> None:
            raise asyncio.CancelledError

        module.plugin.on_enable.subscribe(handler)

    plugin = hosts.add("a", body)

    async def main() -> None:
        with pytest.raises(pkl.PluginEnableError):
            await plugin.aenable()

    asyncio.run(main())
    assert state(plugin) == "error"
