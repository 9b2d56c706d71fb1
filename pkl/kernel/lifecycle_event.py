"""``on_enable``, ``on_disable``, ``on_unload``: only the plugin itself subscribes to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, List, TypeVar

from ..errors import HandlerRefused, NotPermitted
from .describe import describe
from .generation import not_running
from .ownership import registrant

if TYPE_CHECKING:
    from .plugin import Plugin
    from .ports import Undo

__all__ = ["LifecycleEvent"]

H = TypeVar("H", bound=Callable[..., Any])


class LifecycleEvent:
    """An event in one plugin's life; its handlers may be sync or async and take no arguments.

    Only the plugin itself may subscribe, so that a handler always has the right owner, and only
    the kernel invokes it. Handlers belong to the generation that subscribed them.

    Attributes:
        name: ``on_enable``, ``on_disable`` or ``on_unload``.
    """

    __slots__ = ("_plugin", "name")

    def __init__(self, plugin: "Plugin", name: str) -> None:
        self._plugin = plugin
        self.name = name

    def __repr__(self) -> str:
        return f"<LifecycleEvent {self._plugin.name}.{self.name}>"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, LifecycleEvent)
            and other._plugin is self._plugin
            and other.name == self.name
        )

    def __hash__(self) -> int:
        return hash((id(self._plugin), self.name))

    def on(self, handler: H) -> H:
        """Subscribes the decorated function and returns it.

        Raises:
            NotPermitted: Somebody else than the plugin itself subscribes.
            PluginNotRunning: The plugin has been stopped.
        """
        self.subscribe(handler)
        return handler

    def subscribe(self, handler: Callable[..., Any]) -> "Undo":
        """As ``on``, but returns what unsubscribes the handler again."""
        handlers = self._handlers()
        if not callable(handler):
            raise HandlerRefused(f"{handler!r} cannot be called, so it cannot handle {self.name}")
        handlers.append(handler)

        def undo() -> None:
            if handler in handlers:
                handlers.remove(handler)

        return undo

    def unsubscribe(self, handler: Callable[..., Any]) -> None:
        """Takes a handler back.

        Raises:
            ValueError: The plugin has not subscribed it.
        """
        handlers = self._handlers()
        if handler not in handlers:
            raise ValueError(f"{describe(handler)} is not subscribed to {self!r}")
        handlers.remove(handler)

    def __iadd__(self, handler: Callable[..., Any]) -> "LifecycleEvent":
        self.subscribe(handler)
        return self

    def __isub__(self, handler: Callable[..., Any]) -> "LifecycleEvent":
        self.unsubscribe(handler)
        return self

    def __call__(self) -> None:
        """Refuses: only the kernel invokes lifecycle events.

        Raises:
            NotPermitted: Always.
        """
        raise NotPermitted(
            f"{self.name} of plugin {self._plugin.name!r} is invoked by the kernel only",
            plugin=self._plugin.name,
            version=self._plugin.version,
            hint=f"call plugin.{self.name[3:]}() to bring it about",
        )

    def _handlers(self) -> List[Callable[..., Any]]:
        subject, plugin = registrant(3), self._plugin
        if subject.plugin is not plugin:
            who = "the host" if subject.plugin is None else f"plugin {subject.plugin.name!r}"
            raise NotPermitted(
                f"{who} may not subscribe to {self.name} of plugin {plugin.name!r}: only the "
                "plugin itself may",
                plugin=plugin.name,
                version=plugin.version,
                hint="from the host, use host.add_enable_hook() or host.add_disable_hook()",
            )
        generation = plugin.generation
        if subject is not generation or generation.stopping:
            raise not_running(plugin, generation)
        return generation.handlers.setdefault(self.name, [])
