"""Where the settings of one host's plugins come from, and how they change while it runs."""

from __future__ import annotations

import os
from threading import RLock
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
from ..names import canonical

if TYPE_CHECKING:
    from ..kernel.core import Kernel
    from ..kernel.plugin import Plugin

__all__ = ["HostSettings"]


class HostSettings:
    """The kernel's ``SettingsSource`` port.

    Args:
        given: ``PluginHost(settings=...)``.
        kept: What people said of a plugin, as it is kept on disk.

    Attributes:
        order: Held from the moment that settings are read until they are the plugin's, so that
            what was said last is what holds. No handler is called under it.
    """

    def __init__(
        self,
        given: Mapping[str, Mapping[str, Any]],
        kept: Callable[[str], Mapping[str, Any]],
    ) -> None:
        self._given = {canonical(name): dict(values) for name, values in given.items()}
        self._kept = kept
        self._environ: Dict[str, str] = {}
        self.order = RLock()
        self.read_environment()

    def read_environment(self) -> None:
        """Notes the environment variables with settings."""
        self._environ = {k: v for k, v in os.environ.items() if k.startswith(ENVIRONMENT)}

    def begin(self, plugin: "Plugin") -> None:
        """Gives a plugin that begins to load its settings; see the port."""
        with self.order:
            plugin.config.begin(self.of(plugin))

    def of(self, plugin: "Plugin") -> SettingValues:
        """The settings of a plugin, merged and checked.

        Raises:
            SettingsError: They break its schema.
            MissingExtra: They have a schema, and what checks it is not installed.
        """
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
            try:
                with self.order:
                    if plugin.config.in_use:
                        plugin.config.put(self.of(plugin))
            except PklError as error:
                warn_of(plugin, "%s\nthe settings that it had are kept", error)
            plugin.config.tell()
