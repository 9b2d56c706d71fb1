"""How a plugin is loaded: its requirements first, then its code; and cleaned up if that fails."""

from __future__ import annotations

import weakref
from contextlib import contextmanager
from contextvars import copy_context
from time import monotonic
from typing import Any, Coroutine, Dict, Iterator, List, Optional, Set, Tuple

from ..errors import (
    HostClosed,
    PklError,
    PluginBlocked,
    PluginNotRunning,
    TransitionDeadlock,
    TransitionTimeout,
)
from ..model.state import Action, Desired, PluginState, Reason
from .accounting import watching
from .binding import bind, not_running_reason
from .context import running_as
from .dispatch import passes
from .flat import Deep, Flat
from .generation import Generation
from .plugin import Plugin
from .reasons import blocked_error, cycle_reason, described, failure, stopped, unwanted
from .runner import Runner
from .stopping import Stopping
from .teardown import StopOrder
from .transition import current_actor

__all__ = ["Loading", "Trail", "root"]

_S = PluginState
_LOADED = (_S.LOADED, _S.ENABLING, _S.ENABLED, _S.DISABLING)


class _Postponed(PklError):
    """Something wanted requires, in the end, the very plugin that wants it."""


_PASSING = (HostClosed, TransitionDeadlock, TransitionTimeout, _Postponed)
"""Errors that say nothing about a requirement: its dependant is not BLOCKED by them."""


class Trail:
    """What one call is bringing up, each plugin on behalf of the one before it.

    Args:
        failed: What failed already, and is not tried again; several trails may share it.

    Attributes:
        path: The plugins, and how many wants lie before each.
        depth: How many wants lie before what is brought up now.
    """

    def __init__(self, failed: Optional[Set[Plugin]] = None) -> None:
        self.path: Dict[Plugin, int] = {}
        self.depth = 0
        self.failed: Set[Plugin] = set() if failed is None else failed

    @contextmanager
    def through(self, plugin: Plugin) -> Iterator[None]:
        """The block brings up what ``plugin`` needs."""
        known = plugin in self.path
        self.path.setdefault(plugin, self.depth)
        try:
            yield
        finally:
            if not known:
                del self.path[plugin]

    @contextmanager
    def wanted(self) -> Iterator[None]:
        """The block brings up what is merely wanted: a way back from there is no hard cycle."""
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    def may_bring(self, want: Plugin) -> bool:
        """Whether a want is to be brought up: nobody tries again what has failed by itself."""
        return (
            want.desired is Desired.ENABLED
            and want.state not in (_S.ERROR, _S.BLOCKED)
            and want not in self.path
            and want not in self.failed
        )


