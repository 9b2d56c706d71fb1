"""How a plugin stops: dependants, children, ``on_disable``, resources, code."""

from __future__ import annotations

from typing import TYPE_CHECKING, List, Optional

from ..errors import CleanupError, InUse, NotPermitted, StopTimeout, TransitionTimeout
from ..model.state import Action, PluginState, Reason
from .binding import unbind
from .context import Subject, _current, running_as
from .generation import Generation
from .plugin import Plugin
from .runner import Runner
from .task import Task
from .transition import current_actor

if TYPE_CHECKING:
    from .core import Kernel

__all__ = ["Stopping"]

_S = PluginState
_ACTIVE = (_S.ENABLING, _S.ENABLED)
_ATTEMPTS = 20


class Stopping:
    """The stopping half of ``Lifecycle``."""

    def __init__(self, kernel: "Kernel") -> None:
        self.kernel = kernel

    async def disable_by_hand(
        self, run: Runner, plugin: Plugin, cascade: bool, timeout: Optional[float]
    ) -> None:
        """See ``Plugin.disable``."""
        self._check_may_stop(plugin)
        if not cascade:
            users = self.dependants(plugin)
            if users:
                raise _in_use(plugin, users)
        failures: List[BaseException] = []
        await self.disable(run, plugin, timeout, failures, cascade=cascade)
        _raise_gathered(f"plugin {plugin.name!r} was stopped, with failures", plugin, failures)

    async def unload_by_hand(self, run: Runner, plugin: Plugin) -> None:
        """See ``Plugin.unload``."""
        self._check_may_stop(plugin)
        failures: List[BaseException] = []
        await self.unload(run, plugin, None, failures)
        _raise_gathered(f"plugin {plugin.name!r} was unloaded, with failures", plugin, failures)

    def _check_may_stop(self, plugin: Plugin) -> None:
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
        """The active plugins that require it, directly or not, last started first."""
        found = {}
        heap = [plugin]
        while heap:
            for user in list(heap.pop().users.values()):
                if user.name not in found and user.state in _ACTIVE:
                    found[user.name] = user
                    heap.append(user)
        found.pop(plugin.name, None)
        return sorted(found.values(), key=lambda p: (-p.started, p.name))

    async def disable(
        self,
        run: Runner,
        plugin: Plugin,
        timeout: Optional[float],
        failures: List[BaseException],
        *,
        cascade: bool = True,
        action: Action = Action.STOPPED,
        reason: Optional[Reason] = None,
    ) -> None:
        """Stops a plugin after its dependants and children; what fails is added to ``failures``."""
        kernel = self.kernel
        actor = current_actor()
        for _ in range(_ATTEMPTS):
            if plugin.state is _S.BLOCKED:
                with kernel.mutex:
                    plugin.move(action, reason)
                return
            if kernel.transitions.nested(plugin, actor):
                if plugin.state is _S.DISABLING or plugin.generation.stopping:
                    return
                if plugin.state not in _ACTIVE and plugin.state is not _S.LOADED:
                    await self._abandon(run, plugin, failures)
                    return
            elif plugin.state not in _ACTIVE and plugin.state not in (_S.LOADED, _S.DISABLING):
                return
            for user in self.dependants(plugin):
                await self.disable(run, user, timeout, failures, reason=_stopped_with(user, plugin))
            for child in reversed(plugin.children):
                await self.disable(
                    run, child, timeout, failures, reason=_stopped_by_parent(child, plugin)
                )
            await run.take(plugin)
            try:
                was = self._begin_stop(plugin, cascade)
                if was is not None:
                    await self._stop(run, plugin, was, timeout, failures, action, reason)
                    return
            finally:
                kernel.transitions.give(plugin, actor)
        raise TransitionTimeout(
            f"plugin {plugin.name!r} could not be stopped: others keep being started on it",
            plugin=plugin.name,
            version=plugin.version,
        )

    def _begin_stop(self, plugin: Plugin, cascade: bool) -> Optional[PluginState]:
        """Moves to DISABLING unless somebody began to depend on it meanwhile; its state before."""
        with self.kernel.mutex:
            users = self.dependants(plugin)
            if users:
                if not cascade:
                    raise _in_use(plugin, users)
                return None
            was = plugin.state
            if was not in _ACTIVE and was is not _S.LOADED:
                return None
            plugin.move(Action.BEGIN_DISABLE)
            return was

    async def _abandon(self, run: Runner, plugin: Plugin, failures: List[BaseException]) -> None:
        """A plugin stops itself while it is imported: nothing of it may stay; the import ends."""
        generation = plugin.generation
        for child in reversed(plugin.children):
            await self.disable(run, child, None, failures)
        generation.close()
        generation.stopping = True
        await self.release(run, generation, failures)
        generation.dead = True

    async def _stop(
        self,
        run: Runner,
        plugin: Plugin,
        was: PluginState,
        timeout: Optional[float],
        failures: List[BaseException],
        action: Action,
        reason: Optional[Reason],
    ) -> None:
        kernel, generation = self.kernel, plugin.generation
        bound = kernel.stop_timeout if timeout is None else timeout
        before = len(failures)
        if was is not _S.LOADED:
            for handler in list(generation.handlers.get("on_disable", ())):
                try:
                    await run.call(generation, handler, bound)
                except BaseException as error:
                    failures.append(_of(plugin, "on_disable", error))
        generation.close()
        generation.exempt_own_calls()
        await self._drain(run, plugin, generation, bound, failures)
        generation.stopping = True
        tasks = [r for r in generation.resources.values() if isinstance(r, Task)]
        await self.release(run, generation, failures, bound)
        if tasks:
            await self._await_tasks(run, plugin, tasks, bound, failures)
        generation.dead = True
        self.drop_code(generation)
        interrupts = [e for e in failures[before:] if isinstance(e, KeyboardInterrupt)]
        with kernel.mutex:
            plugin.started = 0
            unbind(plugin)
            plugin.move(action, reason)
        kernel.call_hooks(kernel.disable_hooks, "disable hook", plugin)
        if interrupts:
            failures.remove(interrupts[0])
            raise interrupts[0]

    async def _drain(
        self,
        run: Runner,
        plugin: Plugin,
        generation: Generation,
        bound: float,
        failures: List[BaseException],
    ) -> None:
        """Waits until no other thread or task is inside the plugin, at most ``bound`` seconds."""
        waited, pause = 0.0, 0.001
        calls = generation.calls_elsewhere()
        while calls and waited < bound:
            await run.pause(pause)
            waited += pause
            pause = min(pause * 1.5, 0.02)
            calls = generation.calls_elsewhere()
        if calls:
            what = "1 call" if calls == 1 else f"{calls} calls"
            failures.append(
                StopTimeout(
                    f"{what} into plugin {plugin.name!r} {plugin.version} still ran in other "
                    f"threads or tasks after {bound:g} s; it was stopped all the same",
                    plugin=plugin.name,
                    version=plugin.version,
                    hint="the calls end by themselves; what they still ask of pkl is refused",
                    calls=calls,
                )
            )

    async def _await_tasks(
        self,
        run: Runner,
        plugin: Plugin,
        tasks: List[Task],
        bound: float,
        failures: List[BaseException],
    ) -> None:
        """Waits for cancelled tasks to end; cancels again half-way, then names those that stay."""
        waited, pause, again = 0.0, 0.001, True
        while waited < bound and any(t.lingers for t in tasks) and run.may_wait_for_loop():
            await run.pause(pause)
            waited += pause
            pause = min(pause * 1.5, 0.02)
            if again and waited >= bound / 2:
                again = False
                for task in tasks:
                    if task.lingers:
                        task._cleanup()
        stubborn = [t.name for t in tasks if t.lingers]
        if stubborn and run.may_wait_for_loop():
            failures.append(
                StopTimeout(
                    f"tasks of plugin {plugin.name!r} {plugin.version} did not end within "
                    f"{bound:g} s of being cancelled: {', '.join(stubborn)}",
                    plugin=plugin.name,
                    version=plugin.version,
                    hint="let CancelledError pass in them",
                    tasks=stubborn,
                )
            )

    async def release(
        self,
        run: Runner,
        generation: Subject,
        failures: List[BaseException],
        bound: Optional[float] = None,
    ) -> None:
        """Releases what a subject holds, last registered first, whatever each raises.

        Args:
            run: The runner.
            generation: A generation, or a host's subject.
            failures: What the clean-ups raised is added to it.
            bound: Seconds that an async clean-up may take; by default the host's.
        """
        seconds = self.kernel.stop_timeout if bound is None else bound
        manager = self.kernel.resource_manager
        resources = generation.resources
        while resources:
            try:
                _, resource = resources.popitem()
            except KeyError:
                break  # another thread released the last one
            resource._held = False
            try:
                clean = getattr(resource, "_acleanup", None)
                if clean is None:
                    with running_as(generation):
                        resource._cleanup()
                else:
                    await run.call(generation, clean, seconds)
            except BaseException as error:
                failures.append(_of(generation.plugin, repr(resource), error))
            manager.cleaned(resource)
        if generation.workers is not None:
            generation.workers.close()

    def drop_code(self, generation: Generation) -> None:
        """Lets go of a generation's modules, events and handlers; ``on_unload``'s are kept."""
        code, generation.code = generation.code, None
        if code is not None:
            code.drop()
        name = generation.plugin.name
        for route in self.kernel.routes_of(name):
            if route.event is not None and route.event.owner is generation:
                route.event = None
        generation.events.clear()
        for event in ("on_enable", "on_disable"):
            generation.handlers.pop(event, None)
        self.kernel.forget_import(name)

    async def unload(
        self,
        run: Runner,
        plugin: Plugin,
        timeout: Optional[float],
        failures: List[BaseException],
    ) -> None:
        """Stops the plugin if need be, runs ``on_unload``: → UNLOADED."""
        for child in reversed(plugin.children):
            await self.unload(run, child, timeout, failures)
        await self.disable(run, plugin, timeout, failures)
        await run.take(plugin)
        try:
            await self.run_unload_handlers(run, plugin, failures, timeout)
            with self.kernel.mutex:
                unbind(plugin)
                if plugin.state is not _S.UNLOADED:
                    plugin.move(Action.UNLOAD)
        finally:
            self.kernel.transitions.give(plugin, current_actor())

    async def run_unload_handlers(
        self,
        run: Runner,
        plugin: Plugin,
        failures: List[BaseException],
        timeout: Optional[float] = None,
    ) -> None:
        """Runs the ``on_unload`` handlers of the generation that was, once."""
        generation = plugin.generation
        bound = self.kernel.stop_timeout if timeout is None else timeout
        for handler in generation.handlers.pop("on_unload", ()):
            try:
                await run.call(generation, handler, bound)
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                failures.append(_of(plugin, "on_unload", error))


