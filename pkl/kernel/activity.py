"""What a plugin has running: the common part of its tasks, threads and submitted functions.

Each is a resource that ends by itself, and a ``concurrent.futures.Future`` for its result.
"""

from __future__ import annotations

import sys
from concurrent.futures import Future
from contextvars import ContextVar, copy_context
from threading import Lock
from typing import Any, Callable, Generator, Optional, TypeVar

from ..errors import WorkDeadlock
from .context import Subject, _current
from .describe import describe
from .dispatch import call_one
from .generation import Generation, not_running
from .ownership import registrant
from .resource import Resource
from .stop_token import StopToken, token_of

__all__ = ["Activity", "current_activity", "stop_token"]

T = TypeVar("T")

current_activity: ContextVar[Optional["Activity[Any]"]] = ContextVar("pkl_activity", default=None)


class Activity(Resource, Future[T]):
    """Something that runs as a plugin until it ends, held by the plugin meanwhile.

    It is a ``concurrent.futures.Future`` too: ``result()``, ``exception()``, ``done()``,
    ``cancel()``, ``add_done_callback()``, and ``await`` on any event loop. What it raises is
    delivered to who has asked by the time it ends; an error that nobody has asked for is logged,
    counted against the plugin and given to ``host.on_error``. Started by a plugin that is not
    enabled yet, it begins when the plugin is enabled. Safe from any thread or task.

    Attributes:
        name: What it runs, for people.
        stop: Its stop token, set when the plugin begins to stop, or this alone is to end.
    """

    kind = "activity"
    """What it is, for people."""

    def __init__(self, subject: Subject, name: str) -> None:
        Future.__init__(self)
        self._subject = subject
        self._context = copy_context()
        self._entry = Lock()
        self._asked_for = False
        self._began = False
        self.name = name
        self.stop = StopToken(subject, token_of(subject))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    @property
    def staged(self) -> bool:
        """It begins once its plugin is live."""
        return True

    def running(self) -> bool:
        """Whether it has begun and not ended."""
        return self._began and not self.done()

    def release(self) -> None:
        """Asks it to end, as ``cancel()`` does; it unregisters itself when it has ended."""
        self.cancel()

    async def arelease(self) -> None:
        """As ``release``."""
        self.cancel()

    def result(self, timeout: Optional[float] = None) -> T:
        """What it returned, once it has ended.

        Args:
            timeout: Seconds to wait at most; None for ever.

        Raises:
            TimeoutError: It has not ended in time (``concurrent.futures.TimeoutError``).
            CancelledError: It was cancelled (``concurrent.futures.CancelledError``).
            WorkDeadlock: It can only end after the very code that waits here.
            BaseException: Whatever it raised.
        """
        self._asked_for = True
        self._before_waiting()
        return super().result(timeout)

    def exception(self, timeout: Optional[float] = None) -> Optional[BaseException]:
        """What it raised, once it has ended, or None; for the rest see ``result``."""
        self._asked_for = True
        self._before_waiting()
        return super().exception(timeout)

    def add_done_callback(self, fn: Callable[[Future[T]], object]) -> None:
        """Calls ``fn(self)`` once it has ended, as who adds it here; errors are contained."""
        self._asked_for = True
        subject = _current.get()
        if subject is None:
            super().add_done_callback(fn)
            return

        def call(future: Future[T]) -> None:
            try:
                call_one(subject, fn, (future,), {})
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                subject.kernel.contain(subject, error, f"{describe(fn)}, called after {self!r}")

        super().add_done_callback(call)

    def __await__(self) -> Generator[Any, None, T]:
        """Awaits the result on any event loop; cancelling that asks this to end."""
        self._asked_for = True
        self._before_waiting()
        asyncio = sys.modules["asyncio"]  # whoever awaits has imported it
        return asyncio.wrap_future(self).__await__()  # type: ignore[no-any-return]

    def _before_waiting(self) -> None:
        """Refuses a wait that cannot end."""
        if self.done() or self._active:
            return
        waiting = _current.get()
        if waiting is self._subject:
            raise WorkDeadlock(
                f"{self.kind} {self.name} begins when plugin {self._whose()} is enabled, which "
                "waits for this very code",
                plugin=self._subject.plugin.name if self._subject.plugin is not None else None,
                hint="start it and go on; wait for it once the plugin is enabled",
            )

    def _whose(self) -> str:
        plugin = self._subject.plugin
        return "of the host" if plugin is None else f"{plugin.name!r} {plugin.version}"

    def _register(self) -> None:
        """Holds it, and begins it if its plugin is live.

        Raises:
            PluginNotRunning: The plugin has been stopped, or is being.
        """
        subject = self._subject
        if isinstance(subject, Generation) and subject.closed:
            raise not_running(subject.plugin, subject)
        subject.kernel.resource_manager.register(self)

    def _may_begin(self) -> bool:
        """Whether it is to run now, by this caller; True once."""
        if not self._entry.acquire(False):
            return False
        self._began = True
        return True

    def _give_up(self) -> bool:
        """Cancels it if it has not begun; whether it had not."""
        if not self._entry.acquire(False):
            return False
        self._cancelled()
        return True

    def cancel(self) -> bool:
        """Cancels it if it has not begun, else asks it to end; whether it is sure not to run on.

        Returns:
            False for a thread or function that runs: it ends when it looks at its stop token.
        """
        return self._give_up() or self._ask_to_end()

    def _ask_to_end(self) -> bool:
        """Asks what has begun to end; whether that is sure to be noticed."""
        self.stop._stop()
        return False

    def _cleanup(self) -> None:
        self.cancel()

    def _deregister(self) -> None:
        manager = self._subject.kernel.resource_manager
        if manager.take(self):
            manager.cleaned(self)

    def _cancelled(self) -> None:
        self._deregister()
        Future.cancel(self)
        self.set_running_or_notify_cancel()

    def _returned(self, value: T) -> None:
        self._deregister()
        self.set_result(value)

    def _raised(self, error: BaseException) -> None:
        self._deregister()
        if isinstance(error, StopIteration):  # which no future of asyncio can hold
            wrapped = RuntimeError(f"{self.kind} {self.name} raised StopIteration")
            wrapped.__cause__ = error
            error = wrapped
        asked = self._asked_for or bool(getattr(self, "_waiters", ()))
        try:
            if not asked and not isinstance(error, KeyboardInterrupt):
                self._subject.kernel.contain(self._subject, error, f"{self.kind} {self.name}")
        finally:
            self.set_exception(error)

    @property
    def lingers(self) -> bool:
        """Whether it has begun, has not ended, and may still do so."""
        return self.running()

    def is_current(self) -> bool:
        """Whether the code that asks runs in it, so that it cannot be waited for."""
        raise NotImplementedError

    @property
    def actor(self) -> Any:
        """Who it is among those who wait for transitions; None if it is not known."""
        return None

    def where(self) -> str:
        """Where it is right now, ``function (file:line)``; empty if that is not known."""
        return ""


def stop_token() -> StopToken:
    """The stop token of the thread or function of a plugin that runs here, else the plugin's.

    Outside of every plugin it is the host's, which is set when the host begins to close. Safe
    in any thread or task.
    """
    subject = registrant()
    activity = current_activity.get()
    if activity is not None and activity._subject is subject:
        return activity.stop
    return token_of(subject)
