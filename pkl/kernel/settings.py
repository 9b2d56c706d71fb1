"""``plugin.config``: a plugin's settings, read-only, with an event for each change."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping as AnyMapping
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Deque,
    Dict,
    Iterator,
    Mapping,
    NamedTuple,
    Optional,
    TypeVar,
)

from ..model.frozen import freeze
from ..model.settings import MASK, SettingValues, masked
from .context import _current
from .describe import describe
from .dispatch import call_one, passes
from .resource import Resource

if TYPE_CHECKING:
    from .core import Kernel
    from .generation import Generation
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
    change puts other values in its place and calls the subscribers. Safe from any thread.
    """

    def __init__(self, kernel: "Kernel", plugin: "Plugin") -> None:
        self._kernel = kernel
        self._plugin = plugin
        self._given = _EMPTY
        self._values: Mapping[str, Any] = _EMPTY.values
        self._subscriptions: Dict[int, _Subscription] = {}
        self._reader: Optional["Generation"] = None
        self._untold: Deque[SettingsChange] = deque()
        self._turn: Deque[bool] = deque([True])

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

        Handlers hear of one change after another, in the order in which they were made: in the
        thread that made the change, or in one that made another just then. A handler that raises
        is contained. It is a resource of its subscriber.

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

    @property
    def in_use(self) -> bool:
        """Whether the plugin, as it was last loaded, was given its settings and may read them."""
        reader = self._reader
        return reader is not None and reader is self._plugin.generation and not reader.dead

    def begin(self, given: SettingValues) -> None:
        """These are the settings of the load that begins; called by the host only."""
        self._reader = self._plugin.generation
        if given.values or self._values:
            self._given, self._values = given, freeze(given.values)

    def put(self, given: SettingValues) -> None:
        """These are the settings from now on; ``tell`` is due. Called by the host only."""
        with self._kernel.mutex:
            if given.values == self._given.values:
                return
            before = self._values
            self._given, self._values = given, freeze(given.values)
            self._untold.append(SettingsChange(self._plugin, before, self._values))

    def tell(self) -> None:
        """Calls the handlers for each change not told yet; at once over if somebody is at it."""
        while self._untold:
            try:
                # The one slot there is: taking it is atomic.
                self._turn.pop()
            except IndexError:
                return
            try:
                while self._untold:
                    self._hear(self._untold.popleft())
            finally:
                self._turn.append(True)

    def _hear(self, change: SettingsChange) -> None:
        for each in list(self._subscriptions.values()):
            if not each._subject.live or not each.held:
                continue
            try:
                call_one(each._subject, each.handler, (change,), {})
            except BaseException as error:
                if passes(error):
                    raise
                where = f"{describe(each.handler)}, which heard of the settings of"
                self._kernel.contain(each._subject, error, f"{where} {self._plugin.name}")
