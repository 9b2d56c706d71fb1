"""The state machine against a model: plugins, children, dependants, failures at every stage.

``PKL_EXAMPLES`` (a factor, 1 by default) makes the examples more and longer.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from typing import Any, Callable, Dict, List, Optional

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import pkl
from pkl import Desired, PluginState
from pkl.kernel.transition import current_actor

from .synthetic import Synthetic, check_settled

FACTOR = int(os.environ.get("PKL_EXAMPLES", "1"))

STAGES = ["import", "on_enable", "handler", "on_disable", "on_unload", "cleanup"]
ERRORS = [ValueError, SystemExit, KeyboardInterrupt, BaseException, MemoryError]
ACTIONS = ["disable", "enable", "unload", "emit", "subscribe", "unsubscribe", "load child"]
ACTIVE = (PluginState.ENABLING, PluginState.ENABLED, PluginState.DISABLING)
NAMES = [f"p{i}" for i in range(6)]

some_names = st.lists(st.integers(0, len(NAMES) - 1), max_size=2)
few_names = st.lists(st.integers(0, len(NAMES) - 1), max_size=1)
some_plugin = st.integers(min_value=0, max_value=len(NAMES) - 1)


class Tracked(pkl.Resource):
    """A resource that knows how often it was cleaned up, and can fail at it."""

    def __init__(self, machine: "Life", plugin: pkl.Plugin) -> None:
        super().__init__(plugin)
        self.machine = machine
        machine.resources.append(self)
        self.cleaned = 0

    def _cleanup(self) -> None:
        self.cleaned += 1
        assert pkl.get_current_plugin() is self.plugin
        self.machine.at("cleanup", self.plugin)


class Life(RuleBasedStateMachine):
    """One host, a handful of plugins, and everything that can be done to them in one thread."""

    def __init__(self) -> None:
        super().__init__()
        self.synthetic = Synthetic(stop_timeout=1.0, transition_timeout=1.0)
        self.host = self.synthetic.host
        pkl.set_default_host(self.host)
        self.plugins: List[pkl.Plugin] = []
        self.desired: Dict[str, Desired] = {}
        self.armed: Dict[str, List[Callable[[pkl.Plugin], None]]] = {}
        self.resources: List[Tracked] = []
        self.lives: Counter[Any] = Counter()
        self.problems: List[str] = []
        self.depth = 0
        self.host.add_enable_hook(self.was_enabled)
        self.host.add_disable_hook(self.was_disabled)

    def teardown(self) -> None:
        self.armed.clear()
        self.host.close()
        check_settled(self.host)
        assert {p.state for p in self.plugins} <= {PluginState.UNLOADED}
        assert all(r.cleaned == 1 for r in self.resources)
        pkl.set_default_host(None)

    # What the plugins do.

    def at(self, stage: str, plugin: Optional[pkl.Plugin]) -> None:
        """Called by the code of plugins: does what was armed for that stage, once."""
        armed = self.armed.get(f"{stage} {plugin.name if plugin is not None else ''}")
        if armed:
            armed.pop()(plugin)  # type: ignore[arg-type]

    def body(self, module: Any) -> None:
        plugin: pkl.Plugin = module.plugin
        generation = plugin.generation
        life = (plugin.name, generation.number)
        if any(need.state is PluginState.UNLOADED for need in plugin.needs):
            self.problems.append(f"{plugin} is imported before what it requires")
        Tracked(self, plugin)
        self.resources[-1].plugin.host.resource_manager.register(self.resources[-1])  # type: ignore[union-attr]

        @pkl.event
        def happened() -> None: ...

        module.happened = happened

        def note(stage: str) -> Callable[[], None]:
            def handler() -> None:
                self.lives[(*life, stage)] += 1
                if pkl.get_current_plugin() is not plugin:
                    self.problems.append(f"{stage} of {plugin} runs as somebody else")
                if stage == "on_disable" and not self.lives[(*life, "enabled")]:
                    begun = self.lives[(*life, "on_enable")]
                    if not begun:
                        self.problems.append(f"{plugin} is told to stop and never started")
                self.at(stage, plugin)

            return handler

        for stage in ("on_enable", "on_disable", "on_unload"):
            getattr(plugin, stage).subscribe(note(stage))
        self.at("import", plugin)

    def handler_of(self, plugin: pkl.Plugin) -> Callable[[], None]:
        generation = plugin.generation

        def handler() -> None:
            # While on_disable runs, the plugin still works.
            if not generation.live or plugin.state not in ACTIVE[1:]:
                self.problems.append(f"a handler of {plugin} is called although it does not run")
            if pkl.get_current_plugin() is not plugin:
                self.problems.append(f"a handler of {plugin} runs as somebody else")
            if self.depth < 3:
                self.depth += 1
                try:
                    self.at("handler", plugin)
                finally:
                    self.depth -= 1

        return handler

    def was_enabled(self, plugin: pkl.Plugin) -> None:
        self.lives[(plugin.name, plugin.generation.number, "enabled")] += 1
        if any(need.state is not PluginState.ENABLED for need in plugin.needs):
            self.problems.append(f"{plugin} was started before what it requires")

    def was_disabled(self, plugin: pkl.Plugin) -> None:
        nested = self.host.kernel.transitions.nested
        for other in self.plugins:
            if (
                plugin in other.needs
                and other.state in ACTIVE
                and not nested(other, current_actor())
            ):
                self.problems.append(f"{plugin} was stopped before {other}, which requires it")

    # What is done to them.

    def do(self, act: str, plugin: pkl.Plugin, other: Optional[pkl.Plugin] = None) -> None:
        """One thing that code of the host may do, or code of the plugin."""
        if act == "load child":
            if len(self.plugins) < len(NAMES) and plugin.state in ACTIVE:
                self.add_plugin([], [], [], plugin)
        elif act == "emit":
            if plugin.module is not None and hasattr(plugin.module, "happened"):
                plugin.module.happened()
        elif act in ("subscribe", "unsubscribe"):
            owner = other or plugin
            if owner.module is None or not hasattr(owner.module, "happened"):
                return
            with pkl.plugin_context(self.host, plugin):
                if act == "subscribe":
                    owner.module.happened.subscribe(self.handler_of(plugin))
                    return
                route = owner.module.happened._route
                mine = [s for s in route.subscriptions if s._subject is plugin.generation]
                if mine:
                    owner.module.happened.unsubscribe(mine[0].handler)
        else:
            getattr(plugin, act)()

    def attempt(self, operation: Callable[[], Any], asynchronous: bool = False) -> None:
        """Does something that may fail in the ways that are documented, and in no other."""
        try:
            if not asynchronous:
                operation()
                return

            async def main() -> None:
                await operation()

            asyncio.run(main())
        except (pkl.PklError, KeyboardInterrupt):
            pass

    @initialize(manifests=st.lists(st.tuples(some_names, few_names, few_names), min_size=1))
    def add_plugins(self, manifests: List[Any]) -> None:
        for requires, wants, conflicts in manifests[: len(NAMES) - 1]:
            self.add_plugin(requires, wants, conflicts, None)

    def add_plugin(
        self,
        requires: List[int],
        wants: List[int],
        conflicts: List[int],
        parent: Optional[pkl.Plugin],
    ) -> None:
        name = NAMES[len(self.plugins)]

        def earlier(numbers: List[int]) -> List[str]:
            return [NAMES[n] for n in numbers if n < len(self.plugins)]

        required = earlier(requires)
        plugin = self.synthetic.add(
            name,
            self.body,
            parent,
            requires=list(dict.fromkeys(required)),
            wants=[w for w in earlier(wants) if w not in required],
            conflicts=[c for c in earlier(conflicts) if c not in required] if not wants else [],
        )
        self.plugins.append(plugin)
        self.desired[name] = Desired.ENABLED

    def chosen(self, number: int) -> pkl.Plugin:
        return self.plugins[number % len(self.plugins)]

    @rule(
        number=some_plugin,
        act=st.sampled_from(["enable", "enable", "disable", "unload"]),
        asynchronous=st.booleans(),
    )
    def act(self, number: int, act: str, asynchronous: bool) -> None:
        plugin = self.chosen(number)
        self.attempt(getattr(plugin, f"a{act}" if asynchronous else act), asynchronous)
        if act == "enable" and not self.armed:
            self.nothing_waits_in_vain()

    @rule(number=some_plugin)
    def load(self, number: int) -> None:
        self.attempt(lambda: self.host.load_plugin(self.chosen(number).name))

    @rule(number=some_plugin)
    def disable_without_cascade(self, number: int) -> None:
        plugin = self.chosen(number)
        used = [p.name for p in self.plugins if plugin in p.needs and p.state in ACTIVE]
        try:
            plugin.disable(cascade=False)
        except pkl.InUse as error:
            assert set(used) <= set(error.details["dependants"]) and used
        except (pkl.PklError, KeyboardInterrupt):
            pass
        else:
            assert not used

    @rule(number=some_plugin)
    def enable_detached_or_instead(self, number: int) -> None:
        self.attempt(lambda: self.chosen(number).enable(detach=True, replace=True))

    @rule(
        number=some_plugin,
        stage=st.sampled_from(STAGES),
        kind=st.sampled_from(ERRORS),
    )
    def arm_failure(self, number: int, stage: str, kind: Any) -> None:
        """The next time that the plugin gets to a stage, it raises there."""

        def fail(plugin: pkl.Plugin) -> None:
            raise kind(f"armed at {stage}")

        self.armed.setdefault(f"{stage} {self.chosen(number).name}", []).append(fail)

    @rule(
        number=some_plugin,
        stage=st.sampled_from(STAGES),
        act=st.sampled_from(ACTIONS),
        on=some_plugin,
        as_host=st.booleans(),
    )
    def arm_action(self, number: int, stage: str, act: str, on: int, as_host: bool) -> None:
        """The next time that the plugin gets to a stage, it does something to a plugin."""

        def acts(plugin: pkl.Plugin) -> None:
            if as_host:
                with self.host.as_current():
                    self.do(act, self.chosen(on), plugin)
            else:
                self.do(act, self.chosen(on), plugin)

        self.armed.setdefault(f"{stage} {self.chosen(number).name}", []).append(acts)

    @rule(
        number=some_plugin,
        act=st.sampled_from(["emit", "subscribe", "unsubscribe", "load child"]),
        other=some_plugin,
    )
    def call(self, number: int, act: str, other: int) -> None:
        self.attempt(lambda: self.do(act, self.chosen(number), self.chosen(other)))

    @rule(number=some_plugin, desired=st.sampled_from(list(Desired)))
    def set_desired(self, number: int, desired: Desired) -> None:
        plugin = self.chosen(number)
        self.desired[plugin.name] = desired
        self.attempt(lambda: self.host.set_desired(plugin.name, desired))

    @rule(asynchronous=st.booleans())
    def start(self, asynchronous: bool) -> None:
        """It raises for nobody's fault."""
        try:
            report = asyncio.run(self.host.astart()) if asynchronous else self.host.start()
        except KeyboardInterrupt:
            return
        running = {p.name for p in self.plugins if p.state is PluginState.ENABLED}
        assert set(report.enabled) == running
        for plugin in self.plugins:
            known = plugin.name in report.blocked or plugin.name in report.failed
            if plugin.desired is Desired.ENABLED and not self.armed:
                stopped = plugin.state in (PluginState.DISABLED, PluginState.LOADED)
                child = plugin.parent is not None
                assert plugin.name in running or known or stopped or child, plugin

    # What always holds.

    def nothing_waits_in_vain(self) -> None:
        for plugin in self.plugins:
            if plugin.state is PluginState.BLOCKED and plugin.desired is Desired.ENABLED:
                rivals = [r for r in self.plugins if r.running and self.conflict(plugin, r)]
                ready = all(n.state is PluginState.ENABLED for n in plugin.needs)
                assert not ready or rivals or plugin.reason.code in ("masked", "disabled"), (  # type: ignore[union-attr]
                    plugin.reason
                )

    @staticmethod
    def conflict(one: pkl.Plugin, other: pkl.Plugin) -> bool:
        return any(r.name == other.name for r in one.metadata.conflicts) or any(
            r.name == one.name for r in other.metadata.conflicts
        )

    @invariant()
    def settled(self) -> None:
        check_settled(self.host)

    @invariant()
    def nothing_went_wrong(self) -> None:
        assert not self.problems, self.problems

    @invariant()
    def desired_never_changes_by_itself(self) -> None:
        assert {p.name: p.desired for p in self.plugins} == self.desired

    @invariant()
    def no_resource_outlives_its_plugin(self) -> None:
        for resource in self.resources:
            assert resource.cleaned == (0 if resource.held else 1), resource.plugin
            generation = resource._subject
            assert resource.held == (not generation.dead), resource.plugin

    @invariant()
    def no_conflicting_plugins_run_together(self) -> None:
        running = [p for p in self.plugins if p.state is PluginState.ENABLED]
        assert not any(self.conflict(a, b) for a in running for b in running if a is not b)

    @invariant()
    def nothing_of_a_life_happens_twice(self) -> None:
        twice = [life for life, times in self.lives.items() if times > 1]
        assert not twice, twice


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=25 * FACTOR,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
