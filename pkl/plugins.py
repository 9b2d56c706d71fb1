"""The virtual module ``pkl.plugins``: ``from pkl.plugins import auth`` gives a plugin's API.

A name is resolved in the current plugin's host, else in the default host, and can be imported
once the plugin is loaded. ``host.plugins.auth`` names a host.
"""

from __future__ import annotations

import sys as _sys
import typing as _typing
from types import ModuleType as _ModuleType
from typing import Any as _Any
from typing import List as _List

from . import host as _host  # noqa: F401 - wires the default host
from .kernel import context as _context
from .kernel import importer as _importer

__path__: _List[str] = []

if _typing.TYPE_CHECKING:  # which plugins there are is known at run time only

    def __getattr__(name: str) -> _Any:
        """The API of the plugin of that name."""


class _Plugins(_ModuleType):
    """Looks every name up anew, so that a proxy that was imported once does not stay put."""

    def __getattr__(self, name: str) -> _Any:
        if name.startswith("_"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return _importer.proxy_for(name)

    def __setattr__(self, name: str, value: _Any) -> None:
        # The import system binds ``pkl.plugins.x`` here, which would hide a later stop of x.
        if not isinstance(value, _importer.PluginProxy):
            super().__setattr__(name, value)

    def __dir__(self) -> _List[str]:
        return dir(_importer.HostPlugins(_context.current_kernel()))


_sys.modules[__name__].__class__ = _Plugins
_sys.modules[__name__].__dict__.pop("annotations")
if _importer.ProxyFinder not in _sys.meta_path:
    _sys.meta_path.append(_importer.ProxyFinder)
