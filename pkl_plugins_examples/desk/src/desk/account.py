"""An account of a host's plugins: what was enabled, what was disabled, what was taken back."""

from __future__ import annotations

from collections import Counter
from typing import Callable, List, Optional

from pkl import Plugin, PluginHost, Resource

from .lines import shorten

__all__ = ["Account", "SwitchCount"]


class Account:
    """Listens to a host's hooks and tells of them, one line for each.

    Args:
        host: The host.
        tell: Is given each line, such as ``print``.

    Attributes:
        taken_back: What was released since ``forget()``, in that order.
    """

    def __init__(self, host: PluginHost, tell: Callable[[str], object]) -> None:
        self.taken_back: List[str] = []
        self._tell = tell
        self._undo = [
            host.add_enable_hook(self._enabled),
            host.add_disable_hook(self._disabled),
            host.resource_manager.add_cleanup_hook(self._released),
        ]

    def forget(self) -> None:
        """Starts the list ``taken_back`` anew."""
        self.taken_back = []

    def end(self) -> None:
        """Takes the hooks away from the host again."""
        for undo in self._undo:
            undo()

    def _enabled(self, plugin: Plugin) -> None:
        self._tell(f"enabled   {plugin.name} {plugin.version}")

    def _disabled(self, plugin: Plugin) -> None:
        self._tell(f"disabled  {plugin.name} {plugin.version}")

    def _released(self, resource: Resource) -> None:
        holder = resource.plugin.name if resource.plugin is not None else "the host"
        line = shorten(f"{holder}: {resource!r}")
        self.taken_back.append(line)
        self._tell(f"released  {line}")


class SwitchCount:
    """Counts how often each plugin became the current one, while it is used as a context manager.

    A context-switch hook costs every call into a plugin some time, so it is not always on.
    """

    def __init__(self, host: PluginHost) -> None:
        self.entered: Counter[str] = Counter()
        self._host = host

    def __enter__(self) -> SwitchCount:
        self._undo = self._host.add_context_switch_hook(self._switched)
        return self

    def __exit__(self, *error: object) -> None:
        self._undo()

    def _switched(self, old: Optional[Plugin], new: Optional[Plugin]) -> None:
        if new is not None:
            self.entered[new.name] += 1
