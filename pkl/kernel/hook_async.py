"""The asynchronous hook call: async and sync handlers, in order or concurrently."""

from __future__ import annotations

import sys
from time import perf_counter
from typing import TYPE_CHECKING, Any, Callable, List, Optional, Tuple

from .context import Subject
from .dispatch import Watched, call_one, from_outside, passes
from .generation import AsyncCall, runs_plugin_code
from .hook_call import bound_of, given_of
from .hook_outcome import Outcome, settle, yielded
from .hook_result import HookResult, Results, noted
from .hook_route import HookEntries, HookEntry, HookRoute
from .hook_subscription import HookSubscription, answer
from .hook_trace import atraced
from .steps import Driven

if TYPE_CHECKING:
    from .hook import Hook

__all__ = ["arun"]


@runs_plugin_code
async def arun(
    hook: "Hook[Any, Any]", args: Any, kwargs: Any, generation: Subject, route: HookRoute
) -> Any:
    """Runs an async hook: its body, then wrappers and handlers; in flight from first to last."""
    call = AsyncCall()
    generation.async_calls.append(call)
    try:
        if route.triggers:
            await route.awake()
        await Driven(hook.function(*args, **kwargs), generation)
        running = arun_hook(hook, given_of(hook, args, kwargs), hook.chosen(route))
        kernel = generation.kernel
        if kernel.hook_control.tracers:
            arguments = bound_of(hook, args, kwargs)
            return await atraced(kernel, hook.full_name, arguments, running)
        return await running
    finally:
        generation.async_calls.remove(call)


async def arun_hook(hook: "Hook[Any, Any]", given: Tuple[Any, ...], entries: HookEntries) -> Any:
    """The async twin of ``run_hook``; wrappers may be sync or async generators."""
    started: List[Tuple[Any, Subject, HookSubscription]] = []
    outcome = Outcome(hook)
    try:
        for subject, handler, subscription in entries.wrappers:
            if subject.live:
                wrapper = await _start(hook, given, subject, handler, subscription)
                if wrapper is not None:
                    started.append((wrapper, subject, subscription))
        run = _together if hook.concurrent and not hook.first else _in_order
        outcome.result = await run(hook, given, entries.handlers)
    except BaseException as error:
        outcome.fail(error)
    while started:
        await _resume(outcome, *started.pop())
    return outcome.end()


async def _answer(
    subject: Subject,
    handler: Callable[..., Any],
    subscription: HookSubscription,
    given: Tuple[Any, ...],
) -> Any:
    """One handler's answer; None if its plugin is stopped in the moment it is called."""
    value = call_one(subject, answer, (handler, subscription, given), {})
    if not subscription.awaited and not hasattr(value, "__await__"):
        return value
    if not hasattr(value, "send"):
        value = value.__await__()
    step = Driven(Watched(value), subject)
    try:
        return await step
    except BaseException as error:
        if step.begun or passes(error):
            raise
        return None


async def _in_order(
    hook: "Hook[Any, Any]", given: Tuple[Any, ...], handlers: Tuple[HookEntry, ...]
) -> Any:
    log: List[Any] = [perf_counter()]
    for subject, handler, subscription in handlers:
        value = None
        if subject.live:
            try:
                value = await _answer(subject, handler, subscription, given)
            except BaseException as error:
                settle(hook, subscription, error)
            if hook.first and value is not None:
                return value
        log += (value, perf_counter())
    return None if hook.first else noted(handlers, log)


async def _together(
    hook: "Hook[Any, Any]", given: Tuple[Any, ...], handlers: Tuple[HookEntry, ...]
) -> Results:
    """All handlers as tasks, which all have ended when this ends.

    With ``errors="raise"`` the first failure cancels the others; what these raise besides is
    contained, for it has no other way out.
    """
    asyncio = sys.modules["asyncio"]
    live = [entry for entry in handlers if entry[0].live]
    items: List[Optional[HookResult]] = [None] * len(live)
    failed: List[BaseException] = []

    async def one(at: int) -> None:
        subject, handler, subscription = live[at]
        began = perf_counter()
        try:
            value = await _answer(subject, handler, subscription, given)
            if value is not None:
                items[at] = HookResult(value, subject.plugin, perf_counter() - began)
        except BaseException as error:
            if failed and not passes(error):
                what = f"handler of the hook {hook.full_name}, which was being cancelled,"
                subject.kernel.contain(subject, error, what)
                return
            try:
                settle(hook, subscription, error)
            except BaseException as raised:
                failed.append(raised)
                raise

    await _end_all(asyncio, [asyncio.ensure_future(one(at)) for at in range(len(live))], failed)
    return Results.of([item for item in items if item is not None])


async def _end_all(asyncio: Any, tasks: List[Any], failed: List[BaseException]) -> None:
    """Waits until every task has ended; the first that fails, or a cancellation, cancels the rest.

    Raises:
        BaseException: The first failure, or the cancellation.
    """
    pending = set(tasks)
    cancelled: Optional[BaseException] = None
    while pending:
        try:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_EXCEPTION)
        except asyncio.CancelledError as error:
            from_outside(error)
            cancelled = cancelled or error
            ended = True
        else:
            ended = any(task.cancelled() or task.exception() is not None for task in done)
        if ended:
            for task in tasks:
                if task in pending:
                    task.cancel()
    if cancelled is not None:
        raise cancelled
    if failed:
        raise failed[0]
    if any(task.cancelled() for task in tasks):
        raise asyncio.CancelledError


def _is_async(wrapper: Any) -> bool:
    return hasattr(wrapper, "__anext__")


async def _start(
    hook: "Hook[Any, Any]",
    given: Tuple[Any, ...],
    subject: Subject,
    handler: Callable[..., Any],
    subscription: HookSubscription,
) -> Any:
    try:
        wrapper = call_one(subject, answer, (handler, subscription, given), {})
        if _is_async(wrapper):
            await Driven(Watched(wrapper.__anext__()), subject)
        else:
            call_one(subject, next, (wrapper,), {})
    except (StopIteration, StopAsyncIteration):
        settle(hook, subscription, yielded(hook, subscription, "did not yield"))
        return None
    except BaseException as error:
        settle(hook, subscription, error)
        return None
    return wrapper


async def _resume(
    outcome: Outcome, wrapper: Any, subject: Subject, subscription: HookSubscription
) -> None:
    failure = outcome.failure
    try:
        if not _is_async(wrapper):
            step = wrapper.send if failure is None else wrapper.throw
            call_one(subject, step, (outcome.result if failure is None else failure,), {})
        else:
            given = wrapper.asend(outcome.result) if failure is None else wrapper.athrow(failure)
            replacement = await Driven(Watched(given), subject, checked=False)
            if replacement is not None:
                # An async generator cannot return: its last yield stands for that.
                outcome.returned(replacement)
                await Driven(Watched(wrapper.__anext__()), subject, checked=False)
    except (StopIteration, StopAsyncIteration) as stop:
        outcome.ended(subscription, stop)
        return
    except BaseException as error:
        outcome.raised(subscription, error)
        return
    try:
        if _is_async(wrapper):
            await Driven(Watched(wrapper.aclose()), subject, counted=False, checked=False)
        else:
            call_one(subject, wrapper.close, (), {})
    except BaseException as error:
        outcome.raised(subscription, error)
    outcome.raised(subscription, yielded(outcome.hook, subscription, "yielded once too often"))
