"""``plugin.config``: a plugin's settings, read-only, with an event for each change."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, Mapping, NamedTuple, TypeVar

from ..model.frozen import freeze
from ..model.settings import MASK, SettingValues, masked
from .context import _current
from .describe import describe
from .dispatch import call_one, passes
from .resource import Resource

if TYPE_CHECKING:
    from .core import Kernel
    from .plugin import Plugin
    from .ports import Undo

__all__ = ["Settings", "SettingsChange"]

H = TypeVar("H", bound=Callable[["SettingsChange"], Any])

_EMPTY = SettingValues()


class SettingsChange(NamedTuple):
    """What the subscribers of ``plugin.config`` are given; its text shows no secret."""

    plugin: "Plugin"
    """Whose settings changed."""
    before: Mapping[str, Any]
    """All of them until now."""
    after: Mapping[str, Any]
    """All of them from now on."""

    @property
    def keys(self) -> "tuple[str, ...]":
        """The keys at the top whose values differ, sorted."""
        gone = object()
        names = {*self.before, *self.after}
        differ = (n for n in names if self.before.get(n, gone) != self.after.get(n, gone))
        return tuple(sorted(differ))

    def __repr__(self) -> str:
        return f"<SettingsChange {self.plugin.name}: {', '.join(self.keys)}>"


class _Subscription(Resource):
    """A handler of changes, held by whoever subscribed it."""

    def __init__(self, settings: "Settings", handler: Callable[[SettingsChange], Any]) -> None:
        # Outside of any plugin it is the host that listens: this one, whichever is the default.
        self._subject = _current.get() or settings._kernel.subject
        self.settings = settings
        self.handler = handler

    def _cleanup(self) -> None:
        self.settings._subscriptions.pop(id(self), None)


class Settings(AnyMapping):  # type: ignore[type-arg]  # not subscriptable on 3.9 at run time
    """The settings of a plugin: a mapping that cannot be changed, nor what is in it.

    ``plugin.config["level"]``; objects in it are such mappings, too, and lists are tuples. A
    change puts other values in its place and calls the subscribers.
    """

    def __init__(self, kernel: "Kernel", plugin: "Plugin") -> None:
        self._kernel = kernel
        self._plugin = plugin
        self._given = _EMPTY
        self._values: Mapping[str, Any] = _EMPTY.values
        self._subscriptions: Dict[int, _Subscription] = {}

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<settings of {self._plugin.name}: {self.shown()!r}>"

    def shown(self) -> Dict[str, Any]:
        """A plain copy for people, with secrets masked."""
        found = masked(self._given.values, self._given.schema)
        return found if isinstance(found, dict) else dict.fromkeys(self._values, MASK)

    def subscribe(self, handler: Callable[[SettingsChange], Any]) -> "Undo":
        """Calls ``handler(change)`` after each change, as whoever subscribes; returns its undo.

        A handler that raises is contained. It is a resource of its subscriber.

        Raises:
            PluginNotRunning: The subscriber has been stopped, or is stopping.
            TypeError: The handler cannot be called.
        """
        if not callable(handler):
            raise TypeError(f"a handler must be callable, not {handler!r}")
        subscription = _Subscription(self, handler)
        subscription._subject.kernel.resource_manager.register(subscription)
        self._subscriptions[id(subscription)] = subscription
        return subscription.release

    def on(self, handler: H) -> H:
        """Subscribes the decorated function and returns it."""
        self.subscribe(handler)
        return handler

    def begin(self, given: SettingValues) -> None:
        """These are the settings of the load that begins; called by the kernel only."""
        if given.values or self._values:
            self._given, self._values = given, freeze(given.values)

    def change(self, given: SettingValues) -> bool:
        """These are the settings from now on; whether they differ. Called by the host only."""
        if given.values == self._given.values:
            return False
        before = self._values
        self._given, self._values = given, freeze(given.values)
        change = SettingsChange(self._plugin, before, self._values)
        for each in list(self._subscriptions.values()):
            if not each._subject.live:
                continue
            try:
                call_one(each._subject, each.handler, (change,), {})
            except BaseException as error:
                if passes(error):
                    raise
                where = f"{describe(each.handler)}, which heard of the settings of"
                self._kernel.contain(each._subject, error, f"{where} {self._plugin.name}")
        return True
