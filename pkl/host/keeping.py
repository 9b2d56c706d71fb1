"""The half of a host that is about what people want: what is kept of it on disk."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Union

from ..kernel.context import _current
from ..kernel.core import Kernel
from ..model.state import Desired
from ..names import canonical
from ..store import HostState, plain_settings
from .finding import HostFinder
from .restarting import Restarter
from .rows import Rows
from .settings import HostSettings
from .wishes import Wishes

__all__ = ["Keeping"]

_STRENGTH = {Desired.MASKED: 0, Desired.DISABLED: 1, Desired.ENABLED: 2}
"""How much each wish lets start."""


class Keeping:
    """The half of ``PluginHost`` that is about what people want of its plugins."""

    kernel: Kernel
    app: Optional[str] = None
    """``MODULE:ATTR`` of the application, noted for ``pkl run --host NAME``; or None."""
    _finder: HostFinder
    _restarter: Restarter
    _rows: Rows
    _wishes: Wishes
    _settings: HostSettings

    @property
    def state(self) -> HostState:
        """What is kept of this host on disk, as it was last read: when it was first asked for,
        at ``start()`` and at ``refresh()``. Of a host without a name, nothing."""
        return self._wishes.state

    @property
    def desired(self) -> Mapping[str, Desired]:
        """What people want of each plugin; of one that is not in it, ``enabled``."""
        self._wishes.know()
        return self._rows.desired

    def set_desired(self, name: str, desired: Union[Desired, str]) -> None:
        """Says what people want of a plugin, known yet or not; what runs now is left as it is.

        In a host that was started, lifting ``masked`` or ``disabled`` starts the plugin and what
        waited for it before this returns; failures are only reported. On the host's own loop it
        is a task that does so; called within the start or stop of a plugin, it starts nothing. A
        host with a name keeps the wish on disk, for every later start.

        Args:
            name: The plugin.
            desired: ``enabled``, ``disabled`` (not started by itself), or ``masked`` (never).

        Raises:
            ValueError: ``desired`` is none of these.
            StateNewer: A later version of pkl wrote the host's state; nothing was changed.
            StateUnavailable: The host's state cannot be written; nothing was changed.
            LockTimeout: Another process is changing it all the while.
        """
        subject = _current.get()
        by = "host.set_desired()"
        if subject is not None and subject.plugin is not None:
            by += f" in plugin {subject.plugin.name}"
        wish, before = Desired(desired), self.desired.get(canonical(name), Desired.ENABLED)
        self._wishes.set_desired(name, wish, by)
        if _STRENGTH[wish] > _STRENGTH[before]:
            self._start_what_waited_for_a_wish()

    def set_config(self, name: str, settings: Mapping[str, Any]) -> None:
        """These are the settings that people want of a plugin, in place of those kept so far.

        They come before the host's and the manifest's, after the environment's. A plugin that
        has its settings already gets the new ones, and its subscribers hear of it; one that
        failed for want of valid ones is started, with what waited for it, as ``set_desired``
        does. A host with a name keeps them on disk.

        Args:
            name: The plugin, known yet or not.
            settings: Plain JSON values under text keys.

        Raises:
            SettingsError: They break the plugin's schema; nothing was changed.
            MissingExtra: It has a schema, and the extra ``schema`` is not installed.
            ValueError: A value is none that JSON has; the text says where.
            StateNewer: A later version of pkl wrote the host's state; nothing was changed.
            StateUnavailable: The host's state cannot be written; nothing was changed.
            LockTimeout: Another process is changing it all the while.
        """
        settings = plain_settings(settings)
        plugin = self.kernel.plugins.get(canonical(name))
        with self._settings.order:
            values = self._settings.with_kept(plugin, settings) if plugin is not None else None
            self._wishes.set_settings(name, settings)
            if plugin is None or values is None:
                return
            if plugin.config.in_use:
                plugin.config.put(values)
        plugin.config.tell()
        if plugin.reason is not None and plugin.reason.code == "config":
            self._start_what_waited_for_a_wish()

    def _kept_settings(self, name: str) -> Mapping[str, Any]:
        return self._wishes.settings(name)

    def reset(self, *names: str) -> None:
        """Gives plugins another chance: forgets their failures, and ends their quarantine.

        They start before this returns, with what waited for them; if that fails,
        ``plugin.reason`` says so. It looks for plugins again, as ``refresh()`` does.

        Args:
            names: The plugins; without any, all that are in quarantine.

        Raises:
            PluginNotFound: There is no such plugin, and nothing is kept of one.
            StateNewer: A later version of pkl wrote the host's state; nothing was changed.
            StateUnavailable: The host's state cannot be written; nothing was changed.
            LockTimeout: Another process is changing it all the while.
            HostClosed: The host is closed.
        """
        self.kernel.check_open()
        wanted = [canonical(name) for name in names] or sorted(self._wishes.quarantined)
        for name in wanted:
            if name not in self.kernel.plugins and name not in self._wishes.quarantined:
                self._finder.by_name(name)
        self._wishes.reset(*wanted)
        for name in wanted:
            self._forgive(name)
        self._look_again(*wanted)

    def _forgive(self, name: str) -> None:
        """Forgets the failures of a plugin."""
        self._restarter.forgive(name)
        plugin = self.kernel.plugins.get(name)
        if plugin is not None:
            self.kernel.activations.forgive(plugin)

    def _look_again(self, *forgiven: str) -> None:
        raise NotImplementedError

    def _start_what_waited_for_a_wish(self) -> None:
        raise NotImplementedError
