"""Tells of calls of plugins that hang, and gives such plugins up if the policy says so."""

from __future__ import annotations

from dataclasses import replace
from threading import Thread
from typing import Any, Callable, List, Optional, Sequence

from ..errors import PklError, PluginHung
from ..kernel.bounded import BoundedRunner
from ..kernel.core import Kernel
from ..kernel.generation import Generation
from ..kernel.log import warn_of
from ..kernel.plugin import Plugin
from ..kernel.runner import complete
from ..supervision import Stall, Watchdog, WatchdogPolicy

__all__ = ["HangWatch"]


class HangWatch:
    """The watchdog of one host. Safe from any thread.

    Args:
        kernel: The host's kernel.
        policy: What is slow and hung, and what is done then; None to watch nothing.
        give_up: Keeps a plugin from being started, and remembers why.

    Attributes:
        watchdog: What looks; None without a policy.
        hooks: The handlers of ``host.on_stall``.
    """

    def __init__(
        self,
        kernel: Kernel,
        policy: Optional[WatchdogPolicy],
        give_up: Callable[[Plugin, str], None],
    ) -> None:
        self._kernel = kernel
        self._policy = policy
        self._give_up = give_up
        self.watchdog = None if policy is None else Watchdog(kernel, policy, self._tell)
        self.hooks: List[Callable[[Stall], Any]] = []

    def start(self) -> None:
        """Watches from now on; costs next to nothing if it does already."""
        if self.watchdog is not None:
            self.watchdog.start()

    def close(self) -> None:
        """Watches no more."""
        if self.watchdog is not None:
            self.watchdog.close()

    def stalls(self, plugin: Plugin) -> Sequence[Stall]:
        """The calls of a plugin that are slow or hung right now."""
        return () if self.watchdog is None else self.watchdog.stalls(plugin.generation)

    def _tell(self, stall: Stall, generation: Generation) -> None:
        plugin = generation.plugin
        warn_of(plugin, "%s", stall.as_text())
        self._kernel.call_hooks(self.hooks, "on_stall handler", stall)
        gives_up = self._policy is not None and self._policy.on_hung == "quarantine"
        current = generation is plugin.generation and plugin.running
        if gives_up and stall.state == "hung" and current:
            # Stopping runs the plugin's code, which may hang in turn; and looking has to go on.
            name = f"pkl-quarantine-{plugin.name}"
            Thread(target=self._end, args=(plugin, stall), name=name, daemon=True).start()

    def _end(self, plugin: Plugin, stall: Stall) -> None:
        """Stops a plugin of which a call hangs, and what requires it, without waiting for that."""
        kernel = self._kernel
        error = PluginHung(
            f"{stall}; the call cannot be stopped and runs on in that thread",
            plugin=plugin.name,
            version=plugin.version,
            file=stall.file,
            hint=f"restart the application, or once it returned: pkl reset {plugin.name}",
            thread=stall.thread,
            line=stall.line,
            stack=list(stall.stack),
        )
        try:
            with BoundedRunner(kernel, {stall.ident}) as run:
                complete(kernel.lifecycle.crash_by_hand(run, plugin, error))
        except PklError as failed:
            kernel.contain(kernel.subject, failed, f"stopping of {plugin.name}, which hangs,")
        if kernel.closing:
            return
        self._give_up(plugin, str(stall))
        if plugin.running:  # it is its own start or stop that hangs
            words = "plugin %r %s could not be stopped; it is in quarantine from its next start on"
            warn_of(plugin, words, plugin.name, plugin.version)
            return
        given_up = replace(stall, state="quarantined")
        warn_of(plugin, "%s", given_up)
        kernel.call_hooks(self.hooks, "on_stall handler", given_up)
