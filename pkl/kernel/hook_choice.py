"""Which handlers a call of a hook reaches: all that are live, without some, with others."""

from __future__ import annotations

from copy import copy
from typing import Any, Callable, FrozenSet, Optional, Tuple, TypeVar

from ..errors import HandlerRefused
from ..names import canonical
from .base_hook import BaseHook, HookHandler
from .context import Subject, current_subject
from .hook_history import PastCall
from .hook_route import HookEntries, HookRoute
from .hook_subscription import HookOptions, HookSubscription
from .ownership import registrant

__all__ = ["ChosenHook"]

_Self = TypeVar("_Self", bound="ChosenHook")


class ChosenHook(BaseHook):
    """The choosing part of ``Hook``."""

    _without: FrozenSet[str] = frozenset()
    _extra: Tuple[HookSubscription, ...] = ()
    _quick_route: Optional[HookRoute] = None

    def chosen(self, route: HookRoute, past: Optional[PastCall] = None) -> HookEntries:
        """Who takes part in a call that begins now; for the kernel.

        Args:
            route: The hook's, in the host of the call.
            past: The call of a historic hook, which is remembered.
        """
        entries = route.current() if past is None else self.history(route).record(past, route)
        if self._extra:
            entries = entries.including(self._extra)
        blocked = route.kernel.hook_control.blocked
        if blocked or self._without:
            entries = entries.leaving_out(self._without | blocked)
        return entries

    def handlers(self) -> Tuple[HookHandler, ...]:
        """Its handlers, as a call from here would call them: wrappers first, then the others.

        Those of plugins that are loaded and not enabled yet are among them, and not live.
        """
        owner: Subject = self.owner or current_subject().kernel.subject
        entries = self._route_for(owner).current()
        out = self._without | owner.kernel.hook_control.blocked
        return tuple(
            HookHandler(
                each.handler,
                each.plugin,
                each.is_wrapper,
                subject.live and (each.plugin is None or each.plugin.name not in out),
            )
            for subject, _, each in entries.wrappers + entries.handlers
        )

    def without(self: _Self, *plugins: str) -> _Self:
        """This hook, calling every handler but those of the named plugins."""
        reduced = copy(self)
        reduced._without = self._without | frozenset(canonical(p) for p in plugins)
        reduced._quick_route = None
        return reduced

    def with_handlers(self: _Self, *handlers: Callable[..., Any]) -> _Self:
        """This hook, calling these functions too, behind all handlers that do not ask to be last.

        They belong to whoever asks, are registered nowhere, and are called while he is running.

        Raises:
            HandlerRefused: One does not fit, or the hook is historic.
        """
        if self.historic:
            raise HandlerRefused(
                f"the hook {self.full_name} is historic: a handler for one call would be given "
                "none of the past ones",
                hint="subscribe it",
                hook=self.full_name,
            )
        subject = registrant()
        self._check_subscriber(subject)
        made = []
        for handler in handlers:
            extra = HookSubscription(subject, self._route_for(subject), handler, HookOptions())
            extra.bind(self)
            made.append(extra)
        enlarged = copy(self)
        enlarged._extra = self._extra + tuple(made)
        enlarged._quick_route = None
        return enlarged
