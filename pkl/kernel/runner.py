"""The two ways to carry out a transition: blocking, or on an event loop.

The life cycle is written once, as coroutines that await only what a runner gives them. The
blocking runner never suspends them, so that ``complete`` can run them without a loop.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from contextvars import copy_context
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Callable, FrozenSet, Optional

from ..errors import PklError, StopTimeout
from .accounting import watching
from .context import Subject, _current
from .describe import describe
from .dispatch import Watched, call_one, from_outside
from .flat import complete
from .generation import async_calls_on_this_stack
from .steps import Driven
from .transition import Actor, Token, Transitions, current_actor, standing_for

if TYPE_CHECKING:
    from .core import Kernel

__all__ = ["AsyncRunner", "BlockingRunner", "Runner", "complete"]


class _Expired(Exception):
    """Something that is awaited did not end in time."""


class Runner:
    """How a transition waits and calls."""

    blocking = False
    """Whether the calling thread stands still while it waits, and every task on it too."""
    abandoned: FrozenSet[int] = frozenset()
    """Threads that do not return from a plugin, so that nobody waits for their calls."""

    def __init__(self, kernel: "Kernel") -> None:
        self.kernel = kernel

    async def pause(self, seconds: float) -> None:
        """Waits a moment."""
        raise NotImplementedError

    async def finish(self, awaitable: Any, subject: Subject, seconds: Optional[float]) -> Any:
        """Awaits something as ``subject``, at most ``seconds``."""
        raise NotImplementedError

    def may_wait_for_loop(self) -> bool:
        """Whether waiting leaves the host's event loop free to run."""
        return True

    async def call(
        self,
        subject: Subject,
        function: Callable[..., Any],
        seconds: Optional[float] = None,
        *,
        watched: bool = False,
    ) -> None:
        """Calls a handler as ``subject`` and awaits what it returns, if that is awaitable.

        Args:
            subject: Whose handler it is.
            function: The handler.
            seconds: How long what it returns may take.
            watched: Whether what it changes in the process, until it returns, is noted.
        """
        with watching(subject) if watched else nullcontext():
            # A context of its own, or what it sets there would stay.
            result = copy_context().run(call_one, subject, function, (), {})
        if not hasattr(result, "__await__"):
            return
        try:
            await self.finish(result, subject, seconds)
        except _Expired as expired:
            plugin = subject.plugin
            whose = f" of plugin {plugin.name!r} {plugin.version}" if plugin is not None else ""
            raise StopTimeout(
                f"{describe(function)}{whose} did not end within {seconds:g} s and was cancelled",
                plugin=plugin.name if plugin is not None else None,
                version=plugin.version if plugin is not None else None,
                hint="let it end sooner, or give it more time: disable(timeout=…)",
            ) from expired

    async def take(self, plugin: "Token", within: Optional[float] = None) -> None:
        """Takes the plugin's transition token, waiting for it within a bound.

        Args:
            plugin: The plugin.
            within: Seconds, if that is to be less than the kernel's ``transition_timeout``.

        Raises:
            TransitionDeadlock: The wait would wait for itself.
            TransitionTimeout: It took too long.
        """
        transitions: Transitions = self.kernel.transitions
        actor = current_actor()
        if transitions.take(plugin, actor):
            return
        bound = self.kernel.transition_timeout
        if within is not None:
            bound = min(bound, within)
        # Real time, whatever the host's clock says: another thread does not wait for that one.
        began = monotonic()
        for call in async_calls_on_this_stack():
            call.actor = actor
        try:
            while True:
                transitions.announce(plugin, actor, self.blocking)
                if transitions.take(plugin, actor):
                    return
                left = bound - (monotonic() - began)
                if left <= 0:
                    raise transitions.overdue(plugin, bound)
                await self.wait_for_token(plugin, min(left, 0.05))
        finally:
            transitions.withdraw(actor)

    async def wait_for_token(self, plugin: "Token", seconds: float) -> None:
        """Waits until the plugin's token may be free."""
        raise NotImplementedError


