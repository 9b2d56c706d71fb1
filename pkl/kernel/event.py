"""Events: ``@event`` makes a function something that plugins and the host can subscribe to."""

from __future__ import annotations

import sys
from typing import Any, AsyncIterator, Callable, Coroutine, Dict, Optional, TypeVar, overload

from ..errors import NameRefused, NotPermitted
from .base_event import BaseEvent
from .context import Subject, _current, current_subject
from .describe import describe
from .dispatch import deliver
from .generation import Generation, not_running, runs_plugin_code
from .ownership import owner_of
from .route import Route
from .subscribable import check_invoker, check_same_host

if sys.version_info >= (3, 10):
    from typing import Literal, ParamSpec
else:
    from typing import Literal

    from typing_extensions import ParamSpec

__all__ = ["Event", "HostEvent", "event"]

P = ParamSpec("P")
R = TypeVar("R")

_get, _set, _reset = _current.get, _current.set, _current.reset


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
        self.full_name = f"{owner.plugin.name}.{name}"
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
        self._route = owner.kernel.route(owner.plugin.name, name, Route)
        self._route.event = self
        self._inline = not self.is_async and not self.is_generator and errors == "contain"

    def __repr__(self) -> str:
        return f"<Event {self.full_name}>"

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
            check_invoker(generation, caller, "event", self.full_name)
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

    def _route_for(self, subject: Subject) -> Route:
        return self._route

    def _check_subscriber(self, subject: Subject) -> None:
        owner, plugin = self.owner.plugin, subject.plugin
        if plugin is not None:
            check_same_host(plugin, subject.kernel, self.owner, f"event {self.full_name}")
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

    def __init__(self, function: Callable[P, Any], name: str, protected: bool, errors: str) -> None:
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
