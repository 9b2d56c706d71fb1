"""Tasks: coroutines that run on the host's loop as a plugin, held as its resources."""

from __future__ import annotations

import sys
from typing import Any, Coroutine, Optional, TypeVar

from ..errors import HandlerRefused, PklError
from .activity import Activity, current_activity
from .context import Subject, _current
from .dispatch import Watched, is_cancellation, passes
from .generation import Generation
from .ownership import registrant
from .stack import innermost
from .steps import Driven
from .task_factory import HELD

__all__ = ["Task", "create_task", "start_task"]

T = TypeVar("T")


class Task(Activity[T]):
    """A coroutine on the host's loop, made by ``create_task``; cancelled when its plugin stops."""

    kind = "task"

    def __init__(self, subject: Subject, coroutine: Coroutine[Any, Any, T], name: str) -> None:
        super().__init__(subject, name)
        self._coroutine = coroutine
        self._loop: Any = None
        self._task: Optional[Any] = None
        self._to_be_cancelled = False

    def _activate(self, now: float) -> None:
        loop = self._subject.kernel.loop
        try:
            if loop is None or loop.is_closed():
                raise _no_loop(self._subject, self.name)
            self._loop = loop
            try:
                loop.call_soon_threadsafe(self._begin)
            except RuntimeError:  # it was closed in this very moment
                raise _no_loop(self._subject, self.name) from None
        except PklError:
            self._give_up()
            raise

    def _begin(self) -> None:
        if self._may_begin():
            self._context.run(self._create)
            if self._to_be_cancelled and self._task is not None:
                self._task.cancel()

    def _create(self) -> None:
        current_activity.set(self)
        # It switches to its plugin at each step; between them it is nobody's.
        _current.set(None)
        task = self._loop.create_task(self._run())
        self._task = task
        if hasattr(task, "set_name"):
            task.set_name(self.name)
        if not task.done():
            self._subject.tasks[task] = HELD
            task.add_done_callback(self._subject.forget_task)

    async def _run(self) -> None:
        steps = Driven(Watched(self._coroutine), self._subject, counted=False, checked=False)
        try:
            value = await steps
        except BaseException as error:
            if self.done():  # its loop was closed, and it was given up
                raise
            destroyed = isinstance(error, GeneratorExit) and not self.is_current()
            if destroyed or (is_cancellation(error) and (self._to_be_cancelled or passes(error))):
                self._cancelled()
                raise
            self._raised(error)
            if passes(error):
                raise
        else:
            self._returned(value)

    def _give_up(self) -> bool:
        if not self._entry.acquire(False):
            return False
        self._coroutine.close()
        self._cancelled()
        return True

    def _ask_to_end(self) -> bool:
        if self.done():
            return False
        self.stop._stop()
        self._to_be_cancelled = True
        try:
            self._loop.call_soon_threadsafe(self._cancel)
        except RuntimeError:  # its loop is closed: it can never go on
            self._lose()
        return True

    def _cancel(self) -> None:
        if self._task is not None and not self.done():
            self._task.cancel()

    def _lose(self) -> None:
        try:
            self._coroutine.close()
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            self._subject.kernel.contain(self._subject, error, f"end of {self.kind} {self.name}")
        finally:
            if not self.done():
                self._cancelled()

    @property
    def lingers(self) -> bool:
        """Whether it has begun and not ended, on a loop that runs."""
        return self.running() and self._loop is not None and self._loop.is_running()

    def is_current(self) -> bool:
        """Whether the code that asks runs in this task."""
        if self._task is None:
            return False
        try:
            return sys.modules["asyncio"].current_task() is self._task
        except RuntimeError:
            return False

    def where(self) -> str:
        """The innermost line it awaits at."""
        return innermost(self._coroutine)


def _no_loop(subject: Subject, name: str) -> PklError:
    return PklError(
        f"{name} needs the host's event loop, and the host has none",
        plugin=subject.plugin.name if isinstance(subject, Generation) else None,
        hint="give the host one: PluginHost(loop=…), or start it with await host.astart()",
    )


def start_task(subject: Subject, coroutine: Coroutine[Any, Any, T], name: str) -> Task[T]:
    """Runs a coroutine as ``subject`` on its host's loop, held until it ends.

    Safe from any thread.

    Raises:
        PklError: The host has no running loop.
        PluginNotRunning: The plugin has been stopped.
    """
    loop = subject.kernel.loop
    if loop is None or loop.is_closed():
        coroutine.close()
        raise _no_loop(subject, name)
    task = Task(subject, coroutine, name)
    try:
        task._register()
    except BaseException:
        coroutine.close()
        raise
    return task


def create_task(coro: Coroutine[Any, Any, T], *, name: Optional[str] = None) -> Task[T]:
    """Runs a coroutine as the current plugin on its host's loop.

    The task is a resource: it is cancelled when the plugin stops, once more when half of the
    time it has to end is over, and named if it has not ended then. Created by a plugin that is
    not enabled yet, it begins when the plugin is. Safe from any thread.

    Args:
        coro: A coroutine: what calling an ``async def`` function gives.
        name: What it is called in messages; by default the coroutine's name.

    Raises:
        HandlerRefused: ``coro`` is not a coroutine.
        PklError: The host has no event loop.
        PluginNotRunning: The plugin has been stopped, or is being.
    """
    if not (hasattr(coro, "send") and hasattr(coro, "throw") and hasattr(coro, "close")):
        raise HandlerRefused(
            f"create_task() takes a coroutine, not {coro!r}",
            hint="call the async function: create_task(work())" if callable(coro) else "",
        )
    named = name if name is not None else getattr(coro, "__qualname__", repr(coro))
    try:
        subject = registrant(2)
    except BaseException:
        coro.close()
        raise
    return start_task(subject, coro, named)
