"""The part of a host that starts what waited, when what held it up is gone."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any, Coroutine, Optional, Set

from ..errors import PklError
from ..kernel.runner import complete
from ..kernel.task import start_task
from ..kernel.transition import current_actor
from ..model.candidate import Candidate
from ..model.state import PluginState
from ..store import HostFacts
from .contributing import Contributing
from .installed import HostGeneration
from .looking import refuse_while_looking
from .starting import adopt, retry

__all__ = ["Curing"]


class Curing(Contributing):
    """The part of ``PluginHost`` that starts what waited."""

    name: Optional[str]
    group: str
    _generation: HostGeneration
    _begun = False
    """Whether ``start()`` was ever called: before that, nothing waits."""

    def refresh(self) -> None:
        """Looks for plugins again, and starts those that waited for what is there by now.

        That is so of plugins that were blocked, and of those that failed of which another version
        or another manifest is there now, or whose settings are valid by now. What somebody
        stopped in this run stays as it is, and so does what requires it.

        Of a host with a name, what people want is read again too: a plugin that was disabled or
        masked and is wanted now starts; one that runs and is not wanted any more runs on.
        """
        self._look_again()

    def _look_again(self, *forgiven: str) -> None:
        self.kernel.check_open()
        refuse_while_looking("refresh()")
        self._read_state()
        self._finder.discover(True)
        self._settings.refresh(self.kernel)
        self._start_what_waited(*forgiven)

    def _read_state(self) -> None:
        self._generation.pin()
        if self.name is not None:
            paths = self._finder.paths
            facts = HostFacts(self.name, self.version, self.group, paths, self.app)
            for name in self._wishes.read(replace(facts, points=self.points)):
                self._forgive(name)  # somebody reset it meanwhile, in another process

    def _start_what_waited(self, *forgiven: str) -> None:
        """Plans anew and starts, before this returns, what nothing holds up any more.

        Args:
            forgiven: Plugins that are tried again although they failed.
        """
        complete(self._retrial(False, forgiven))

    def _start_what_waited_for_a_wish(self) -> None:
        """As ``_start_what_waited``, for a change that may be made from anywhere.

        On the host's own loop, it is a task there: handlers are awaited, and this returns at
        once. Within the start or stop of a plugin nothing is started.
        """
        kernel = self.kernel
        if not self._begun or kernel.closing or not kernel.transitions.idle(current_actor()):
            return
        loop: Any = sys.modules["asyncio"]._get_running_loop() if "asyncio" in sys.modules else None
        if loop is not None and loop is kernel.loop:
            start_task(kernel.subject, self._retrial(True, ()), "start of what waited")
        else:
            complete(self._retrial(False, ()))

    def _retrial(
        self, asynchronous: bool, forgiven: "tuple[str, ...]"
    ) -> "Coroutine[Any, Any, None]":
        kernel = self.kernel
        failed = {
            name: plugin.candidate
            for name, plugin in list(kernel.plugins.items())
            if plugin.state is PluginState.ERROR
        }
        plan = self.resolve()
        waiting = set(self._wishes.waiting())
        adopt(kernel, self._rows.candidates(), plan, self._rows.desired, anew=False)
        kernel.contributions.replan(plan)
        mended: Set[str] = {n for n, was in failed.items() if n in forgiven or self._mended(n, was)}
        return retry(kernel, kernel.lifecycle.runner(asynchronous), plan, waiting, mended)

    def _mended(self, name: str, before: Candidate) -> bool:
        """Whether what a plugin failed of is likely to be gone: it is another one by now, or its
        settings are valid. Whether its code was corrected, nobody can know."""
        plugin = self.kernel.plugins[name]
        if plugin.candidate != before:
            return True
        if plugin.reason is None or plugin.reason.code != "config":
            return False
        try:
            self._settings.of(plugin)
        except PklError:
            return False
        return True
