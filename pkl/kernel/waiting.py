"""Waits for something that calls back once it is there: by blocking, or on an event loop."""

from __future__ import annotations

import sys
from contextlib import suppress
from threading import Event as Flag
from typing import TYPE_CHECKING, Callable, Optional

if TYPE_CHECKING:
    from .ports import Undo

__all__ = ["Announce", "block", "suspend"]

Announce = Callable[[Callable[[], None]], "Undo"]
"""Takes what is to be called, from any thread, once or more; gives what takes that back."""


def block(announce: Announce, seconds: Optional[float]) -> None:
    """Blocks the thread until it is called back, at most ``seconds``."""
    flag = Flag()
    undo = announce(flag.set)
    try:
        flag.wait(seconds)
    finally:
        undo()


async def suspend(announce: Announce, seconds: Optional[float]) -> None:
    """The async twin of ``block``, on any event loop."""
    asyncio = sys.modules["asyncio"]
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()

    def wake() -> None:
        if not waiter.done():
            waiter.set_result(None)

    def notice() -> None:
        with suppress(RuntimeError):  # the loop was closed, and nobody waits on it any more
            loop.call_soon_threadsafe(wake)

    undo = announce(notice)
    timer = None if seconds is None else loop.call_later(seconds, wake)
    try:
        await waiter
    finally:
        undo()
        if timer is not None:
            timer.cancel()
