"""Who answers a hook in one host: wrappers and handlers in order, and the calls they missed."""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    AbstractSet,
    Any,
    Callable,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from ..errors import HandlerRefused
from .context import Subject
from .describe import describe
from .generation import Generation
from .hook_history import History
from .hook_subscription import HookSubscription
from .route import Route, Subscription

if TYPE_CHECKING:
    from .core import Kernel

__all__ = ["HookEntries", "HookEntry", "HookRoute"]

HookEntry = Tuple[Subject, Callable[..., Any], HookSubscription]


class HookEntries(NamedTuple):
    """What a call iterates: wrappers from the outside in, then handlers in order.

    ``plain`` says that every handler takes all arguments by position.
    """

    wrappers: Tuple[HookEntry, ...]
    handlers: Tuple[HookEntry, ...]
    plain: bool

    def leaving_out(self, plugins: AbstractSet[str]) -> "HookEntries":
        """Without the handlers and wrappers of some plugins."""

        def kept(entry: HookEntry) -> bool:
            plugin = entry[0].plugin
            return plugin is None or plugin.name not in plugins

        return HookEntries(
            tuple(filter(kept, self.wrappers)), tuple(filter(kept, self.handlers)), self.plain
        )

    def including(self, extra: Sequence[HookSubscription]) -> "HookEntries":
        """With handlers that no route knows, behind all that rank the same."""
        known = [entry[2] for entry in self.handlers]
        ordered = sorted([*known, *extra], key=lambda s: s.options.rank)
        plain = self.plain and all(s.taking is None for s in extra)
        handlers = tuple([(s._subject, s.entry[1], s) for s in ordered])
        return HookEntries(self.wrappers, handlers, plain)


class HookRoute(Route):
    """The handlers of one hook in one host.

    Attributes:
        hook_entries: What a call iterates; None after a change, until ``split`` makes it anew.
        quick: The handlers, where a call needs to do nothing but call them; else None.
        history: The past calls of a host's hook, if it is historic.
    """

    __slots__ = ("history", "hook_entries", "quick")

    def __init__(self, kernel: "Kernel", name: str) -> None:
        super().__init__(kernel, name)
        self.hook_entries: Optional[HookEntries] = None
        self.quick: Optional[Tuple[HookEntry, ...]] = None
        self.history = History()

    def add(self, subscription: Subscription) -> None:
        """Files a subscription."""
        super().add(subscription)
        self.changed()

    def remove(self, subscription: Subscription) -> None:
        """Takes a subscription out."""
        super().remove(subscription)
        self.changed()

    def changed(self) -> None:
        """Makes the next call build what it iterates anew."""
        with self._lock:
            self.entries = self.hook_entries = self.quick = None

    def current(self) -> HookEntries:
        """What a call that begins now iterates."""
        return self.hook_entries or self.split()

    def wake(self) -> None:
        """Starts the plugins that wait for a call."""
        for trigger in self.triggers:
            trigger.fire()

    async def awake(self) -> None:
        """The async twin of ``wake``."""
        for trigger in self.triggers:
            await trigger.afire()

    def split(self) -> HookEntries:
        """Makes ``hook_entries`` and ``quick`` anew after a change."""
        with self._lock:
            ordered = sorted(
                [
                    s
                    for s in self._subscriptions.values()
                    if isinstance(s, HookSubscription) and s.bound
                ],
                key=lambda s: s.options.rank,
            )
            found = HookEntries(
                tuple([(s._subject, s.handler, s) for s in ordered if s.is_wrapper]),
                tuple([(s._subject, s.entry[1], s) for s in ordered if not s.is_wrapper]),
                all(s.taking is None for s in ordered if not s.is_wrapper),
            )
            self.hook_entries = None if self.triggers else found
            simple = found.plain and not found.wrappers and not self.triggers
            if simple and not self.kernel.hook_control.active:
                self.quick = found.handlers
        return found

    def reattach(self, generation: Generation) -> List[Subscription]:
        """As for an event; handlers that name the hook are held against what it is now."""
        dropped = super().reattach(generation)
        hook = self.event
        gone = hook is None or hook.owner is not generation
        for each in self.subscriptions:
            if isinstance(each, HookSubscription):
                if each.by_name and gone:
                    each.unbind()
                elif each.by_name:
                    self.bind_late(each)
                elif not gone:
                    each.follow(hook)
                if each.staged and each._subject.live:
                    each.catch_up()
        self.changed()
        return dropped

    def bind_late(self, subscription: HookSubscription) -> None:
        """Binds a handler that came before its hook; what does not fit is reported."""
        try:
            subscription.bind(self.event)
        except (HandlerRefused, Warning) as error:
            subscription.unbind()
            subscription.refusal = error if isinstance(error, HandlerRefused) else None
            where = f"handler {describe(subscription.handler)} of the hook {self.name}"
            subscription._subject.kernel.contain(subscription._subject, error, where)
        self.changed()
