"""The default host: made on first use, replaced with ``set_default_host``."""

from __future__ import annotations

from threading import Lock
from typing import Optional

from ..kernel.context import current_kernel, set_default_kernel
from ..kernel.core import Kernel
from ..kernel.plugin import Plugin
from .host import PluginHost
from .rows import PathLike

__all__ = ["get_default_host", "load_plugin", "set_default_host"]

_lock = Lock()
_default: Optional[PluginHost] = None


def get_default_host() -> PluginHost:
    """The default host; made on first use, and anew once it has been closed."""
    global _default
    host = _default
    if host is None or host.closed:
        with _lock:
            host = _default
            if host is None or host.closed:
                host = _default = PluginHost()
    return host


def set_default_host(host: Optional[PluginHost]) -> None:
    """Makes ``host`` the default host; None lets the next use make a new one."""
    global _default
    with _lock:
        _default = host


def load_plugin(source: Optional[PathLike] = None, *, path: Optional[PathLike] = None) -> Plugin:
    """``PluginHost.load_plugin`` of the current plugin's host, else of the default host."""
    host: PluginHost = current_kernel().host
    return host.load_plugin(source, path=path)


def _default_kernel() -> Kernel:
    return get_default_host().kernel


set_default_kernel(_default_kernel)
