"""What people want of one host's plugins: read from the disk, kept there, told to the rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Set, Tuple

from ..errors import LockTimeout, PklError, StateCorrupt, StateNewer, StateUnavailable
from ..kernel.core import Kernel
from ..kernel.log import logger_for
from ..kernel.plugin import Plugin
from ..kernel.reasons import REQUIREMENT_FAILED
from ..model.state import Desired, PluginState, Reason
from ..store import HostFacts, HostState, Quarantine, RegistryBook, StateStore
from .finding import HostFinder
from .report import StartReport
from .rows import Rows

if TYPE_CHECKING:
    from ..registry.revocation import Revoked

__all__ = ["Wishes"]

_UNWANTED = ("disabled", "masked")


class Wishes:
    """What people want of the plugins of one host, as far as it is kept on disk.

    Args:
        kernel: The host's kernel.
        finder: What keeps plugins in quarantine from being found sound.
        rows: The host's rows, which are told what people want.
        named: Whether the host has a name; one without reads and writes nothing.
    """

    def __init__(self, kernel: Kernel, finder: HostFinder, rows: Rows, named: bool) -> None:
        self.store = StateStore()
        self.problem: Optional[PklError] = None
        """Why the state may not be all there is, or None."""
        self._kernel = kernel
        self._finder = finder
        self._rows = rows
        self._named = named
        self._state: Optional[HostState] = None
        self._remarks: Tuple[str, ...] = ()
        self._revoked: Optional["Revoked"] = None
        self._unkept = HostState()
        """What would be kept, of a host without a name."""
        self._here: Dict[str, Reason] = {}
        """Quarantine that is not on the disk: of a host without a name, or that cannot write."""

    @property
    def state(self) -> HostState:
        """What was read last; the first access reads."""
        self.know()
        return self._state or HostState()

    def know(self) -> None:
        """Reads the state if nobody has yet, and leaves it as it is."""
        if self._state is None and self._named:
            reading = self.store.read(self._kernel.name)
            self._take(reading.state, reading.problem)

    def read(self, facts: HostFacts) -> Set[str]:
        """Reads the state anew and records what the host is; sets a damaged file aside.

        Never raises for what is on the disk: ``problem`` is what to say of it.

        Args:
            facts: What the host is.

        Returns:
            The plugins that were in quarantine when it was last read, and are not any more.
        """
        if not self._named:
            return set()
        held = set(self._state.quarantined if self._state is not None else ()) | set(self._here)
        state, _, problem = self.store.read(facts.name)
        self._remarks = ()
        if isinstance(problem, StateCorrupt) or (
            problem is None and state.with_facts(facts) != state
        ):
            try:
                changed = self.store.change(facts.name, lambda now: now.with_facts(facts))
                state, problem = changed.state, changed.problem
            except (LockTimeout, StateNewer, StateUnavailable) as error:
                # What people want is known all the same; only --host NAME will not know of it.
                self._remarks = (error.message,)
        self._take(state, problem)
        return held.difference(self.quarantined)

    def _take(self, state: HostState, problem: Optional[PklError]) -> None:
        if problem is not None and (
            self.problem is None or self.problem.message != problem.message
        ):
            fields = {"plugin": None, "plugin_version": None, "host": self._kernel.name}
            logger_for(None).warning("%s", problem, extra=fields)
        self.problem = problem
        self._state = state
        self._read_revoked()
        self._hold()
        self._rows.take_desired(state.desired)

    @property
    def quarantined(self) -> Mapping[str, Reason]:
        """Why nothing may start them, of the plugins in quarantine."""
        return {**self.state.quarantined, **self._here}

    def _read_revoked(self) -> None:
        """Reads what registries have revoked, as it was at the last contact: no network."""
        registries = [each for each in RegistryBook().read().registries if each.revoked]
        if registries or self._revoked is not None:
            from ..registry.revocation import Revoked

            self._revoked = Revoked(registries)

    def _hold(self) -> None:
        self._finder.hold(self.quarantined, self._revoked)
        for plugin in list(self._kernel.plugins.values()):
            plugin.candidate = self._finder.marked(plugin.candidate)
            if plugin.successor is not None:
                plugin.successor = self._finder.marked(plugin.successor)

    def quarantine(self, plugin: Plugin, why: str) -> None:
        """Keeps a plugin that is not running from being started before it is reset.

        It holds in this run also where it cannot be written to the disk, which is reported.
        """
        kernel, name = self._kernel, plugin.name
        reason = Quarantine(self.store.now(), why).reason(name)
        self._here[name] = reason
        if self._named:
            try:
                changed = self.store.quarantine(kernel.name, name, why=why)
            except PklError as error:
                kernel.contain(kernel.subject, error, f"quarantine of {name}")
            else:
                del self._here[name]
                self._take(changed.state, changed.problem)
                reason = self.state.quarantined.get(name, reason)
        self._hold()
        before = plugin.reason
        kernel.lifecycle.block(plugin, reason)
        for user in list(kernel.held_up.values()):
            held = user.reason
            if held is None or before is None or held.code != REQUIREMENT_FAILED:
                continue
            if held.cause == before.cause:
                user.reason = held._replace(cause=reason.cause, remedy=reason.remedy)

    def reset(self, *names: str) -> None:
        """Ends the quarantine of plugins.

        Raises:
            StateNewer: A later version of pkl wrote the state; nothing was changed.
            StateUnavailable: It cannot be written; nothing was changed.
            LockTimeout: Another process is changing it all the while.
        """
        kept = [name for name in names if self.state.record(name).quarantine is not None]
        if self._named and kept:
            changed = self.store.reset(self._kernel.name, *kept)
            self._take(changed.state, changed.problem)
        for name in names:
            self._here.pop(name, None)
        self._hold()

    def set_desired(self, name: str, desired: Desired, by: str) -> None:
        """Keeps what people want of a plugin, and tells its row.

        Raises:
            StateNewer: A later version of pkl wrote the state; nothing was changed.
            StateUnavailable: It cannot be written; nothing was changed.
            LockTimeout: Another process is changing it all the while.
        """
        if self._named:
            self.know()
            changed = self.store.set_desired(self._kernel.name, {name: desired}, by=by)
            if changed.problem is not None:
                self._take(changed.state, changed.problem)
            elif self._state is not None:
                self._state = self._state.with_record(name, changed.state.record(name))
        self._rows.set_desired(name, desired)

    def settings(self, name: str) -> Mapping[str, Any]:
        """The settings that are kept of a plugin."""
        self.know()
        return (self._state or self._unkept).record(name).settings

    def set_settings(self, name: str, settings: Mapping[str, Any]) -> None:
        """Keeps the settings of a plugin, in place of those so far; raises as ``set_desired``."""
        if not self._named:
            self._unkept = self._unkept.with_settings(name, settings)
            return
        self.know()
        changed = self.store.change_settings(self._kernel.name, name, lambda _: settings)
        if changed.problem is not None:
            self._take(changed.state, changed.problem)
        elif self._state is not None:
            self._state = self._state.with_record(name, changed.state.record(name))

    def waiting(self) -> Tuple[str, ...]:
        """The plugins that may start as soon as nothing and nobody is against it."""
        return tuple(
            name
            for name, plugin in list(self._kernel.plugins.items())
            if plugin.state is PluginState.BLOCKED
            or (
                plugin.state is PluginState.UNLOADED
                and plugin.desired is Desired.ENABLED
                and plugin.reason is not None
                and plugin.reason.code in _UNWANTED
            )
        )

    def reported(self, report: StartReport) -> StartReport:
        """The report, with what is wrong with the state: a start without it is degraded."""
        notes, status = report.notes + self._remarks, report.status
        if self.problem is not None:
            notes += (str(self.problem),)
            status = "degraded" if status == "ok" else status
        return replace(report, notes=notes, status=status) if notes != report.notes else report
