"""Events: ``@event`` makes a function something that plugins and the host can subscribe to."""

from __future__ import annotations

import sys
from typing import (
    TYPE_CHECKING,
    Any,
    AsyncIterator,
    Callable,
    Coroutine,
    Dict,
    Generic,
    Optional,
    TypeVar,
    overload,
)

from ..errors import HandlerErrors, HandlerRefused, NameRefused, NotPermitted
from ..names import identifier
from .context import Subject, _current, current_subject
from .dispatch import Failed, deliver
from .event_body import arun_body, run_body
from .generation import Generation, not_running, runs_plugin_code
from .ownership import owner_of, registrant
from .route import Route, Subscription, describe, shape_of
from .syscall import flags_of, is_async

if sys.version_info >= (3, 10):
    from typing import Literal, ParamSpec
else:
    from typing import Literal

    from typing_extensions import ParamSpec

if TYPE_CHECKING:
    from .core import Kernel
    from .ports import Undo

__all__ = ["Event", "HostEvent", "event"]

P = ParamSpec("P")
R = TypeVar("R")
H = TypeVar("H", bound=Callable[..., Any])
_SomeEvent = TypeVar("_SomeEvent", bound="BaseEvent[Any, Any]")

_get, _set, _reset = _current.get, _current.set, _current.reset


class BaseEvent(Generic[P, R]):
    """What events of plugins and of the host have in common.

    Attributes:
        name: The name it is subscribed to by.
        protected: See ``event``.
        errors: ``contain`` or ``raise``, see ``event``.
    """

    def __init__(
        self, function: Callable[P, Any], name: str, protected: bool, errors: str
    ) -> None:
        self.name = name
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

    @property
    def full_name(self) -> str:
        """The name with its owner's before it."""
        return self.name

    def _route_for(self, subject: Subject) -> Route:
        raise NotImplementedError

    def _check_subscriber(self, subject: Subject) -> None:
        raise NotImplementedError

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
                f"{who} has not subscribed {describe(handler)} to the event {self.full_name}"
            )
        found.release()

    def __iadd__(self: _SomeEvent, handler: Callable[..., Any]) -> _SomeEvent:
        self._subscribe(handler, 0, False, False)
        return self

    def __isub__(self: _SomeEvent, handler: Callable[..., Any]) -> _SomeEvent:
        self.unsubscribe(handler)
        return self

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
        subject.kernel.resource_manager.register(subscription)
        route.add(subscription)
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


class Event(BaseEvent[P, R]):
    """An event of a plugin. Invoked by its owner or the host; made by ``@event``.

    Subscriptions outlive its owner: they wait while the plugin is stopped and serve its next
    generation's event of the same name.

    Attributes:
        owner: The generation that declared it.
    """

    def __init__(
        self,
        function: Callable[P, Any],
        owner: Generation,
        name: str,
        protected: bool,
        errors: str,
    ) -> None:
        super().__init__(function, name, protected, errors)
        self.owner = owner
        if owner.stopping:
            raise not_running(owner.plugin, owner)
        known = owner.events.get(name)
        if known is not None:
            raise NameRefused(
                f"plugin {owner.plugin.name!r} declares two events of the name {name!r}: "
                f"{describe(known.function)} and {describe(function)}",
                plugin=owner.plugin.name,
                version=owner.plugin.version,
                hint="give one of them another name: @event(name=…)",
            )
        owner.events[name] = self
        self._route = owner.kernel.route(owner.plugin.name, name)
        self._route.event = self
        self._inline = not self.is_async and not self.is_generator and errors == "contain"

    def __repr__(self) -> str:
        return f"<Event {self.full_name}>"

    @property
    def full_name(self) -> str:
        return f"{self.owner.plugin.name}.{self.name}"

    @runs_plugin_code
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs the body and the handlers, each handler as its subscriber.

        Raises:
            PluginNotRunning: The owner is not running.
            NotPermitted: Another plugin calls it.
            HandlerErrors: With ``errors="raise"``: what the handlers raised.
        """
        generation = self.owner
        caller = _get()
        if generation.slow or (caller is not generation and caller is not None) or not self._inline:
            self._check_caller(caller)
            return self._run(generation, self._route, args, kwargs)  # type: ignore[no-any-return]
        route = self._route
        entries = route.entries
        if entries is None:
            entries = route.build()
        token = _set(generation)
        try:
            self.function(*args, **kwargs)
            failed = deliver(entries, args, kwargs)
        finally:
            _reset(token)
        if failed is not None:
            self._settle(generation.kernel, failed)
        return None  # type: ignore[return-value]

    def _check_caller(self, caller: Optional[Subject]) -> None:
        owner = self.owner
        if caller is not None and caller.plugin is not None and caller.plugin is not owner.plugin:
            raise NotPermitted(
                f"plugin {caller.plugin.name!r} may not invoke the event {self.full_name}: only "
                f"plugin {owner.plugin.name!r} and the host may",
                plugin=caller.plugin.name,
                version=caller.plugin.version,
                hint=f"call a @syscall of {owner.plugin.name!r} that invokes it",
            )
        if owner.slow:
            owner.admit(caller)

    def _route_for(self, subject: Subject) -> Route:
        return self._route

    def _check_subscriber(self, subject: Subject) -> None:
        owner, plugin = self.owner.plugin, subject.plugin
        if plugin is not None and subject.kernel is not self.owner.kernel:
            raise NotPermitted(
                f"plugin {plugin.name!r} runs in another host than the event {self.full_name}",
                plugin=plugin.name,
                version=plugin.version,
                hint=f"import it with: from pkl.plugins import {identifier(owner.name)}",
            )
        if self.protected and plugin is not None and plugin is not owner:
            raise NotPermitted(
                f"the event {self.full_name} is protected: only plugin {owner.name!r} and the "
                f"host may subscribe to it, not plugin {plugin.name!r}",
                plugin=plugin.name,
                version=plugin.version,
            )


class HostEvent(BaseEvent[P, R]):
    """An event of the host: anyone may subscribe, anyone may invoke it unless it is protected.

    It needs no host to be declared. Subscriptions are filed per host: a plugin's call reaches
    its own host's handlers, a call from outside the default host's, or that of
    ``with host.as_current():``.
    """

    def __init__(
        self, function: Callable[P, Any], name: str, protected: bool, errors: str
    ) -> None:
        super().__init__(function, name, protected, errors)
        self._routes: Dict[int, Route] = {}

    def __repr__(self) -> str:
        return f"<HostEvent {self.name}>"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs the body as the host and the handlers of one host, each as its subscriber.

        Raises:
            NotPermitted: It is protected and a plugin calls it.
            HandlerErrors: With ``errors="raise"``: what the handlers raised.
        """
        caller = current_subject()
        if self.protected and caller.plugin is not None:
            raise NotPermitted(
                f"the host event {self.name} is protected: only the host may invoke it, not "
                f"plugin {caller.plugin.name!r}",
                plugin=caller.plugin.name,
                version=caller.plugin.version,
            )
        return self._run(  # type: ignore[no-any-return]
            caller.kernel.subject, self._route_for(caller), args, kwargs
        )

    def _route_for(self, subject: Subject) -> Route:
        kernel = subject.kernel
        route = self._routes.get(kernel.uid)
        if route is None:
            route = self._routes.setdefault(kernel.uid, Route(kernel, self.name))
            route.event = self
            kernel.forget_on_close(self._routes)
        return route

    def _check_subscriber(self, subject: Subject) -> None:
        """Anyone may."""


