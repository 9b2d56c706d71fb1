"""What events and hooks have in common: subscriptions taken back, and who may invoke them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Optional, TypeVar

from ..errors import NotPermitted
from ..names import identifier
from .context import Subject
from .describe import describe
from .generation import Generation
from .ownership import registrant
from .route import Route

if TYPE_CHECKING:
    from .core import Kernel
    from .plugin import Plugin
    from .ports import Undo

__all__ = ["Subscribable", "check_invoker", "check_same_host"]

_Self = TypeVar("_Self", bound="Subscribable")


class Subscribable:
    """Something that plugins and the host subscribe handlers to.

    Attributes:
        name: The name it is subscribed to by.
        full_name: ``plugin.name``, or the name alone for a host's.
    """

    kind = "event"
    """What it is, for messages."""
    name: str
    full_name: str

    def _route_for(self, subject: Subject) -> Route:
        raise NotImplementedError

    def _check_subscriber(self, subject: Subject) -> None:
        raise NotImplementedError

    def subscribe(self, handler: Callable[..., Any]) -> "Undo":
        """Subscribes a handler and returns what unsubscribes it again."""
        raise NotImplementedError

    def unsubscribe(self, handler: Callable[..., Any]) -> None:
        """Takes back the current subscriber's latest subscription of ``handler``.

        Raises:
            ValueError: It has not subscribed that handler.
        """
        subject = registrant()
        found = self._route_for(subject).find(subject, handler)
        if found is None:
            who = "the host" if subject.plugin is None else f"plugin {subject.plugin.name!r}"
            raise ValueError(
                f"{who} has not subscribed {describe(handler)} to the {self.kind} {self.full_name}"
            )
        found.release()

    def __iadd__(self: _Self, handler: Callable[..., Any]) -> _Self:
        self.subscribe(handler)
        return self

    def __isub__(self: _Self, handler: Callable[..., Any]) -> _Self:
        self.unsubscribe(handler)
        return self


def check_invoker(owner: Generation, caller: Optional[Subject], what: str, full_name: str) -> None:
    """Checks that a plugin's event or hook is invoked by its owner or the host, while it runs.

    Raises:
        NotPermitted: Another plugin invokes it.
        PluginNotRunning: The owner is not running.
    """
    plugin = caller.plugin if caller is not None else None
    if plugin is not None and plugin is not owner.plugin:
        raise NotPermitted(
            f"plugin {plugin.name!r} may not invoke the {what} {full_name}: only plugin "
            f"{owner.plugin.name!r} and the host may",
            plugin=plugin.name,
            version=plugin.version,
            hint=f"call a @syscall of {owner.plugin.name!r} that invokes it",
        )
    if owner.slow:
        owner.admit(caller)


def check_same_host(plugin: "Plugin", kernel: "Kernel", owner: Generation, what: str) -> None:
    """Checks that a plugin subscribes to something of its own host.

    Raises:
        NotPermitted: It is another host's.
    """
    if kernel is not owner.kernel:
        raise NotPermitted(
            f"plugin {plugin.name!r} runs in another host than the {what}",
            plugin=plugin.name,
            version=plugin.version,
            hint=f"import it with: from pkl.plugins import {identifier(owner.plugin.name)}",
        )
