"""Signals of a host: where it hears of what pkl contained, and of calls that hang."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Generic, List, TypeVar

from ..kernel.fault import PluginFault
from ..supervision import Stall

if TYPE_CHECKING:
    from ..kernel.core import Kernel
    from ..kernel.ports import Undo

__all__ = ["ErrorSignal", "Signal", "StallSignal"]

V = TypeVar("V")
F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S", bound="Signal[Any]")


class Signal(Generic[V]):
    """Subscribe with ``@host.on_error``, ``host.on_error += f`` or ``subscribe(f)``.

    A handler is called with one value, as the host. One that raises is logged.

    Args:
        kernel: The host's kernel.
        hooks: The kernel's or host's list of the handlers.
    """

    name = "signal"

    def __init__(self, kernel: "Kernel", hooks: List[Callable[[V], Any]]) -> None:
        self._kernel = kernel
        self._hooks = hooks

    def subscribe(self, handler: Callable[[V], Any]) -> "Undo":
        """Calls ``handler`` each time; returns its undo."""
        return self._kernel.add_hook(self._hooks, handler)

    def on(self, handler: F) -> F:
        """Subscribes the decorated function and returns it."""
        self.subscribe(handler)
        return handler

    __call__ = on

    def unsubscribe(self, handler: Callable[[V], Any]) -> None:
        """Takes a handler back.

        Raises:
            ValueError: It was not subscribed.
        """
        for hook in reversed(self._hooks):
            if getattr(hook, "__wrapped__", None) == handler:
                self._hooks.remove(hook)
                return
        raise ValueError(f"{handler!r} is not subscribed to {self.name}")

    def __iadd__(self: S, handler: Callable[[Any], Any]) -> S:
        self.subscribe(handler)
        return self

    def __isub__(self: S, handler: Callable[[Any], Any]) -> S:
        self.unsubscribe(handler)
        return self


class ErrorSignal(Signal[PluginFault]):
    """``host.on_error``: called with a ``PluginFault`` (plugin, where, error) for each error of
    plugin code that pkl contained, in the thread where that was."""

    name = "on_error"


class StallSignal(Signal[Stall]):
    """``host.on_stall``: called with a ``Stall`` for each call that is slow, is hung, has had its
    plugin quarantined, or has ended after all, in a thread of the watchdog."""

    name = "on_stall"
