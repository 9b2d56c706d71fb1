"""Functions that run on a pool of threads of their plugin, held as its resources."""

from __future__ import annotations

import os
from threading import get_ident
from typing import Any, Callable, List, Optional, TypeVar

from ..errors import HandlerRefused, WorkDeadlock
from .activity import Activity, current_activity
from .context import Subject
from .describe import describe
from .ownership import registrant
from .scheduler import Pool
from .stack import innermost_of_thread
from .stop_token import takes_stop
from .thread import run_in_thread

__all__ = ["Submission", "submit"]

T = TypeVar("T")

SIZE = min(32, (os.cpu_count() or 1) + 4)
"""Threads of one plugin's pool, as many as the standard library's executor has."""


class Submission(Activity[T]):
    """A function on the pool of a plugin, made by ``submit``.

    A function of the pool that waits for another one of the same pool that has not begun runs
    it then and there, so that a full pool cannot wait for itself.
    """

    kind = "function"

    def __init__(
        self, subject: Subject, function: Callable[..., T], args: Any, kwargs: Any
    ) -> None:
        super().__init__(subject, describe(function))
        self._function: Optional[Callable[..., T]] = function
        self._args = args
        self._kwargs = kwargs
        self._ident: Optional[int] = None
        self._waits_for: Optional[Submission[Any]] = None

    def _activate(self, now: float) -> None:
        try:
            _pool_of(self._subject).submit(self._serve)
        except RuntimeError:  # no thread could be started, and none is there to take it on
            self._give_up()
            raise

    def _serve(self) -> None:
        if self._may_begin():
            self._context.run(self._run)

    def _run(self) -> None:
        current_activity.set(self)
        self._ident = get_ident()
        function, self._function = self._function, None
        assert function is not None
        try:
            if takes_stop(function, self._args, self._kwargs):
                self._kwargs = {**self._kwargs, "stop": self.stop}
            value = run_in_thread(self._subject, function, self._args, self._kwargs)
        except BaseException as error:
            self._raised(error)
            if isinstance(error, KeyboardInterrupt):
                raise
        else:
            self._returned(value)
        finally:
            self._args, self._kwargs = (), {}

    def _cancelled(self) -> None:
        self._function = None
        super()._cancelled()

    def result(self, timeout: Optional[float] = None) -> T:
        """What it returned, once it has ended; it is run here if that is the only way."""
        waiting = self._enter_wait()
        try:
            return super().result(timeout)
        finally:
            if waiting is not None:
                waiting._waits_for = None

    def exception(self, timeout: Optional[float] = None) -> Optional[BaseException]:
        """What it raised, once it has ended, or None; for the rest see ``result``."""
        waiting = self._enter_wait()
        try:
            return super().exception(timeout)
        finally:
            if waiting is not None:
                waiting._waits_for = None

    def _enter_wait(self) -> "Optional[Submission[Any]]":
        """Notes that the function running here waits for this one; runs this one if need be.

        Raises:
            WorkDeadlock: This one waits, in the end, for the function running here.
        """
        running = current_activity.get()
        if (
            self.done()
            or not isinstance(running, Submission)
            or running._ident != get_ident()
            or running.done()
        ):
            return None
        if running._subject is self._subject and self._active:
            self._serve()  # nothing, where another thread has begun it
        running._waits_for = self
        at: Optional[Submission[Any]] = self
        chain: List[Submission[Any]] = []
        while at is not None and at not in chain:
            chain.append(at)
            if at is running:
                running._waits_for = None
                names = " -> ".join(each.name for each in [running, *chain])
                raise WorkDeadlock(
                    f"a submitted function would wait for itself: {names}",
                    plugin=self._subject.plugin.name if self._subject.plugin else None,
                    hint="let one of them go on without the other's result",
                )
            at = at._waits_for
        return running

    def is_current(self) -> bool:
        """Whether the code that asks runs in this function."""
        return self._ident == get_ident() and self.running()

    @property
    def actor(self) -> Any:
        """Who it is among those who wait for transitions."""
        return None if self._ident is None else (self._ident, 0)

    def where(self) -> str:
        """The line it is at."""
        return innermost_of_thread(self._ident)


def _pool_of(subject: Subject) -> Pool:
    pool: Optional[Pool] = subject.executor
    if pool is None:
        with subject.kernel.mutex:
            pool = subject.executor
            if pool is None:
                whose = "host" if subject.plugin is None else subject.plugin.name
                pool = subject.executor = Pool(f"pkl-{whose}-work", SIZE)
    return pool


def submit(function: Callable[..., T], /, *args: Any, **kwargs: Any) -> Submission[T]:
    """Runs ``function(*args, **kwargs)`` on a pool of threads of the current plugin.

    At most ``min(32, cpus + 4)`` of a plugin's functions run at once; others wait their turn.
    When the plugin stops, those that have not begun are cancelled, and those that run are asked
    to end by their stop token and waited for within the deadline: a function with a parameter
    ``stop`` is given the token; others look at ``pkl.stop_token()``. Submitted by a plugin that
    is not enabled yet, it begins when the plugin is. Safe from any thread.

    Returns:
        A ``concurrent.futures.Future`` that can be awaited too.

    Raises:
        HandlerRefused: The function cannot be called.
        PluginNotRunning: The plugin has been stopped, or is being.
        RuntimeError: The machine has no threads left.
    """
    if not callable(function):
        raise HandlerRefused(f"{function!r} cannot be called, so it cannot be submitted")
    work = Submission(registrant(2), function, args, kwargs)
    work._register()
    return work
