"""The virtual module ``pkl.plugins``: ``from pkl.plugins import auth`` gives a plugin's API.

A name is resolved in the current plugin's host, else in the default host, and can be imported
once the plugin is loaded. ``host.plugins.auth`` names a host.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, List

from . import host as _host  # wires the default host
from .kernel.context import current_kernel
from .kernel.importer import HostPlugins, PluginProxy, ProxyFinder, proxy_for

__path__: List[str] = []


class _Plugins(ModuleType):
    """Looks every name up anew, so that a proxy that was imported once does not stay put."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return proxy_for(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if not isinstance(value, PluginProxy):
            super().__setattr__(name, value)

    def __dir__(self) -> List[str]:
        return dir(HostPlugins(current_kernel()))


_module = sys.modules[__name__]
_module.__class__ = _Plugins
for _name in ("Any", "List", "ModuleType", "annotations", "sys"):
    del _module.__dict__[_name]
if ProxyFinder not in sys.meta_path:
    sys.meta_path.append(ProxyFinder)
