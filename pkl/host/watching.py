"""The hooks of a host: how an application watches its plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, FrozenSet, Mapping, Optional, Tuple

from ..kernel.core import Kernel
from ..kernel.hook_control import Tracer
from ..kernel.plugin import Plugin
from ..kernel.receipt import Receipt
from ..model.finding import Finding
from ..names import canonical
from .checking import check
from .signal import ErrorSignal, StallSignal

if TYPE_CHECKING:
    from ..kernel.ports import Undo

__all__ = ["Watching"]


class Watching:
    """The watching half of ``PluginHost``. A hook that raises is reported and no more."""

    kernel: Kernel
    _on_error: ErrorSignal
    _on_stall: StallSignal

    @property
    def on_error(self) -> ErrorSignal:
        """Where to hear of errors of plugin code that were contained."""
        return self._on_error

    @on_error.setter
    def on_error(self, signal: ErrorSignal) -> None:
        # ``host.on_error += f`` assigns the signal back.
        if signal is not self._on_error:
            raise AttributeError("on_error cannot be replaced; subscribe to it")

    @property
    def on_stall(self) -> StallSignal:
        """Where to hear of calls of plugins that are slow or hung, and of their end."""
        return self._on_stall

    @on_stall.setter
    def on_stall(self, signal: StallSignal) -> None:
        if signal is not self._on_stall:
            raise AttributeError("on_stall cannot be replaced; subscribe to it")

    def check(self) -> Tuple[Finding, ...]:
        """What is wrong with what runs here, or may be; the worst first.

        It looks at what plugins have declared and registered so far, so it says most once they
        are started. It runs no plugin code, changes nothing, and never raises.
        """
        return check(self.kernel)

    @property
    def receipts(self) -> Tuple[Receipt, ...]:
        """What stopped plugins have left: the last receipt of each, and earlier ones of which
        something is still there."""
        accountant = self.kernel.accountant
        return () if accountant is None else accountant.receipts

    def add_context_switch_hook(
        self, hook: Callable[[Optional[Plugin], Optional[Plugin]], Any]
    ) -> "Undo":
        """Calls ``hook(old, new)`` whenever the current plugin changes; returns its undo."""
        return self.kernel.add_hook(self.kernel.switch_hooks, hook)

    def trace_hooks(
        self,
        before: Optional[Callable[[str, Mapping[str, Any]], Any]] = None,
        after: Optional[
            Callable[[str, Mapping[str, Any], Any, Optional[BaseException], float], Any]
        ] = None,
    ) -> "Undo":
        """Watches every ``@hook`` call of this host; returns its undo.

        Args:
            before: Called with the hook's name and its arguments by name.
            after: Called with these, the result, the error or None, and the seconds it took.
        """
        return self.kernel.hook_control.trace(Tracer(before, after))

    def block_handlers(self, name: str) -> "Undo":
        """Keeps a plugin's hook handlers from being called; returns what lets them again.

        Blocked twice, they are called again once both are undone. The plugin need not be known.
        """
        return self.kernel.hook_control.block(canonical(name))

    def unblock_handlers(self, name: str) -> bool:
        """Undoes every ``block_handlers`` of a plugin; whether there was one."""
        return self.kernel.hook_control.unblock(canonical(name))

    @property
    def blocked_handlers(self) -> FrozenSet[str]:
        """The plugins whose hook handlers are kept from being called."""
        return self.kernel.hook_control.blocked

    def add_enable_hook(self, hook: Callable[[Plugin], Any]) -> "Undo":
        """Calls ``hook(plugin)`` after a plugin was enabled; returns its undo."""
        return self.kernel.add_hook(self.kernel.enable_hooks, hook)

    def add_disable_hook(self, hook: Callable[[Plugin], Any]) -> "Undo":
        """Calls ``hook(plugin)`` after a plugin was disabled; returns its undo."""
        return self.kernel.add_hook(self.kernel.disable_hooks, hook)
