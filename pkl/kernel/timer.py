"""Timers: ``set_timeout`` and ``set_interval``, resources on the host's one scheduler."""

from __future__ import annotations

from concurrent.futures import Future
from contextvars import copy_context
from typing import Any, Callable, Optional

from ..errors import HandlerRefused
from .context import Subject, switch, switch_back
from .describe import describe
from .generation import runs_plugin_code
from .ownership import registrant
from .resource import Resource
from .scheduler import Job, pool_of
from .syscall import is_async
from .task import Task, start_task

__all__ = ["Timer", "set_interval", "set_timeout"]


class Timer(Resource):
    """A callback that runs once after a delay, or again and again.

    It runs as its plugin, on that plugin's pool of threads, or on the host's loop if the host
    has one. A timer set while its plugin is staged counts from the moment the plugin is
    enabled. A callback never overlaps itself, and one that raises is reported and does not end
    its interval.

    Attributes:
        seconds: The delay, or the interval.
        repeats: Whether it is an interval.
        fired: How many times the callback was called.
        missed: How many ticks of the interval were skipped because the callback still ran, or
            the machine was late.
    """

    @property
    def staged(self) -> bool:
        """A timer starts once its plugin is live."""
        return True

    def __init__(
        self,
        subject: Subject,
        callback: Callable[..., Any],
        seconds: float,
        repeats: bool,
        args: Any,
        kwargs: Any,
    ) -> None:
        self._subject = subject
        self._callback = callback
        self._args = args
        self._kwargs = kwargs
        self._context = copy_context()
        self._async = is_async(callback)
        self._job: Optional[Job] = None
        self._watcher: Optional[Job] = None
        self._start = 0.0
        self._tick = 0
        self.seconds = seconds
        self.repeats = repeats
        self.fired = 0
        self.missed = 0

    def __repr__(self) -> str:
        kind = "every" if self.repeats else "after"
        return f"<Timer {describe(self._callback)} {kind} {self.seconds} s>"

    @property
    def active(self) -> bool:
        """Whether it will still fire (a staged one will, once its plugin is enabled)."""
        return self._held

    def cancel(self) -> None:
        """Stops it; does nothing if it has fired, or was cancelled before."""
        self.release()

    def _activate(self, now: float) -> None:
        self._start = now
        self._arm(1)

    def _arm(self, tick: int) -> None:
        kernel = self._subject.kernel
        self._tick = tick
        deadline = self._start + tick * self.seconds
        self._job = job = Job(self._fire, pool_of(self._subject, kernel.scheduler))
        kernel.scheduler.at(deadline, job)
        if not self._held:
            kernel.scheduler.cancel(job)

    def _cleanup(self) -> None:
        watcher, self._watcher = self._watcher, None
        for job in (self._job, watcher):
            if job is not None:
                self._subject.kernel.scheduler.cancel(job)

    def _fire(self) -> None:
        kernel = self._subject.kernel
        if self.repeats:
            if not self._held:
                return
        elif not kernel.resource_manager.take(self):
            return
        if not self._subject.live:
            return
        self.fired += 1
        loop = kernel.loop
        if self._async:
            self._start_task(loop)
            return
        if loop is not None and loop.is_running():
            if self.repeats:
                self._watch(loop)
            try:
                loop.call_soon_threadsafe(self._call)
                return
            except RuntimeError:
                pass  # it was closed in this very moment
        self._call()

    def _start_task(self, loop: Any) -> None:
        if self.repeats and loop is not None:
            self._watch(loop)
        try:
            task = self._context.copy().run(self._task)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            self._subject.kernel.contain(self._subject, error, repr(self))
            self._ended()
            return
        # However it ends, and if it was cancelled before it began.
        Future.add_done_callback(task, lambda ended: self._ended())

    def _task(self) -> Task[Any]:
        coroutine = self._callback(*self._args, **self._kwargs)
        return start_task(self._subject, coroutine, repr(self))

    def _watch(self, loop: Any) -> None:
        """Sees to it that an interval goes on if its loop is closed before it calls back."""
        scheduler = self._subject.kernel.scheduler

        def look() -> None:
            if self._watcher is job:
                if loop.is_closed():
                    self._ended()
                else:
                    self._watch(loop)

        self._watcher = job = Job(look, pool_of(self._subject, scheduler))
        scheduler.at(scheduler.clock.monotonic() + self.seconds, job)

    def _call(self) -> None:
        try:
            self._context.run(self._called)
        finally:
            # Not before the context is left: the next tick enters it, perhaps at once.
            self._ended()

    def _called(self) -> None:
        subject = self._subject
        try:
            _run(subject, self._callback, self._args, self._kwargs)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            subject.kernel.contain(subject, error, repr(self))

    def _ended(self) -> None:
        """Arms the next tick once a callback has ended, so that it never overlaps itself."""
        kernel = self._subject.kernel
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            kernel.scheduler.cancel(watcher)
        if not self.repeats:
            kernel.resource_manager.cleaned(self)
        elif self._held:
            late = kernel.clock.monotonic() - self._start
            tick = max(int(late / self.seconds), self._tick) + 1
            self.missed += tick - self._tick - 1
            self._arm(tick)


