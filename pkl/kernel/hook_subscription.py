"""One handler of one hook: what it asks for, whether it fits, and what it missed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional, Tuple

from ..errors import HandlerRefused
from .context import Subject
from .deprecated import warn_of_deprecated
from .describe import describe, place_of
from .dispatch import call_one, passes
from .hook_history import History, PastCall
from .parameters import Misfit, Taking, parameters_of, take
from .route import Subscription
from .syscall import flags_of, is_async

if TYPE_CHECKING:
    from .base_hook import BaseHook
    from .hook_route import HookRoute

__all__ = ["HookOptions", "HookSubscription", "answer", "refused"]

_GENERATOR, _ASYNC_GENERATOR = 0x20, 0x200


class HookOptions(NamedTuple):
    """How a handler asks to be called; see ``Hook.on``."""

    priority: int = 0
    tryfirst: bool = False
    trylast: bool = False
    wrapper: bool = False

    @property
    def rank(self) -> Tuple[int, int]:
        """What handlers are ordered by, lowest first."""
        return (int(self.trylast) - int(self.tryfirst), -self.priority)


def answer(
    handler: Callable[..., Any], subscription: "HookSubscription", given: Tuple[Any, ...]
) -> Any:
    """What a handler returns, called with the arguments it takes."""
    taking = subscription.taking
    return handler(*given) if taking is None else taking.call(handler, given)


def refused(
    subject: Subject, hook: str, handler: Any, message: str, *, hint: str = "", **details: Any
) -> HandlerRefused:
    """The error for a handler that does not fit, with all that is known of it as fields."""
    plugin = subject.plugin
    file, line = place_of(handler)
    return HandlerRefused(
        message,
        plugin=None if plugin is None else plugin.name,
        version=None if plugin is None else plugin.version,
        file=file,
        hint=hint,
        hook=hook,
        line=line,
        **details,
    )


class HookSubscription(Subscription):
    """One handler of one hook.

    Attributes:
        options: How it asks to be called.
        is_wrapper: Whether it is a generator around the whole call.
        by_name: Whether it names a hook that need not be there yet.
        optional: Whether nobody minds if that hook never comes.
        bound: Whether it is called: its hook is there, and it fits.
        refusal: Why it does not fit the hook that came, or None.
        taking: The arguments it takes, where these are not simply all of the hook's in order.
        pick: Takes these out of all, where they are passed by position alone; else None.
        history: The calls that it is given; None if its hook is not historic.
        seen: How many of these it has been given, one after the other.
        caught_up: The history which it has been given whole, so that it takes part in new calls.
    """

    def __init__(
        self,
        subject: Subject,
        route: "HookRoute",
        handler: Callable[..., Any],
        options: HookOptions,
        *,
        by_name: bool = False,
        optional: bool = False,
    ) -> None:
        super().__init__(subject, route, handler, options.priority, False, False, None)
        self.options = options
        self.is_wrapper = options.wrapper
        self.by_name = by_name
        self.optional = optional
        self.bound = False
        self.refusal: Optional[HandlerRefused] = None
        self.taking: Optional[Taking] = None
        self.pick: Optional[Callable[[Any], Tuple[Any, ...]]] = None
        self.history: Optional[History] = None
        self.seen = 0
        self.caught_up: Optional[History] = None
        name = route.name
        if not callable(handler):
            raise refused(
                subject,
                name,
                handler,
                f"{handler!r} cannot be called, so it cannot answer the hook {name}",
            )
        if options.tryfirst and options.trylast:
            raise refused(
                subject,
                name,
                handler,
                f"the handler {describe(handler)} of the hook {name} cannot be both tryfirst and "
                "trylast",
            )
        steps = flags_of(handler) & (_GENERATOR | _ASYNC_GENERATOR)
        if options.wrapper and not steps:
            raise refused(
                subject,
                name,
                handler,
                f"the wrapper {describe(handler)} of the hook {name} is not a generator function: "
                "a wrapper yields once, where the other handlers run",
            )
        if steps and not options.wrapper:
            raise refused(
                subject,
                name,
                handler,
                f"the handler {describe(handler)} of the hook {name} is a generator function, so "
                "its result would be a generator",
                hint="subscribe it with wrapper=True if it is to run around the call",
            )

    def bind(self, hook: "BaseHook") -> None:
        """Makes it a handler of a hook, which it is held against.

        Raises:
            HandlerRefused: It does not fit; it stays as it was.
            Warning: The hook is deprecated, and such warnings are errors here.
        """
        self.refusal = None
        name, handler = hook.full_name, self.handler
        if not hook.is_async:
            kind = "handler" if is_async(handler) else "wrapper"
            if is_async(handler) or flags_of(handler) & _ASYNC_GENERATOR:
                raise self._refuse(
                    f"the hook {name} is not async, so nobody would await the async {kind} "
                    f"{describe(handler)}",
                    hint="make it a plain function, or make the hook async",
                )
        try:
            taking = take(parameters_of(handler), hook.declared)
        except Misfit as misfit:
            raise self._refuse(
                f"the handler {describe(handler)} takes {misfit}, which the hook {name} does not "
                f"pass; it passes {', '.join(hook.declared) or 'nothing'}",
                hint=f"take {'some of these' if hook.declared else 'no arguments'} by name, or "
                "give the others a default",
                arguments=misfit.names,
            ) from None
        warn_of_deprecated(hook, self._subject, handler, taking)
        self.taking = taking
        self.pick = None if taking is None else taking.picker()
        self.shape = hook.shape
        self.follow(hook)
        self.bound = True

    def follow(self, hook: "BaseHook") -> None:
        """Is to be given the past calls of a hook that it is bound to, if that is historic."""
        if hook.historic and not self.is_wrapper:
            hook.history(self.route).begin(self)
        else:
            self.history = None

    def unbind(self) -> None:
        """Makes it wait for a hook of its name."""
        self.bound = False
        self.refusal = None

    def _refuse(self, message: str, **fields: Any) -> HandlerRefused:
        return refused(self._subject, self.route.name, self.handler, message, **fields)

    @property
    def staged(self) -> bool:
        """Whether there is something to do when it goes live."""
        return self.bound and self.history is not self.caught_up

    def _activate(self, now: float) -> None:
        self.catch_up()

    def catch_up(self) -> None:
        """Gives it the calls that it missed."""
        history = self.history
        while history is not None and (past := history.next_for(self)) is not None:
            self._replay(past)

    def _replay(self, past: PastCall) -> None:
        subject = self._subject
        kernel, plugin = subject.kernel, subject.plugin
        if not subject.live or (plugin is not None and plugin.name in kernel.hook_control.blocked):
            return
        where = f"handler {describe(self.handler)} of a past call of the hook {self.route.name}"
        whose = subject
        try:
            given = (self.entry[1], self, past.positional)
            value = call_one(subject, answer, given, {})
            if past.on_answer is not None and value is not None and not past.recorder.dead:
                whose, where = past.recorder, f"on_answer {describe(past.on_answer)} of the same"
                call_one(whose, past.on_answer, (value,), {})
        except BaseException as error:
            if passes(error):
                raise
            kernel.contain(whose, error, where)
