"""Tasks: coroutines that run on the host's loop as a plugin, held as its resources."""

from __future__ import annotations

from typing import Any, Optional

from ..errors import PklError
from .context import Subject
from .dispatch import passes
from .generation import Generation
from .resource import Resource
from .steps import Driven

__all__ = ["Task", "start_task"]


class Task(Resource):
    """A coroutine on the host's loop; releasing it cancels it.

    Attributes:
        name: What it runs, for people.
        done: Whether it has ended.
    """

    def __init__(self, subject: Subject, coroutine: Any, name: str) -> None:
        self._subject = subject
        self._coroutine = coroutine
        self._task: Optional[Any] = None
        self._cancelled = False
        self.name = name
        self.done = False

    def __repr__(self) -> str:
        return f"<Task {self.name}>"

    def start(self, loop: Any) -> None:
        """Schedules it on the loop; safe from any thread."""
        loop.call_soon_threadsafe(self._begin, loop)

    def _begin(self, loop: Any) -> None:
        if self._cancelled:
            self._coroutine.close()
            self.done = True
            return
        self._task = loop.create_task(self._run())

    async def _run(self) -> None:
        kernel = self._subject.kernel
        try:
            await Driven(self._coroutine, self._subject, counted=False, checked=False)
        except BaseException as error:
            if passes(error) or isinstance(error, GeneratorExit):
                raise
            if not self._cancelled:
                kernel.contain(self._subject, error, self.name)
        finally:
            self.done = True
            if kernel.resource_manager.take(self):
                kernel.resource_manager.cleaned(self)

    @property
    def lingers(self) -> bool:
        """Whether it was cancelled and has not ended."""
        return self._cancelled and not self.done

    def _cleanup(self) -> None:
        """Cancels it; also called a second time, for one that lingers."""
        self._cancelled = True
        loop = self._subject.kernel.loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


def start_task(subject: Subject, coroutine: Any, name: str) -> Task:
    """Runs a coroutine as ``subject`` on its host's loop, held until it ends.

    What it raises is contained. Safe from any thread.

    Raises:
        PklError: The host has no running loop.
        PluginNotRunning: The plugin has been stopped.
    """
    loop = subject.kernel.loop
    if loop is None or loop.is_closed():
        coroutine.close()
        who = subject.plugin.name if isinstance(subject, Generation) else None
        raise PklError(
            f"{name} needs the host's event loop, and the host has none",
            plugin=who,
            hint="give the host one: PluginHost(loop=…), or start it with await host.astart()",
        )
    task = Task(subject, coroutine, name)
    try:
        subject.kernel.resource_manager.register(task)
    except BaseException:
        coroutine.close()
        raise
    task.start(loop)
    return task
