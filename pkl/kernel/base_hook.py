"""How handlers subscribe to a hook, and what is refused."""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Mapping,
    NamedTuple,
    Optional,
    Tuple,
    TypeVar,
    overload,
)

from .context import Subject
from .generation import Generation
from .guard import guard_late
from .hook_history import History
from .hook_route import HookRoute
from .hook_subscription import HookOptions, HookSubscription
from .ownership import registrant
from .route import Route, Shape
from .subscribable import Subscribable, check_same_host

if TYPE_CHECKING:
    from .plugin import Plugin
    from .ports import Undo

__all__ = ["BaseHook", "HookHandler", "file_subscription"]

H = TypeVar("H", bound=Callable[..., Any])


class HookHandler(NamedTuple):
    """One handler of a hook, as ``Hook.handlers()`` lists it."""

    function: Callable[..., Any]
    """The function."""
    plugin: Optional["Plugin"]
    """Whose it is; None for the host's."""
    wrapper: bool
    """Whether it runs around the call."""
    live: bool
    """Whether a call now would reach it: its plugin is enabled, and nothing leaves it out."""


class BaseHook(Subscribable):
    """The subscribing half of ``Hook``.

    Attributes:
        owner: The generation that declared it, or None for the host.
        historic: Whether late subscribers are given the calls they missed.
        is_async: Whether it is awaited.
        declared: The names of its arguments, in order.
        deprecated: What to use in its place, or None.
        deprecated_arguments: What to use in place of its deprecated arguments, by name.
    """

    kind = "hook"
    owner: Optional[Generation]
    historic: bool
    is_async: bool
    shape: Shape
    declared: Tuple[str, ...]
    deprecated: Optional[str]
    deprecated_arguments: Mapping[str, str]

    def _route_for(self, subject: Subject) -> HookRoute:
        raise NotImplementedError

    def history(self, route: Route) -> History:
        """Its past calls in the host of a route; for the kernel."""
        raise NotImplementedError

    @overload
    def on(self, handler: H) -> H: ...

    @overload
    def on(
        self,
        *,
        priority: int = 0,
        tryfirst: bool = False,
        trylast: bool = False,
        wrapper: bool = False,
    ) -> Callable[[H], H]: ...

    def on(
        self,
        handler: Optional[Any] = None,
        *,
        priority: int = 0,
        tryfirst: bool = False,
        trylast: bool = False,
        wrapper: bool = False,
    ) -> Any:
        """Subscribes the decorated function: ``@h.on`` or ``@h.on(priority=…)``.

        A handler takes the hook's arguments, or some of them by name. Handlers are called in
        order of ``tryfirst``, then ``priority`` (higher first), then ``trylast``; equal ones in
        the order in which they subscribed.

        Args:
            handler: The function; given when used without parentheses.
            priority: Higher is earlier.
            tryfirst: Before all that do not ask for it.
            trylast: After all that do not ask for it.
            wrapper: A generator function that runs around the whole call: it yields once, is
                given the result there (or the exception is raised there), and what it returns
                replaces the result unless it is None. An async generator, which cannot return
                anything, yields the replacement as its last act.

        Returns:
            The function itself.

        Raises:
            HandlerRefused: It does not fit the hook; nothing was registered.
        """
        options = HookOptions(priority, tryfirst, trylast, wrapper)
        if handler is None:
            return lambda function: self._decorated(function, options)
        return self._decorated(handler, options)

    def _decorated(self, handler: H, options: HookOptions) -> H:
        self._subscribe(handler, options)
        return handler

    def subscribe(
        self,
        handler: Callable[..., Any],
        *,
        priority: int = 0,
        tryfirst: bool = False,
        trylast: bool = False,
        wrapper: bool = False,
    ) -> "Undo":
        """As ``on``, but returns what unsubscribes the handler again."""
        return self._subscribe(handler, HookOptions(priority, tryfirst, trylast, wrapper)).release

    def _subscribe(self, handler: Callable[..., Any], options: HookOptions) -> HookSubscription:
        subject = registrant()
        self._check_subscriber(subject)
        subscription = HookSubscription(subject, self._route_for(subject), handler, options)
        subscription.bind(self)
        return file_subscription(subscription)

    def _check_subscriber(self, subject: Subject) -> None:
        plugin = subject.plugin
        if self.owner is not None and plugin is not None:
            check_same_host(plugin, subject.kernel, self.owner, f"hook {self.full_name}")


def file_subscription(subscription: HookSubscription) -> HookSubscription:
    """Files a subscription with its route and its subscriber, or with neither.

    Raises:
        PluginNotRunning: The subscriber has been stopped.
        HostClosed: It is the host, which is closed.
    """
    route, subject = subscription.route, subscription._subject
    route.add(subscription)
    try:
        subject.kernel.resource_manager.register(subscription)
    except BaseException:
        route.remove(subscription)
        subject.kernel.resource_manager.take(subscription)
        raise
    if subject.gates and not subscription.is_wrapper:
        guard_late(subscription)
    return subscription
