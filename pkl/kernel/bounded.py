"""Stops that keep their deadline although a handler blocks: it runs on a thread of its own.

Nobody can end a thread of Python from outside. All that can be done about a handler that does not
return is to go on without it, and for that it must not run on the thread that has to go on.
"""

from __future__ import annotations

import sys
from contextvars import Context, copy_context
from queue import SimpleQueue
from threading import Event as Flag
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Optional, Set, Type, TypeVar

from ..errors import StopTimeout
from .describe import describe
from .flat import complete
from .runner import BlockingRunner
from .stack import innermost_of_thread
from .syscall import is_async
from .transition import Actor, current_actor, no_longer_standing, standing_for

if TYPE_CHECKING:
    from .context import Subject
    from .core import Kernel

__all__ = ["BoundedRunner", "on_stopping_thread"]

F = TypeVar("F", bound=Callable[..., Any])

LEAST = 0.05
"""Seconds that even what comes after the deadline is given."""
GRACE = 0.5
"""Seconds that an async handler is given to end once it was cancelled; after the deadline,
``LEAST``."""

_STAYS = "__pkl_on_stopping_thread__"


def on_stopping_thread(function: F) -> F:
    """Has a handler or clean-up always run on the thread that stops the plugin; returns it.

    ``host.close()`` and ``plugin.disable(timeout=…)`` run what stops a plugin on a thread of
    pkl's own, so that they can go on without what does not return. What must run where it was
    started (a window, a ``sqlite3`` connection, ``signal.signal``) is marked with this, on a
    handler of ``on_disable`` or ``on_unload`` or on a ``_cleanup``; nothing bounds it.
    """
    setattr(function, _STAYS, True)
    return function


class _Job:
    """One call on the other thread."""

    def __init__(
        self, work: Callable[[], None], context: Context, late: Callable[[BaseException], None]
    ) -> None:
        self._work: Optional[Callable[[], None]] = work
        self._context = context
        self._late = late
        self.ended = Flag()
        self.error: Optional[BaseException] = None
        self.given_up = False

    def run(self) -> None:
        work, self._work = self._work, None
        assert work is not None
        try:
            self._context.run(work)
        except BaseException as error:
            self.error = error
        self.ended.set()
        if self.given_up and self.error is not None:
            self._late(self.error)


class _Server:
    """A thread that runs jobs, one after another, until one of them is given up."""

    def __init__(self) -> None:
        self._jobs: "SimpleQueue[Optional[_Job]]" = SimpleQueue()
        # Daemonic: the interpreter may end without what nobody can end.
        self.thread = Thread(target=_serve, args=(self._jobs,), name="pkl-stop", daemon=True)
        self.thread.start()

    def start(self, job: _Job) -> None:
        self._jobs.put(job)

    def end(self) -> None:
        """Ends the thread once its job has ended."""
        self._jobs.put(None)


def _serve(jobs: "SimpleQueue[Optional[_Job]]") -> None:
    while True:
        job = jobs.get()
        if job is None:
            return
        job.run()
        del job


class BoundedRunner(BlockingRunner):
    """Blocks the calling thread, but no longer for a handler than that is given.

    Used as a context manager, for one stop; not from several threads at once.

    Args:
        kernel: The host's kernel.
        abandoned: Threads whose calls are not waited for either.
    """

    def __init__(self, kernel: "Kernel", abandoned: Optional[Set[int]] = None) -> None:
        super().__init__(kernel)
        self.abandoned = frozenset(abandoned or ())
        self._server: Optional[_Server] = None

    def __enter__(self) -> "BoundedRunner":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.end()
            server.thread.join(1.0)

    async def call(
        self,
        subject: "Subject",
        function: Callable[..., Any],
        seconds: Optional[float] = None,
        *,
        watched: bool = False,
    ) -> None:
        """As ``Runner.call``, on another thread if it has a bound and may run there.

        Raises:
            StopTimeout: It has not returned in time; it still runs, in a thread that is left.
        """
        server = None
        if seconds is not None and not _stays(function) and not _loop_runs_here():
            server = self._ready()
        if server is None:
            await super().call(subject, function, seconds, watched=watched)
            return
        assert seconds is not None
        self._call_there(server, subject, function, seconds)

    def _ready(self) -> Optional[_Server]:
        """The thread; None if the interpreter starts none any more."""
        if self._server is None:
            try:
                self._server = _Server()
            except RuntimeError:
                return None
        return self._server

    def _call_there(
        self, server: _Server, subject: "Subject", function: Callable[..., Any], seconds: float
    ) -> None:
        actor: Actor = current_actor()
        plugin = subject.plugin
        plain = super().call

        def work() -> None:
            with standing_for(actor):
                complete(plain(subject, function, seconds))

        def late(error: BaseException) -> None:
            subject.kernel.contain(subject, error, f"{describe(function)}, given up long before,")

        job = _Job(work, copy_context(), late)
        thread = server.thread
        thread.name = f"pkl-stop-{plugin.name if plugin is not None else self.kernel.name}"
        server.start(job)
        bound = max(seconds, LEAST)
        grace = GRACE if seconds > 0 else LEAST
        try:
            ended = job.ended.wait(bound + grace if is_async(function) else bound)
        except BaseException:  # Ctrl-C: whoever waits gives it up
            self._give_up(server, job)
            raise
        if ended:
            error, job.error = job.error, None
            if error is not None:
                try:
                    raise error
                finally:
                    del error
            return
        place = innermost_of_thread(thread.ident)
        self._give_up(server, job)
        whose = f" of plugin {plugin.name!r} {plugin.version}" if plugin is not None else ""
        at = f"; it is at {place}" if place else ""
        raise StopTimeout(
            f"{describe(function)}{whose} did not return within {seconds:g} s{at}; its thread "
            f"{thread.name} cannot be stopped and was left behind",
            plugin=plugin.name if plugin is not None else None,
            version=plugin.version if plugin is not None else None,
            hint="let it return sooner, or give it more time: PluginHost(stop_timeout=…)",
            threads=[thread.name],
            place=place,
        )

    def _give_up(self, server: _Server, job: _Job) -> None:
        job.given_up = True
        self._server = None
        server.end()
        ident = server.thread.ident
        if ident is not None:
            self.abandoned |= {ident}
            # What it still does is not done for this stop.
            no_longer_standing((ident, 0))


def _stays(function: Any) -> bool:
    return bool(getattr(function, _STAYS, False))


def _loop_runs_here() -> bool:
    """Whether this thread runs an event loop, whose callbacks must not be called elsewhere."""
    asyncio: Any = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None
