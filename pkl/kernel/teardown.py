"""Takes back all that a generation holds: calls, children, resources, tasks, code."""

from __future__ import annotations

from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Awaitable, List, NamedTuple, Optional

from ..errors import CleanupError, StopTimeout
from ..model.state import Reason
from .activity import Activity
from .context import Subject
from .describe import describe
from .dispatch import passes
from .flat import Deep
from .reasons import described, stopped_by_parent
from .settling import Settling
from .stack import async_calls_in, innermost_of_thread, name_of_thread
from .stop_token import ask_to_stop
from .transition import current_actor

if TYPE_CHECKING:
    from .core import Kernel
    from .generation import AsyncCall, Generation
    from .plugin import Plugin
    from .runner import Runner

__all__ = ["Crash", "StopOrder", "Teardown"]


class Crash(NamedTuple):
    """A plugin that failed while it ran, as what made it and its dependants stop."""

    plugin: "Plugin"
    reason: Reason
    error: BaseException


class StopOrder:
    """The bounds of a stop, and what failed on the way.

    Args:
        kernel: The host's kernel.
        timeout: Seconds that calls, handlers and tasks may take to end; by default the host's.
        within: Seconds that all of it may take together; by default there is no such bound.
        crash: What made the plugins stop, if that was not somebody's wish.

    Attributes:
        failures: What failed, in order; a stop goes on whatever fails.
        cause: The root cause, where it is nobody's wish.
    """

    def __init__(
        self,
        kernel: "Kernel",
        timeout: Optional[float] = None,
        within: Optional[float] = None,
        crash: Optional[Crash] = None,
    ) -> None:
        self._kernel = kernel
        self._timeout = kernel.stop_timeout if timeout is None else timeout
        self._end = None if within is None else monotonic() + within
        self.crash = crash
        self.cause = crash.reason.cause if crash is not None else ""
        self.failures: List[BaseException] = []

    @property
    def seconds(self) -> float:
        """How long one thing that ends may take from now."""
        left = self.left
        return self._timeout if left is None else min(self._timeout, left)

    @property
    def left(self) -> Optional[float]:
        """What is left for all of it; None without a bound."""
        return None if self._end is None else max(0.0, self._end - monotonic())

    @property
    def patience(self) -> Optional[float]:
        """How long somebody else's transition is waited for; None for the host's bound alone."""
        return None if self._end is None else self.seconds

    def part(self) -> "StopOrder":
        """An order with the same bounds, and failures of its own, for one of several at once."""
        part = StopOrder(self._kernel, self._timeout, crash=self.crash)
        part._end = self._end
        return part

    async def attempt(
        self, step: Awaitable[Any], what: str = "", plugin: Optional["Plugin"] = None
    ) -> None:
        """Awaits a step; what it raises is kept, with the words for what and whose it was."""
        try:
            await step
        except BaseException as error:
            if what:
                whose = f"plugin {plugin.name!r}" if plugin is not None else "the host"
                # A class with slots does without; so does the text.
                with suppress(AttributeError):
                    error._pkl_where = f"{what} of {whose}"  # type: ignore[attr-defined]
            self.failures.append(error)

    def interrupt(self, since: int) -> Optional[BaseException]:
        """Takes out the first failure from ``since`` on that is not for pkl to keep."""
        for index in range(since, len(self.failures)):
            if passes(self.failures[index]):
                return self.failures.pop(index)
        return None

    def gathered(self, message: str, plugin: Optional["Plugin"] = None) -> Optional[CleanupError]:
        """The failures as one error; None without any."""
        if not self.failures:
            return None
        shown: List[Exception] = []
        for error in self.failures:
            if isinstance(error, Exception):
                shown.append(error)
            else:
                stand_in = RuntimeError(f"clean-up raised {described(error)}")
                stand_in.__cause__ = error
                shown.append(stand_in)
        if plugin is None:
            return CleanupError(message, shown)
        return CleanupError(message, shown, plugin=plugin.name, version=plugin.version)

    def report(self, where: str) -> None:
        """Reports the failures as the host does of errors that it contained, and forgets them."""
        failures, self.failures = self.failures, []
        for error in failures:
            self._kernel.contain(self._kernel.subject, error, where)


