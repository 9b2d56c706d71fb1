"""The hook call: a bare function over wrappers and handlers, and its asynchronous twin.

Wrappers are generators around the whole call. Each is started, the rest of the call runs, and
each that was started is resumed in reverse order with the result or the exception, whatever
happens. Every step runs as its subscriber.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Tuple

from .context import Subject, _current, switch
from .describe import describe
from .dispatch import call_one, passes
from .generation import runs_plugin_code
from .hook_result import Results
from .hook_route import HookEntries, HookSubscription

if TYPE_CHECKING:
    from .hook import Hook

__all__ = ["HookCall", "answer", "collect", "collect_plain", "first_of", "run_hook", "settle"]

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


def settle(hook: "Hook[Any, Any]", subscription: HookSubscription, error: BaseException) -> None:
    """Contains a handler's error, or raises it if the hook is to raise."""
    if passes(error) or hook.errors == "raise":
        raise error
    subject = subscription._subject
    what = "wrapper" if subscription.is_wrapper else "handler"
    subject.kernel.contain(
        subject, error, f"{what} {describe(subscription.handler)} of the hook {hook.full_name}"
    )


@runs_plugin_code
def collect_plain(hook: "Hook[Any, Any]", args: Any, entries: HookEntries) -> Results:
    """``collect`` where every handler takes all arguments by position: the hot path."""
    answers: List[Any] = []
    add = answers.append
    began = perf_counter()
    for generation, handler, subscription in entries.handlers:
        if generation.live:
            _set(generation)
            try:
                value = handler(*args)
            except BaseException as error:
                settle(hook, subscription, error)
                value = None
            ended = perf_counter()
            if value is not None:
                add((value, generation, ended - began))
            began = ended
    return Results(answers)


@runs_plugin_code
def collect(call: HookCall, entries: HookEntries) -> Results:
    """Calls every live handler and collects the answers that are not None."""
    answers: List[Any] = []
    began = perf_counter()
    for generation, handler, subscription in entries.handlers:
        if generation.live:
            _set(generation)
            try:
                value = answer(call, handler, subscription)
            except BaseException as error:
                settle(call.hook, subscription, error)
                value = None
            ended = perf_counter()
            if value is not None:
                answers.append((value, generation, ended - began))
            began = ended
    return Results(answers)


@runs_plugin_code
def first_of(call: HookCall, entries: HookEntries) -> Any:
    """Calls handlers until one answers something else than None; that answer, or None."""
    for generation, handler, subscription in entries.handlers:
        if generation.live:
            _set(generation)
            try:
                value = answer(call, handler, subscription)
            except BaseException as error:
                settle(call.hook, subscription, error)
                continue
            if value is not None:
                return value
    return None


def answer(call: HookCall, handler: Callable[..., Any], subscription: HookSubscription) -> Any:
    """What a handler returns, called with the arguments it takes."""
    if subscription.names is None:
        return handler(*call.positional)
    return handler(**subscription.arguments(call.bound))


def run_hook(call: HookCall, owner: Subject, entries: HookEntries) -> Any:
    """Runs wrappers and handlers; the result, as the wrappers leave it.

    Raises:
        BaseException: What the outermost wrapper leaves of a handler's or wrapper's error.
    """
    run = first_of if call.hook.first else collect
    if not entries.wrappers:
        return run(call, entries)
    started: List[Tuple[Any, HookSubscription]] = []
    result: Any = None
    failure: Optional[BaseException] = None
    try:
        for subject, handler, subscription in entries.wrappers:
            if subject.live:
                wrapper = _start(call, subject, handler, subscription)
                if wrapper is not None:
                    started.append((wrapper, subscription))
        result = run(call, entries)
    except BaseException as error:
        failure = error
    while started:
        wrapper, subscription = started.pop()
        result, failure = _resume(call, wrapper, subscription, result, failure)
    _set(owner)
    if failure is not None:
        try:
            raise failure
        finally:
            failure = None
    return result


def _start(
    call: HookCall, subject: Subject, handler: Callable[..., Any], subscription: HookSubscription
) -> Any:
    """A wrapper at its yield, or None if it did not get there."""
    try:
        wrapper = answer(call, handler, subscription)
        call_one(subject, next, (wrapper,), {})
    except StopIteration:
        settle(call.hook, subscription, RuntimeError("the wrapper did not yield, it must once"))
        return None
    except BaseException as error:
        settle(call.hook, subscription, error)
        return None
    return wrapper


def _resume(
    call: HookCall,
    wrapper: Any,
    subscription: HookSubscription,
    result: Any,
    failure: Optional[BaseException],
) -> Tuple[Any, Optional[BaseException]]:
    """Gives a wrapper the outcome; the outcome as it leaves it."""
    previous = switch(subscription._subject)
    try:
        if failure is None:
            wrapper.send(result)
        else:
            wrapper.throw(failure)
    except StopIteration as stop:
        return (result if stop.value is None else stop.value), None
    except BaseException as error:
        if error is failure:
            return result, failure
        try:
            settle(call.hook, subscription, error)
        except BaseException as raised:
            return result, raised
        return result, failure
    finally:
        switch(previous)
    try:
        call_one(subscription._subject, wrapper.close, (), {})
        settle(call.hook, subscription, RuntimeError("the wrapper yielded a second time"))
    except BaseException as raised:
        return result, raised
    return result, failure
