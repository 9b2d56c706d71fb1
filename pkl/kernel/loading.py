"""How a plugin is loaded: its requirements first, then its code; and cleaned up if that fails."""

from __future__ import annotations

import weakref
from typing import List, Tuple

from ..errors import PklError
from ..model.state import Action, Desired, PluginState, Reason
from .binding import bind, not_running_reason
from .context import switch
from .dispatch import passes
from .generation import Generation
from .plugin import Plugin
from .reasons import blocked_error, cycle_reason, failure
from .runner import Runner
from .stopping import Stopping
from .transition import current_actor

__all__ = ["Loading"]

_S = PluginState
_LOADED = (_S.LOADED, _S.ENABLING, _S.ENABLED, _S.DISABLING)


class Loading(Stopping):
    """The loading half of ``Lifecycle``."""

    async def load(self, run: Runner, plugin: Plugin, trail: Tuple[Plugin, ...] = ()) -> None:
        """Imports a plugin's code, after loading what it requires: → LOADED.

        Raises:
            PluginBlocked: Something it requires is missing, unsatisfied, cyclic or failed.
            PluginLoadError: Its code raised.
        """
        kernel = self.kernel
        kernel.check_open()
        if plugin.state in _LOADED or kernel.transitions.nested(plugin, current_actor()):
            return
        await self.prepare(run, plugin, trail)
        for want in self.wants_of(plugin):
            if want.desired is Desired.ENABLED and want not in trail:
                try:
                    await self.load(run, want, (*trail, plugin))
                except PklError:
                    continue  # its own reason says why; a want's failure changes nothing
        for need in plugin.needs:
            try:
                await self.load(run, need, (*trail, plugin))
            except PklError as error:
                raise await self.hold_up(run, plugin, not_running_reason(plugin, need)) from error
        await run.take(plugin)
        try:
            if plugin.state not in _LOADED:
                await self._import(run, plugin)
        finally:
            kernel.transitions.give(plugin, current_actor())

    async def prepare(self, run: Runner, plugin: Plugin, trail: Tuple[Plugin, ...]) -> None:
        """Checks that a plugin may be started at all, and binds what it requires.

        Args:
            run: The runner.
            plugin: The plugin.
            trail: The plugins that are being started because each requires the next.

        Raises:
            PluginBlocked: It is masked, unusable, part of a cycle, or lacks a requirement.
        """
        if plugin in trail:
            ring = list(trail[trail.index(plugin) :])
            for each in ring:
                self.block(each, cycle_reason(each, ring))
            raise blocked_error(plugin, plugin.reason or cycle_reason(plugin, ring))
        if plugin.state is not _S.LOADED:
            self._check_candidate(plugin)
        reason = bind(self.kernel, plugin)
        if reason is not None:
            raise await self.hold_up(run, plugin, reason)

    def wants_of(self, plugin: Plugin) -> List[Plugin]:
        """What a plugin is bound to and does not require, but for what requires it in turn."""
        soft = [p for p in dict.fromkeys(plugin.bindings.values()) if p not in plugin.needs]
        return [want for want in soft if not self._needs(want, plugin)]

    def _needs(self, plugin: Plugin, other: Plugin) -> bool:
        """Whether ``plugin`` requires ``other``, directly or not, as far as it is bound."""
        seen = {plugin.name}
        heap = [plugin]
        while heap:
            each = heap.pop()
            if not each.needs and each.metadata.requires:
                bind(self.kernel, each)
            for need in each.needs:
                if need is other:
                    return True
                if need.name not in seen:
                    seen.add(need.name)
                    heap.append(need)
        return False

    def _check_candidate(self, plugin: Plugin) -> None:
        """Refuses what is masked, and what discovery found to be unusable."""
        fault = plugin.candidate.fault
        if plugin.desired is Desired.MASKED:
            fault = Reason(
                "masked",
                f"plugin {plugin.name!r} {plugin.version} is masked, so nothing may start it",
                f"{plugin.name} is masked",
                f"unmask it first: host.set_desired({plugin.name!r}, 'enabled')",
            )
        if fault is None:
            return
        if fault.code != "manifest":
            self.block(plugin, fault)
        elif plugin.state is not _S.ERROR:
            plugin.move(Action.FAIL, fault)
        raise blocked_error(plugin, fault)

    def block(self, plugin: Plugin, reason: Reason) -> None:
        """Puts a plugin that is not running into BLOCKED, unless it has failed by itself."""
        with self.kernel.mutex:
            if plugin.running or plugin.state is _S.LOADED:
                return
            plugin.move(Action.BLOCK, reason)
            plugin.error = blocked_error(plugin, reason)

    async def hold_up(self, run: Runner, plugin: Plugin, reason: Reason) -> PklError:
        """BLOCKs a plugin for a requirement, taking back what it staged; the error to raise."""
        if plugin.reason is not None and plugin.reason.code == "cycle":
            return blocked_error(plugin, plugin.reason)
        if plugin.state is _S.LOADED:
            await run.take(plugin)
            try:
                for error in await self._take_back(run, plugin):
                    self.kernel.contain(plugin.generation, error, f"clean-up of {plugin.name}")
                with self.kernel.mutex:
                    plugin.move(Action.BLOCK, reason)
            finally:
                self.kernel.transitions.give(plugin, current_actor())
        else:
            self.block(plugin, reason)
        plugin.error = blocked_error(plugin, reason)
        return blocked_error(plugin, reason)

    async def _take_back(self, run: Runner, plugin: Plugin) -> List[BaseException]:
        """Takes back what a plugin that does not run holds; what failed on the way."""
        generation = plugin.generation
        generation.close()
        failures: List[BaseException] = []
        for child in reversed(plugin.children):
            await self.disable(run, child, None, failures)
        generation.stopping = True
        await self.release(run, generation, failures)
        generation.dead = True
        self.drop_code(generation)
        return failures

    async def _import(self, run: Runner, plugin: Plugin) -> None:
        kernel = self.kernel
        failures: List[BaseException] = []
        await self.run_unload_handlers(run, plugin, failures)
        for failed in failures:
            kernel.contain(plugin.generation, failed, f"on_unload of {plugin.name}")
        generation = Generation(kernel, plugin, plugin.generation.number + 1)
        plugin.generation = generation
        plugin.error = None
        previous = switch(generation)
        try:
            code = kernel.loader.load(plugin, generation)
        except BaseException as error:
            switch(previous)
            if generation.dead and isinstance(error, RuntimeError):
                self._stopped_itself(plugin)
                return
            await self.fail(run, plugin, "load", error)
            return
        switch(previous)
        generation.code = code
        plugin.last_module = _reference(code.module)
        if generation.dead:
            self.drop_code(generation)
            self._stopped_itself(plugin)
            return
        with kernel.mutex:
            plugin.move(Action.LOADED)

    def _stopped_itself(self, plugin: Plugin) -> None:
        """A plugin called ``disable()`` on itself while it was being imported: → DISABLED."""
        reason = Reason(
            "stopped-itself",
            f"plugin {plugin.name!r} {plugin.version} disabled itself while it was loaded",
            f"{plugin.name} {plugin.version} disabled itself",
            "",
        )
        with self.kernel.mutex:
            plugin.move(Action.LOADED)
            plugin.move(Action.BEGIN_DISABLE)
            plugin.move(Action.STOPPED, reason)

    async def fail(self, run: Runner, plugin: Plugin, stage: str, error: BaseException) -> None:
        """Cleans a half-started plugin up, makes it ERROR(stage), and raises.

        Raises:
            PluginLoadError: It failed at ``load``; ``__cause__`` is ``error``.
            PluginEnableError: It failed at ``enable``.
            BaseException: ``error`` itself, if it is one that always passes.
        """
        failures = await self._take_back(run, plugin)
        reason, made = failure(plugin, stage, error, failures)
        with self.kernel.mutex:
            plugin.move(Action.FAIL, reason)
            plugin.error = made
        if passes(error):
            raise error
        raise made from error


def _reference(module: object) -> "weakref.ref[object]":
    try:
        return weakref.ref(module)
    except TypeError:
        return lambda: None  # type: ignore[return-value]
