"""Threads that run as a plugin, held as its resources."""

from __future__ import annotations

from threading import Thread, get_ident
from typing import Any, Callable, Optional, TypeVar

from ..errors import HandlerRefused
from .activity import Activity, current_activity
from .context import Subject, switch, switch_back
from .ownership import registrant
from .stack import innermost_of_thread
from .stop_token import takes_stop

__all__ = ["PluginThread", "start_thread"]

T = TypeVar("T")


class PluginThread(Activity[T]):
    """A thread of a plugin, made by ``start_thread``; asked to end when its plugin stops.

    Attributes:
        thread: The ``threading.Thread``; None until it has begun.
    """

    kind = "thread"

    def __init__(
        self,
        subject: Subject,
        target: Callable[..., T],
        args: Any,
        kwargs: Any,
        name: str,
        daemon: bool,
    ) -> None:
        super().__init__(subject, name)
        self._target: Optional[Callable[..., T]] = target
        self._args = args
        self._kwargs = kwargs
        self._daemon = daemon
        self.thread: Optional[Thread] = None

    def _activate(self, now: float) -> None:
        thread = Thread(target=self._serve, name=self.name, daemon=self._daemon)
        self.thread = thread
        try:
            thread.start()
        except RuntimeError:  # the machine has no threads left, or the interpreter ends
            self.thread = None
            self._give_up()
            raise

    def _serve(self) -> None:
        if self._may_begin():
            self._context.run(self._run)

    def _run(self) -> None:
        current_activity.set(self)
        target, self._target = self._target, None
        assert target is not None
        try:
            if takes_stop(target, self._args, self._kwargs):
                self._kwargs = {**self._kwargs, "stop": self.stop}
            value = run_in_thread(self._subject, target, self._args, self._kwargs)
        except BaseException as error:
            self._raised(error)
            if isinstance(error, KeyboardInterrupt):
                raise
        else:
            self._returned(value)
        finally:
            self._args, self._kwargs = (), {}

    @property
    def lingers(self) -> bool:
        """Whether the thread is still there."""
        thread = self.thread
        return self._began and thread is not None and thread.is_alive()

    def is_current(self) -> bool:
        """Whether the code that asks runs in this thread."""
        return self.thread is not None and self.thread.ident == get_ident()

    @property
    def actor(self) -> Any:
        """Who it is among those who wait for transitions."""
        return None if self.thread is None else (self.thread.ident, 0)

    def where(self) -> str:
        """The line it is at."""
        return innermost_of_thread(None if self.thread is None else self.thread.ident)


def run_in_thread(subject: Subject, target: Callable[..., T], args: Any, kwargs: Any) -> T:
    """Calls a function as ``subject`` in a thread that is known to be the subject's.

    Whoever stops the plugin waits for such a thread itself, so its calls are not counted.
    """
    ident = get_ident()
    outermost = ident not in subject.threads
    subject.threads.add(ident)
    try:
        previous = switch(subject)
        try:
            return target(*args, **kwargs)
        finally:
            switch_back(previous)
    finally:
        if outermost:
            subject.threads.discard(ident)


def start_thread(
    target: Callable[..., T],
    *args: Any,
    name: Optional[str] = None,
    daemon: bool = True,
    **kwargs: Any,
) -> PluginThread[T]:
    """Runs ``target(*args, **kwargs)`` in a thread of its own, as the current plugin.

    The thread is a resource. When the plugin begins to stop, its stop token is set: a target
    with a parameter ``stop`` is given the token; others look at ``pkl.stop_token()``. It is
    waited for within the deadline, and named if it has not ended then. Started by a plugin that
    is not enabled yet, it begins when the plugin is. Safe from any thread.

    Args:
        target: A function that is not async.
        args: Its positional arguments.
        name: The thread's name, by default ``pkl-`` and the plugin's and the function's names.
        daemon: Whether the process may end without it.
        kwargs: Its keyword arguments.

    Raises:
        HandlerRefused: The target cannot be called.
        PluginNotRunning: The plugin has been stopped, or is being.
        RuntimeError: The machine has no threads left.
    """
    if not callable(target):
        raise HandlerRefused(f"{target!r} cannot be called, so no thread can run it")
    subject = registrant(2)
    if name is None:
        whose = "host" if subject.plugin is None else subject.plugin.name
        called = getattr(target, "__name__", None) or type(target).__name__
        name = f"pkl-{whose}-{called}"
    thread = PluginThread(subject, target, args, kwargs, name, daemon)
    thread._register()
    return thread
