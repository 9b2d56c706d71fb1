"""``host.on_error``: where the host hears of errors of plugin code that pkl contained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, TypeVar

from ..kernel.fault import PluginFault

if TYPE_CHECKING:
    from ..kernel.core import Kernel
    from ..kernel.ports import Undo

__all__ = ["ErrorSignal"]

H = TypeVar("H", bound=Callable[[PluginFault], Any])


class ErrorSignal:
    """Subscribe with ``@host.on_error``, ``host.on_error += f`` or ``subscribe(f)``.

    A handler is called with a ``PluginFault`` (plugin, where, error), as the host, in the thread
    where the error was contained. One that raises is logged.
    """

    def __init__(self, kernel: "Kernel") -> None:
        self._kernel = kernel

    def subscribe(self, handler: Callable[[PluginFault], Any]) -> "Undo":
        """Calls ``handler`` for each contained error; returns its undo."""
        return self._kernel.add_hook(self._kernel.error_hooks, handler)

    def on(self, handler: H) -> H:
        """Subscribes the decorated function and returns it."""
        self.subscribe(handler)
        return handler

    __call__ = on

    def unsubscribe(self, handler: Callable[[PluginFault], Any]) -> None:
        """Takes a handler back.

        Raises:
            ValueError: It was not subscribed.
        """
        for hook in reversed(self._kernel.error_hooks):
            if getattr(hook, "__wrapped__", None) == handler:
                self._kernel.error_hooks.remove(hook)
                return
        raise ValueError(f"{handler!r} is not subscribed to on_error")

    def __iadd__(self, handler: Callable[[PluginFault], Any]) -> "ErrorSignal":
        self.subscribe(handler)
        return self

    def __isub__(self, handler: Callable[[PluginFault], Any]) -> "ErrorSignal":
        self.unsubscribe(handler)
        return self
