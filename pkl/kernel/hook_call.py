"""The hook call: a bare function over wrappers and handlers.

Wrappers are generators around the whole call. Each is started, the rest of the call runs, and
each that was started is resumed in reverse order with the result or the exception, whatever
happens. Every step runs as its subscriber.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Tuple

from .context import Subject, _current
from .dispatch import call_one
from .generation import runs_plugin_code
from .hook_outcome import Outcome, settle, yielded
from .hook_result import Results, noted
from .hook_route import HookEntries, HookEntry
from .hook_subscription import HookSubscription, answer

if TYPE_CHECKING:
    from .hook import Hook

__all__ = ["bound_of", "collect_plain", "given_of", "run_hook"]

_set = _current.set


def bound_of(hook: "Hook[Any, Any]", args: Any, kwargs: Any) -> Dict[str, Any]:
    """Every argument of a call by name."""
    return {**hook.defaults, **dict(zip(hook.declared, args)), **kwargs}


def given_of(hook: "Hook[Any, Any]", args: Any, kwargs: Any) -> Tuple[Any, ...]:
    """Every argument of a call by position, as the hook declares them."""
    declared = hook.declared
    if not kwargs and len(args) == len(declared):
        return args  # type: ignore[no-any-return]
    bound = bound_of(hook, args, kwargs)
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
def _collect(
    hook: "Hook[Any, Any]", given: Tuple[Any, ...], handlers: Tuple[HookEntry, ...]
) -> Any:
    """Calls every live handler with what it takes; of a ``first`` hook, until one answers."""
    clock, first = perf_counter, hook.first
    log: List[Any] = [clock()]
    note = log.append
    for generation, handler, subscription in handlers:
        value = None
        if generation.live:
            _set(generation)
            pick = subscription.pick
            try:
                if pick is not None:
                    value = handler(*pick(given))
                elif subscription.taking is None:
                    value = handler(*given)
                else:
                    value = answer(handler, subscription, given)
            except BaseException as error:
                settle(hook, subscription, error)
            if first:
                if value is not None:
                    return value
                continue
        note(value)
        note(clock())
    return None if first else noted(handlers, log)


def _collect_observed(
    hook: "Hook[Any, Any]", given: Tuple[Any, ...], handlers: Tuple[HookEntry, ...]
) -> Any:
    """As ``_collect``, telling the context-switch hooks."""
    log: List[Any] = [perf_counter()]
    for subject, handler, subscription in handlers:
        value = None
        if subject.live:
            try:
                value = call_one(subject, answer, (handler, subscription, given), {})
            except BaseException as error:
                settle(hook, subscription, error)
            if hook.first and value is not None:
                return value
        log += (value, perf_counter())
    return None if hook.first else noted(handlers, log)


@runs_plugin_code
def _step(generation: Subject, function: Callable[..., Any], args: Any, _kwargs: Any) -> Any:
    """As ``call_one``, where nobody observes and the caller restores the current subject."""
    _set(generation)
    return function(*args)


def run_hook(
    hook: "Hook[Any, Any]", given: Tuple[Any, ...], owner: Subject, entries: HookEntries
) -> Any:
    """Runs wrappers and handlers; the result, as the wrappers leave it.

    The caller restores the current subject.

    Args:
        hook: The hook.
        given: Its arguments by position.
        owner: Whose hook it is here.
        entries: Who takes part.

    Raises:
        BaseException: What the outermost wrapper leaves of a handler's or wrapper's error.
    """
    observed = bool(owner.kernel.switch_hooks)
    if observed:
        collect: Callable[..., Any] = _collect_observed
    elif entries.plain and not hook.first:
        collect = collect_plain
    else:
        collect = _collect
    wrappers = entries.wrappers
    if not wrappers:
        return collect(hook, given, entries.handlers)
    step = call_one if observed else _step
    started: List[Tuple[Any, HookEntry]] = []
    outcome = Outcome(hook)
    try:
        for entry in wrappers:
            if entry[0].live:
                wrapper = _start(hook, given, entry, step)
                if wrapper is not None:
                    started.append((wrapper, entry))
        outcome.result = collect(hook, given, entries.handlers)
    except BaseException as error:
        outcome.fail(error)
    while started:
        wrapper, entry = started.pop()
        _resume(outcome, wrapper, entry, step)
    if not observed:
        _set(owner)
    return outcome.end()


def _start(
    hook: "Hook[Any, Any]", given: Tuple[Any, ...], entry: HookEntry, step: Callable[..., Any]
) -> Any:
    """A wrapper at its yield, or None if it did not get there."""
    subject, handler, subscription = entry
    try:
        return step(subject, _begin, (handler, subscription, given), {})
    except StopIteration:
        settle(hook, subscription, yielded(hook, subscription, "did not yield"))
    except BaseException as error:
        settle(hook, subscription, error)
    return None


def _begin(
    handler: Callable[..., Any], subscription: HookSubscription, given: Tuple[Any, ...]
) -> Any:
    wrapper = answer(handler, subscription, given)
    next(wrapper)
    return wrapper


def _resume(outcome: Outcome, wrapper: Any, entry: HookEntry, step: Callable[..., Any]) -> None:
    """Gives a wrapper the outcome, which it may replace."""
    subject, _, subscription = entry
    failure = outcome.failure
    try:
        if failure is None:
            step(subject, wrapper.send, (outcome.result,), {})
        else:
            step(subject, wrapper.throw, (failure,), {})
    except StopIteration as stop:
        outcome.ended(subscription, stop)
        return
    except BaseException as error:
        outcome.raised(subscription, error)
        return
    try:
        step(subject, wrapper.close, (), {})
    except BaseException as error:
        outcome.raised(subscription, error)
    outcome.raised(subscription, yielded(outcome.hook, subscription, "yielded a second time"))
