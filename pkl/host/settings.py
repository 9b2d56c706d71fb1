"""Where the settings of one host's plugins come from, and how they change while it runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping

from ..discovery.settings_schema import read_schema
from ..errors import PklError
from ..kernel.log import warn_of
from ..model.settings import (
    ENVIRONMENT,
    SettingValues,
    layers_of,
    settings_of,
)
from ..model.state import PluginState
from ..names import canonical

if TYPE_CHECKING:
    from ..kernel.core import Kernel
    from ..kernel.plugin import Plugin

__all__ = ["HostSettings", "has_settings"]

_HAVE_SETTINGS = (
    PluginState.LOADED,
    PluginState.ENABLING,
    PluginState.ENABLED,
    PluginState.DISABLING,
)


def has_settings(plugin: "Plugin") -> bool:
    """Whether a plugin was given its settings, and may read them."""
    return plugin.state in _HAVE_SETTINGS


class HostSettings:
    """The kernel's ``SettingsSource`` port.

    Args:
        given: ``PluginHost(settings=...)``.
        kept: What people said of a plugin, as it is kept on disk.
    """

    def __init__(
        self,
        given: Mapping[str, Mapping[str, Any]],
        kept: Callable[[str], Mapping[str, Any]],
    ) -> None:
        self._given = {canonical(name): dict(values) for name, values in given.items()}
        self._kept = kept
        self._environ: Dict[str, str] = {}
        self.read_environment()

    def read_environment(self) -> None:
        """Notes the environment variables with settings."""
        self._environ = {k: v for k, v in os.environ.items() if k.startswith(ENVIRONMENT)}

    def of(self, plugin: "Plugin") -> SettingValues:
        """The settings of a plugin, merged and checked; see the port."""
        return self.with_kept(plugin, self._kept(plugin.name))

    def with_kept(self, plugin: "Plugin", kept: Mapping[str, Any]) -> SettingValues:
        """As ``of``, if this were what people said."""
        given = self._given.get(plugin.name, {})
        stated = plugin.metadata.config
        if not (stated or given or kept or self._environ):
            return SettingValues()
        schema, file = read_schema(plugin.candidate)
        layers = layers_of(plugin.candidate, schema, given, kept, self._environ)
        return settings_of(plugin.name, layers, schema, file)

    def refresh(self, kernel: "Kernel") -> None:
        """Gives every plugin that has its settings the new ones; invalid ones are refused."""
        self.read_environment()
        for plugin in list(kernel.plugins.values()):
            if has_settings(plugin):
                try:
                    plugin.config.change(self.of(plugin))
                except PklError as error:
                    warn_of(plugin, "%s\nthe settings that it had are kept", error)
