"""The hook call: a bare function over wrappers and handlers.

Wrappers are generators around the whole call. Each is started, the rest of the call runs, and
each that was started is resumed in reverse order with the result or the exception, whatever
happens. Every step runs as its subscriber.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Tuple

from .context import Subject, _current
from .dispatch import call_one
from .generation import runs_plugin_code
from .hook_outcome import Outcome, settle, yielded
from .hook_result import Results, noted
from .hook_route import HookEntries, HookEntry
from .hook_subscription import HookSubscription, answer

if TYPE_CHECKING:
    from .hook import Hook

__all__ = ["HookCall", "collect_plain", "run_hook"]

_set = _current.set


class HookCall:
    """One call of a hook, for what does not take the shortest way.

    Attributes:
        hook: The hook.
        args: The positional arguments.
        kwargs: The keyword arguments.
    """

    __slots__ = ("_bound", "args", "hook", "kwargs")

    def __init__(self, hook: "Hook[Any, Any]", args: Any, kwargs: Any) -> None:
        self.hook = hook
        self.args = args
        self.kwargs = kwargs
        self._bound: Optional[Dict[str, Any]] = None

    @property
    def bound(self) -> Dict[str, Any]:
        """Every argument by name."""
        if self._bound is None:
            given = dict(zip(self.hook.declared, self.args))
            self._bound = {**self.hook.defaults, **given, **self.kwargs}
        return self._bound

    @property
    def positional(self) -> Tuple[Any, ...]:
        """Every argument by position, as the hook declares them."""
        declared = self.hook.declared
        if not self.kwargs and len(self.args) == len(declared):
            return self.args  # type: ignore[no-any-return]
        bound = self.bound
        return tuple([bound[name] for name in declared])


@runs_plugin_code
def collect_plain(
    hook: "Hook[Any, Any]", args: Tuple[Any, ...], handlers: Tuple[HookEntry, ...]
) -> Results:
    """Calls every live handler, each of which takes all arguments by position: the hot path.

    The caller restores the current subject.
    """
    clock = perf_counter
    log: List[Any] = [clock()]
    note = log.append
    for generation, handler, subscription in handlers:
        if generation.live:
            _set(generation)
            try:
                note(handler(*args))
            except BaseException as error:
                settle(hook, subscription, error)
                note(None)
        else:
            note(None)
        note(clock())
    return noted(handlers, log)


@runs_plugin_code
def collect(call: HookCall, handlers: Tuple[HookEntry, ...], observed: bool) -> Any:
    """Calls every live handler with what it takes; of a ``first`` hook, until one answers."""
    ask = call_one if observed else _unobserved
    hook, given = call.hook, call.positional
    first = hook.first
    log: List[Any] = [perf_counter()]
    for generation, handler, subscription in handlers:
        value = None
        if generation.live:
            try:
                value = ask(generation, answer, (handler, subscription, given), {})
            except BaseException as error:
                settle(hook, subscription, error)
            if first and value is not None:
                return value
        log += (value, perf_counter())
    return None if first else noted(handlers, log)


def _unobserved(subject: Subject, function: Callable[..., Any], args: Any, _kwargs: Any) -> Any:
    _set(subject)
    return function(*args)


def run_hook(call: HookCall, owner: Subject, entries: HookEntries) -> Any:
    """Runs wrappers and handlers; the result, as the wrappers leave it.

    Raises:
        BaseException: What the outermost wrapper leaves of a handler's or wrapper's error.
    """
    hook, observed = call.hook, bool(owner.kernel.switch_hooks)
    wrappers = entries.wrappers
    if not wrappers:
        return _run_handlers(call, entries, observed)
    started: List[Tuple[Any, Subject, HookSubscription]] = []
    outcome = Outcome(hook)
    try:
        given = call.positional
        for subject, handler, subscription in wrappers:
            if subject.live:
                wrapper = _start(hook, given, subject, handler, subscription)
                if wrapper is not None:
                    started.append((wrapper, subject, subscription))
        outcome.result = _run_handlers(call, entries, observed)
    except BaseException as error:
        outcome.fail(error)
    _set(owner)
    while started:
        _resume(outcome, *started.pop())
    return outcome.end()


def _run_handlers(call: HookCall, entries: HookEntries, observed: bool) -> Any:
    if entries.plain and not observed and not call.hook.first:
        return collect_plain(call.hook, call.positional, entries.handlers)
    return collect(call, entries.handlers, observed)


def _start(
    hook: "Hook[Any, Any]",
    given: Tuple[Any, ...],
    subject: Subject,
    handler: Callable[..., Any],
    subscription: HookSubscription,
) -> Any:
    """A wrapper at its yield, or None if it did not get there."""
    try:
        wrapper = call_one(subject, answer, (handler, subscription, given), {})
        call_one(subject, next, (wrapper,), {})
    except StopIteration:
        settle(hook, subscription, yielded(hook, subscription, "did not yield"))
        return None
    except BaseException as error:
        settle(hook, subscription, error)
        return None
    return wrapper


def _resume(
    outcome: Outcome, wrapper: Any, subject: Subject, subscription: HookSubscription
) -> None:
    """Gives a wrapper the outcome, which it may replace."""
    failure = outcome.failure
    try:
        if failure is None:
            call_one(subject, wrapper.send, (outcome.result,), {})
        else:
            call_one(subject, wrapper.throw, (failure,), {})
    except StopIteration as stop:
        outcome.ended(subscription, stop)
        return
    except BaseException as error:
        outcome.raised(subscription, error)
        return
    try:
        call_one(subject, wrapper.close, (), {})
    except BaseException as error:
        outcome.raised(subscription, error)
    outcome.raised(subscription, yielded(outcome.hook, subscription, "yielded a second time"))
