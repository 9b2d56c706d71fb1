"""Routes and subscriptions: who handles an event, independent of the event's generations.

A subscription belongs to its subscriber and names (plugin, event). It waits while the event's
owner is stopped and serves the next generation's event of that name, because both generations'
events share one route.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Tuple

from .context import Subject
from .describe import describe
from .generation import Generation
from .resource import Resource
from .syscall import is_async
from .task import start_task

if TYPE_CHECKING:
    from .activation import Trigger
    from .core import Kernel
    from .dispatch import Entry

__all__ = ["Route", "Shape", "Subscription", "shape_of"]

Shape = Optional[Tuple[Any, ...]]
"""What a signature promises: parameter names and kinds, which have defaults, and async or not."""


def shape_of(function: Callable[..., Any]) -> Shape:
    """The shape of a function's signature; None where it has no code to read it from."""
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    count = code.co_argcount + code.co_kwonlyargcount
    return (
        code.co_varnames[:count],
        code.co_posonlyargcount,
        code.co_argcount,
        code.co_flags & 0x0C,
        len(getattr(function, "__defaults__", None) or ()),
        tuple(sorted(getattr(function, "__kwdefaults__", None) or ())),
        bool(code.co_flags & 0x280),
    )


class Subscription(Resource):
    """One handler of one event, held by its subscriber."""

    by_name = False
    """Whether it waits for whatever bears the name, and is not bound to one signature."""

    def __init__(
        self,
        subject: Subject,
        route: "Route",
        handler: Callable[..., Any],
        priority: int,
        once: bool,
        task: bool,
        shape: Shape,
    ) -> None:
        self._subject = subject
        self.route = route
        self.handler = handler
        self.priority = priority
        self.once = once
        self.task = task
        self.awaited = is_async(handler) and not task
        self.shape = shape
        call = handler
        if task:
            call = _as_task(self)
        if once:
            call = _once(self, call)
        self.call = call
        """What a dispatch calls, unless the handler is guarded."""
        self.entry: "Entry" = (subject, call, self)

    def __repr__(self) -> str:
        return f"<Subscription of {describe(self.handler)} to {self.route.name}>"

    def _cleanup(self) -> None:
        self.route.remove(self)


def _once(subscription: Subscription, call: Callable[..., Any]) -> Callable[..., Any]:
    def handler(*args: Any, **kwargs: Any) -> Any:
        manager = subscription._subject.kernel.resource_manager
        if manager.take(subscription):
            manager.clean(subscription)
            return call(*args, **kwargs)
        return _nothing() if subscription.awaited else None

    return handler


async def _nothing() -> None:
    """What a spent one-time async handler gives the next call that still sees it."""


def _as_task(subscription: Subscription) -> Callable[..., Any]:
    def handler(*args: Any, **kwargs: Any) -> None:
        subject = subscription._subject
        start_task(
            subject, subscription.handler(*args, **kwargs), f"handler of {subscription.route.name}"
        )

    return handler


def _descending(subscription: Subscription) -> int:
    return -subscription.priority


class Route:
    """The handlers of one event in one host. Changes are copy-on-write under a lock.

    Attributes:
        name: ``plugin.event``, or the host event's name.
        entries: What a dispatch iterates: higher priority first, then order of subscription;
            None after a change, until ``build`` makes it anew.
        event: The event of the newest generation that declared it, or None.
        triggers: Plugins that are to be started by the next dispatch. While there are any,
            ``entries`` stays None.
    """

    __slots__ = (
        "__weakref__",
        "_lock",
        "_subscriptions",
        "entries",
        "event",
        "kernel",
        "name",
        "triggers",
    )

    def __init__(self, kernel: "Kernel", name: str) -> None:
        self.kernel = kernel
        self.name = name
        self.entries: Optional[Tuple["Entry", ...]] = ()
        self.event: Any = None
        self.triggers: Tuple["Trigger", ...] = ()
        self._subscriptions: Dict[int, Subscription] = {}
        self._lock = Lock()

    @property
    def subscriptions(self) -> Tuple[Subscription, ...]:
        """The subscriptions in order of dispatch, staged ones included."""
        with self._lock:
            return tuple(sorted(self._subscriptions.values(), key=_descending))

    def build(self) -> Tuple["Entry", ...]:
        """Makes ``entries`` anew after a change, once what waits for this call was started."""
        for trigger in self.triggers:
            trigger.fire()
        return self.rebuild()

    async def abuild(self) -> Tuple["Entry", ...]:
        """The async twin of ``build``."""
        for trigger in self.triggers:
            await trigger.afire()
        return self.rebuild()

    def rebuild(self) -> Tuple["Entry", ...]:
        """Makes ``entries`` anew, of what there is."""
        with self._lock:
            ordered = sorted(self._subscriptions.values(), key=_descending)
            entries = tuple([s.entry for s in ordered])
            self.entries = None if self.triggers else entries
        return entries

    def plant(self, trigger: "Trigger") -> None:
        """Makes the next dispatch start a plugin first."""
        with self._lock:
            self.triggers += (trigger,)
        self.changed()

    def uproot(self, trigger: "Trigger") -> None:
        """Takes ``plant`` back."""
        with self._lock:
            self.triggers = tuple([t for t in self.triggers if t is not trigger])
        self.changed()

    def add(self, subscription: Subscription) -> None:
        """Files a subscription behind those of its priority or higher."""
        with self._lock:
            self._subscriptions[id(subscription)] = subscription
            self.entries = None

    def changed(self) -> None:
        """Makes the next dispatch build ``entries`` anew."""
        with self._lock:
            self.entries = None

    def remove(self, subscription: Subscription) -> None:
        """Takes a subscription out; does nothing if it is not there."""
        with self._lock:
            if self._subscriptions.pop(id(subscription), None) is not None:
                self.entries = None

    def find(self, subject: Subject, handler: Callable[..., Any]) -> Optional[Subscription]:
        """The latest subscription of ``handler`` by that subscriber, or None."""
        with self._lock:
            known = list(self._subscriptions.values())
        for subscription in reversed(known):
            if subscription._subject is subject and subscription.handler == handler:
                return subscription
        return None

    def reattach(self, generation: Generation) -> List[Subscription]:
        """Drops, and returns, what no longer fits the event of the owner's new generation."""
        event = self.event
        gone = event is None or event.owner is not generation
        dropped = [
            s
            for s in self.subscriptions
            if not s.by_name and (gone or (s.shape != event.shape and s._subject is not generation))
        ]
        manager = self.kernel.resource_manager
        for subscription in dropped:
            if manager.take(subscription):
                manager.clean(subscription)
        return dropped
