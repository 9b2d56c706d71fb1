"""Skips the handlers of a plugin that keep failing, and tries them again after a while.

Nothing stands before a handler that does not fail: it is only when a gate shuts that the entries
of that plugin in that one route are replaced by guarded ones, and they are put back when it opens
again. A gate belongs to a generation; the next starts with a clean record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, List

from .context import Subject
from .describe import describe
from .dispatch import passes
from .log import warn_of
from .ports import Admission

if TYPE_CHECKING:
    from .ports import Gate
    from .route import Subscription

__all__ = ["guard_late", "note_failure", "shut_gates"]


def note_failure(subscription: "Subscription", error: BaseException) -> None:
    """Counts a failure of a handler; shuts the gate before its plugin's handlers if it is due.

    The host's own handlers are never left out.
    """
    subject = subscription._subject
    kernel, plugin = subject.kernel, subject.plugin
    if plugin is None or kernel.make_gate is None:
        return
    name = subscription.route.name
    gate: "Gate" = subject.gates.get(name) or subject.gates.setdefault(name, kernel.make_gate())
    now = kernel.clock.monotonic()
    if gate.failed(now, subscription):
        for each in subscription.route.subscriptions:
            if each._subject is subject:
                _guard(each, gate)
        warn_of(
            plugin,
            "%s of %s is skipped for %g s after %d failures; the last was %s: %s",
            describe(subscription.handler),
            name,
            gate.until - now,
            gate.failures,
            type(error).__name__,
            error,
        )


def guard_late(subscription: "Subscription") -> None:
    """Guards a handler whose plugin's others of that event are being skipped already."""
    gate = subscription._subject.gates.get(subscription.route.name)
    if gate is not None and gate.open:
        _guard(subscription, gate)


def shut_gates(subject: Subject) -> List["tuple[str, Gate]"]:
    """The events and hooks whose handlers of this subject are skipped now, with their gates."""
    return [(name, gate) for name, gate in sorted(subject.gates.items()) if gate.open]


def _guard(subscription: "Subscription", gate: "Gate") -> None:
    subject, call = subscription._subject, subscription.call
    kernel = subject.kernel

    def admits() -> Admission:
        return gate.admits(kernel.clock.monotonic(), subscription)

    def note(error: BaseException) -> None:
        now = kernel.clock.monotonic()
        if passes(error):
            gate.abandoned(now)
        else:
            gate.failed_again(now)

    def guarded(*args: Any, **kwargs: Any) -> Any:
        admission = admits()
        if admission is Admission.SKIP:
            return None
        if admission is Admission.PASS:
            return call(*args, **kwargs)
        try:
            result = call(*args, **kwargs)
        except BaseException as error:
            note(error)
            raise
        _reopen(subscription, gate)
        return result

    async def aguarded(*args: Any, **kwargs: Any) -> Any:
        admission = admits()
        if admission is Admission.SKIP:
            return None
        if admission is Admission.PASS:
            return await call(*args, **kwargs)
        try:
            result = await call(*args, **kwargs)
        except BaseException as error:
            note(error)
            raise
        _reopen(subscription, gate)
        return result

    _replace(subscription, aguarded if subscription.awaited else guarded)


def _reopen(subscription: "Subscription", gate: "Gate") -> None:
    """The trial went well: the plugin's handlers of that route are called as before."""
    gate.succeeded()
    subject, route = subscription._subject, subscription.route
    for each in route.subscriptions:
        if each._subject is subject:
            _replace(each, each.call)
    if subject.plugin is not None:
        words = "%s of %s went well again after %d skipped calls"
        warn_of(subject.plugin, words, describe(subscription.handler), route.name, gate.skipped)


def _replace(subscription: "Subscription", call: Callable[..., Any]) -> None:
    subscription.entry = (subscription._subject, call, subscription)
    subscription.route.changed()
