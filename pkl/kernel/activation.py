"""Starts plugins when they are first needed: by an import, an event, a hook, or in idleness.

What waits for an event or a hook is planted in its route, which then has no ready-made entries:
whoever dispatches makes them anew, and starts what waits on the way. Once nothing waits any more,
a dispatch costs what it always does.
"""

from __future__ import annotations

import sys
from contextvars import Context
from time import perf_counter, time
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Tuple

from ..errors import HostClosed, PklError
from ..model.activation import Activation, is_lazy, waiting_reason
from ..model.state import Action, Desired, PluginState, Reason
from ..names import canonical
from .context import Subject, _current, running_as
from .flat import complete
from .route import Route
from .task import start_task
from .timer import Timer
from .transition import current_actor

if TYPE_CHECKING:
    from .core import Kernel
    from .plugin import Plugin
    from .runner import Runner

__all__ = ["Activations", "Trigger", "Waiting"]

_S = PluginState
_NOT_YET = (_S.UNLOADED, _S.LOADED, _S.ERROR)
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
"""Seconds after which a trigger is heeded again of a plugin that failed; doubled each time."""


class Waiting:
    """A plugin that waits to be needed, and the token of whoever is starting it for that."""

    def __init__(self, kernel: "Kernel", plugin: "Plugin") -> None:
        self._kernel = kernel
        self.plugin = plugin
        self.triggers: List[Tuple["Route", "Trigger"]] = []

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.plugin.name

    @property
    def version(self) -> str:
        """The plugin's version."""
        return self.plugin.version

    @property
    def state(self) -> PluginState:
        """The plugin's state."""
        return self.plugin.state


class Trigger:
    """What stands in a route for a plugin that is to be started by the next dispatch."""

    def __init__(self, owner: "Activations", waiting: Waiting, text: str) -> None:
        self._owner = owner
        self._waiting = waiting
        self.text = text

    def fire(self) -> None:
        """Starts the plugin; what fails is contained."""
        self._owner.start_contained(self._waiting, self.text)

    async def afire(self) -> None:
        """The async twin of ``fire``."""
        await self._owner.start_contained_async(self._waiting, self.text)


