"""Notes what a plugin's start changes in the process, as long as its own code runs."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING, List, Optional, Type

from .context import Subject
from .generation import Generation

if TYPE_CHECKING:
    from .ports import Watch

__all__ = ["current_watch", "watching"]


class _Watches(threading.local):
    def __init__(self) -> None:
        self.open: List["Watch"] = []


_watches = _Watches()


def current_watch() -> Optional["Watch"]:
    """What notes the changes that code makes here; None if nobody does."""
    stack = _watches.open
    return stack[-1] if stack else None


class watching:
    """``with watching(subject):`` notes what the block changes as that generation's, but for what
    starts within it."""

    __slots__ = ("_subject", "_watch")

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._watch: Optional["Watch"] = None

    def __enter__(self) -> None:
        subject = self._subject
        accountant = subject.kernel.accountant
        if accountant is None or not isinstance(subject, Generation):
            return
        stack = _watches.open
        if stack:
            stack[-1].pause()
        self._watch = watch = accountant.watch(subject)
        stack.append(watch)
        watch.resume()

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if self._watch is None:
            return
        self._watch.pause()
        stack = _watches.open
        stack.remove(self._watch)
        if stack:
            stack[-1].resume()
