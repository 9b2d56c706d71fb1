"""Which calls of plugins run right now, read off the stacks, and told apart from look to look.

Nothing is noted when a call begins, so calls pay nothing. The price is that a frame has to be
known again: its address is no proof, for the next call may get the same one, and a reference to it
would keep all of the call's variables alive. What is left with a frame instead is a ``Mark``, as
its trace function, which nothing calls unless a debugger is at work; it goes when the frame goes.
"""

from __future__ import annotations

import os
from types import FrameType
from typing import Any, Iterator, List, NamedTuple, Optional, Tuple

from .context import Subject
from .describe import describe
from .generation import MARK, Generation, _entry_codes
from .syscall import STEPPED, _careful

__all__ = [
    "Mark",
    "Sighting",
    "caller_of",
    "calls_on",
    "marked_on",
    "place_in",
    "stack_of",
    "what_of",
]

DEPTH = 50
"""How many lines of a stack are told at most, the innermost ones."""
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class Mark:
    """What is left with a frame to know it again; as good as no trace function."""

    __slots__ = ("__weakref__",)

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        """Does nothing, where a debugger has the interpreter call it."""


class Sighting(NamedTuple):
    """A call of somebody's code, for the length of a look: it holds frames.

    Attributes:
        mark: Tells the call from every other one.
        entry: The frame of pkl that calls the code.
        code: The first frame of that code; None if it is not Python's.
        top: The thread's innermost frame.
    """

    mark: Mark
    entry: FrameType
    code: Optional[FrameType]
    top: FrameType

    @property
    def subject(self) -> Optional[Subject]:
        """As whom it runs."""
        found = self.entry.f_locals.get("generation")
        return found if isinstance(found, Subject) else None


def calls_on(top: FrameType) -> Iterator[Sighting]:
    """The calls that a thread is inside of, the innermost first, up to a frame being debugged.

    Args:
        top: The thread's innermost frame. The thread may go on meanwhile.
    """
    inner: Optional[FrameType] = None
    frame: Optional[FrameType] = top
    while frame is not None:
        if _enters(frame):
            # A loop over handlers is one frame for all of them, a handler's own is not; that of a
            # generator is the same for all its steps, of which each is a call.
            plain = inner is not None and not inner.f_code.co_flags & STEPPED
            holder = inner if inner is not None and plain else frame
            mark = holder.f_trace
            if mark is None:
                mark = Mark()
                holder.f_trace = mark
            elif not isinstance(mark, Mark):
                return
            yield Sighting(mark, frame, inner, top)
        inner = frame
        frame = frame.f_back


def _enters(frame: FrameType) -> bool:
    code = frame.f_code
    return code in _entry_codes and not code.co_flags & STEPPED


def marked_on(top: FrameType, mark: Mark) -> bool:
    """Whether the call of a mark is on a stack."""
    frame: Optional[FrameType] = top
    while frame is not None:
        if frame.f_trace is mark:
            return True
        frame = frame.f_back
    return False


def stack_of(seen: Sighting) -> Tuple[str, ...]:
    """``function (file:line)`` of each frame of the call, the innermost last."""
    lines: List[str] = []
    frame: Optional[FrameType] = seen.top
    while frame is not None and frame is not seen.entry and len(lines) < DEPTH:
        lines.append(_line(frame))
        frame = frame.f_back
    return tuple(reversed(lines)) or (_line(seen.entry),)


def place_in(seen: Sighting) -> Tuple[str, int]:
    """File and line of the innermost line of the plugin's own code, else of any."""
    owner = seen.subject
    frame: Optional[FrameType] = seen.top
    while frame is not None and frame is not seen.entry:
        if frame.f_globals.get(MARK) is owner:
            return frame.f_code.co_filename, frame.f_lineno or 0
        frame = frame.f_back
    return seen.top.f_code.co_filename, seen.top.f_lineno or 0


def _line(frame: FrameType) -> str:
    code = frame.f_code
    name = getattr(code, "co_qualname", code.co_name)
    # In the middle of a prologue a frame has no line yet.
    return f"{name} ({code.co_filename}:{frame.f_lineno or code.co_firstlineno})"


def caller_of(seen: Sighting) -> Optional[str]:
    """The other plugin on whose behalf the call was made; None for the host or nobody."""
    owner = seen.subject
    plugin = owner.plugin if owner is not None else None
    frame = seen.entry.f_back
    while frame is not None:
        if _enters(frame):
            found = frame.f_locals.get("generation")
            if isinstance(found, Subject) and found.plugin is not plugin:
                return None if found.plugin is None else found.plugin.name
        frame = frame.f_back
    return None


def what_of(seen: Sighting) -> str:
    """What the call is, for people."""
    known = seen.entry.f_locals
    subscription, event = known.get("subscription"), known.get("event")
    if subscription is not None:
        kind = "hook" if "hook" in known else "event"
        return f"handler {describe(subscription.handler)} of the {kind} {subscription.route.name}"
    if event is not None or hasattr(known.get("self"), "full_name"):
        declared = event if event is not None else known["self"]
        return f"the body {describe(declared.function)} of {declared.full_name}"
    if "callback" in known:
        return f"timer {describe(known['callback'])}"
    if "step" in known:
        name = _line(seen.code) if seen.code is not None else describe(known["step"])
        return f"a step of the coroutine {name}"
    if "handler" in known:
        return _handler(seen.entry, known["handler"], known.get("generation"))
    if seen.entry.f_code.co_name == "_step":
        return f"a wrapper of a hook, {_line(seen.code or seen.entry)}"
    # What guards a service says so by its own way of calling carefully.
    service = known.get("careful", _careful) is not _careful
    return f"{'call of the service' if service else 'syscall'} {describe(known.get('function'))}"


def _handler(entry: FrameType, handler: Any, subject: Any) -> str:
    if isinstance(subject, Generation):
        for name, handlers in list(subject.handlers.items()):
            if handler in handlers:
                return f"{name} {describe(handler)}"
    frame = entry.f_back
    for _ in range(8):
        if frame is None:
            break
        if frame.f_code.co_filename.startswith(_PACKAGE):
            role = _ROLES.get(frame.f_code.co_name)
            if role is not None:
                return f"{role} {describe(handler)}"
        frame = frame.f_back
    return f"call of {describe(handler)}"


_ROLES = {
    "_answer": "a hook's handler",
    "_collect_observed": "a hook's handler",
    "adeliver": "an event's handler",
    "clean": "clean-up",
    "clean_up": "clean-up",
    "run_unload_handlers": "on_unload",
}
