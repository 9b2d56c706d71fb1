"""Logging: adapters that know at each call which plugin is speaking.

``log`` and ``get_logger(name)`` write to the ``logging`` logger
``pkl.plugin.<name>[.<child>]`` of the plugin that is current at the call, and to ``pkl.host``
outside of any. They add ``plugin``, ``plugin_version`` and ``host`` as extra fields, keep the
caller's file and line, and are silent once the plugin has stopped. Handlers, levels and
formatting belong to the host.
"""

from __future__ import annotations

import logging
import sys
from types import FrameType
from typing import TYPE_CHECKING, Any, Dict, Mapping, MutableMapping, Optional, Tuple

from .context import Subject, _current
from .generation import MARK, Generation

if TYPE_CHECKING:
    from .plugin import Plugin

    _Adapter = logging.LoggerAdapter[logging.Logger]
else:
    _Adapter = logging.LoggerAdapter

__all__ = ["PluginLogger", "get_logger", "log", "logger_for", "warn_of"]

_SILENT = logging.Logger("pkl.silent", level=logging.CRITICAL + 1)
_SILENT.disabled = True

_names: Dict[Tuple[str, str], logging.Logger] = {}


def logger_for(plugin: Optional[str], child: str = "") -> logging.Logger:
    """The ``logging`` logger of a plugin, or of the host for None."""
    base = "pkl.host" if plugin is None else f"pkl.plugin.{plugin}"
    logger = _names.get((base, child))
    if logger is None:
        logger = logging.getLogger(f"{base}.{child}" if child else base)
        _names[base, child] = logger
    return logger


def warn_of(plugin: "Plugin", words: str, *values: object) -> None:
    """Warns of a plugin in its own log, whoever is current, with the fields every record has."""
    fields = {"plugin": plugin.name, "plugin_version": plugin.version, "host": plugin._kernel.name}
    logger_for(plugin.name).warning(words, *values, extra=fields)


class PluginLogger(_Adapter):
    """A logger that speaks for whichever plugin is current when it is called.

    It has every method of ``logging.LoggerAdapter``. Safe from any thread.
    """

    def __init__(self, name: str = "") -> None:
        self._child = name
        self.extra: Mapping[str, object] = {}

    def __repr__(self) -> str:
        return f"<PluginLogger {self._child or 'log'}>"

    @property
    def name(self) -> str:
        """What comes behind the plugin's name in the logger's name; empty for ``log``."""
        return self._child

    @property
    def logger(self) -> logging.Logger:  # type: ignore[override]
        """The ``logging`` logger that a call would use now."""
        subject = _speaker()
        if subject is None or subject.plugin is None:
            return logger_for(None, self._child)
        if isinstance(subject, Generation) and subject.dead:
            return _SILENT
        return logger_for(subject.plugin.name, self._child)

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> Tuple[Any, MutableMapping[str, Any]]:
        """Adds the fields ``plugin``, ``plugin_version`` and ``host`` to the record."""
        subject = _speaker()
        plugin = subject.plugin if subject is not None else None
        extra: Dict[str, Any] = {
            "plugin": plugin.name if plugin is not None else None,
            "plugin_version": plugin.version if plugin is not None else None,
            "host": subject.kernel.name if subject is not None else None,
        }
        extra.update(kwargs.get("extra") or {})
        kwargs["extra"] = extra
        return msg, kwargs


def _speaker() -> Optional[Subject]:
    """Whose log call this is: the current plugin's, else that of the calling module's owner."""
    current = _current.get()
    if current is not None and current.plugin is not None:
        return current
    frame: Optional[FrameType] = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__") in _OWN_FRAMES:
        frame = frame.f_back
    owner = frame.f_globals.get(MARK) if frame is not None else None
    return owner if isinstance(owner, Generation) else current


_OWN_FRAMES = ("logging", __name__)

log = PluginLogger()
"""The logger of whichever plugin is current; outside of any, ``pkl.host``."""


def get_logger(name: str) -> PluginLogger:
    """A logger ``pkl.plugin.<plugin>.<name>`` of whichever plugin is current at each call."""
    return PluginLogger(name)
