"""``@hookimpl``: answers a plugin's hook by name, whether it is there yet or not."""

from __future__ import annotations

from typing import Any, Callable, TypeVar

from ..errors import HandlerRefused
from ..names import canonical, is_valid
from .base_hook import file_subscription
from .describe import describe
from .hook_route import HookRoute
from .hook_subscription import HookOptions, HookSubscription, refused
from .ownership import registrant

__all__ = ["hookimpl"]

H = TypeVar("H", bound=Callable[..., Any])


def hookimpl(
    name: str,
    *,
    optional: bool = False,
    priority: int = 0,
    tryfirst: bool = False,
    trylast: bool = False,
    wrapper: bool = False,
) -> Callable[[H], H]:
    """Answers a plugin's hook by its name: ``@hookimpl("shop.offers")``.

    Nothing is imported, so the hook's plugin need be neither installed nor running. If the hook
    is there, the handler is held against it at once; else when the plugin that declares it is
    enabled, and again whenever that is loaded anew. What does not fit then is reported and not
    called, and ``host.check()`` finds it, as it finds hooks that nobody declares.

    Args:
        name: ``plugin.hook``. A host's hook is imported from the module that declares it.
        optional: Nobody minds if there is no such hook.
        priority: As for ``Hook.on``.
        tryfirst: As for ``Hook.on``.
        trylast: As for ``Hook.on``.
        wrapper: As for ``Hook.on``.

    Returns:
        The function itself.

    Raises:
        HandlerRefused: The name is none of a plugin's hook, or the function does not fit; nothing
            was registered.
    """
    plugin, _, hook = name.rpartition(".")
    if not is_valid(plugin) or not hook.isidentifier():
        raise HandlerRefused(
            f"{name!r} does not name a plugin's hook",
            hint='write "plugin.hook"; import a hook of the host from the module that declares it',
            hook=name,
        )
    options = HookOptions(priority, tryfirst, trylast, wrapper)

    def subscribe(handler: H) -> H:
        subject = registrant()
        route = subject.kernel.named_route(canonical(plugin), hook, HookRoute)
        if not isinstance(route, HookRoute):
            raise refused(
                subject,
                route.name,
                handler,
                f"{route.name} is an event, not a hook, so {describe(handler)} cannot answer it",
                hint=f"subscribe to it: @{hook}.on",
            )
        subscription = HookSubscription(
            subject, route, handler, options, by_name=True, optional=optional
        )
        declared: Any = route.event
        if declared is not None and declared.owner.plugin.generation is declared.owner:
            subscription.bind(declared)
        file_subscription(subscription)
        if route.event is not declared:  # its plugin was enabled in this very moment
            route.bind_late(subscription)
        return handler

    return subscribe