@runs_plugin_code
def _run(generation: Subject, callback: Callable[..., Any], args: Any, kwargs: Any) -> None:
    if not generation.live:
        return
    previous = switch(generation)
    try:
        callback(*args, **kwargs)
    finally:
        switch_back(previous)


def _timer(
    callback: Callable[..., Any], seconds: float, repeats: bool, args: Any, kwargs: Any
) -> Timer:
    if not callable(callback):
        raise HandlerRefused(f"{callback!r} cannot be called, so no timer can call it")
    if not seconds >= 0 or seconds == float("inf") or (repeats and seconds <= 0):
        least = "more than 0" if repeats else "at least 0"
        raise ValueError(f"a timer takes {least} seconds, not {seconds!r}")
    subject = registrant(3)
    if is_async(callback) and subject.kernel.loop is None:
        raise HandlerRefused(
            f"{describe(callback)} is async, and the host has no event loop to run it on",
            hint="give the host one: PluginHost(loop=…), or start it with await host.astart()",
        )
    timer = Timer(subject, callback, float(seconds), repeats, args, kwargs)
    subject.kernel.resource_manager.register(timer)
    return timer


def set_timeout(callback: Callable[..., Any], seconds: float, *args: Any, **kwargs: Any) -> Timer:
    """Calls ``callback(*args, **kwargs)`` once, ``seconds`` from now, as the current plugin.

    Set by a plugin that is not enabled yet, the delay counts from the moment it is. The timer is
    a resource: it is cancelled when the plugin stops, and unregisters itself when it fires.
    Safe from any thread.

    Args:
        callback: A function; an async one runs as a task on the host's loop.
        seconds: The delay, at least 0.
        args: Positional arguments of the callback.
        kwargs: Keyword arguments of the callback.

    Raises:
        HandlerRefused: The callback cannot be called, or is async in a host without a loop.
        ValueError: ``seconds`` is negative or not a number.
        PluginNotRunning: The current plugin has been stopped.
    """
    return _timer(callback, seconds, False, args, kwargs)


def set_interval(callback: Callable[..., Any], seconds: float, *args: Any, **kwargs: Any) -> Timer:
    """Calls ``callback(*args, **kwargs)`` every ``seconds``, as the current plugin.

    Ticks lie on a grid from the start, so that they do not drift; a tick that comes while the
    callback still runs is skipped and counted in ``Timer.missed``. For the rest see
    ``set_timeout``.

    Raises:
        HandlerRefused: The callback cannot be called, or is async in a host without a loop.
        ValueError: ``seconds`` is not more than 0.
        PluginNotRunning: The current plugin has been stopped.
    """
    return _timer(callback, seconds, True, args, kwargs)
