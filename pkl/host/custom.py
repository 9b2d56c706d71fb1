"""Lets a ``plugin_loader=`` object that has only a ``load`` method serve as the kernel's loader."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..errors import PluginLoadError
from ..kernel.generation import MARK, Generation

if TYPE_CHECKING:
    from ..kernel.plugin import Plugin
    from ..kernel.ports import PluginLoader

__all__ = ["CustomLoader"]


class CustomLoader:
    """Calls the object's ``load(plugin)`` and marks what it returns as the plugin's.

    What the code declares while the object loads it is recognised as the plugin's by its file,
    or by not being in ``sys.modules`` yet.
    """

    def __init__(self, loader: "PluginLoader") -> None:
        self._loader = loader

    def load(self, plugin: "Plugin", generation: Generation) -> "CustomCode":
        """Loads the plugin's code.

        Raises:
            PluginLoadError: The object returned None.
            BaseException: Whatever the object raised.
        """
        generation.adopting = True
        try:
            module = self._loader.load(plugin)
        finally:
            generation.adopting = False
        if module is None:
            raise PluginLoadError(
                f"the plugin loader {self._loader!r} returned None for plugin {plugin.name!r}",
                plugin=plugin.name,
                version=plugin.version,
                hint="its load(plugin) must return the plugin's module",
            )
        code = CustomCode(module)
        for each in code.modules():
            each.__dict__.setdefault(MARK, generation)
        return code


class CustomCode:
    """What a custom loader returned, as the kernel sees loaded code."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.api = module

    def modules(self) -> "list[ModuleType]":
        """The module and those below it in ``sys.modules``."""
        module = self.module
        if not isinstance(module, ModuleType):
            return []
        inside = f"{module.__name__}."
        below = [m for name, m in list(sys.modules.items()) if name.startswith(inside)]
        return [module, *(m for m in below if isinstance(m, ModuleType))]

    def drop(self) -> None:
        """Takes the module and those below it out of ``sys.modules``."""
        ours = {id(m) for m in self.modules()}
        for name, module in list(sys.modules.items()):
            if id(module) in ours:
                del sys.modules[name]
