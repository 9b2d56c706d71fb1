"""Ends what a stopping plugin still runs: asks, waits, asks again, and names what will not end."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, List

from ..errors import StopTimeout
from .context import Subject
from .task_factory import HELD, BareTask
from .transition import current_actor

if TYPE_CHECKING:
    from .core import Kernel
    from .runner import Runner

__all__ = ["Settling"]


class Settling:
    """The end of one subject's tasks, threads and submitted functions, within one bound.

    Args:
        kernel: The host's kernel.
        run: How to wait.
        subject: The generation, or the host itself.
        seconds: How long all of them may take together, from now on.
    """

    def __init__(self, kernel: "Kernel", run: "Runner", subject: Subject, seconds: float) -> None:
        self._kernel = kernel
        self._run = run
        self._subject = subject
        self._bound = seconds
        self._began = monotonic()
        self._twice = False
        self._asked: List[Any] = []
        self._cancel_bare()

    def _cancel_bare(self) -> None:
        known = {each.task for each in self._asked if isinstance(each, BareTask)}
        for task, kind in list(self._subject.tasks.items()):
            if kind is not HELD and task not in known:
                self.end(BareTask(task))

    def end(self, activity: Any) -> None:
        """Asks an activity to end, unless this very code runs in it."""
        if not activity.is_current():
            self._asked.append(activity)
            activity.cancel()

    async def before_the_next(self) -> None:
        """Lets what was asked end before what it may use is taken away, for half of the bound.

        What has not ended by then may wait for the very thing that is to go next.
        """
        await self._wait(self._bound / 2)

    async def finish(self) -> None:
        """Waits for all of it, cancelling a second time when half of the bound is over.

        Raises:
            StopTimeout: Some have not ended; the text says which, and where they are.
        """
        self._cancel_bare()
        await self._wait(self._bound)
        for task in [task for task in list(self._subject.tasks) if task.done()]:
            self._subject.forget_task(task)  # its callback may be due only now
        stubborn = self._left()
        if stubborn:
            raise self._overdue(stubborn)

    def _left(self) -> List[Any]:
        if not self._asked:
            return []
        free = self._run.may_wait_for_loop()
        waiting = self._kernel.transitions.waiting_for(current_actor())
        return [
            each
            for each in self._asked
            if each.lingers and (each.kind != "task" or free) and each.actor not in waiting
        ]

    async def _wait(self, until: float) -> None:
        pause = 0.0005
        while True:
            left = self._left()
            if not left:
                return
            waited = monotonic() - self._began
            if not self._twice and waited >= self._bound / 2:
                self._twice = True
                for each in left:
                    each.cancel()
            if waited >= until:
                return
            await self._run.pause(min(pause, max(0.0, until - waited)))
            pause = min(pause * 1.5, 0.02)

    def _overdue(self, stubborn: List[Any]) -> StopTimeout:
        plugin = self._subject.plugin
        whose = "the host" if plugin is None else f"plugin {plugin.name!r} {plugin.version}"
        lines = [_line(each) for each in stubborn]
        kinds = {each.kind for each in stubborn}
        hint = "let CancelledError pass in tasks" if kinds == {"task"} else ""
        return StopTimeout(
            f"{len(lines)} of what {whose} ran did not end within {self._bound:g} s of being asked "
            "to; it was stopped all the same\n" + "\n".join(f"  {line}" for line in lines),
            plugin=plugin.name if plugin is not None else None,
            version=plugin.version if plugin is not None else None,
            hint=hint
            or "look at the stop token, pkl.stop_token(), in threads and submitted functions",
            tasks=[each.name for each in stubborn if each.kind == "task"],
            threads=[each.name for each in stubborn if each.kind == "thread"],
            functions=[each.name for each in stubborn if each.kind == "function"],
        )


def _line(activity: Any) -> str:
    where = activity.where()
    return f"{activity.kind} {activity.name}" + (f", at {where}" if where else "")
