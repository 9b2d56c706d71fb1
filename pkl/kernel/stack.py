"""Where threads and coroutines stand: what they are inside of, down to the innermost line."""

from __future__ import annotations

import os
import sys
import threading
from types import CodeType, FrameType
from typing import Any, Iterator, List, Optional

from .generation import AsyncCall
from .steps import drive

__all__ = ["async_calls_in", "innermost", "innermost_of_thread", "name_of_thread"]

_DRIVE: CodeType = getattr(drive, "__code__")  # noqa: B009 - a function type has it
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def _awaiting(coroutine: Any) -> Iterator[FrameType]:
    """The frames of a suspended coroutine and of what it awaits, outermost first."""
    seen = 0
    while coroutine is not None and seen < 1000:
        seen += 1
        frame = None
        for attribute in ("cr_frame", "gi_frame", "ag_frame"):
            frame = getattr(coroutine, attribute, None)
            if frame is not None:
                break
        if frame is None:
            inner = getattr(coroutine, "inner", None)  # what pkl wraps a coroutine in
            if inner is None:
                return
            coroutine = inner
            continue
        yield frame
        if frame.f_code is _DRIVE:
            coroutine = frame.f_locals.get("inner")
            continue
        for attribute in ("cr_await", "gi_yieldfrom", "ag_await"):
            if hasattr(coroutine, attribute):
                coroutine = getattr(coroutine, attribute)
                break
        else:
            return


def async_calls_in(task: Any) -> List[AsyncCall]:
    """The coroutine calls, of whatever plugin, that an asyncio task is inside of."""
    get = getattr(task, "get_coro", None)
    found = []
    for frame in _awaiting(get() if get is not None else None):
        if frame.f_code is _DRIVE:
            call = frame.f_locals.get("call")
            if isinstance(call, AsyncCall):
                found.append(call)
    return found


def innermost(coroutine: Any) -> str:
    """Where a coroutine is suspended, ``function (file:line)``; empty if it is not."""
    last: Optional[FrameType] = None
    for frame in _awaiting(coroutine):
        if not frame.f_code.co_filename.startswith(_PACKAGE):
            last = frame
    return _shown(last)


def innermost_of_thread(ident: Optional[int]) -> str:
    """Where a thread is, ``function (file:line)``; empty if there is no such thread.

    Frames of the standard library's waits are passed over for the line that called them.
    """
    frame = sys._current_frames().get(ident) if ident is not None else None
    top = frame
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(_PACKAGE) and os.path.basename(file) not in _WAITS:
            return _shown(frame)
        frame = frame.f_back
    return _shown(top)


def name_of_thread(ident: int) -> str:
    """A thread's name; its number if the threading module does not know it."""
    for thread in threading.enumerate():
        if thread.ident == ident:
            return thread.name
    return f"number {ident}"


_WAITS = ("threading.py", "queue.py", "_base.py", "selectors.py", "socket.py", "subprocess.py")


def _shown(frame: Optional[FrameType]) -> str:
    if frame is None:
        return ""
    code = frame.f_code
    name = getattr(code, "co_qualname", code.co_name)
    return f"{name} ({code.co_filename}:{frame.f_lineno})"
