"""The life cycle under chosen interleavings of threads and tasks, with failures at every stage.

The threads take turns at every line of the kernel's life cycle, so that an example is the same
at every run. ``PKL_EXAMPLES`` (a factor, 1 by default) makes them more.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import ExitStack
from random import Random
from typing import Any, Callable, Dict, List, Optional, Tuple

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

import pkl
from pkl import PluginState
from pkl.kernel import lifecycle, loading, runner, stopping, teardown
from tests.turns import TurnCondition, TurnLock, Turns, replaced

from .synthetic import Synthetic, check_settled

FACTOR = int(os.environ.get("PKL_EXAMPLES", "1"))
FILES = [str(m.__file__) for m in (lifecycle, loading, stopping, teardown)]
COUNT = 4
STAGES = ["import", "on_enable", "on_disable", "on_unload", "cleanup", "handler"]
RUNNING = (PluginState.ENABLING, PluginState.ENABLED)

Act = Tuple[str, int]
acts = st.lists(
    st.tuples(
        st.sampled_from(["enable", "enable", "disable", "unload", "load", "emit", "subscribe"]),
        st.integers(0, COUNT - 1),
    ),
    min_size=1,
    max_size=4,
)


class Held(pkl.Resource):
    """A resource that knows how often it was cleaned up."""

    def __init__(self, scene: "Scene", plugin: pkl.Plugin) -> None:
        super().__init__(plugin)
        self.scene = scene
        self.cleaned = 0

    def _cleanup(self) -> None:
        self.cleaned += 1
        self.scene.at("cleanup", self.plugin)


class Scene:
    """A host of plugins that require each other, and what is found wrong with them."""

    def __init__(
        self, turns: Turns, requires: List[List[int]], children: List[bool], faults: List[Any]
    ) -> None:
        self.turns = turns
        self.faults = list(faults)
        self.problems: List[str] = []
        self.held: List[Held] = []
        self.synthetic = Synthetic(stop_timeout=30.0, transition_timeout=60.0)
        self.host = self.synthetic.host
        self.plugins: List[pkl.Plugin] = []
        for number, needs in enumerate(requires):
            parent = self.plugins[number - 1] if children[number] and number else None
            names = [f"p{n}" for n in dict.fromkeys(needs) if n < number]
            plugin = self.synthetic.add(f"p{number}", self.body, parent, requires=names)
            self.plugins.append(plugin)
        self.host.add_enable_hook(self.was_enabled)

    def at(self, stage: str, plugin: Optional[pkl.Plugin]) -> None:
        """Code of a plugin: lets others on, and fails if it is to fail here."""
        if pkl.get_current_plugin() is not plugin or plugin is None:
            self.problems.append(f"{stage} of {plugin} runs as {pkl.get_current_plugin()}")
            return
        self.turns.next()
        fault = (stage, int(plugin.name[1:]))
        if fault in self.faults:
            self.faults.remove(fault)
            raise ValueError(f"{stage} of {plugin.name}")

    def body(self, module: Any) -> None:
        plugin: pkl.Plugin = module.plugin
        held = Held(self, plugin)
        self.held.append(held)
        self.host.resource_manager.register(held)

        @pkl.event
        def happened() -> None: ...

        module.happened = happened

        def stops() -> None:
            users = [p for p in self.plugins if plugin in p.needs and p.state in RUNNING]
            if users:
                self.problems.append(f"{plugin} stops before {users}")
            self.at("on_disable", plugin)

        plugin.on_enable.subscribe(lambda: self.at("on_enable", plugin))
        plugin.on_disable.subscribe(stops)
        plugin.on_unload.subscribe(lambda: self.at("on_unload", plugin))
        happened.subscribe(self.handler(plugin))
        self.at("import", plugin)

    def handler(self, plugin: pkl.Plugin) -> Callable[[], None]:
        generation = plugin.generation

        def handle() -> None:
            if not generation.live:
                self.problems.append(f"a handler of {generation} is called, which is stopped")
            self.at("handler", plugin)

        return handle

    def was_enabled(self, plugin: pkl.Plugin) -> None:
        if any(need.state is not PluginState.ENABLED for need in plugin.needs):
            self.problems.append(f"{plugin} runs and what it requires does not")

    def subscribe(self, plugin: pkl.Plugin, to: pkl.Plugin) -> None:
        happened = getattr(to.module, "happened", None)
        if happened is not None:
            with pkl.plugin_context(self.host, plugin):
                happened.subscribe(self.handler(plugin))

    def do(self, act: str, plugin: pkl.Plugin) -> None:
        with self.host.as_current():
            if act == "load":
                self.host.load_plugin(plugin.name)
            elif act == "emit":
                getattr(plugin.module, "happened", bool)()
            elif act == "subscribe":
                self.subscribe(plugin, self.plugins[0])
            else:
                getattr(plugin, act)()

    async def ado(self, act: str, plugin: pkl.Plugin) -> None:
        if act in ("enable", "disable", "unload"):
            await getattr(plugin, f"a{act}")()
        else:
            self.do(act, plugin)

    def thread(self, wanted: List[Act]) -> Callable[[], None]:
        def work() -> None:
            for act, number in wanted:
                try:
                    self.do(act, self.plugins[number])
                except pkl.TransitionTimeout:
                    raise
                except pkl.PklError:
                    continue

        return work

    def loop(self, tasks: List[List[Act]]) -> Callable[[], None]:
        async def work(wanted: List[Act]) -> None:
            for act, number in wanted:
                try:
                    await self.ado(act, self.plugins[number])
                except pkl.TransitionTimeout:
                    raise
                except pkl.PklError:
                    continue

        async def main() -> None:
            await asyncio.gather(*map(work, tasks))

        return lambda: asyncio.run(main())

    def check(self) -> None:
        """What holds once everybody is done."""
        assert not self.problems, self.problems
        check_settled(self.host)
        assert {p.desired for p in self.plugins} == {pkl.Desired.ENABLED}
        for held in self.held:
            assert held.cleaned == (0 if held.held else 1), held.plugin
            assert held.held == (not held._subject.dead), held.plugin
        live: Dict[Any, int] = {p.generation: 0 for p in self.plugins}
        for plugin in self.plugins:
            for route in self.host.kernel.routes_of(plugin.name):
                assert all(s._subject in live for s in route.subscriptions), route.name


@settings(
    max_examples=25 * FACTOR, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
@given(
    requires=st.lists(
        st.lists(st.integers(0, COUNT - 1), max_size=2), min_size=COUNT, max_size=COUNT
    ),
    children=st.lists(st.booleans(), min_size=COUNT, max_size=COUNT),
    faults=st.lists(st.tuples(st.sampled_from(STAGES), st.integers(0, COUNT - 1)), max_size=3),
    threads=st.lists(acts, min_size=2, max_size=3),
    tasks=st.lists(acts, max_size=2),
    seed=st.integers(0, 2**32),
    patience=st.integers(0, 30),
)
def test_whatever_threads_and_tasks_do_at_once_every_invariant_holds(
    requires: List[List[int]],
    children: List[bool],
    faults: List[Any],
    threads: List[List[Act]],
    tasks: List[List[Act]],
    seed: int,
    patience: int,
) -> None:
    chance = Random(seed)
    last = [0]

    def choose(among: int) -> int:
        # Long stretches of one thread, and in between a change at any line.
        if last[0] >= among or chance.randrange(patience + 1) == 0:
            last[0] = chance.randrange(among)
        return last[0]

    turns = Turns(choose, FILES)
    scene = Scene(turns, requires, children, faults)

    async def pause(self: Any, seconds: float) -> None:
        last[0] = among_all
        turns.next()
        await asyncio.sleep(0)

    def nap(seconds: float) -> None:
        last[0] = among_all
        turns.next()

    among_all = len(threads) + 1
    kernel = scene.host.kernel
    works = [scene.thread(each) for each in threads]
    if tasks:
        works.append(scene.loop(tasks))
    with ExitStack() as stack:
        stack.enter_context(replaced(kernel, "mutex", TurnLock(turns)))
        condition = TurnCondition(turns)
        stack.enter_context(replaced(kernel.transitions, "_changed", condition))
        stack.enter_context(replaced(runner, "sleep", nap))
        stack.enter_context(replaced(runner.AsyncRunner, "pause", pause))
        turns.run(*works)
    scene.check()
    scene.faults.clear()
    scene.host.close()
    assert all(held.cleaned == 1 for held in scene.held)
    assert {p.state for p in scene.plugins} == {PluginState.UNLOADED}


def test_a_plugin_that_is_unloaded_while_it_is_being_started_is_bound_anew() -> None:
    """Else it would run without what it requires knowing of it."""
    hosts = Synthetic()

    def body(module: Any) -> None:
        def start() -> None:
            with hosts.host.as_current():
                user.unload()

        module.plugin.on_enable.subscribe(start)

    base = hosts.add("base", body)
    user = hosts.add("user", requires=["base"])
    user.enable()
    assert user.needs == (base,) and base.users == {"user": user}
    stopped: List[str] = []
    hosts.host.add_disable_hook(lambda plugin: stopped.append(plugin.name))
    base.disable()
    assert stopped == ["user", "base"]
    hosts.host.close()