class BlockingRunner(Runner):
    """Blocks the calling thread."""

    blocking = True

    async def pause(self, seconds: float) -> None:
        sleep(seconds)

    async def wait_for_token(self, plugin: "Token", seconds: float) -> None:
        self.kernel.transitions.wait(plugin, seconds)

    def may_wait_for_loop(self) -> bool:
        loop = self.kernel.loop
        if loop is None or not loop.is_running():
            return False
        return sys.modules["asyncio"]._get_running_loop() is not loop

    async def finish(self, awaitable: Any, subject: Subject, seconds: Optional[float]) -> Any:
        import asyncio

        loop = self.kernel.loop
        try:
            running: Any = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if running is not None:
            getattr(awaitable, "close", lambda: None)()
            plugin = subject.plugin
            whose = f"plugin {plugin.name!r}" if plugin is not None else "the host"
            raise PklError(
                f"an async handler of {whose} cannot be awaited here: this thread's event loop is "
                "running, and a blocking call would stop it",
                plugin=plugin.name if plugin is not None else None,
                hint="use the async twin: await plugin.aenable(), adisable(), host.astart(), "
                "host.aclose()",
            )
        steps = _on_behalf(current_actor(), _owned(awaitable, subject), seconds)
        if loop is None or not loop.is_running():
            return asyncio.run(steps)
        # The task is pkl's own, whichever plugin's code led here.
        future = copy_context().run(_as_nobody, asyncio.run_coroutine_threadsafe, steps, loop)
        try:
            # It is cancelled after its seconds; one that will not end is left to itself.
            return future.result(None if seconds is None else 2 * seconds + 1)
        except sys.modules["concurrent.futures"].TimeoutError:
            if future.done():
                raise
            raise _Expired from None
        finally:
            future.cancel()


class AsyncRunner(Runner):
    """Awaits on the running event loop."""

    async def pause(self, seconds: float) -> None:
        try:
            await sys.modules["asyncio"].sleep(seconds)
        except BaseException as error:
            from_outside(error)
            raise

    async def wait_for_token(self, plugin: "Token", seconds: float) -> None:
        await self.pause(min(seconds, 0.005))

    async def finish(self, awaitable: Any, subject: Subject, seconds: Optional[float]) -> Any:
        return await _within(_owned(awaitable, subject), seconds)


def _as_nobody(function: Callable[..., Any], *args: Any) -> Any:
    _current.set(None)
    return function(*args)


def _owned(awaitable: Any, subject: Subject) -> Driven:
    return Driven(Watched(_as_coroutine(awaitable)), subject, checked=False)


async def _as_coroutine(awaitable: Any) -> Any:
    return await awaitable


async def _on_behalf(actor: Actor, awaitable: Any, seconds: Optional[float]) -> Any:
    with standing_for(actor):
        return await _within(awaitable, seconds)


async def _within(awaitable: Any, seconds: Optional[float]) -> Any:
    """Awaits in this very task, which ``asyncio.wait_for`` does only from Python 3.12 on.

    Raises:
        _Expired: It took longer; it has been cancelled, and has ended.
    """
    if seconds is None:
        return await awaitable
    asyncio = sys.modules["asyncio"]
    task = asyncio.current_task()
    expired = []

    def expire() -> None:
        expired.append(True)
        task.cancel()

    timer = asyncio.get_running_loop().call_later(seconds, expire)
    try:
        return await awaitable
    except asyncio.CancelledError as error:
        # Another cancellation may have come on top of this one; then that one is to pass.
        if not expired or (hasattr(task, "uncancel") and task.cancelling() > 1):
            raise
        raise _Expired from error
    finally:
        timer.cancel()
        if expired and hasattr(task, "uncancel"):
            task.uncancel()
