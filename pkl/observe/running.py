"""Threads and processes, which nobody can end from outside."""

from __future__ import annotations

import threading
from typing import Any

from ..kernel.receipt import Held
from .changes import GONE, Change, weakly

__all__ = ["running_child", "running_thread"]


def running_thread(thread: threading.Thread, note: str = "") -> Change:
    """The change that a thread was started, which nobody can end from outside."""
    get = weakly(thread)

    def remains() -> bool:
        found = get()
        return found is not GONE and bool(found.is_alive())

    return Change(Held("thread", thread.name, note), remains, None)


def running_child(child: Any) -> Change:
    """The change that a process was started that has not ended."""
    get = weakly(child)

    def remains() -> bool:
        found = get()
        return found is not GONE and found.poll() is None

    return Change(Held("child process", str(child.pid)), remains, None)
