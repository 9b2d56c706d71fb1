"""The asynchronous hook call: async and sync handlers, in order or concurrently."""

from __future__ import annotations

import sys
from time import perf_counter
from typing import Any, List, Optional, Tuple

from .context import Subject
from .dispatch import call_one
from .hook_call import HookCall, answer, settle
from .hook_result import Results
from .hook_route import HookEntries, HookSubscription
from .steps import Driven

__all__ = ["arun_hook"]


async def arun_hook(call: HookCall, entries: HookEntries, concurrent: bool) -> Any:
    """The async twin of ``run_hook``.

    Args:
        call: The call.
        entries: Wrappers (sync or async generators) and handlers.
        concurrent: Run the handlers as tasks of one group: all of them end before the call
            does, and with ``raises`` the first failure cancels the others and is raised.
    """
    started: List[Tuple[Any, HookSubscription]] = []
    result: Any = None
    failure: Optional[BaseException] = None
    try:
        for subject, _, subscription in entries.wrappers:
            if subject.live:
                wrapper = await _start(call, subject, subscription)
                if wrapper is not None:
                    started.append((wrapper, subscription))
        handlers = _together if concurrent and not call.hook.first else _in_order
        result = await handlers(call, entries)
    except BaseException as error:
        failure = error
    while started:
        wrapper, subscription = started.pop()
        result, failure = await _resume(call, wrapper, subscription, result, failure)
    if failure is not None:
        try:
            raise failure
        finally:
            failure = None
    return result


async def _answer(call: HookCall, subject: Subject, subscription: HookSubscription) -> Any:
    """One handler's answer."""
    given = call_one(subject, answer, (call, subscription.handler, subscription), {})
    return await Driven(given, subject) if subscription.awaited else given


async def _in_order(call: HookCall, entries: HookEntries) -> Any:
    answers: List[Any] = []
    for subject, _, subscription in entries.handlers:
        if not subject.live:
            continue
        began = perf_counter()
        try:
            value = await _answer(call, subject, subscription)
        except BaseException as error:
            settle(call.hook, subscription, error)
            continue
        if value is not None:
            if call.hook.first:
                return value
            answers.append((value, subject, perf_counter() - began))
    return None if call.hook.first else Results(answers)


async def _together(call: HookCall, entries: HookEntries) -> Results:
    asyncio = sys.modules["asyncio"]
    live = [(s, sub) for s, _, sub in entries.handlers if s.live]
    took = [0.0] * len(live)

    async def one(index: int) -> Any:
        subject, subscription = live[index]
        began = perf_counter()
        try:
            return await _answer(call, subject, subscription)
        except BaseException as error:
            settle(call.hook, subscription, error)
            return None
        finally:
            took[index] = perf_counter() - began

    tasks = [asyncio.ensure_future(one(i)) for i in range(len(live))]
    try:
        answers = await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        # A structured end: no handler outlives the call, and no second failure goes unseen.
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    kept = [i for i, each in enumerate(answers) if each is not None]
    return Results([(answers[i], live[i][0], took[i]) for i in kept])


def _is_async(wrapper: Any) -> bool:
    return hasattr(wrapper, "__anext__")


async def _start(call: HookCall, subject: Subject, subscription: HookSubscription) -> Any:
    try:
        wrapper = answer(call, subscription.handler, subscription)
        if _is_async(wrapper):
            await Driven(wrapper.__anext__(), subject)
        else:
            call_one(subject, next, (wrapper,), {})
    except (StopIteration, StopAsyncIteration):
        settle(call.hook, subscription, RuntimeError("the wrapper did not yield, it must once"))
        return None
    except BaseException as error:
        settle(call.hook, subscription, error)
        return None
    return wrapper


async def _resume(
    call: HookCall,
    wrapper: Any,
    subscription: HookSubscription,
    result: Any,
    failure: Optional[BaseException],
) -> Tuple[Any, Optional[BaseException]]:
    subject = subscription._subject
    try:
        if _is_async(wrapper):
            step = wrapper.asend(result) if failure is None else wrapper.athrow(failure)
            await Driven(step, subject, checked=False)
        elif failure is None:
            call_one(subject, wrapper.send, (result,), {})
        else:
            call_one(subject, wrapper.throw, (failure,), {})
    except StopIteration as stop:
        return (result if stop.value is None else stop.value), None
    except StopAsyncIteration:
        return result, None
    except BaseException as error:
        if error is failure:
            return result, failure
        try:
            settle(call.hook, subscription, error)
        except BaseException as raised:
            return result, raised
        return result, failure
    try:
        if _is_async(wrapper):
            await Driven(wrapper.aclose(), subject, counted=False, checked=False)
        else:
            call_one(subject, wrapper.close, (), {})
        settle(call.hook, subscription, RuntimeError("the wrapper yielded a second time"))
    except BaseException as raised:
        return result, raised
    return result, failure