class Loading(Stopping):
    """The loading half of ``Lifecycle``."""

    async def load(self, run: Runner, plugin: Plugin) -> None:
        """Imports a plugin's code, after loading what it requires: → LOADED.

        Raises:
            PluginBlocked: Something it requires is missing, unsatisfied, cyclic or failed.
            PluginLoadError: Its code raised.
        """
        await Flat(self._load(run, plugin, Trail()))

    async def _load(self, run: Runner, plugin: Plugin, trail: Trail) -> None:
        kernel = self.kernel
        began = monotonic()
        while True:
            kernel.check_open()
            if plugin.state in _LOADED or kernel.transitions.nested(plugin, current_actor()):
                return
            self.check_time(plugin, began)
            await self.prepare(run, plugin, trail)
            with trail.through(plugin):
                for want in self.wants(plugin):
                    if trail.may_bring(want) and want.state not in _LOADED:
                        with trail.wanted():
                            await self._try(self._load(run, want, trail))
                for need in plugin.needs:
                    failed = need.error if need in trail.failed else None
                    if failed is None:
                        failed = await self._try(self._load(run, need, trail))
                    # Back without an error and without the code: it is being imported around us.
                    if failed is not None or need.state not in _LOADED:
                        raise await self.hold_up(run, plugin, need, failed, trail) from root(failed)
            if await self.load_code(run, plugin, _LOADED):
                return

    async def load_code(self, run: Runner, plugin: Plugin, ready: Tuple[PluginState, ...]) -> bool:
        """Imports a plugin's code, unless somebody else just did.

        Args:
            run: The runner.
            plugin: The plugin.
            ready: The states that what it requires has to be in.

        Returns:
            False if that has changed meanwhile.
        """
        await run.take(plugin)
        try:
            if plugin.state in _LOADED:
                return True
            self.kernel.check_open()
            await self._last_of_the_old(run, plugin)
            if not plugin.bound or any(need.state not in ready for need in plugin.needs):
                return False
            await self._import(run, plugin)
            return True
        finally:
            self.kernel.transitions.give(plugin, current_actor())

    def check_time(self, plugin: Plugin, began: float) -> None:
        """Gives up on a plugin whose requirements others keep stopping.

        Raises:
            TransitionTimeout: That has gone on since ``began`` for too long.
        """
        if monotonic() - began > self.kernel.transition_timeout:
            raise TransitionTimeout(
                f"plugin {plugin.name!r} could not be started: what it requires keeps being "
                "stopped",
                plugin=plugin.name,
                version=plugin.version,
            )

    async def prepare(self, run: Runner, plugin: Plugin, trail: Trail) -> None:
        """Checks that a plugin may be started at all, and binds what it requires.

        Raises:
            PluginBlocked: It is masked, unusable, part of a cycle, or lacks a requirement.
        """
        if plugin in trail.path:
            raise self._came_back(plugin, trail)
        if plugin.state is not _S.LOADED:
            if plugin.successor is not None:
                self.kernel.add(plugin.successor)
            self._check_candidate(plugin)
        reason = bind(self.kernel, plugin)
        if reason is not None:
            await self.hold_back(run, plugin, Action.BLOCK, reason)
            raise blocked_error(plugin, reason)

    @staticmethod
    async def _try(step: Coroutine[Any, Any, Any]) -> Optional[BaseException]:
        """Awaits a step, without using up the stack; the PklError that it raises, if any."""
        try:
            await Deep(step)
        except PklError as error:
            return error
        return None

    @staticmethod
    def wants(plugin: Plugin) -> List[Plugin]:
        """The plugins that it wants and does not require."""
        return [p for p in dict.fromkeys(plugin.bindings.values()) if p not in plugin.needs]

    def _came_back(self, plugin: Plugin, trail: Trail) -> PklError:
        """The error for a requirement that leads back to a plugin that is being brought up."""
        if trail.path[plugin] < trail.depth:
            # A want lies in between; it is the want that goes without, for now.
            return _Postponed(
                f"plugin {plugin.name!r} {plugin.version} waits for what it wants, and that "
                "requires it",
                plugin=plugin.name,
                version=plugin.version,
            )
        path = list(trail.path)
        ring = path[path.index(plugin) :]
        for each in ring:
            self.block(each, cycle_reason(each, ring))
        names = [each.name for each in ring]
        return blocked_error(plugin, plugin.reason or cycle_reason(plugin, ring), cycle=names)

    def _check_candidate(self, plugin: Plugin) -> None:
        """Refuses what is masked, and what discovery found to be unusable."""
        fault = plugin.candidate.fault
        if plugin.desired is Desired.MASKED:
            fault = unwanted(plugin)
        if fault is None:
            return
        if fault.code == "manifest":
            self.refuse(plugin, fault)
        else:
            self.block(plugin, fault)
        raise blocked_error(plugin, fault)

    def refuse(self, plugin: Plugin, reason: Reason) -> None:
        """Puts a plugin into ERROR whose manifest is faulty, unless it is loaded."""
        with self.kernel.mutex:
            if not plugin.running and plugin.state not in (_S.LOADED, _S.ERROR):
                plugin.move(Action.FAIL, reason)
        self.kernel.contributions.tell()

    def block(self, plugin: Plugin, reason: Reason) -> None:
        """Puts a plugin that is not running into BLOCKED, unless it is loaded."""
        with self.kernel.mutex:
            if plugin.running or plugin.state is _S.LOADED:
                return
            plugin.move(Action.BLOCK, reason)
            plugin.error = blocked_error(plugin, reason)
        self.kernel.contributions.tell()

    async def hold_up(
        self,
        run: Runner,
        plugin: Plugin,
        need: Plugin,
        failed: Optional[BaseException],
        trail: Trail,
    ) -> PklError:
        """BLOCKs a plugin for a requirement that does not run; the error to raise.

        Args:
            run: The runner.
            plugin: The plugin.
            need: What it requires.
            failed: What bringing that up raised, if anything.
            trail: Remembers that it failed.
        """
        if isinstance(failed, _PASSING):
            return failed
        if failed is not None:
            trail.failed.add(need)
        if isinstance(failed, PluginBlocked) and plugin.name in failed.details.get("cycle", ()):
            known = plugin.reason or cycle_reason(plugin, [plugin])
            return blocked_error(plugin, known, cycle=failed.details["cycle"])
        reason = not_running_reason(plugin, need)
        await self.hold_back(run, plugin, Action.BLOCK, reason)
        return blocked_error(plugin, reason)

    async def hold_back(self, run: Runner, plugin: Plugin, action: Action, reason: Reason) -> None:
        """Takes back what a LOADED plugin staged, and moves it; others are BLOCKED at once."""
        if plugin.state is not _S.LOADED:
            self.block(plugin, reason)
            return
        order = StopOrder(self.kernel)
        await run.take(plugin)
        try:
            if plugin.state is not _S.LOADED:
                return
            await self.tear_down(run, plugin, order, farewell=False)
            with self.kernel.mutex:
                if action is Action.STOPPED:
                    plugin.move(Action.BEGIN_DISABLE)
                else:
                    plugin.error = blocked_error(plugin, reason)
                plugin.move(action, reason)
        finally:
            self.kernel.transitions.give(plugin, current_actor())
        self.kernel.contributions.tell()
        interrupt = order.interrupt(0)
        order.report(f"clean-up of {plugin.name}")
        if interrupt is not None:
            raise interrupt

    async def _last_of_the_old(self, run: Runner, plugin: Plugin) -> None:
        """Runs the ``on_unload`` handlers of the generation before, which has been stopped."""
        order = StopOrder(self.kernel)
        await self.run_unload_handlers(run, plugin, order)
        interrupt = order.interrupt(0)
        order.report(f"on_unload of {plugin.name}")
        if interrupt is not None:
            raise interrupt

    async def _import(self, run: Runner, plugin: Plugin) -> None:
        kernel = self.kernel
        generation = Generation(kernel, plugin, plugin.generation.number + 1)
        generation.built_on = tuple((need, need.generation) for need in plugin.needs)
        plugin.generation = generation
        plugin.error = None
        if kernel.settings is not None:
            try:
                kernel.settings.begin(plugin)
            except PklError as error:
                await self.fail(run, plugin, "config", error)
        try:
            with running_as(generation), watching(generation):
                # A context of its own, or what it sets there would stay.
                code = copy_context().run(kernel.loader.load, plugin, generation)
        except BaseException as error:
            if generation.dead and isinstance(error, PklError):
                # It stopped itself, and what it asked for after that was refused.
                if not isinstance(error, PluginNotRunning):
                    kernel.contain(generation, error, f"stopping of {plugin.name} by itself")
                self._stopped_itself(plugin)
                return
            await self.fail(run, plugin, "load", error)
            return
        generation.code = code
        plugin.last_module = _reference(code.module)
        if generation.dead:
            self._stopped_itself(plugin)
            return
        with kernel.mutex:
            plugin.move(Action.LOADED)

    def _stopped_itself(self, plugin: Plugin) -> None:
        """A plugin called ``disable()`` on itself while it was being imported: → DISABLED."""
        self.drop_code(plugin.generation)
        with self.kernel.mutex:
            plugin.move(Action.LOADED)
            plugin.move(Action.BEGIN_DISABLE)
            plugin.move(Action.STOPPED, stopped(plugin, plugin))
        self.kernel.contributions.tell()

    async def fail(self, run: Runner, plugin: Plugin, stage: str, error: BaseException) -> None:
        """Cleans a half-started plugin up, makes it ERROR(stage), and raises.

        Raises:
            PluginLoadError: It failed at ``load``; ``__cause__`` is ``error``.
            PluginEnableError: It failed at ``enable``.
            BaseException: ``error`` itself, if it is one that always passes.
        """
        order = StopOrder(self.kernel)
        order.cause = f"{plugin.name} {plugin.version}: {described(error)}"
        await self.tear_down(run, plugin, order, farewell=False)
        interrupt = error if passes(error) else order.interrupt(0)
        reason, made = failure(plugin, stage, error, order.failures)
        with self.kernel.mutex:
            plugin.move(Action.FAIL, reason)
            plugin.error = made
        self.kernel.contributions.tell()
        if interrupt is not None:
            raise interrupt
        self.kernel.activations.failed(plugin)
        if self.kernel.supervisor is not None:
            self.kernel.supervisor.failed(plugin)
        raise made from error


def root(error: Optional[BaseException]) -> Optional[BaseException]:
    """What a chain of requirements broke at: not a link for each plugin on the way."""
    if isinstance(error, PluginBlocked) and error.__cause__ is not None:
        return error.__cause__
    return error


def _reference(module: object) -> "weakref.ref[object]":
    try:
        return weakref.ref(module)
    except TypeError:
        return lambda: None  # type: ignore[return-value]
