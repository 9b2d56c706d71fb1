"""The two ways to carry out a transition: blocking, or on an event loop.

The life cycle is written once, as coroutines that await only what a runner gives them. The
blocking runner never suspends them, so that ``complete`` can run them without a loop.
"""

from __future__ import annotations

import sys
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Callable, Coroutine, Optional, TypeVar

from ..errors import PklError, StopTimeout
from .context import Subject
from .describe import describe
from .dispatch import call_one
from .steps import Driven
from .transition import Transitions, current_actor

if TYPE_CHECKING:
    from .core import Kernel
    from .plugin import Plugin

__all__ = ["AsyncRunner", "BlockingRunner", "Runner", "complete"]

T = TypeVar("T")


def complete(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine that never suspends, and returns its result."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    coroutine.close()
    raise AssertionError("a blocking transition suspended")


class Runner:
    """How a transition waits and calls."""

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
        self, subject: Subject, function: Callable[..., Any], seconds: Optional[float] = None
    ) -> None:
        """Calls a handler as ``subject`` and awaits what it returns, if that is awaitable."""
        result = call_one(subject, function, (), {})
        if not hasattr(result, "__await__"):
            return
        began = monotonic()
        try:
            await self.finish(result, subject, seconds)
        except Exception as error:
            if seconds is None or monotonic() - began < seconds or not _is_timeout(error):
                raise
            plugin = subject.plugin
            whose = f" of plugin {plugin.name!r} {plugin.version}" if plugin is not None else ""
            raise StopTimeout(
                f"{describe(function)}{whose} did not end within {seconds:g} s and was cancelled",
                plugin=plugin.name if plugin is not None else None,
                version=plugin.version if plugin is not None else None,
                hint="let it end sooner, or give it more time: disable(timeout=…)",
            ) from error

    async def take(self, plugin: "Plugin") -> None:
        """Takes the plugin's transition token, waiting for it within the kernel's bound.

        Raises:
            TransitionDeadlock: The wait would wait for itself.
            TransitionTimeout: It took too long.
        """
        transitions: Transitions = self.kernel.transitions
        actor = current_actor()
        if transitions.take(plugin, actor):
            return
        bound = self.kernel.transition_timeout
        waited = 0.0
        try:
            while True:
                transitions.announce(plugin, actor)
                if transitions.take(plugin, actor):
                    return
                if waited >= bound:
                    raise transitions.overdue(plugin, bound)
                await self.wait_for_token(0.05)
                waited += 0.05
        finally:
            transitions.withdraw(actor)

    async def wait_for_token(self, seconds: float) -> None:
        """Waits until a token may be free."""
        raise NotImplementedError


class BlockingRunner(Runner):
    """Blocks the calling thread."""

    async def pause(self, seconds: float) -> None:
        sleep(seconds)

    async def wait_for_token(self, seconds: float) -> None:
        self.kernel.transitions.wait(seconds)

    def may_wait_for_loop(self) -> bool:
        loop = self.kernel.loop
        if loop is None or not loop.is_running():
            return False
        return sys.modules["asyncio"]._get_running_loop() is not loop

    async def finish(self, awaitable: Any, subject: Subject, seconds: Optional[float]) -> Any:
        import asyncio

        driven = _as_coroutine(Driven(awaitable.__await__(), subject, checked=False))
        loop = self.kernel.loop
        try:
            running: Any = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if running is not None:
            driven.close()
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
        if loop is not None and loop.is_running():
            return asyncio.run_coroutine_threadsafe(_within(driven, seconds), loop).result()
        return asyncio.run(_within(driven, seconds))


class AsyncRunner(Runner):
    """Awaits on the running event loop."""

    async def pause(self, seconds: float) -> None:
        await sys.modules["asyncio"].sleep(seconds)

    async def wait_for_token(self, seconds: float) -> None:
        await self.pause(min(seconds, 0.005))

    async def finish(self, awaitable: Any, subject: Subject, seconds: Optional[float]) -> Any:
        driven = Driven(awaitable.__await__(), subject, checked=False)
        return await _within(_as_coroutine(driven), seconds)


def _is_timeout(error: BaseException) -> bool:
    """Whether it is a TimeoutError; asyncio's is one of its own before Python 3.11."""
    return isinstance(error, (TimeoutError, sys.modules["asyncio"].TimeoutError))


async def _as_coroutine(awaitable: Any) -> Any:
    return await awaitable


async def _within(coroutine: Any, seconds: Optional[float]) -> Any:
    if seconds is None:
        return await coroutine
    return await sys.modules["asyncio"].wait_for(coroutine, seconds)