def _of(plugin: Optional[Plugin], what: str, error: BaseException) -> BaseException:
    """The error, marked with what raised it, for the text of the error that gathers it."""
    whose = f"plugin {plugin.name!r}" if plugin is not None else "the host"
    try:
        error._pkl_where = f"{what} of {whose}"  # type: ignore[attr-defined]
    except AttributeError:
        return error  # its class has slots; then the text does without
    return error


def _stopped_with(user: Plugin, plugin: Plugin) -> Reason:
    return Reason(
        "stopped-with",
        f"plugin {user.name!r} was stopped together with {plugin.name!r}, which it requires",
        f"{plugin.name} {plugin.version} was disabled",
        f"enable it again: host.get_plugin({user.name!r}).enable()",
    )


def _stopped_by_parent(child: Plugin, parent: Plugin) -> Reason:
    return Reason(
        "parent-stopped",
        f"plugin {child.name!r} was stopped together with its parent {parent.name!r}",
        f"{parent.name} {parent.version} was disabled",
        f"enable {parent.name} again, or enable(detach=True) the child",
    )


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


def _raise_gathered(message: str, plugin: Plugin, failures: List[BaseException]) -> None:
    """Raises what stopping ran into, if anything, as one error."""
    if not failures:
        return
    shown: List[Exception] = []
    for error in failures:
        if isinstance(error, Exception):
            shown.append(error)
        else:
            stand_in = RuntimeError(f"clean-up raised {error!r}")
            stand_in.__cause__ = error
            shown.append(stand_in)
    raise CleanupError(message, shown, plugin=plugin.name, version=plugin.version)
