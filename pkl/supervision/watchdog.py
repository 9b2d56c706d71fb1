"""Looks at the stacks now and then for calls of plugins that take long."""

from __future__ import annotations

import os
import sys
from _thread import get_ident
from contextlib import nullcontext
from dataclasses import replace
from threading import Event as Flag
from threading import Lock, Thread
from types import FrameType
from typing import TYPE_CHECKING, Callable, Dict, List, Optional, Tuple
from weakref import WeakKeyDictionary, WeakSet, ref

from ..kernel.generation import Generation
from ..kernel.quiet import is_quiet, loud, quiet
from ..kernel.sighting import (
    Mark,
    Sighting,
    caller_of,
    calls_on,
    marked_on,
    place_in,
    stack_of,
    what_of,
)
from ..kernel.stack import name_of_thread
from .policy import WatchdogPolicy
from .stall import Stall

if TYPE_CHECKING:
    from ..kernel.core import Kernel

__all__ = ["Watchdog", "can_watch"]

SHORTEST = 0.01
"""Seconds between two looks at least."""
_ROUNDING = 1e-6
"""Seconds by which a sum of intervals may be less than what it stands for."""

Tell = Callable[[Stall, Generation], None]


def can_watch() -> bool:
    """Whether this interpreter lets one thread read the stacks of the others."""
    locked: Callable[[], bool] = getattr(sys, "_is_gil_enabled", lambda: True)
    return sys.implementation.name == "cpython" and hasattr(sys, "_current_frames") and locked()


class _Call:
    """What is known of one call.

    Attributes:
        since: When it was first seen.
        spent: Seconds for which its own plugin had the thread, as far as was seen.
        stall: What was told of it last; None so far.
    """

    __slots__ = ("generation", "since", "spent", "stall")

    def __init__(self, since: float) -> None:
        self.since = since
        self.spent = 0.0
        self.stall: Optional[Stall] = None
        self.generation: "Callable[[], Optional[Generation]]" = lambda: None

    def next(self, policy: WatchdogPolicy) -> Optional[float]:
        """How much longer it may take before there is something to tell; None if all is told."""
        state = None if self.stall is None else self.stall.state
        if state is None:
            return policy.slow - self.spent
        return policy.hung - self.spent if state == "slow" else None