class Activations:
    """The plugins of one host that wait to be needed. Safe from any thread.

    Args:
        kernel: The host's kernel.
        timeout: Seconds that somebody waits for a start that another has set off.
        idle: Seconds without a transition after which the host counts as idle.
    """

    def __init__(self, kernel: "Kernel", timeout: float, idle: float) -> None:
        self._kernel = kernel
        self._timeout = timeout
        self._idle = idle
        self._lock = kernel.mutex
        self._waiting: Dict[str, Waiting] = {}
        self._on_host: List[Tuple[str, Trigger]] = []
        self._failures: Dict[str, int] = {}
        self._pauses: Dict[str, Timer] = {}
        self._timer: Optional[Timer] = None

    def rests(self, plugin: "Plugin") -> bool:
        """Whether a plugin is to wait until it is needed, and has not been yet."""
        return is_lazy(plugin.metadata.activation) and not plugin.called_for

    def arm(self, plugin: "Plugin", reason: Optional[Reason] = None) -> None:
        """Makes a plugin that does not run wait for its triggers: → UNLOADED, unless LOADED."""
        if reason is None:
            reason = waiting_reason(plugin.name, plugin.version, plugin.metadata.activation)
        with self._kernel.mutex:
            if plugin.running or plugin.waiting is not None:
                return
            plugin.called_for = False
            if plugin.state in (_S.UNLOADED, _S.LOADED):
                plugin.reason = reason
            else:
                plugin.move(Action.UNLOAD, reason)
        self._plant(plugin)

    def _plant(self, plugin: "Plugin") -> None:
        kernel = self._kernel
        waiting = Waiting(kernel, plugin)
        with self._lock:
            if kernel.closing or plugin.desired is not Desired.ENABLED:
                return
            if plugin.waiting is not None or plugin.state not in _NOT_YET:
                return
            self._waiting[plugin.name] = plugin.waiting = waiting
            for text in plugin.metadata.activation:
                kind, _, subject = text.partition(":")
                if kind not in ("event", "hook"):
                    continue
                trigger = Trigger(self, waiting, text)
                owner, dot, own = subject.rpartition(".")
                if dot:
                    routes = [kernel.named_route(canonical(owner), own, Route)]
                else:
                    self._on_host.append((own, trigger))
                    routes = kernel.host_routes(own)
                for route in routes:
                    waiting.triggers.append((route, trigger))
                    route.plant(trigger)
        kernel.contributions.changed(plugin)
        kernel.contributions.tell()

    def host_route(self, route: "Route") -> None:
        """Plants what waits for the host's event or hook that this new route is of."""
        with self._lock:
            for name, trigger in self._on_host:
                if name == route.name:
                    trigger._waiting.triggers.append((route, trigger))
                    route.plant(trigger)

    def move(self, old: "Route", new: "Route") -> None:
        """Plants in a new route what the old one had planted, which it replaces."""
        with self._lock:
            for waiting in self._waiting.values():
                for route, trigger in list(waiting.triggers):
                    if route is old:
                        waiting.triggers.append((new, trigger))
                        new.plant(trigger)

    def disarm(self, plugin: "Plugin") -> None:
        """Makes a plugin wait no more, nor later, and takes its triggers away."""
        with self._lock:
            pause = self._pauses.pop(plugin.name, None)
            if pause is not None:
                pause.cancel()
            waiting = plugin.waiting
            if waiting is None:
                return
            plugin.waiting = None
            self._waiting.pop(plugin.name, None)
            self._on_host = [each for each in self._on_host if each[1]._waiting is not waiting]
            for route, trigger in waiting.triggers:
                route.uproot(trigger)
        self._kernel.contributions.changed(plugin)

    def close(self) -> None:
        """Makes nothing wait any more; what is planted after this is not."""
        for waiting in list(self._waiting.values()):
            self.disarm(waiting.plugin)

    def forgive(self, plugin: "Plugin") -> None:
        """Makes a lazy plugin whose start failed wait for its triggers again, as at first."""
        self._failures.pop(plugin.name, None)
        lazy = is_lazy(plugin.metadata.activation) and plugin.desired is Desired.ENABLED
        if lazy and plugin.state is _S.ERROR:
            self.disarm(plugin)
            self.arm(plugin)
            self.watch_for_idleness()

    def failed(self, plugin: "Plugin") -> None:
        """Heeds the triggers of a plugin again after a while that failed, whoever started it."""
        if is_lazy(plugin.metadata.activation) and not self._kernel.closing:
            self._again_later(plugin)

    def on_import(self, plugin: "Plugin", by: Optional[Subject]) -> None:
        """Starts a plugin that is being imported, if it waits for that.

        Raises:
            PklError: It could not be started.
        """
        waiting = plugin.waiting
        if waiting is not None and "import" in plugin.metadata.activation:
            complete(self._start(self._runner(False), waiting, "import", by))

    def for_capability(self, name: str) -> None:
        """Starts the plugins that wait for a capability to be asked for; failures are contained."""
        text = f"capability:{canonical(name)}"
        for waiting in list(self._waiting.values()):
            if text in waiting.plugin.metadata.activation:
                self.start_contained(waiting, text)

    def start_contained(self, waiting: Waiting, trigger: str) -> None:
        """Starts a plugin; what fails is reported to ``host.on_error``."""
        try:
            complete(self._start(self._runner(False), waiting, trigger, _current.get()))
        except PklError as error:
            self._report(waiting, trigger, error)

    async def start_contained_async(self, waiting: Waiting, trigger: str) -> None:
        """The async twin of ``start_contained``."""
        try:
            await self._start(self._runner(True), waiting, trigger, _current.get())
        except PklError as error:
            self._report(waiting, trigger, error)

    def _runner(self, asynchronous: bool) -> "Runner":
        return self._kernel.lifecycle.runner(asynchronous)

    def _report(self, waiting: Waiting, trigger: str, error: PklError) -> None:
        if not isinstance(error, HostClosed):
            where = f"start of {waiting.name} by {trigger}"
            self._kernel.contain(waiting.plugin.generation, error, where)

    async def _start(
        self, run: "Runner", waiting: Waiting, trigger: str, by: Optional[Subject]
    ) -> None:
        """Starts a plugin, unless somebody does: then waits for that, within the bound.

        Within that very start it does nothing: nobody is to wait for himself. A start that was
        interrupted is taken up by whoever waits for it.

        Raises:
            TransitionTimeout: Another's start of it takes too long.
            TransitionDeadlock: Another's start of it waits for this call.
            PklError: It could not be started.
        """
        kernel, plugin, actor = self._kernel, waiting.plugin, current_actor()
        transitions = kernel.transitions
        if transitions.nested(waiting, actor) or transitions.nested(plugin, actor):
            return
        await run.take(waiting, self._timeout)
        try:
            if kernel.closing:
                return
            now = plugin.waiting
            if now is waiting:
                with running_as(kernel.subject):
                    await self._begin(run, plugin, trigger, by)
        finally:
            transitions.give(waiting, actor)
        if now is not waiting:
            if now is not None:
                await self._start(run, now, trigger, by)
            return
        await kernel.lifecycle.retry_blocked(run)

    async def _begin(
        self, run: "Runner", plugin: "Plugin", trigger: str, by: Optional[Subject]
    ) -> None:
        kernel = self._kernel
        plugin.called_for = True
        mark, began, at, running = next(kernel.start_order), perf_counter(), time(), plugin.running
        who = by.plugin.name if by is not None and by.plugin is not None else ""

        def done(failed: str = "") -> None:
            seconds, pulled_in = perf_counter() - began, _started(plugin, mark)
            plugin.activation = Activation(trigger, who, at, seconds, pulled_in, failed)

        try:
            await kernel.lifecycle.enable(run, plugin)
        except PklError as error:
            if plugin.state is not _S.ERROR:  # of that, ``failed`` was told
                self.disarm(plugin)
                self._again_later(plugin)
            done(plugin.reason.cause if plugin.reason is not None else error.message)
            raise
        except BaseException:
            # Whoever needed it was interrupted or cancelled, which says nothing about the plugin.
            self.forgive(plugin)
            raise
        self._failures.pop(plugin.name, None)
        if not running:
            done()

    def _again_later(self, plugin: "Plugin") -> None:
        """Heeds the triggers of a plugin again after a while; one that is BLOCKED starts by
        itself when what it lacks is there."""
        if plugin.state not in _NOT_YET:
            return
        failures = self._failures.get(plugin.name, 0)
        self._failures[plugin.name] = failures + 1
        number = plugin.generation.number

        def again() -> None:
            self._pauses.pop(plugin.name, None)
            if plugin.generation.number == number:
                self._plant(plugin)
                self.watch_for_idleness()

        pause = min(_FIRST_PAUSE * 2.0 ** min(failures, 10), _LONGEST_PAUSE)
        timer = self._after(pause, again)
        if timer is not None:
            self._pauses[plugin.name] = timer

    def _after(self, seconds: float, callback: Callable[..., Any]) -> Optional[Timer]:
        timer = Timer(self._kernel.subject, callback, seconds, False, (), {})
        try:
            # Nothing of the context of whoever set it off lives on in it.
            Context().run(self._kernel.resource_manager.register, timer)
        except PklError:  # the host was closed meanwhile
            return None
        return timer

    def watch_for_idleness(self) -> None:
        """Starts what waits for the host to be idle, one after the other, when it is."""
        if self._idle_ones():
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._after(self._idle, self._when_idle)

    def _idle_ones(self) -> List[Waiting]:
        known = list(self._waiting.values())
        return [each for each in known if "idle" in each.plugin.metadata.activation]

    def _when_idle(self) -> None:
        kernel = self._kernel
        idle = self._idle_ones()
        if idle and not kernel.transitions.busy(kernel):
            loop = sys.modules["asyncio"]._get_running_loop() if "asyncio" in sys.modules else None
            if loop is not None and loop is kernel.loop:
                start_task(kernel.subject, self._start_idle(idle[0]), f"start of {idle[0].name}")
                return
            self.start_contained(idle[0], "idle")
        self.watch_for_idleness()

    async def _start_idle(self, waiting: Waiting) -> None:
        await self.start_contained_async(waiting, "idle")
        self.watch_for_idleness()


def _started(plugin: "Plugin", mark: int) -> Tuple[str, ...]:
    """What was started since for a plugin, directly or not."""
    found: Dict["Plugin", None] = {}
    todo = list(plugin.bindings.values())
    while todo:
        each = todo.pop()
        if each.started > mark and each is not plugin and each not in found:
            found[each] = None
            todo += each.bindings.values()
    return tuple(p.name for p in sorted(found, key=lambda p: p.started))
