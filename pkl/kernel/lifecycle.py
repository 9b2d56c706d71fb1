"""The life of a plugin: enable. (Loading is in ``loading``, how it stops in ``stopping``.)

Each transition is written once, as a coroutine that a runner carries out, blocking or on an
event loop. Requirements are started before a plugin's own token is taken and dependants stopped
before theirs, so that tokens are never awaited in both directions; what may have changed
meanwhile is checked again under the kernel's mutex at the moment the state moves.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from time import monotonic
from typing import TYPE_CHECKING, Dict, Optional, Set

from ..errors import (
    ConflictError,
    HostClosed,
    InvalidTransition,
    PklError,
    PluginBlocked,
)
from ..model.state import Action, Desired, PluginState
from .binding import bind, conflicting
from .bounded import BoundedRunner
from .context import running_as
from .describe import describe
from .dispatch import passes
from .flat import Deep, Flat
from .held_up import CURABLE, restate
from .loading import Loading, Trail, root
from .plugin import Plugin
from .provision import report_unkept
from .reasons import replaced, stopped
from .runner import AsyncRunner, BlockingRunner, Runner, complete
from .teardown import StopOrder
from .transition import current_actor

if TYPE_CHECKING:
    from .core import Kernel

__all__ = ["Lifecycle"]

_S = PluginState


class Lifecycle(Loading):
    """Carries out the transitions of one host's plugins. Safe from any thread or task."""

    def __init__(self, kernel: "Kernel") -> None:
        super().__init__(kernel)
        self._blocking = BlockingRunner(kernel)
        self._async = AsyncRunner(kernel)

    def runner(self, asynchronous: bool) -> Runner:
        """The runner that blocks, or the one that awaits."""
        return self._async if asynchronous else self._blocking

    def load_blocking(self, plugin: Plugin) -> None:
        """Loads the plugin and, first, what it requires; see ``load``."""
        complete(self.load(self._blocking, plugin))

    def enable_blocking(self, plugin: Plugin, detach: bool, replace: bool) -> None:
        """See ``Plugin.enable``."""
        complete(self._enable_by_hand(self._blocking, plugin, detach, replace))

    async def enable_async(self, plugin: Plugin, detach: bool, replace: bool) -> None:
        """See ``Plugin.aenable``."""
        await self._enable_by_hand(self._async, plugin, detach, replace)

    def disable_blocking(self, plugin: Plugin, cascade: bool, timeout: Optional[float]) -> None:
        """See ``Plugin.disable``."""
        if timeout is None:
            complete(self.disable_by_hand(self._blocking, plugin, cascade, timeout))
            return
        with BoundedRunner(self.kernel) as run:
            complete(self.disable_by_hand(run, plugin, cascade, timeout))

    async def disable_async(self, plugin: Plugin, cascade: bool, timeout: Optional[float]) -> None:
        """See ``Plugin.adisable``."""
        await self.disable_by_hand(self._async, plugin, cascade, timeout)

    def crash_blocking(self, plugin: Plugin, error: BaseException) -> None:
        """See ``Plugin.crash``."""
        complete(self.crash_by_hand(self._blocking, plugin, error))

    async def crash_async(self, plugin: Plugin, error: BaseException) -> None:
        """See ``Plugin.acrash``."""
        await self.crash_by_hand(self._async, plugin, error)

    def unload_blocking(self, plugin: Plugin) -> None:
        """See ``Plugin.unload``."""
        complete(self.unload_by_hand(self._blocking, plugin))

    async def unload_async(self, plugin: Plugin) -> None:
        """See ``Plugin.aunload``."""
        await self.unload_by_hand(self._async, plugin)

    async def _enable_by_hand(
        self, run: Runner, plugin: Plugin, detach: bool, replace: bool
    ) -> None:
        self.kernel.check_open()
        plugin.called_for = True
        if detach:
            self.kernel.set_parent(plugin, None)
        trail = Trail()
        try:
            await self.enable(run, plugin, replace=replace, trail=trail)
        except PklError:
            # What it started on its way may still be what others waited for.
            await self.retry_blocked(run, trail.failed)
            raise
        await self.retry_blocked(run, trail.failed)

    async def after_a_stop(self, run: Runner) -> None:
        """Starts what only a conflict with a stopped plugin held up; see ``Stopping``."""
        kernel = self.kernel
        if any(p.reason and p.reason.code == "conflict" for p in list(kernel.held_up.values())):
            with running_as(kernel.subject):
                await self.retry_blocked(run)
        else:
            restate(kernel)

    async def retry_blocked(self, run: Runner, failed: Optional[Set[Plugin]] = None) -> None:
        """Enables every BLOCKED plugin whose requirements run by now; failures are its reason.

        Those that still wait say for what, if what they waited for first is there.

        Args:
            run: The runner.
            failed: What is not tried again.
        """
        if self.kernel.closing or not self.kernel.transitions.idle(current_actor()):
            return
        trail = Trail(set(failed or ()))
        tried = set(trail.failed)
        while True:
            # In the order of a plan: of those that can start, the first by name.
            ready = [p.name for p in list(self.kernel.held_up.values()) if self._ready(p, tried)]
            if not ready:
                restate(self.kernel)
                return
            heapify(ready)
            while ready:
                plugin = self.kernel.plugins[heappop(ready)]
                if plugin in tried:
                    continue
                tried.add(plugin)
                if self.kernel.activations.rests(plugin):
                    self.kernel.activations.arm(plugin)
                    self.kernel.activations.watch_for_idleness()
                    continue
                try:
                    await self.enable(run, plugin, trail=trail)
                except PklError:
                    trail.failed.add(plugin)
                    continue
                for user in list(plugin.users.values()):
                    if self._ready(user, tried):
                        heappush(ready, user.name)

    def _ready(self, plugin: Plugin, tried: Set[Plugin]) -> bool:
        """Whether a plugin is held up by nothing but the past."""
        return (
            plugin.state is _S.BLOCKED
            and plugin.desired is Desired.ENABLED
            and plugin not in tried
            and plugin.reason is not None
            and plugin.reason.code in CURABLE
            and bind(self.kernel, plugin, search=False) is None
            and all(need.state is _S.ENABLED for need in plugin.needs)
            and not conflicting(self.kernel, plugin)
        )

    async def enable(
        self,
        run: Runner,
        plugin: Plugin,
        *,
        replace: bool = False,
        trail: Optional[Trail] = None,
    ) -> None:
        """Runs a plugin after what it requires: → ENABLED. See ``Plugin.enable``."""
        await Flat(self._enable(run, plugin, trail or Trail(), replace))

    async def _enable(self, run: Runner, plugin: Plugin, trail: Trail, replace: bool) -> bool:
        """Whether it was up when this was done; not if this very call is still enabling it, or
        if it was stopped in its own ``on_enable`` or import."""
        kernel = self.kernel
        began = monotonic()
        while plugin.state is not _S.ENABLED:
            kernel.check_open()
            if kernel.transitions.nested(plugin, current_actor()):
                self._check_nested(plugin)
                return False
            if plugin.running:
                # Another thread or task is at it: wait for that to end.
                await run.take(plugin)
                kernel.transitions.give(plugin, current_actor())
                continue
            self.check_time(plugin, began)
            await self.prepare(run, plugin, trail)
            await self._resolve_conflicts(run, plugin, replace)
            await self._enable_needs(run, plugin, replace, trail)
            if plugin.state is _S.LOADED and self._outdated(plugin):
                await self.hold_back(run, plugin, Action.STOPPED, stopped(plugin))
            if plugin.state is not _S.LOADED:
                if not await self.load_code(run, plugin, (_S.ENABLED,)):
                    continue
                if plugin.state is _S.DISABLED and _stopped_itself(plugin):
                    return False
            await run.take(plugin)
            try:
                if self._begin(plugin):
                    return await self._run_on_enable(run, plugin)
            finally:
                kernel.transitions.give(plugin, current_actor())
        return True

    @staticmethod
    def _check_nested(plugin: Plugin) -> None:
        if plugin.state is not _S.ENABLING:
            raise InvalidTransition(
                f"plugin {plugin.name!r} {plugin.version} cannot be enabled from within its own "
                f"transition (state: {plugin.state.value})",
                plugin=plugin.name,
                version=plugin.version,
            )

    @staticmethod
    def _outdated(plugin: Plugin) -> bool:
        """Whether what it requires was loaded anew since, so that its imports lead nowhere."""
        built_on: Dict[Plugin, object] = dict(plugin.generation.built_on)
        return any(built_on.get(need) is not need.generation for need in plugin.needs)

    async def _enable_needs(self, run: Runner, plugin: Plugin, replace: bool, trail: Trail) -> None:
        with trail.through(plugin):
            for want in self.wants(plugin):
                if trail.may_bring(want) and not want.running:
                    with trail.wanted():
                        # Its own reason says why; a want's failure changes nothing.
                        await self._try(self._enable(run, want, trail, False))
            for need in plugin.needs:
                if need.state is _S.ENABLED:
                    continue
                up, failed = False, need.error
                if need not in trail.failed:
                    try:
                        up, failed = await Deep(self._enable(run, need, trail, replace)), None
                    except PklError as error:
                        failed = error
                if not up:
                    raise await self.hold_up(run, plugin, need, failed, trail) from root(failed)

    async def _resolve_conflicts(self, run: Runner, plugin: Plugin, replace: bool) -> None:
        rivals = conflicting(self.kernel, plugin)
        if not rivals:
            return
        names = ", ".join(f"{r.name} {r.version}" for r in rivals)
        if not replace:
            raise ConflictError(
                f"plugin {plugin.name!r} {plugin.version} conflicts with {names}, which is running",
                plugin=plugin.name,
                version=plugin.version,
                file=plugin.candidate.manifest_file,
                hint=f"disable {rivals[0].name} first, or enable(replace=True)",
                running=[r.name for r in rivals],
            )
        for rival in rivals:
            self.check_may_stop(rival)
        order = StopOrder(self.kernel)
        try:
            for rival in rivals:
                await self.disable(run, rival, order, replaced(rival, plugin))
        finally:
            order.report(f"stopping a rival of {plugin.name}")

    def _begin(self, plugin: Plugin) -> bool:
        """LOADED → ENABLING if everything it needs still runs; the one place where that is sure."""
        kernel = self.kernel
        with kernel.mutex:
            if plugin.state is not _S.LOADED or kernel.closing:
                return False
            if not plugin.bound or any(need.state is not _S.ENABLED for need in plugin.needs):
                return False
            if self._outdated(plugin) or conflicting(kernel, plugin):
                return False
            plugin.move(Action.BEGIN_ENABLE)
            plugin.generation.open = True
            plugin.generation.refresh_path()
            return True

    async def _run_on_enable(self, run: Runner, plugin: Plugin) -> bool:
        generation = plugin.generation
        if self.kernel.supervisor is not None:
            self.kernel.supervisor.starting(plugin)
        try:
            if not await self._run_handlers(run, plugin):
                return False  # it was stopped by what it did
        except BaseException as error:
            if plugin.state is _S.ENABLING:
                await self.fail(run, plugin, "enable", error)
            if passes(error):
                raise
            self.kernel.contain(generation, error, f"on_enable of {plugin.name}")
            return False
        if not self._go_live(plugin):
            closed = HostClosed(f"the host {self.kernel.name!r} was closed meanwhile")
            await self.fail(run, plugin, "enable", closed)
        self._activate(plugin)
        return True

    @staticmethod
    async def _run_handlers(run: Runner, plugin: Plugin) -> bool:
        # On its own, so that the traceback of the error that is made of a failure, which the
        # plugin keeps, has no frame that refers to a handler.
        generation = plugin.generation
        for handler in list(generation.handlers.get("on_enable", ())):
            await run.call(generation, handler, watched=True)
            if plugin.state is not _S.ENABLING:
                return False
        return True

    def _go_live(self, plugin: Plugin) -> bool:
        """Makes everything staged live in one step: ENABLING → ENABLED; not in a closed host."""
        with self.kernel.mutex:
            if self.kernel.closed:
                return False
            plugin.generation.live = True
            plugin.move(Action.COMMIT)
            plugin.error = None
            plugin.started = next(self.kernel.start_order)
            return True

    def _activate(self, plugin: Plugin) -> None:
        kernel, generation = self.kernel, plugin.generation
        now = kernel.clock.monotonic()
        interrupt: Optional[BaseException] = None
        for resource in list(generation.resources.values()):
            if resource.staged:
                try:
                    kernel.resource_manager.activate(resource, now)
                except BaseException as error:
                    if passes(error):
                        interrupt = error
                    else:
                        kernel.contain(generation, error, f"activation of {resource!r}")
        for route in kernel.routes_of(plugin.name):
            for dropped in route.reattach(generation):
                kernel.contain(
                    dropped._subject,
                    PluginBlocked(
                        f"the event {route.name} is gone or takes other arguments since plugin "
                        f"{plugin.name!r} {plugin.version} was loaded again",
                        reason_code="event-changed",
                        plugin=plugin.name,
                    ),
                    f"subscription of {describe(dropped.handler)}",
                )
        report_unkept(plugin)
        kernel.contributions.tell()
        kernel.call_hooks(kernel.enable_hooks, "enable hook", plugin)
        if interrupt is not None:
            raise interrupt


def _stopped_itself(plugin: Plugin) -> bool:
    return plugin.reason is not None and plugin.reason.code == "stopped-itself"
