"""Who answers a hook: subscriptions with the arguments they take, wrappers apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from ..errors import HandlerRefused
from .context import Subject
from .describe import describe
from .dispatch import call_one, passes
from .route import Route, Shape, Subscription
from .syscall import flags_of

if TYPE_CHECKING:
    from .core import Kernel

__all__ = ["HookEntries", "HookOptions", "HookRoute", "HookSubscription", "parameters_of"]

_VARARGS, _VARKEYWORDS, _GENERATOR, _ASYNC_GENERATOR = 0x04, 0x08, 0x20, 0x200


MissedCall = Tuple[Any, Any, Optional[Callable[[Any], Any]]]
"""Arguments of a past call, and what to do with an answer."""


class HookOptions(NamedTuple):
    """How a handler asks to be called; see ``Hook.on``."""

    priority: int = 0
    tryfirst: bool = False
    trylast: bool = False
    wrapper: bool = False

    @property
    def rank(self) -> Tuple[int, int]:
        """What handlers are ordered by, highest first."""
        return (int(self.tryfirst) - int(self.trylast), self.priority)


class HookEntries(NamedTuple):
    """What a call iterates: wrappers from the outside in, then handlers in order.

    ``plain`` says that every handler takes all arguments by position.
    """

    wrappers: Tuple[Tuple[Subject, Callable[..., Any], "HookSubscription"], ...]
    handlers: Tuple[Tuple[Subject, Callable[..., Any], "HookSubscription"], ...]
    plain: bool


def parameters_of(function: Callable[..., Any]) -> Optional[Tuple[str, ...]]:
    """The names that a function takes, without ``self`` of a bound method.

    None where it takes anything (``*args`` or ``**kwargs``), or has no code to read it from.
    """
    bound = getattr(function, "__self__", None) is not None
    plain = getattr(function, "__func__", function)
    code = getattr(plain, "__code__", None)
    if code is None or code.co_flags & (_VARARGS | _VARKEYWORDS):
        return None
    count = code.co_argcount + code.co_kwonlyargcount
    names: Tuple[str, ...] = code.co_varnames[:count]
    return names[1:] if bound else names


class HookSubscription(Subscription):
    """One handler of one hook.

    Attributes:
        options: How it asks to be called.
        names: The arguments it takes, where these are not simply all of the hook's in order.
        is_wrapper: Whether it is a generator around the whole call.
        missed: The calls of a historic hook, which it is given when it goes live.
    """

    def __init__(
        self,
        subject: Subject,
        route: Route,
        handler: Callable[..., Any],
        options: HookOptions,
        declared: Tuple[str, ...],
        shape: Shape,
        hook_is_async: bool,
        name: str,
    ) -> None:
        super().__init__(subject, route, handler, options.priority, False, False, shape)
        self.options = options
        self._declared = declared
        self.is_wrapper = options.wrapper
        self.names = _fit(handler, declared, name)
        self.missed: Optional[List[MissedCall]] = None
        flags = flags_of(handler)
        steps = flags & (_GENERATOR | _ASYNC_GENERATOR)
        if options.wrapper and not steps:
            raise HandlerRefused(
                f"the wrapper {describe(handler)} of the hook {name} is not a generator function: "
                "a wrapper yields once, where the other handlers run"
            )
        if steps and not options.wrapper:
            raise HandlerRefused(
                f"the handler {describe(handler)} of the hook {name} is a generator function, so "
                "its result would be a generator",
                hint="subscribe it with on(wrapper=True) if it is to run around the call",
            )
        if flags & _ASYNC_GENERATOR and not hook_is_async:
            raise HandlerRefused(
                f"the async wrapper {describe(handler)} does not fit the hook {name}, which is "
                "not async"
            )

    @property
    def staged(self) -> bool:
        """Whether there is something to do when it goes live."""
        return self.missed is not None

    def _activate(self, now: float) -> None:
        declared, name = self._declared, self.route.name
        for args, kwargs, on_answer in list(self.missed or ()):
            try:
                if self.names is None:
                    answer = call_one(self._subject, self.handler, args, kwargs)
                else:
                    given = {**dict(zip(declared, args)), **kwargs}
                    taken = {n: given[n] for n in self.names if n in given}
                    answer = call_one(self._subject, self.handler, (), taken)
                if on_answer is not None and answer is not None:
                    on_answer(answer)
            except BaseException as error:
                if passes(error):
                    raise
                where = f"handler {describe(self.handler)} of a past call of the hook {name}"
                self._subject.kernel.contain(self._subject, error, where)

    def arguments(self, bound: Dict[str, Any]) -> Dict[str, Any]:
        """The arguments it takes, out of all of the call's."""
        assert self.names is not None
        return {name: bound[name] for name in self.names}


def _fit(
    handler: Callable[..., Any], declared: Tuple[str, ...], name: str
) -> Optional[Tuple[str, ...]]:
    """The names to pass to a handler as keywords; None to pass all by position."""
    taken = parameters_of(handler)
    plain = getattr(handler, "__func__", handler)
    if taken == declared and not plain.__code__.co_kwonlyargcount:
        return None
    if taken is None:
        code = getattr(plain, "__code__", None)
        by_keyword = code is not None and code.co_flags & _VARKEYWORDS
        return declared if by_keyword else None
    optional = set(getattr(plain, "__kwdefaults__", None) or ())
    defaults = len(getattr(plain, "__defaults__", None) or ())
    count = plain.__code__.co_argcount
    if defaults:
        optional.update(plain.__code__.co_varnames[count - defaults : count])
    unknown = [n for n in taken if n not in declared and n not in optional]
    if unknown:
        raise HandlerRefused(
            f"the handler {describe(handler)} takes {', '.join(unknown)}, which the hook {name} "
            f"does not pass; it passes {', '.join(declared) or 'nothing'}",
            hook=name,
            arguments=unknown,
        )
    return tuple(n for n in taken if n in declared)


class HookRoute(Route):
    """The handlers of one hook in one host."""

    __slots__ = ("hook_entries",)

    def __init__(self, kernel: "Kernel", name: str) -> None:
        super().__init__(kernel, name)
        self.hook_entries: Optional[HookEntries] = None

    def add(self, subscription: Subscription) -> None:
        """Files a subscription."""
        super().add(subscription)
        self.hook_entries = None

    def remove(self, subscription: Subscription) -> None:
        """Takes a subscription out."""
        super().remove(subscription)
        self.hook_entries = None

    def changed(self) -> None:
        """Makes the next call split the handlers anew."""
        super().changed()
        self.hook_entries = None

    def split(self) -> HookEntries:
        """Makes ``hook_entries`` anew after a change, once what waits for this was started."""
        for trigger in self.triggers:
            trigger.fire()
        return self.resplit()

    async def asplit(self) -> HookEntries:
        """The async twin of ``split``."""
        for trigger in self.triggers:
            await trigger.afire()
        return self.resplit()

    def resplit(self) -> HookEntries:
        """Makes ``hook_entries`` anew, of what there is."""
        with self._lock:
            known = [s for s in self._subscriptions.values() if isinstance(s, HookSubscription)]
            ordered = sorted(known, key=_rank)
            found = HookEntries(
                tuple([(s._subject, s.handler, s) for s in ordered if s.is_wrapper]),
                tuple([(s._subject, s.handler, s) for s in ordered if not s.is_wrapper]),
                all(s.names is None for s in ordered if not s.is_wrapper),
            )
            self.hook_entries = None if self.triggers else found
        return found


def _rank(subscription: HookSubscription) -> Tuple[int, int]:
    band, priority = subscription.options.rank
    return (-band, -priority)