class Teardown:
    """What every stop has in common, whether a plugin was running or failed on its way there."""

    def __init__(self, kernel: "Kernel") -> None:
        self.kernel = kernel

    async def _disable(
        self, run: "Runner", plugin: "Plugin", order: StopOrder, *, reason: Optional[Reason] = None
    ) -> None:
        raise NotImplementedError

    async def tear_down(
        self, run: "Runner", plugin: "Plugin", order: StopOrder, *, farewell: bool
    ) -> None:
        """Leaves nothing of a plugin's generation but its ``on_unload`` handlers.

        Args:
            run: The runner.
            plugin: The plugin, whose token is held.
            order: Takes the failures; none of them, an interrupt included, ends the work.
            farewell: Whether ``on_disable`` is run first, as for a plugin that was active.
        """
        generation = plugin.generation
        await order.attempt(self.ask_to_stop(generation))
        if farewell:
            for handler in list(generation.handlers.get("on_disable", ())):
                step = run.call(generation, handler, order.seconds)
                await order.attempt(step, "on_disable", plugin)
        generation.close()
        await order.attempt(self._withdraw_services(generation))
        await order.attempt(self._drain(run, plugin, generation, order))
        await self.stop_children(run, plugin, order)
        generation.stopping = True
        if self.kernel.accountant is not None:
            self.kernel.accountant.stopping(generation)
        await self.release(run, generation, order)
        generation.dead = True
        try:
            self.drop_code(generation)
        except BaseException as error:
            order.failures.append(error)

    async def stop_children(self, run: "Runner", plugin: "Plugin", order: StopOrder) -> None:
        """Disables the plugin's children, last loaded first."""
        for child in reversed(plugin.children):
            reason = stopped_by_parent(child, plugin, order.cause)
            stop = self._disable(run, child, order, reason=reason)
            await order.attempt(Deep(stop))

    async def _drain(
        self, run: "Runner", plugin: "Plugin", generation: "Generation", order: StopOrder
    ) -> None:
        """Waits until no other thread or task is inside the plugin, within the order's bound.

        Raises:
            StopTimeout: Some still are.
        """
        me = current_actor()
        bound, began, pause = order.seconds, monotonic(), 0.001
        while True:
            # Calls that wait for this very transition end with it, not before it.
            waiting = self.kernel.transitions.waiting_for(me)
            generation.exempt_calls(waiting)
            gone = waiting.union((thread, 0) for thread in run.abandoned)
            calls = generation.calls_elsewhere(gone, _calls_of_own_tasks(generation))
            if not calls.running:
                return
            stuck = run.blocking and calls.here == calls.running
            if stuck or monotonic() - began >= bound:
                break
            await run.pause(pause)
            pause = min(pause * 1.5, 0.02)
        what = "1 call" if calls.running == 1 else f"{calls.running} calls"
        whose = f"into plugin {plugin.name!r} {plugin.version}"
        if stuck:
            message = (
                f"{what} {whose} could not end, because they wait for the event loop of the "
                "thread that stopped it; it was stopped all the same"
            )
        else:
            message = (
                f"{what} {whose} still ran in other threads or tasks after {bound:g} s; it was "
                "stopped all the same"
            )
            for thread in generation.threads_inside():
                if thread not in run.abandoned:
                    place = innermost_of_thread(thread)
                    message += f"\n  thread {name_of_thread(thread)}, at {place}"
        raise StopTimeout(
            message,
            plugin=plugin.name,
            version=plugin.version,
            hint="on an event loop, use: await plugin.adisable()"
            if stuck
            else "the calls end by themselves; what they still ask of pkl is refused",
            calls=calls.running,
        )

    async def release(self, run: "Runner", subject: Subject, order: StopOrder) -> None:
        """Releases what a generation or the host holds, last registered first.

        Its tasks, threads and submitted functions are asked to end when it is their turn, and
        are given time to before what was registered earlier is taken away from under them.
        """
        manager = self.kernel.resource_manager
        resources = subject.resources
        settling = Settling(self.kernel, run, subject, order.seconds)
        while resources:
            try:
                _, resource = resources.popitem()
            except KeyError:
                break  # another thread released the last one
            resource._held = False
            if isinstance(resource, Activity):
                settling.end(resource)
                manager.cleaned(resource)
                continue
            await order.attempt(settling.before_the_next())
            step = manager.clean_up(run, resource, order.seconds)
            await order.attempt(step, describe(resource), subject.plugin)
        await order.attempt(settling.finish())
        for pool in (subject.workers, subject.executor):
            if pool is not None:
                pool.close()

    async def _withdraw_services(self, generation: "Generation") -> None:
        """Leads the users of what it provides elsewhere; whoever called already is waited for."""
        self.kernel.services.withdraw_all(generation)

    @staticmethod
    async def ask_to_stop(subject: Subject) -> None:
        """Sets the stop token."""
        ask_to_stop(subject)

    def drop_code(self, generation: "Generation") -> None:
        """Lets go of a generation's modules, events and handlers; ``on_unload``'s are kept."""
        accountant = self.kernel.accountant
        receipt = None if accountant is None else accountant.stopped(generation)
        code, generation.code = generation.code, None
        generation.built_on = ()
        name = generation.plugin.name
        for route in self.kernel.routes_of(name):
            if route.event is not None and route.event.owner is generation:
                route.event = None
        generation.events.clear()
        for event in ("on_enable", "on_disable"):
            generation.handlers.pop(event, None)
        self.kernel.forget_import(name)
        if code is not None:
            code.drop()
        if receipt is not None:
            generation.plugin.receipt = receipt()

    async def run_unload_handlers(self, run: "Runner", plugin: "Plugin", order: StopOrder) -> None:
        """Runs the ``on_unload`` handlers of the generation that was, once."""
        generation = plugin.generation
        for handler in generation.handlers.pop("on_unload", ()):
            step = run.call(generation, handler, order.seconds)
            await order.attempt(step, "on_unload", plugin)


def _calls_of_own_tasks(generation: "Generation") -> List["AsyncCall"]:
    """The calls that a plugin's own tasks are inside of: these end with the tasks, cancelled."""
    return [call for task in list(generation.tasks) for call in async_calls_in(task)]
