"""How a plugin stops: who may ask for it, and in which order the others go with it."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, List, Optional, Sequence

from ..errors import InUse, InvalidTransition, NotPermitted, StopTimeout, TransitionTimeout
from ..model.state import Action, PluginState, Reason
from .binding import unbind
from .context import _current
from .flat import Deep, Flat
from .plugin import Plugin
from .reasons import (
    REQUIREMENT_FAILED,
    blocked_error,
    crashed,
    crashed_with,
    overran,
    stopped,
    stopped_by_parent,
    stopped_with,
)
from .runner import Runner
from .teardown import Crash, StopOrder, Teardown
from .transition import current_actor

if TYPE_CHECKING:
    from .core import Kernel

__all__ = ["Stopping"]

_S = PluginState
_ACTIVE = (_S.ENABLING, _S.ENABLED, _S.DISABLING)
_AT_REST = (_S.UNLOADED, _S.DISABLED, _S.ERROR, _S.BLOCKED)


class Stopping(Teardown):
    """The stopping half of ``Lifecycle``."""

    def __init__(self, kernel: "Kernel") -> None:
        super().__init__(kernel)

    async def disable_by_hand(
        self, run: Runner, plugin: Plugin, cascade: bool, timeout: Optional[float]
    ) -> None:
        """See ``Plugin.disable``."""
        self.check_may_stop(plugin)
        by = None if (subject := _current.get()) is None else subject.plugin
        reason = stopped(plugin, by)
        if plugin.waiting is not None:
            self.kernel.activations.disarm(plugin)
            plugin.reason = reason
            self.kernel.contributions.tell()
        if not cascade:
            users = self.dependants(plugin)
            if users:
                raise _in_use(plugin, users)
        order = StopOrder(self.kernel, timeout)
        try:
            await Flat(self._disable(run, plugin, order, cascade=cascade, reason=reason))
        except BaseException:
            order.report(f"stopping of {plugin.name}")
            raise
        self._tell(plugin, by is plugin)
        await self.after_a_stop(run)
        error = order.gathered(f"plugin {plugin.name!r} was stopped, with failures", plugin)
        if error is not None:
            raise error

    async def crash_by_hand(self, run: Runner, plugin: Plugin, error: BaseException) -> None:
        """See ``Plugin.crash``."""
        self.check_may_stop(plugin)
        reason, made = crashed(plugin, error)
        crash = Crash(plugin, reason, made)
        order = StopOrder(self.kernel, crash=crash)
        try:
            await Flat(self._disable(run, plugin, order))
        finally:
            order.report(f"stopping of {plugin.name}, which crashed")
        if plugin.error is made:
            self.kernel.activations.failed(plugin)
            if self.kernel.supervisor is not None:
                self.kernel.supervisor.failed(plugin)

    async def after_a_stop(self, run: Runner) -> None:
        """Starts what waited for a stop, and says anew why others wait."""
        raise NotImplementedError

    def _tell(self, plugin: Plugin, itself: bool) -> None:
        if self.kernel.supervisor is not None:
            self.kernel.supervisor.stopped(plugin, itself)

    async def unload_by_hand(self, run: Runner, plugin: Plugin) -> None:
        """See ``Plugin.unload``."""
        self.check_may_stop(plugin)
        if plugin.waiting is not None:
            self.kernel.activations.disarm(plugin)
            plugin.reason = None
            self.kernel.contributions.tell()
        order = StopOrder(self.kernel)
        try:
            await self.unload(run, plugin, order)
        except BaseException:
            order.report(f"unloading of {plugin.name}")
            raise
        self._tell(plugin, False)
        await self.after_a_stop(run)
        error = order.gathered(f"plugin {plugin.name!r} was unloaded, with failures", plugin)
        if error is not None:
            raise error

    async def disable(
        self, run: Runner, plugin: Plugin, order: StopOrder, reason: Optional[Reason] = None
    ) -> None:
        """Stops a plugin after its dependants and children; ``order`` keeps what fails."""
        await Flat(self._disable(run, plugin, order, reason=reason))

    async def unload(self, run: Runner, plugin: Plugin, order: StopOrder) -> None:
        """Stops the plugin if need be, runs ``on_unload``: → UNLOADED."""
        await Flat(self._unload(run, plugin, order))

    def check_may_stop(self, plugin: Plugin) -> None:
        """Refuses a plugin that would stop another than itself and its children.

        Raises:
            NotPermitted: It would.
        """
        subject = _current.get()
        caller = subject.plugin if subject is not None else None
        if caller is None or caller is plugin or caller.is_ancestor_of(plugin):
            return
        raise NotPermitted(
            f"plugin {caller.name!r} may not stop plugin {plugin.name!r}: a plugin may stop itself "
            "and its children, the host may stop any",
            plugin=caller.name,
            version=caller.version,
        )

    def dependants(self, plugin: Plugin) -> List[Plugin]:
        """The active plugins that require it, directly or not, last started first.

        Without those that the caller itself is about to take down.
        """
        actor = current_actor()
        found = {}
        heap = [plugin]
        while heap:
            for user in list(heap.pop().users.values()):
                if user.name not in found and user.state in _ACTIVE:
                    going = user.state is _S.DISABLING or user.generation.closed
                    if not (going and self.kernel.transitions.nested(user, actor)):
                        found[user.name] = user
                        heap.append(user)
        found.pop(plugin.name, None)
        # Those that are only on their way have no number yet: they came last.
        return sorted(found.values(), key=lambda p: (p.started != 0, -p.started, p.name))

    async def _disable(
        self,
        run: Runner,
        plugin: Plugin,
        order: StopOrder,
        *,
        cascade: bool = True,
        reason: Optional[Reason] = None,
    ) -> None:
        kernel = self.kernel
        actor = current_actor()
        began = monotonic()
        while True:
            if kernel.transitions.nested(plugin, actor):
                if plugin.state is _S.DISABLING or plugin.generation.closed:
                    return
                if plugin.state in _AT_REST:
                    await self._abandon(run, plugin, order)
                    return
            elif plugin.state in _AT_REST and plugin.state is not _S.BLOCKED:
                return
            cause = reason.cause if reason is not None else order.cause
            for user in self.dependants(plugin):
                crash = order.crash
                why = stopped_with(user, plugin, cause)
                if crash is not None:
                    why = crashed_with(user, plugin, crash.reason)
                await Deep(self._disable(run, user, order, reason=why))
            for child in reversed(plugin.children):
                why = stopped_by_parent(child, plugin, cause)
                await Deep(self._disable(run, child, order, reason=why))
            await run.take(plugin, order.patience)
            try:
                was = self._begin_stop(plugin, cascade, reason)
                kernel.contributions.tell()
                if was is _S.BLOCKED:
                    return
                if was is not None:
                    await self._stop(run, plugin, order, was, reason)
                    return
            finally:
                kernel.transitions.give(plugin, actor)
            if monotonic() - began > kernel.transition_timeout:
                raise TransitionTimeout(
                    f"plugin {plugin.name!r} could not be stopped: others keep being started on it",
                    plugin=plugin.name,
                    version=plugin.version,
                )

    def _begin_stop(
        self, plugin: Plugin, cascade: bool, reason: Optional[Reason]
    ) -> Optional[PluginState]:
        """Moves to DISABLING unless somebody began to depend on it meanwhile; its state before.

        A BLOCKED plugin holds nothing and is moved to DISABLED at once; but it goes on waiting for
        what crashed, of which two may tell at a time.
        """
        with self.kernel.mutex:
            users = self.dependants(plugin)
            if users:
                if not cascade:
                    raise _in_use(plugin, users)
                return None
            was = plugin.state
            if was is _S.BLOCKED:
                if reason is None or reason.code != REQUIREMENT_FAILED:
                    plugin.move(Action.STOPPED, reason)
                return was
            if was not in (_S.LOADED, _S.ENABLING, _S.ENABLED):
                return None
            plugin.move(Action.BEGIN_DISABLE)
            return was

    async def _abandon(self, run: Runner, plugin: Plugin, order: StopOrder) -> None:
        """A plugin stops itself while it is imported: nothing of it may stay; the import ends."""
        generation = plugin.generation
        since = len(order.failures)
        order.cause = stopped(plugin, plugin).cause
        await order.attempt(self.ask_to_stop(generation))
        await self.stop_children(run, plugin, order)
        generation.close()
        generation.stopping = True
        await self.release(run, generation, order)
        generation.dead = True
        interrupt = order.interrupt(since)
        if interrupt is not None:
            raise interrupt

    async def _stop(
        self,
        run: Runner,
        plugin: Plugin,
        order: StopOrder,
        was: PluginState,
        reason: Optional[Reason],
    ) -> None:
        kernel = self.kernel
        since = len(order.failures)
        if reason is not None:
            order.cause = reason.cause
        await self.tear_down(run, plugin, order, farewell=was is not _S.LOADED)
        overdue = [e for e in order.failures[since:] if isinstance(e, StopTimeout)]
        with kernel.mutex:
            plugin.started = 0
            unbind(plugin)
            _end(plugin, order.crash, reason, overdue)
        kernel.call_hooks(kernel.disable_hooks, "disable hook", plugin)
        interrupt = order.interrupt(since)
        if interrupt is not None:
            raise interrupt

    async def _unload(self, run: Runner, plugin: Plugin, order: StopOrder) -> None:
        kernel = self.kernel
        actor = current_actor()
        for child in reversed(plugin.children):
            if child.state is not _S.UNLOADED:
                await Deep(self._unload(run, child, order))
        began = monotonic()
        while True:
            await Deep(self._disable(run, plugin, order, reason=stopped(plugin)))
            if kernel.transitions.nested(plugin, actor) and plugin.state not in _AT_REST:
                raise InvalidTransition(
                    f"plugin {plugin.name!r} {plugin.version} cannot be unloaded from within its "
                    f"own stop (state: {plugin.state.value})",
                    plugin=plugin.name,
                    version=plugin.version,
                )
            await run.take(plugin, order.patience)
            try:
                if plugin.state not in _AT_REST:
                    if monotonic() - began > kernel.transition_timeout:
                        raise kernel.transitions.overdue(plugin, kernel.transition_timeout)
                    continue  # somebody loaded it in between
                since = len(order.failures)
                await self.run_unload_handlers(run, plugin, order)
                with kernel.mutex:
                    unbind(plugin)
                    if plugin.state is not _S.UNLOADED:
                        plugin.move(Action.UNLOAD)
                interrupt = order.interrupt(since)
                if interrupt is not None:
                    raise interrupt
                return
            finally:
                kernel.transitions.give(plugin, actor)


def _end(
    plugin: Plugin,
    crash: Optional[Crash],
    reason: Optional[Reason],
    overdue: Sequence[StopTimeout],
) -> None:
    """DISABLED by request; ERROR for what crashed, BLOCKED for what requires that."""
    if crash is not None and plugin is crash.plugin:
        plugin.move(Action.FAIL, crash.reason)
        plugin.error = crash.error
    elif crash is not None and reason is not None and reason.code == REQUIREMENT_FAILED:
        plugin.move(Action.BLOCK, reason)
        plugin.error = blocked_error(plugin, reason)
    else:
        own = [error for error in overdue if error.plugin in (None, plugin.name)]
        if reason is not None and own:
            reason = overran(reason, own[0])
        plugin.move(Action.STOPPED, reason)


def _in_use(plugin: Plugin, users: List[Plugin]) -> InUse:
    names = [u.name for u in users]
    plural = "plugin depends" if len(users) == 1 else "plugins depend"
    return InUse(
        f"plugin {plugin.name!r} is in use: {len(users)} running {plural} on it: "
        + ", ".join(f"{u.name} {u.version}" for u in users),
        plugin=plugin.name,
        version=plugin.version,
        hint="stop them with it: disable(cascade=True)",
        dependants=names,
    )
