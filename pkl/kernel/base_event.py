"""What every event can do: be subscribed to, and settle what its handlers raised."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Callable, Generic, Optional, TypeVar, overload

from ..errors import HandlerErrors, HandlerRefused
from .context import Subject
from .describe import describe
from .dispatch import Failed
from .event_body import arun_body, run_body
from .guard import guard_late, note_failure
from .ownership import registrant
from .route import Route, Subscription, shape_of
from .subscribable import Subscribable
from .syscall import flags_of, is_async

if sys.version_info >= (3, 10):
    from typing import ParamSpec
else:
    from typing_extensions import ParamSpec

if TYPE_CHECKING:
    from .core import Kernel
    from .ports import Undo

__all__ = ["BaseEvent"]

P = ParamSpec("P")
R = TypeVar("R")
H = TypeVar("H", bound=Callable[..., Any])


class BaseEvent(Subscribable, Generic[P, R]):
    """What events of plugins and of the host have in common.

    Attributes:
        protected: See ``event``.
        errors: ``contain`` or ``raise``, see ``event``.
    """

    def __init__(self, function: Callable[P, Any], name: str, protected: bool, errors: str) -> None:
        self.name = self.full_name = name
        self.protected = protected
        self.errors = errors
        self.function = function
        self.__name__ = name
        self.__qualname__ = getattr(function, "__qualname__", name)
        self.__module__ = getattr(function, "__module__", __name__)
        self.__doc__ = function.__doc__
        self.__wrapped__ = function
        flags = flags_of(function)
        self.is_async = bool(flags & 0x280)
        self.is_generator = bool(flags & 0x220)
        self.shape = shape_of(function)

    @overload
    def on(self, handler: H) -> H: ...

    @overload
    def on(
        self, *, priority: int = 0, once: bool = False, task: bool = False
    ) -> Callable[[H], H]: ...

    def on(
        self,
        handler: Optional[Any] = None,
        *,
        priority: int = 0,
        once: bool = False,
        task: bool = False,
    ) -> Any:
        """Subscribes the decorated function: ``@event.on`` or ``@event.on(priority=…)``.

        Args:
            handler: The function; given when used without parentheses.
            priority: Handlers of higher priority are called first; equal ones in the order in
                which they subscribed.
            once: Whether the handler is unsubscribed when it is first called.
            task: For an async handler of a sync event: run it as a task on the host's loop,
                not awaited, its errors contained.

        Returns:
            The function itself.

        Raises:
            HandlerRefused: The handler does not fit; nothing was registered.
            NotPermitted: The event is protected and the subscriber is not its owner.
        """
        if handler is None:
            return lambda function: self.on_with(function, priority, once, task)
        return self.on_with(handler, priority, once, task)

    def on_with(self, handler: H, priority: int, once: bool, task: bool) -> H:
        """``on`` with everything given; returns the handler."""
        self._subscribe(handler, priority, once, task)
        return handler

    def subscribe(
        self,
        handler: Callable[..., Any],
        *,
        priority: int = 0,
        once: bool = False,
        task: bool = False,
    ) -> "Undo":
        """As ``on``, but returns what unsubscribes the handler again."""
        return self._subscribe(handler, priority, once, task).release

    def _subscribe(
        self, handler: Callable[..., Any], priority: int, once: bool, task: bool
    ) -> Subscription:
        if not callable(handler):
            raise HandlerRefused(
                f"{handler!r} cannot be called, so it cannot handle the event {self.full_name}"
            )
        if task and not is_async(handler):
            raise HandlerRefused(
                f"task=True is for async handlers; {describe(handler)} is not one",
                hint="subscribe it without task=True",
            )
        if is_async(handler) and not self.is_async and not task:
            raise HandlerRefused(
                f"the event {self.full_name} is not async, so nobody would await the async "
                f"handler {describe(handler)}",
                hint="make it a plain function, make the event async, or subscribe it with "
                ".on(task=True) to run it as a task on the host's loop",
            )
        subject = registrant()
        self._check_subscriber(subject)
        route = self._route_for(subject)
        subscription = Subscription(subject, route, handler, priority, once, task, self.shape)
        route.add(subscription)
        try:
            subject.kernel.resource_manager.register(subscription)
        except BaseException:
            route.remove(subscription)
            raise
        if subject.gates:
            guard_late(subscription)
        return subscription

    def _settle(self, kernel: "Kernel", failed: Failed) -> None:
        """Contains what handlers raised, or gathers it, as the event was declared."""
        for subscription, error in failed:
            kernel.contain(
                subscription._subject,
                error,
                f"handler {describe(subscription.handler)} of the event {self.full_name}",
                log=self.errors != "raise",
            )
            if self.errors != "raise":  # there it is an answer, which whoever called deals with
                note_failure(subscription, error)

    def gather(self, failed: Failed) -> Optional[HandlerErrors]:
        """What the event raises of its handlers' failures; None if it contains them."""
        if self.errors != "raise":
            return None
        shown = []
        for _, error in failed:
            if isinstance(error, Exception):
                shown.append(error)
            else:
                stand_in = RuntimeError(f"a handler raised {error!r}")
                stand_in.__cause__ = error
                shown.append(stand_in)
        count = "1 handler" if len(shown) == 1 else f"{len(shown)} handlers"
        return HandlerErrors(f"{count} of the event {self.full_name} failed", shown)

    def _run(self, subject: Subject, route: Route, args: Any, kwargs: Any) -> Any:
        if self.is_async:
            return arun_body(self, subject, route, args, kwargs)
        return run_body(self, subject, route, args, kwargs)
