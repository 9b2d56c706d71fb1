"""For tests of what plugins run: a loop in a thread, waits for events, and no thread left."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from typing import Any, Callable, Iterator, List

import pkl

PATIENCE = 20.0
"""Seconds after which a test gives something up as lost; never how long it takes."""


def wait_until(true: Callable[[], Any]) -> None:
    """Waits for something that is sure to come."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.001)


@contextmanager
def loop_in_thread() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="the loop's thread")
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


@contextmanager
def no_thread_left() -> Iterator[None]:
    """Fails if a thread that the block started is there after it."""
    before = set(threading.enumerate())
    yield
    wait_until(lambda: not set(threading.enumerate()) - before)


def overdue(error: pkl.CleanupError) -> List[pkl.StopTimeout]:
    """The timeouts among the failures of a stop."""
    return [each for each in error.exceptions if isinstance(each, pkl.StopTimeout)]
