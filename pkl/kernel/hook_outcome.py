"""What a hook call comes to while its wrappers are resumed, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from ..errors import WrapperFault
from .describe import describe, place_of
from .dispatch import passes
from .guard import note_failure
from .hook_result import Results

if TYPE_CHECKING:
    from .hook import Hook
    from .hook_subscription import HookSubscription

__all__ = ["Outcome", "settle", "yielded"]


def settle(hook: "Hook[Any, Any]", subscription: "HookSubscription", error: BaseException) -> None:
    """Contains what a handler or wrapper raised, or raises it if the hook is to raise.

    Either way it is counted against its plugin and reported.
    """
    if passes(error):
        raise error
    subject = subscription._subject
    what = "wrapper" if subscription.is_wrapper else "handler"
    where = f"{what} {describe(subscription.handler)} of the hook {hook.full_name}"
    raises = hook.errors == "raise"
    subject.kernel.contain(subject, error, where, log=not raises)
    if raises:
        raise error
    if not subscription.is_wrapper:
        note_failure(subscription, error)


def yielded(hook: "Hook[Any, Any]", subscription: "HookSubscription", how: str) -> WrapperFault:
    """The error of a wrapper that does not yield once."""
    plugin = subscription.plugin
    whose = "" if plugin is None else f" of plugin {plugin.name!r} {plugin.version}"
    file, line = place_of(subscription.handler)
    return WrapperFault(
        f"the wrapper {describe(subscription.handler)}{whose} of the hook {hook.full_name} {how}; "
        "it must yield exactly once",
        plugin=None if plugin is None else plugin.name,
        version=None if plugin is None else plugin.version,
        file=file,
        hint="give it one yield on every way through it; what it returns replaces the result",
        hook=hook.full_name,
        line=line,
    )


class Outcome:
    """The result or failure of a call, which each wrapper may replace.

    What pkl contains from nobody (an interrupt, a cancellation from outside) is shown to the
    wrappers and then raised, whatever they make of it.
    """

    __slots__ = ("_interrupt", "failure", "hook", "result")

    def __init__(self, hook: "Hook[Any, Any]") -> None:
        self.hook = hook
        self.result: Any = None
        self.failure: Optional[BaseException] = None
        self._interrupt: Optional[BaseException] = None

    def fail(self, error: BaseException) -> None:
        """The call failed so far."""
        self.failure = error
        if self._interrupt is None and passes(error):
            self._interrupt = error

    def returned(self, value: Any) -> None:
        """A wrapper ended well: its value counts, unless it is None, and no failure is left."""
        if value is not None:
            self.result = value
        elif self.failure is not None:
            self.result = None if self.hook.first else Results.of([])
        self.failure = None

    def ended(self, subscription: "HookSubscription", stop: BaseException) -> None:
        """A wrapper ended well, unless what it says is only the failure that it was shown."""
        if stop is self.failure:
            self.raised(subscription, stop)
        else:
            self.returned(getattr(stop, "value", None))

    def raised(self, subscription: "HookSubscription", error: BaseException) -> None:
        """A wrapper raised: perhaps only what was raised at its yield, else an error of its own."""
        failure = self.failure
        if error is failure:
            return
        if (
            isinstance(failure, (StopIteration, StopAsyncIteration))
            and isinstance(error, RuntimeError)
            and error.__cause__ is failure
        ):
            return  # a generator cannot let these through as they are (PEP 479)
        try:
            settle(self.hook, subscription, error)
        except BaseException as own:
            self.fail(own)

    def end(self) -> Any:
        """The result, or the failure raised."""
        failure = self._interrupt or self.failure
        if failure is not None:
            try:
                raise failure
            finally:
                self.failure = self._interrupt = failure = None
        return self.result
