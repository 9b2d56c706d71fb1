"""An error of plugin code that was contained."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Optional

if TYPE_CHECKING:
    from .plugin import Plugin

__all__ = ["PluginFault"]


class PluginFault(NamedTuple):
    """An error of plugin code that pkl contained; what ``host.on_error`` handlers are given."""

    plugin: "Optional[Plugin]"
    """Whose code raised it; None for the host's."""
    where: str
    """What was running, such as ``handler f (file:line) of the event auth.user_login``."""
    error: BaseException
    """What it raised."""
