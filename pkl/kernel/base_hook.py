"""How handlers subscribe to a hook, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, List, Optional, Tuple, TypeVar, overload

from ..errors import HandlerRefused
from .context import Subject
from .describe import describe
from .generation import Generation
from .hook_route import HookOptions, HookRoute, HookSubscription, MissedCall
from .ownership import registrant
from .route import Shape
from .subscribable import Subscribable, check_same_host
from .syscall import is_async

if TYPE_CHECKING:
    from .ports import Undo

__all__ = ["BaseHook"]

H = TypeVar("H", bound=Callable[..., Any])


class BaseHook(Subscribable):
    """The subscribing half of ``Hook``.

    Attributes:
        owner: The generation that declared it, or None for the host.
        historic: Whether late subscribers are given the calls they missed.
        is_async: Whether it is awaited.
    """

    owner: Optional[Generation]
    historic: bool
    is_async: bool
    shape: Shape
    declared: Tuple[str, ...]
    _history: List[MissedCall]

    def _route_for(self, subject: Subject) -> HookRoute:
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
                replaces the result unless it is None.

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
        if not callable(handler):
            raise HandlerRefused(
                f"{handler!r} cannot be called, so it cannot answer the hook {self.full_name}"
            )
        if is_async(handler) and not self.is_async:
            raise HandlerRefused(
                f"the hook {self.full_name} is not async, so nobody would await the async handler "
                f"{describe(handler)}",
                hint="make it a plain function, or make the hook async",
            )
        subject = registrant()
        self._check_subscriber(subject)
        route = self._route_for(subject)
        subscription = HookSubscription(
            subject,
            route,
            handler,
            options,
            self.declared,
            self.shape,
            self.is_async,
            self.full_name,
        )
        if self.historic and not options.wrapper:
            subscription.missed = self._history
        route.add(subscription)
        try:
            subject.kernel.resource_manager.register(subscription)
        except BaseException:
            route.remove(subscription)
            raise
        return subscription

    def _check_subscriber(self, subject: Subject) -> None:
        plugin = subject.plugin
        if self.owner is not None and plugin is not None:
            check_same_host(plugin, subject.kernel, self.owner, f"hook {self.full_name}")
