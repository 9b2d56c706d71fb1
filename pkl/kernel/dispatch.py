"""The dispatch loops: bare functions that call handlers, each as its subscriber.

``deliver`` is the hottest code of pkl. An entry is a triple (subscriber, handler, subscription);
the tuple of entries is replaced, never changed, so a set that changes during a call takes effect
from the next call.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Callable, List, Optional, Tuple

from .context import Subject, _current, switch, switch_back
from .generation import runs_plugin_code
from .steps import Driven

if TYPE_CHECKING:
    from .route import Subscription

__all__ = [
    "Entry",
    "Failed",
    "Watched",
    "adeliver",
    "call_one",
    "deliver",
    "deliver_observed",
    "from_outside",
    "is_cancellation",
    "passes",
]

Entry = Tuple[Subject, Callable[..., Any], "Subscription"]
Failed = List[Tuple["Subscription", BaseException]]

_set = _current.set


@runs_plugin_code
def deliver(entries: Tuple[Entry, ...], args: Any, kwargs: Any) -> Optional[Failed]:
    """Calls every live handler; the caller restores the current subject.

    Returns:
        What handlers raised, or None. KeyboardInterrupt passes at once, and so does a
        cancellation of the task this runs in.
    """
    failed: Optional[Failed] = None
    for generation, handler, subscription in entries:
        if generation.live:
            _set(generation)
            try:
                handler(*args, **kwargs)
            except BaseException as error:
                failed = _note(failed, subscription, error)
    return failed


@runs_plugin_code
def deliver_observed(entries: Tuple[Entry, ...], args: Any, kwargs: Any) -> Optional[Failed]:
    """As ``deliver``, telling the context-switch hooks."""
    failed: Optional[Failed] = None
    for generation, handler, subscription in entries:
        if generation.live:
            previous = switch(generation)
            try:
                handler(*args, **kwargs)
            except BaseException as error:
                failed = _note(failed, subscription, error)
            finally:
                switch_back(previous)
    return failed


async def adeliver(entries: Tuple[Entry, ...], args: Any, kwargs: Any) -> Optional[Failed]:
    """Calls and awaits every live handler, one after the other; sync handlers are called."""
    failed: Optional[Failed] = None
    for generation, handler, subscription in entries:
        if not generation.live:
            continue
        step: Optional[Driven] = None
        try:
            if subscription.awaited:
                step = Driven(Watched(handler(*args, **kwargs)), generation)
                await step
            else:
                call_one(generation, handler, args, kwargs)
        except BaseException as error:
            if step is None or step.begun or passes(error):
                failed = _note(failed, subscription, error)
            # Else another thread has stopped its plugin in this very moment.
    return failed


@runs_plugin_code
def call_one(generation: Subject, handler: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Calls one handler as its subscriber and restores the current subject."""
    previous = switch(generation)
    try:
        return handler(*args, **kwargs)
    finally:
        switch_back(previous)


class Watched:
    """A coroutine that remembers whether it was cancelled from outside."""

    __slots__ = ("close", "inner", "send")

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.send = inner.send
        self.close = inner.close

    def throw(self, error: BaseException) -> Any:
        """Throws an error in, and marks the cancellation that comes out of it, now or later."""
        if not is_cancellation(error):
            return self.inner.throw(error)
        self.send = self._send
        try:
            return self.inner.throw(error)
        except BaseException as raised:
            from_outside(raised)
            raise

    def _send(self, value: Any) -> Any:
        """As ``send``, once it was cancelled: it may take some steps to end."""
        try:
            return self.inner.send(value)
        except BaseException as raised:
            from_outside(raised)
            raise


def from_outside(error: BaseException) -> None:
    """Notes that an error, if it is a cancellation, is one of the task it was raised in."""
    if is_cancellation(error):
        error.__dict__["_pkl_from_outside"] = True


def is_cancellation(error: BaseException) -> bool:
    """Whether it is asyncio's CancelledError, without importing asyncio."""
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and isinstance(error, asyncio.CancelledError)


def passes(error: BaseException) -> bool:
    """Whether an error is not for pkl to contain.

    KeyboardInterrupt always passes. CancelledError passes when the current task is being
    cancelled; otherwise it is that handler's own error.
    """
    if isinstance(error, KeyboardInterrupt):
        return True
    if not is_cancellation(error):
        return False
    if getattr(error, "_pkl_from_outside", False):
        return True
    asyncio = sys.modules["asyncio"]
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False
    cancelling = getattr(task, "cancelling", None)
    return bool(cancelling is not None and cancelling())


def _note(failed: Optional[Failed], subscription: "Subscription", error: BaseException) -> Failed:
    if passes(error):
        raise error
    if failed is None:
        failed = []
    failed.append((subscription, error))
    return failed
