"""Notes what a plugin's start changes in the process, as long as its own code runs."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Iterator, List, Optional

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


@contextmanager
def watching(subject: Subject) -> Iterator[None]:
    """Notes what the block changes as that generation's, but for what starts within it."""
    accountant = subject.kernel.accountant
    if accountant is None or not isinstance(subject, Generation):
        yield
        return
    watch = accountant.watch(subject)
    stack = _watches.open
    if stack:
        stack[-1].pause()
    stack.append(watch)
    watch.resume()
    try:
        yield
    finally:
        watch.pause()
        stack.remove(watch)
        if stack:
            stack[-1].resume()
