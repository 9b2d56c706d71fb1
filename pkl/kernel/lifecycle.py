"""The life of a plugin: enable. (Loading is in ``loading``, how it stops in ``stopping``.)

Each transition is written once, as a coroutine that a runner carries out, blocking or on an
event loop. Requirements are started before a plugin's own token is taken and dependants stopped
before theirs, so that tokens are never awaited in both directions; what may have changed
meanwhile is checked again under the kernel's mutex at the moment the state moves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, List, Optional, Tuple

from ..errors import ConflictError, InvalidTransition, PklError, PluginBlocked, TransitionTimeout
from ..model.state import Action, Desired, PluginState
from .binding import bind, conflicting, not_running_reason
from .describe import describe
from .loading import Loading
from .plugin import Plugin
from .runner import AsyncRunner, BlockingRunner, Runner, complete
from .transition import current_actor

if TYPE_CHECKING:
    from .core import Kernel

__all__ = ["Lifecycle"]

_S = PluginState
_ATTEMPTS = 20
"""How often a transition starts over when others keep changing what it builds on."""


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
        complete(self.disable_by_hand(self._blocking, plugin, cascade, timeout))

    async def disable_async(self, plugin: Plugin, cascade: bool, timeout: Optional[float]) -> None:
        """See ``Plugin.adisable``."""
        await self.disable_by_hand(self._async, plugin, cascade, timeout)

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
        if detach:
            self.kernel.set_parent(plugin, None)
        await self.enable(run, plugin, replace=replace)
        await self.retry_blocked(run)

    async def retry_blocked(self, run: Runner) -> None:
        """Enables every BLOCKED plugin whose requirements run by now; failures are its reason."""
        if not self.kernel.transitions.idle(current_actor()):
            return
        tried = set()
        while True:
            waiting = [
                p
                for p in list(self.kernel.plugins.values())
                if p.state is _S.BLOCKED
                and p.desired is Desired.ENABLED
                and p not in tried
                and p.reason is not None
                and p.reason.code in _CURABLE
                and bind(self.kernel, p) is None
                and all(need.state is _S.ENABLED for need in p.needs)
            ]
            if not waiting:
                return
            for plugin in sorted(waiting, key=lambda p: p.name):
                tried.add(plugin)
                try:
                    await self.enable(run, plugin)
                except PklError:
                    continue

    async def enable(
        self,
        run: Runner,
        plugin: Plugin,
        *,
        replace: bool = False,
        trail: Tuple[Plugin, ...] = (),
    ) -> None:
        """Runs a plugin after what it requires: → ENABLED. See ``Plugin.enable``."""
        kernel = self.kernel
        for _ in range(_ATTEMPTS):
            if plugin.state is _S.ENABLED:
                return
            if kernel.transitions.nested(plugin, current_actor()):
                self._check_nested(plugin)
                return
            if plugin.running:
                await run.take(plugin)  # another thread or task is at it: wait for that to end
                kernel.transitions.give(plugin, current_actor())
                continue
            await self.prepare(run, plugin, trail)
            await self._enable_needs(run, plugin, replace, trail)
            if plugin.state is not _S.LOADED:
                await self.load(run, plugin, trail)
                if plugin.reason is not None and plugin.reason.code == "stopped-itself":
                    return
            await self._resolve_conflicts(run, plugin, replace)
            await run.take(plugin)
            try:
                if self._begin(plugin):
                    await self._run_on_enable(run, plugin)
                    return
            finally:
                kernel.transitions.give(plugin, current_actor())
        raise TransitionTimeout(
            f"plugin {plugin.name!r} could not be enabled: what it requires keeps being stopped",
            plugin=plugin.name,
            version=plugin.version,
        )

    @staticmethod
    def _check_nested(plugin: Plugin) -> None:
        if plugin.state is not _S.ENABLING:
            raise InvalidTransition(
                f"plugin {plugin.name!r} {plugin.version} cannot be enabled from within its own "
                f"transition (state: {plugin.state.value})",
                plugin=plugin.name,
                version=plugin.version,
            )

    async def _enable_needs(
        self, run: Runner, plugin: Plugin, replace: bool, trail: Tuple[Plugin, ...]
    ) -> None:
        for want in self.wants_of(plugin):
            if want.desired is Desired.ENABLED and want not in trail and not want.running:
                try:
                    await self.enable(run, want, trail=(*trail, plugin))
                except PklError:
                    continue  # its own reason says why; a want's failure changes nothing
        for need in plugin.needs:
            if need.state is not _S.ENABLED:
                try:
                    await self.enable(run, need, replace=replace, trail=(*trail, plugin))
                except PklError as error:
                    raise await self.hold_up(
                        run, plugin, not_running_reason(plugin, need)
                    ) from error
                if not need.running and need.reason is not None:
                    raise await self.hold_up(run, plugin, not_running_reason(plugin, need))

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
        failures: List[BaseException] = []
        for rival in rivals:
            await self.disable(run, rival, None, failures)
        for error in failures:
            self.kernel.contain(self.kernel.subject, error, f"stopping a rival of {plugin.name}")

    def _begin(self, plugin: Plugin) -> bool:
        """LOADED → ENABLING if everything it needs still runs; the one place where that is sure."""
        with self.kernel.mutex:
            if plugin.state is not _S.LOADED:
                return False
            if any(need.state is not _S.ENABLED for need in plugin.needs):
                return False
            plugin.move(Action.BEGIN_ENABLE)
            plugin.generation.open = True
            plugin.generation.refresh_path()
            return True

    async def _run_on_enable(self, run: Runner, plugin: Plugin) -> None:
        generation = plugin.generation
        try:
            for handler in list(generation.handlers.get("on_enable", ())):
                await run.call(generation, handler)
                if plugin.state is not _S.ENABLING:
                    return  # it disabled itself
        except BaseException as error:
            if plugin.state is not _S.ENABLING:
                self.kernel.contain(generation, error, f"on_enable of {plugin.name}")
                return
            await self.fail(run, plugin, "enable", error)
        self._commit(plugin)

    def _commit(self, plugin: Plugin) -> None:
        """Makes everything staged live in one step: ENABLING → ENABLED."""
        kernel, generation = self.kernel, plugin.generation
        with kernel.mutex:
            generation.live = True
            plugin.move(Action.COMMIT)
            plugin.error = None
            plugin.started = next(kernel.start_order)
        now = kernel.clock.monotonic()
        for resource in list(generation.resources.values()):
            if resource.staged:
                kernel.resource_manager.activate(resource, now)
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
        kernel.call_hooks(kernel.enable_hooks, "enable hook", plugin)


_CURABLE = frozenset(
    (
        "missing",
        "unsatisfied",
        "requirement-failed",
        "requirement-blocked",
        "capability",
        "cycle",
        "conflict",
    )
)
"""Reasons that may go away because another plugin was started."""
