"""``aclose``: layers in reverse, the plugins of one together, all within ``close_timeout``."""

from __future__ import annotations

import asyncio
from typing import Any, Awaitable, Callable, Dict, List, Set, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pkl
from pkl.host.stop_layers import stop_layers

from .running import PATIENCE, no_thread_left, overdue
from .synthetic import Synthetic, check_settled


def run(main: Callable[[], Awaitable[Any]]) -> None:
    with no_thread_left():
        asyncio.run(asyncio.wait_for(main(), PATIENCE))


def layers_of(host: pkl.PluginHost) -> List[List[str]]:
    rows = sorted(host.all_plugins(), key=lambda p: -p.started)
    return [sorted(p.name for p in layer) for layer in stop_layers(host.kernel, rows)]


def test_the_plugins_of_a_layer_are_stopped_together() -> None:
    """Each waits in on_disable for the other; one after the other would never end."""
    hosts = Synthetic(stop_timeout=PATIENCE)
    arrived: List[str] = []

    def body(module: Any) -> None:
        async def stop() -> None:
            arrived.append(module.plugin.name)
            while len(arrived) < 2:
                await asyncio.sleep(0)

        module.plugin.on_disable.subscribe(stop)

    hosts.add("a", body)
    hosts.add("b", body)
    hosts.add("base")

    async def main() -> None:
        async with hosts.host:
            await hosts.host.astart()

    run(main)
    assert sorted(arrived) == ["a", "b"]
    check_settled(hosts.host)


def test_every_kind_of_edge_makes_a_layer() -> None:
    hosts = Synthetic()
    hosts.add("base")
    hosts.add("needs", requires=["base"])
    hosts.add("wants", wants=["needs"])
    hosts.add("after", after=["wants"])
    hosts.add("alone")
    hosts.add("early", before=["base"])
    assert hosts.host.start().ok
    parent = hosts.host.get_plugin("alone")
    hosts.add("child", parent=parent).enable()
    hosts.add("idle")
    assert layers_of(hosts.host) == [
        ["after", "child"],
        ["alone", "wants"],
        ["needs"],
        ["base"],
        ["early"],
        ["idle"],
    ]
    hosts.host.close()


def test_those_who_would_not_die_are_named_within_the_bound_and_the_rest_is_stopped() -> None:
    hosts = Synthetic(stop_timeout=PATIENCE, close_timeout=0.3)
    stop = False

    def stubborn(module: Any) -> None:
        async def hang() -> None:
            while not stop:
                try:
                    await asyncio.sleep(0.001)
                except asyncio.CancelledError:
                    continue

        module.task = pkl.create_task(hang(), name=f"hang of {module.plugin.name}")

    tops = [hosts.add(name, stubborn, requires=["base"]) for name in ("a", "b", "c")]
    base = hosts.add("base")
    other = hosts.add("other")

    async def main() -> None:
        nonlocal stop
        await hosts.host.astart()
        tasks = [top.module.task for top in tops]
        while not all(task.running() for task in tasks):
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(pkl.CleanupError) as caught:
            await hosts.host.aclose()
        assert [e.details["tasks"] for e in overdue(caught.value)] == [
            ["hang of c"],
            ["hang of b"],
            ["hang of a"],
        ]
        assert hosts.host.closed and {p.state.value for p in (*tops, base, other)} == {"unloaded"}
        stop = True
        await asyncio.wait([asyncio.wrap_future(task) for task in tasks])

    run(main)


def test_cancelling_aclose_stops_every_plugin_all_the_same() -> None:
    hosts = Synthetic(stop_timeout=PATIENCE)
    stopping: List[str] = []

    def slow(module: Any) -> None:
        async def stop() -> None:
            stopping.append(module.plugin.name)
            await asyncio.sleep(PATIENCE * 5)

        module.plugin.on_disable.subscribe(stop)

    for name in ("a", "b"):
        hosts.add(name, slow, requires=["base"])
    hosts.add("base")

    async def main() -> None:
        await hosts.host.astart()
        closing = asyncio.ensure_future(hosts.host.aclose())
        while len(stopping) < 2:
            await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        await hosts.host.aclose()

    run(main)
    assert {p.state.value for p in hosts.host.all_plugins()} <= {"disabled", "unloaded"}
    check_settled(hosts.host)


@st.composite
def graphs(draw: Any) -> Dict[str, Tuple[Set[str], Set[str], Set[str]]]:
    """Plugins by name: what each requires, wants, and starts after, without circles."""
    names = [f"p{n}" for n in range(draw(st.integers(1, 9)))]
    return {
        name: tuple(draw(st.sets(st.sampled_from(names[:i]))) if i else set() for _ in range(3))
        for i, name in enumerate(names)
    }


@settings(max_examples=25, deadline=None)
@given(graphs())
def test_whatever_the_graph_nobody_is_stopped_before_who_builds_on_him(
    graph: Dict[str, Tuple[Set[str], Set[str], Set[str]]],
) -> None:
    hosts = Synthetic(stop_timeout=PATIENCE)
    trace: List[Tuple[str, str]] = []

    def body(module: Any) -> None:
        name = module.plugin.name

        async def enable() -> None:
            await asyncio.sleep(0)
            trace.append(("up", name))

        async def disable() -> None:
            trace.append(("stopping", name))
            await asyncio.sleep(0)
            trace.append(("stopped", name))

        module.plugin.on_enable.subscribe(enable)
        module.plugin.on_disable.subscribe(disable)

    for name, (requires, wants, after) in graph.items():
        lists: Dict[str, Any] = {
            "requires": sorted(requires),
            "wants": sorted(wants),
            "after": sorted(after),
        }
        hosts.add(name, body, **lists)

    async def main() -> None:
        async with hosts.host:
            assert (await hosts.host.astart()).ok

    asyncio.run(asyncio.wait_for(main(), PATIENCE))
    for name, (requires, wants, after) in graph.items():
        for earlier in requires | wants | after:
            assert trace.index(("up", earlier)) < trace.index(("up", name))
            assert trace.index(("stopped", name)) < trace.index(("stopping", earlier)), trace
    check_settled(hosts.host)
