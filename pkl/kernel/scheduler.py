"""One scheduler a host: a heap of deadlines and one thread that only hands out work.

Callbacks run on a small pool of threads of each plugin, so that a callback that hangs holds up
its own plugin alone. With a clock that drives itself (``pkl.testing.FakeClock``) there is no
thread: due callbacks run in the thread that advances the clock. In a forked child none of the
parent's timers fires; new ones do.
"""

from __future__ import annotations

import os
import sys
from _thread import get_ident
from collections import deque
from heapq import heapify, heappop, heappush
from itertools import count
from threading import (
    TIMEOUT_MAX,
    Condition,
    ExceptHookArgs,
    Thread,
    current_thread,
    excepthook,
)
from typing import TYPE_CHECKING, Any, Callable, Deque, List, Optional, Tuple, Union
from weakref import WeakSet

from .quiet import quiet, stir

if TYPE_CHECKING:
    from .ports import Clock

__all__ = ["Job", "Pool", "Scheduler", "pool_of"]


class Job:
    """One entry of the heap: what to call, and whether there is nothing left to cancel."""

    __slots__ = ("call", "cancelled", "pool")

    def __init__(self, call: Callable[[], None], pool: "Pool") -> None:
        self.call = call
        self.pool = pool
        self.cancelled = False


def _nothing() -> None:
    """What a cancelled job calls."""


class Pool:
    """Up to ``size`` daemon threads, started when needed, that end after a moment of idleness.

    Args:
        name: The threads' name.
        size: How many callbacks may run at once.
        inline: Run callbacks in the thread that hands them in instead.
    """

    IDLE = 1.0
    """Seconds after which an idle thread ends."""

    def __init__(self, name: str, size: int = 4, inline: bool = False) -> None:
        self._name = name
        self._size = size
        self._inline = inline
        self._closed = False
        self._begin()
        _survivors.add(self)

    def _begin(self) -> None:
        self._work: Deque[Callable[[], None]] = deque()
        self._wake = Condition()
        self._threads = 0
        self._idle = 0

    def submit(self, call: Callable[[], None]) -> None:
        """Runs ``call`` soon; what it raises goes to ``threading.excepthook``."""
        if self._inline:
            call()
            return
        with self._wake:
            self._work.append(call)
            if self._idle >= len(self._work):
                self._wake.notify()
                return
            if self._threads >= self._size:
                return
            self._threads += 1
        try:
            Thread(target=self._serve, name=self._name, daemon=True).start()
        except RuntimeError:  # the machine has no threads left
            with self._wake:
                self._threads -= 1
                if not self._threads:
                    raise

    def close(self) -> None:
        """Ends the threads as soon as they have nothing to do; new work still wakes new ones."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()

    def _serve(self) -> None:
        here = get_ident()
        while True:
            with self._wake:
                while not self._work:
                    self._idle += 1
                    with quiet():
                        woken = not self._closed and self._wake.wait(self.IDLE)
                    self._idle -= 1
                    if not self._work and (self._closed or not woken):
                        self._threads -= 1
                        return
                call = self._work.popleft()
            stir(here)
            _guarded(call)
            del call


class Scheduler:
    """Calls jobs at their deadlines. Safe from any thread.

    Args:
        clock: Where time comes from.
        name: The thread's name.
    """

    def __init__(self, clock: "Clock", name: str) -> None:
        self.clock = clock
        self._name = name
        self._order = count()
        self._closed = False
        self._begin()
        self.inline = clock.attach(self.run_due)
        _survivors.add(self)

    def _begin(self) -> None:
        self._heap: List[Tuple[float, int, Job]] = []
        self._wake = Condition()
        self._thread: Optional[Thread] = None
        self._stale = 0

    def at(self, deadline: float, job: Job) -> None:
        """Hands ``job`` to its pool once the clock reaches ``deadline``."""
        with self._wake:
            if self._closed:
                return
            heappush(self._heap, (deadline, next(self._order), job))
            if self.inline:
                return
            if self._thread is None:
                thread = Thread(target=self._serve, name=self._name, daemon=True)
                thread.start()  # where that fails, the next timer tries again
                self._thread = thread
            elif self._heap[0][2] is job:
                self._wake.notify()

    def cancel(self, job: Job) -> None:
        """Makes sure ``job`` is not handed out any more."""
        with self._wake:
            if job.cancelled:
                return
            job.cancelled = True
            # The entry may lie in the heap for long; let the callback and its plugin's pool go, in
            # the order that suits who hands the job out right now.
            job.call = _nothing
            job.pool = _NO_POOL
            self._stale += 1
            if self._stale > 64 and self._stale * 2 > len(self._heap):
                self._heap = [entry for entry in self._heap if not entry[2].cancelled]
                heapify(self._heap)
                self._stale = 0

    def close(self) -> None:
        """Forgets every job and ends the thread; does not wait for callbacks."""
        with self._wake:
            self._closed = True
            self._heap.clear()
            self._wake.notify_all()
        self.clock.detach(self.run_due)

    def run_due(self, until: float) -> Optional[float]:
        """Hands out what is due at ``until``; returns the next deadline, None without any."""
        while True:
            with self._wake:
                job = self._due(until)
                if job is None:
                    return self._heap[0][0] if self._heap else None
            job.pool.submit(job.call)

    def _due(self, until: float) -> Optional[Job]:
        while self._heap:
            deadline, _, job = self._heap[0]
            if job.cancelled:
                heappop(self._heap)
                self._stale -= 1
            elif deadline <= until:
                heappop(self._heap)
                job.cancelled = True  # there is nothing left in the heap to cancel
                return job
            else:
                return None
        return None

    def _serve(self) -> None:
        with quiet():
            self._hand_out()

    def _hand_out(self) -> None:
        while True:
            with self._wake:
                if self._closed:
                    return
                now = self.clock.monotonic()
                job = self._due(now)
                if job is None:
                    delay = min(self._heap[0][0] - now, TIMEOUT_MAX) if self._heap else None
                    self._wake.wait(delay)
                    continue
            _guarded(job.pool.submit, job.call)


def _after_fork() -> None:
    """Starts afresh in a forked child, which has none of the threads and may find locks held."""
    for survivor in list(_survivors):
        survivor._begin()


_survivors: "WeakSet[Union[Pool, Scheduler]]" = WeakSet()

_NO_POOL = Pool("pkl-cancelled", inline=True)
"""Where cancelled jobs are handed to."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _guarded(call: Callable[..., None], *args: Any) -> None:
    """Calls what must not end the thread that it runs in."""
    try:
        call(*args)
    except BaseException:
        excepthook(ExceptHookArgs((*sys.exc_info(), current_thread())))


def pool_of(subject: Any, scheduler: Scheduler) -> Pool:
    """The pool of a plugin's generation (or of the host), made on first use."""
    pool = subject.workers
    if pool is None:
        plugin = subject.plugin
        whose = "host" if plugin is None else plugin.name
        pool = subject.workers = Pool(f"pkl-{whose}", inline=scheduler.inline)
    return pool  # type: ignore[no-any-return]
