"""The plugin host: fills the kernel's ports, wires the house together, and delegates."""

from __future__ import annotations

from .default import get_default_host, load_plugin, set_default_host
from .host import PluginHost
from .report import StartReport

__all__ = [
    "PluginHost",
    "StartReport",
    "get_default_host",
    "load_plugin",
    "set_default_host",
]
