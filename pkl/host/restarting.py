"""Starts plugins again that failed, as their restart policy says, until that is no use."""

from __future__ import annotations

import sys
from contextvars import Context
from random import random
from threading import Lock
from typing import Any, Callable, Dict, NamedTuple, Optional, Sequence

from ..errors import PklError, PluginHung, RestartRequired
from ..kernel.binding import bind, not_running_reason
from ..kernel.core import Kernel
from ..kernel.log import warn_of
from ..kernel.plugin import Plugin
from ..kernel.reasons import described
from ..kernel.task import start_task
from ..kernel.timer import Timer
from ..model.state import Desired, PluginState
from ..supervision import RestartLimiter, RestartPolicy, Stall
from .hanging import HangWatch

__all__ = ["Restarter"]

_FAILED = (PluginState.ERROR, PluginState.DISABLED)


class _Due(NamedTuple):
    """A restart that is to come."""

    timer: Timer
    generation: int
    remedy: str
    """What the plugin's reason said to do, before the restart was due."""


class Restarter:
    """The kernel's ``Supervisor`` port. Safe from any thread.

    Args:
        kernel: The host's kernel.
        policy: The host's restart policy; None for no restarts at all.
        give_up: Keeps a plugin from being started, and remembers why.
        hangs: Watches calls that take long.
    """

    def __init__(
        self,
        kernel: Kernel,
        policy: Optional[RestartPolicy],
        give_up: Callable[[Plugin, str], None],
        hangs: HangWatch,
    ) -> None:
        self._kernel = kernel
        self._policy = policy
        self._give_up = give_up
        self._hangs = hangs
        self._lock = Lock()
        self._limiters: Dict[str, RestartLimiter] = {}
        self._due: Dict[str, _Due] = {}

    def starting(self, plugin: Plugin) -> None:
        """Has the calls of plugins watched."""
        self._hangs.start()

    def stalls(self, plugin: Plugin) -> Sequence[Stall]:
        """The calls of a plugin that are slow or hung right now."""
        return self._hangs.stalls(plugin)

    def close(self) -> None:
        """Nothing is watched any more."""
        self._hangs.close()

    def failed(self, plugin: Plugin) -> None:
        """Sees to it that a plugin is started again after a while, if it is to be."""
        error = plugin.error
        while error is not None:
            if isinstance(error, (PluginHung, RestartRequired)):
                return  # it is given up, or only a new process helps
            error = error.__cause__
        if self._when(plugin) != "never":
            self._again(plugin)

    def stopped(self, plugin: Plugin, by_itself: bool) -> None:
        """Forgets a restart that is due; a plugin that never is to end is started again."""
        due = self._cancel(plugin.name)
        reason = plugin.reason
        if due is not None and reason is not None and plugin.state in _FAILED and not by_itself:
            plugin.reason = now = reason._replace(remedy=due.remedy)
            for user in list(self._kernel.held_up.values()):
                held = user.reason
                if held is not None and (held.cause, held.remedy) == (reason.cause, reason.remedy):
                    user.reason = held._replace(remedy=now.remedy)
        if by_itself and plugin.state is PluginState.DISABLED and self._when(plugin) == "always":
            self._again(plugin)

    def forgive(self, name: str) -> None:
        """Forgets the failures of a plugin, and a restart that is due."""
        self._cancel(name)
        with self._lock:
            self._limiters.pop(name, None)

    def _when(self, plugin: Plugin) -> str:
        if self._policy is None:
            return "never"
        return str(plugin.metadata.supervision.get("restart", self._policy.default))

    def _cancel(self, name: str) -> Optional[_Due]:
        with self._lock:
            due = self._due.pop(name, None)
        if due is not None:
            due.timer.cancel()
        return due

    def _again(self, plugin: Plugin) -> None:
        kernel, policy = self._kernel, self._policy
        if policy is None or kernel.closing or plugin.desired is Desired.MASKED:
            return
        self._cancel(plugin.name)
        with self._lock:
            limiter = self._limiters.get(plugin.name)
            if limiter is None:
                limiter = self._limiters[plugin.name] = RestartLimiter(policy, random)
            delay = limiter.failed(kernel.clock.monotonic())
            count = limiter.recent
        reason = plugin.reason
        why = reason.cause if reason is not None else f"{plugin.name} was stopped"
        if delay is None:
            within = f"{count} restarts within {policy.window:g} s did not help"
            warn_of(plugin, "%s is left alone: %s; %s", plugin.name, within, why)
            self._give_up(plugin, f"{within}; {why}")
            return
        warn_of(plugin, "%s is started again in %.3g s: %s", plugin.name, delay, why)
        number = plugin.generation.number

        def fire() -> None:
            self._fire(plugin, number)

        timer = Timer(kernel.subject, fire, delay, False, (), {})
        remedy = reason.remedy if reason is not None else ""
        with self._lock:
            self._due[plugin.name] = _Due(timer, number, remedy)
        if reason is not None:
            wait = f"restart {count} of {policy.restarts} comes {delay:.3g} s after it failed"
            plugin.reason = reason._replace(remedy=f"{remedy}, or wait: {wait}")
        try:
            # Nothing of the context in which it failed lives on in the next start.
            Context().run(kernel.resource_manager.register, timer)
        except PklError:  # the host was closed meanwhile
            self._cancel(plugin.name)

    def _fire(self, plugin: Plugin, number: int) -> None:
        with self._lock:
            due = self._due.get(plugin.name)
            if due is None or due.generation != number:
                return
            del self._due[plugin.name]
        if plugin.state not in _FAILED or plugin.generation.number != number:
            return  # somebody else has started it meanwhile
        parent = plugin.parent
        if parent is not None and not parent.running:
            return  # its parent will load it again
        if not self._has_what_it_needs(plugin):
            return
        loop: Any = sys.modules["asyncio"]._get_running_loop() if "asyncio" in sys.modules else None
        if loop is not None and loop is self._kernel.loop:
            start_task(self._kernel.subject, self._astart(plugin), f"restart of {plugin.name}")
            return
        try:
            plugin.enable()
        except PklError as error:
            self._report(plugin, error)

    async def _astart(self, plugin: Plugin) -> None:
        try:
            await plugin.aenable()
        except PklError as error:
            self._report(plugin, error)

    def _report(self, plugin: Plugin, error: PklError) -> None:
        """Says why a restart failed; what follows from it has been seen to by ``failed``."""
        if not self._kernel.closing:
            warn_of(plugin, "%s could not be started again: %s", plugin.name, described(error))

    def _has_what_it_needs(self, plugin: Plugin) -> bool:
        """Whether all it requires runs; else it waits BLOCKED: a restart pulls in nothing that
        somebody stopped."""
        kernel = self._kernel
        reason = bind(kernel, plugin, search=False)
        if reason is None:
            missing = [n for n in plugin.needs if n.state is not PluginState.ENABLED]
            if not missing:
                return True
            reason = not_running_reason(plugin, missing[0])
        kernel.lifecycle.block(plugin, reason)
        return False
