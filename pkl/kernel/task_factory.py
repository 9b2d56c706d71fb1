"""Bare asyncio tasks: a plugin's ``asyncio.create_task()`` on the host's loop is known to pkl.

The loop's task factory notes each task that is created while a plugin is the current one, so
that stopping the plugin cancels what it left running. It calls the factory that the application
had set, and what it costs is a dictionary entry and a done callback for each task of a plugin.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from threading import Lock
from typing import Any, Dict, Optional
from weakref import WeakKeyDictionary

from .context import Subject, _current
from .stack import innermost

__all__ = ["BARE", "HELD", "LAST", "BareTask", "follow", "unfollow"]

HELD, BARE, LAST = "held", "bare", "last"
"""What a subject's task is: one of ``create_task``, a bare one, or one that a clean-up of the
stopping plugin created."""


class TaskFactory:
    """What ``loop.set_task_factory`` is given, one for each loop, however many hosts it serves."""

    def __init__(self, before: Optional[Any]) -> None:
        self.before = before
        self.users = 0

    def __call__(self, loop: Any, coro: Any, **options: Any) -> Any:
        """Creates the task as it would be without pkl, and notes whose it is."""
        before = self.before
        if before is None:
            task = sys.modules["asyncio"].Task(coro, loop=loop, **options)
        else:
            task = before(loop, coro, **options)
        subject = _current.get()
        if subject is not None and subject.plugin is not None and self.users:
            note(subject, task)
        return task


def note(subject: Subject, task: Any) -> None:
    """Files a new task under the plugin that created it; cancels it if the plugin is past that."""
    tasks: Dict[Any, str] = subject.tasks
    if task.done() or task in tasks:  # an eager one; or two hosts' factories in a row
        return
    kind = BARE
    if subject.dead or getattr(subject, "stopping", False):
        # A clean-up may still need tasks to do its work; what was itself cancelled may not.
        creator = sys.modules["asyncio"].current_task()
        if subject.dead or creator is None or tasks.get(creator, LAST) is not LAST:
            task.cancel()
        else:
            kind = LAST
    tasks[task] = kind
    task.add_done_callback(subject.forget_task)


_lock = Lock()
_factories: "WeakKeyDictionary[Any, TaskFactory]" = WeakKeyDictionary()


def follow(loop: Any) -> None:
    """Notes from now on which plugin creates which task on a loop. Safe from any thread."""
    with _lock:
        factory = _factories.get(loop)
        if factory is None or loop.get_task_factory() is not factory:
            factory = TaskFactory(loop.get_task_factory())
            loop.set_task_factory(factory)
            _factories[loop] = factory
        factory.users += 1


def unfollow(loop: Any) -> None:
    """Takes ``follow`` back; the last host to do so gives the loop its own factory again.

    A factory that the application has since set around this one is left alone; this one then
    only passes on.
    """
    with _lock:
        factory = _factories.get(loop)
        if factory is None or not factory.users:
            return
        factory.users -= 1
        if not factory.users and loop.get_task_factory() is factory:
            loop.set_task_factory(factory.before)
            del _factories[loop]


class BareTask:
    """A bare task of a plugin, as one of the things that end when the plugin stops."""

    kind = "task"
    actor = None

    def __init__(self, task: Any) -> None:
        self.task = task
        get = getattr(task, "get_name", None)
        self.name = str(get()) if get is not None else repr(task)
        self._loop = task.get_loop()

    @property
    def lingers(self) -> bool:
        """Whether it has not ended, on a loop that runs."""
        return not self.task.done() and self._loop.is_running()

    def is_current(self) -> bool:
        """Whether the code that asks runs in this task."""
        try:
            return sys.modules["asyncio"].current_task() is self.task
        except RuntimeError:
            return False

    def cancel(self) -> None:
        """Cancels it; safe from any thread."""
        if not self.task.done():
            with suppress(RuntimeError):  # its loop is closed, so it cannot go on
                self._loop.call_soon_threadsafe(self.task.cancel)

    def where(self) -> str:
        """The innermost line it awaits at."""
        get = getattr(self.task, "get_coro", None)
        return innermost(get()) if get is not None else ""
