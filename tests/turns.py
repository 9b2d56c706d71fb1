"""Threads that take turns: a chosen interleaving, the same at every run.

Only one of the threads runs at a time. It hands the turn on where it waits for a lock or a
condition, where it pauses, where a test says so, and at every line of the files that are named;
who is next is a function's choice.
"""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from types import FrameType
from typing import Any, Callable, Collection, Dict, Iterator, List, Optional

__all__ = ["TurnCondition", "TurnLock", "Turns"]

PATIENCE = 60.0
"""Seconds after which a thread that does not hand the turn on is given up as hung."""


class Turns:
    """The scheduler.

    Args:
        choose: Given a number n, says which of n threads goes on, from 0.
        files: The files at whose lines the turn may change.
        most: How many turns there may be at most; more are taken for a loop without end.
    """

    def __init__(
        self, choose: Callable[[int], int], files: Collection[str] = (), most: int = 200_000
    ) -> None:
        self._choose = choose
        self._files = files
        self._most = most
        self._back = threading.Semaphore(0)
        self._turns: Dict[int, threading.Semaphore] = {}
        self._alive: List[threading.Semaphore] = []
        self.errors: List[BaseException] = []
        """What the threads raised."""

    def run(self, *works: Callable[[], Any]) -> None:
        """Runs each function in a thread of its own, to the end of them all."""
        threads = [threading.Thread(target=self._life, args=(w,), daemon=True) for w in works]
        for thread in threads:
            thread.start()
            assert self._back.acquire(timeout=PATIENCE)
        count = 0
        while self._alive:
            turn = self._alive[self._choose(len(self._alive))]
            turn.release()
            assert self._back.acquire(timeout=PATIENCE), "a thread has not handed its turn on"
            count += 1
            assert count < self._most, "the threads do not get on"
        for thread in threads:
            thread.join(PATIENCE)
        if self.errors:
            raise self.errors[0]

    def _life(self, work: Callable[[], Any]) -> None:
        turn = self._turns[threading.get_ident()] = threading.Semaphore(0)
        self._alive.append(turn)
        self.next()
        sys.settrace(self._trace if self._files else None)
        try:
            work()
        except BaseException as error:
            self.errors.append(error)
        finally:
            sys.settrace(None)
            self._alive.remove(turn)
            del self._turns[threading.get_ident()]
            self._back.release()

    def _trace(self, frame: FrameType, event: str, arg: Any) -> Any:
        if frame.f_code.co_filename not in self._files:
            return None
        if event == "line":
            self.next()
        return self._trace

    def next(self, *_: Any) -> None:
        """Hands the turn on; does nothing in a thread that takes no turns."""
        turn = self._turns.get(threading.get_ident())
        if turn is not None:
            self._back.release()
            turn.acquire()


class TurnLock:
    """A reentrant lock for threads that take turns, and for others."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._lock: Any = threading.RLock()

    def __enter__(self) -> None:
        while not self._lock.acquire(False):
            self._turns.next()

    def __exit__(self, *_: Any) -> None:
        self._lock.release()


class TurnCondition(TurnLock):
    """A condition: who waits looks again at each of its turns."""

    def wait(self, timeout: Optional[float] = None) -> None:
        """Lets the others on once."""
        self._lock.release()
        try:
            self._turns.next()
        finally:
            self.__enter__()

    def notify_all(self) -> None:
        """Nothing to do: they look by themselves."""


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """An attribute that is another one for the block."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)