class Watchdog:
    """Finds calls of one host's plugins that are slow or hung, and tells of each once.

    Only the innermost plugin of a stack is judged, by the time during which it was: one that waits
    for another is not the slow one. A plugin's own threads are not calls; the calls they make
    are. It keeps no reference to a frame between two looks. Safe from any thread.

    Args:
        kernel: The host's kernel.
        policy: What is slow, and what is hung.
        tell: Called with each report, in the thread that looks.
    """

    def __init__(self, kernel: "Kernel", policy: WatchdogPolicy, tell: Tell) -> None:
        self._kernel = kernel
        self._policy = policy
        self._tell = tell
        self._lock = Lock()
        self._thread: Optional[Thread] = None
        _watchdogs.add(self)
        self._last: Optional[float] = None
        self._due: Optional[float] = None
        self._calls: "WeakKeyDictionary[Mark, _Call]" = WeakKeyDictionary()
        self._on_top: Dict[int, _Call] = {}
        self._told: List[Tuple[_Call, "ref[Mark]"]] = []
        self._attached = False
        self._end = Flag()
        self.interval = max(policy.slow / 4, SHORTEST)
        """Seconds between two looks at most."""

    def start(self) -> None:
        """Looks from now on, in a thread of its own or when the host's clock is moved."""
        if self._attached or (self._thread is not None and self._thread.is_alive()):
            return
        with self._lock:
            again = self._thread is not None and self._thread.is_alive()
            if self._attached or again or self._end.is_set() or not can_watch():
                return
            if self._kernel.clock.attach(self._run_due):
                self._attached = True
                return
            name = f"pkl-watchdog-{self._kernel.name}"
            thread = Thread(target=_look, args=(ref(self), self._end), name=name, daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the interpreter ends, or the machine has no threads left
                return
            self._thread = thread

    def forked(self) -> None:
        """Forgets a thread that is not there in this process."""
        self._lock = Lock()
        self._thread = None

    def close(self) -> None:
        """Looks no more."""
        self._end.set()
        if self._attached:
            self._kernel.clock.detach(self._run_due)

    def stalls(self, generation: Generation) -> List[Stall]:
        """The calls of a generation that are slow or hung now, as of the last look."""
        now = self._kernel.clock.monotonic()
        with self._lock:
            calls = [call for call, _ in self._told if call.generation() is generation]
        return [
            replace(call.stall, seconds=now - call.since)
            for call in calls
            if call.stall is not None
        ]

    def _run_due(self, until: float) -> Optional[float]:
        """As the clock wants it: looks if it is time to, and says when it will be."""
        last, due = self._last, self._due
        if last is None or until == last or until - last >= self.interval:
            return self.sample(until)
        if due is not None and until >= due:
            return self.sample(until)
        return due

    def look(self) -> float:
        """Takes a sample by the host's clock; seconds until the next.

        A look that fails is reported, and is the last one.
        """
        try:
            now = self._kernel.clock.monotonic()
            due = self.sample(now)
        except Exception:
            self._kernel.log_exception("the watchdog failed; calls that hang are not reported")
            self._end.set()
            return 0.0
        return self.interval if due is None else max(SHORTEST, min(self.interval, due - now))

    def sample(self, now: float) -> Optional[float]:
        """Looks at all stacks, and tells what is to be told.

        Args:
            now: The host's clock.

        Returns:
            When the next report will be due, if nothing changes; None if there is none to come.
        """
        reports: List[Tuple[Stall, Generation]] = []
        with self._lock:
            lapse = 0.0 if self._last is None else now - self._last
            self._last = now
            frames = sys._current_frames()
            frames.pop(get_ident(), None)
            reports += self._ended(frames, now)
            on_top: Dict[int, _Call] = {}
            for ident, top in frames.items():
                call = self._judge(ident, top, now, lapse, reports)
                if call is not None:
                    on_top[ident] = call
            self._on_top = on_top
            rest = [
                left for call in on_top.values() if (left := call.next(self._policy)) is not None
            ]
            del frames
        if reports:
            with loud() if is_quiet(get_ident()) else nullcontext():
                for stall, generation in reports:
                    self._tell(stall, generation)
        self._due = due = now + max(min(rest), SHORTEST) if rest else None
        return due

    def _judge(
        self,
        ident: int,
        top: FrameType,
        now: float,
        lapse: float,
        reports: List[Tuple[Stall, Generation]],
    ) -> Optional[_Call]:
        """The innermost call of this host's plugins in a thread, its time counted."""
        for seen in calls_on(top):
            call = self._calls.get(seen.mark)
            if call is None:
                # Whose it is is not looked up before it has outlasted the time between two looks.
                self._calls[seen.mark] = call = _Call(now)
                return call
            subject = seen.subject
            if subject is None or subject.kernel is not self._kernel:
                continue  # of another host, which has a watchdog of its own
            if not isinstance(subject, Generation):
                return None
            if self._on_top.get(ident) is call:
                call.spent += lapse
            left = call.next(self._policy)
            if left is not None and left <= _ROUNDING:
                hung = call.spent + _ROUNDING >= self._policy.hung
                stall = _stall(seen, subject, call, "hung" if hung else "slow", ident)
                if call.stall is None:
                    call.generation = ref(subject)
                    self._told.append((call, ref(seen.mark)))
                call.stall = stall
                reports.append((stall, subject))
            return call
        return None

    def _ended(self, frames: Dict[int, FrameType], now: float) -> List[Tuple[Stall, Generation]]:
        """The calls that were told of and run no more."""
        found = []
        for told in list(self._told):
            call, mark = told[0], told[1]()
            stall, generation = call.stall, call.generation()
            assert stall is not None
            if mark is not None and _runs(stall.ident, mark, frames):
                continue
            self._told.remove(told)
            if generation is not None:
                ended = replace(stall, state="ended", seconds=now - call.since, stack=())
                found.append((ended, generation))
        return found


def _runs(ident: int, mark: Mark, frames: Dict[int, FrameType]) -> bool:
    # A thread that moves while its stack is read seems to have lost its callers: look again.
    top = frames.get(ident)
    for _ in range(20):
        if top is None:
            return False
        if marked_on(top, mark):
            return True
        now = sys._current_frames().get(ident)
        if now is top:
            return False
        top = now
    return True


def _stall(seen: Sighting, generation: Generation, call: _Call, state: str, ident: int) -> Stall:
    plugin = generation.plugin
    file, line = place_in(seen)
    return Stall(
        state,
        plugin.name,
        plugin.version,
        what_of(seen),
        call.since,
        call.spent,
        name_of_thread(ident),
        ident,
        file,
        line,
        stack_of(seen),
        caller_of(seen),
    )


def _after_fork() -> None:
    """Starts afresh in a forked child, which has none of the threads and may find locks held."""
    for watchdog in list(_watchdogs):
        watchdog.forked()


_watchdogs: "WeakSet[Watchdog]" = WeakSet()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _look(get: "ref[Watchdog]", end: Flag) -> None:
    """The thread; it ends with its watchdog, closed or forgotten."""
    pause = SHORTEST
    with quiet():
        while not end.wait(pause):
            watchdog = get()
            if watchdog is None:
                return
            pause = watchdog.look()
            del watchdog