@overload
def event(function: Callable[P, AsyncIterator[None]]) -> Event[P, Coroutine[Any, Any, None]]: ...


@overload
def event(
    function: Callable[P, Coroutine[Any, Any, Any]],
) -> Event[P, Coroutine[Any, Any, None]]: ...


@overload
def event(function: Callable[P, Any]) -> Event[P, None]: ...


@overload
def event(
    *,
    protected: bool = False,
    errors: Literal["contain", "raise"] = "contain",
    name: Optional[str] = None,
) -> EventDecorator: ...


def event(
    function: Optional[Callable[..., Any]] = None,
    *,
    protected: bool = False,
    errors: str = "contain",
    name: Optional[str] = None,
) -> Any:
    """Declares an event: ``@event`` or ``@event(protected=…, errors=…, name=…)``.

    In a plugin's module it becomes that plugin's event (``Event``); at the level of a module
    that no plugin owns, the host's (``HostEvent``). A plain function's body runs before the
    handlers; a generator function's runs up to its ``yield``, then the handlers, then the rest;
    if it returns before the ``yield``, the handlers are not called. Async functions and async
    generator functions make async events, which are awaited and call async and sync handlers.

    Args:
        function: The function, when used without parentheses.
        protected: A plugin's event: only the owner and the host may subscribe. A host's event:
            only the host may invoke it.
        errors: ``contain``: what a handler raises is logged, counted against its plugin and
            reported to ``host.on_error``, and the other handlers still run. ``raise``: besides,
            all of it is gathered into a ``HandlerErrors`` group, thrown into the event's
            generator at its ``yield``, and raised unless the generator swallows it.
        name: Its name, by default the function's.

    Raises:
        NameRefused: The plugin has declared an event of that name already.
        ValueError: ``errors`` is neither word.
    """
    if errors not in ("contain", "raise"):
        raise ValueError(f"errors must be 'contain' or 'raise', not {errors!r}")
    if function is None:

        def decorate(declared: Callable[..., Any]) -> Any:
            return _declare(declared, owner_of(declared), protected, errors, name)

        return decorate
    return _declare(function, owner_of(function), protected, errors, name)


class EventDecorator:
    """The type of what ``event(…)`` with arguments returns; it exists for type checkers."""

    @overload
    def __call__(
        self, function: Callable[P, AsyncIterator[None]]
    ) -> Event[P, Coroutine[Any, Any, None]]: ...

    @overload
    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, Any]]
    ) -> Event[P, Coroutine[Any, Any, None]]: ...

    @overload
    def __call__(self, function: Callable[P, Any]) -> Event[P, None]: ...

    def __call__(self, function: Callable[..., Any]) -> Any:
        """Declares the event."""
        return event(function)


def _declare(
    function: Callable[..., Any],
    owner: Optional[Generation],
    protected: bool,
    errors: str,
    name: Optional[str],
) -> Any:
    name = name or function.__name__
    if owner is None:
        return HostEvent(function, name, protected, errors)
    return Event(function, owner, name, protected, errors)
