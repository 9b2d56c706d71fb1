"""Runs an event's body around its handlers: plain, generator, coroutine, async generator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from .context import Subject, _current, switch, switch_back
from .dispatch import Failed, adeliver, deliver, deliver_observed
from .generation import AsyncCall, runs_plugin_code
from .steps import Driven

if TYPE_CHECKING:
    from .base_event import BaseEvent
    from .route import Route

__all__ = ["arun_body", "run_body"]


@runs_plugin_code
def run_body(
    event: "BaseEvent[Any, Any]", generation: Subject, route: "Route", args: Any, kwargs: Any
) -> None:
    """Runs a sync event as its owner, restoring the caller's subject.

    Raises:
        HandlerErrors: The event is declared ``errors="raise"`` and its generator did not
            swallow them.
        BaseException: What the body raised.
    """
    entries = route.entries
    if entries is None:
        entries = route.build()
    send = deliver_observed if generation.kernel.switch_hooks else deliver
    failed: Optional[Failed] = None
    previous = switch(generation)
    try:
        if not event.is_generator:
            event.function(*args, **kwargs)
            failed = send(entries, args, kwargs)
        else:
            body = event.function(*args, **kwargs)
            try:
                next(body)
            except StopIteration:
                return
            try:
                failed = send(entries, args, kwargs)
            except BaseException as error:
                _current.set(generation)
                try:
                    _resume(body, error, event)
                except BaseException as second:
                    _contain_second(event, generation, error, second)
                raise
            _current.set(generation)
            errors = event.gather(failed) if failed is not None else None
            try:
                _resume(body, errors, event)
            finally:
                if failed is not None:
                    event._settle(generation.kernel, failed)
            return
    finally:
        switch_back(previous)
    if failed is not None:
        event._settle(generation.kernel, failed)
        errors = event.gather(failed)
        if errors is not None:
            raise errors


def _resume(body: Any, error: Optional[BaseException], event: "BaseEvent[Any, Any]") -> None:
    try:
        if error is None:
            next(body)
        else:
            body.throw(error)
    except StopIteration:
        return
    body.close()
    raise RuntimeError(f"the event {event.full_name} yielded a second time; it may yield once")


def _contain_second(
    event: "BaseEvent[Any, Any]", generation: Subject, first: BaseException, second: BaseException
) -> None:
    """Contains what an event's generator makes of an interrupt, which itself passes."""
    if second is not first:
        where = f"the generator of the event {event.full_name}, interrupted,"
        generation.kernel.contain(generation, second, where)


@runs_plugin_code
async def arun_body(
    event: "BaseEvent[Any, Any]", generation: Subject, route: "Route", args: Any, kwargs: Any
) -> None:
    """The async twin of ``run_body``: the body and async handlers are awaited."""
    # In flight from the first step to the last, also while only handlers run.
    call = AsyncCall()
    generation.async_calls.append(call)
    try:
        await _arun_body(event, generation, route, args, kwargs)
    finally:
        generation.async_calls.remove(call)


async def _arun_body(
    event: "BaseEvent[Any, Any]", generation: Subject, route: "Route", args: Any, kwargs: Any
) -> None:
    entries = route.entries
    if entries is None:
        entries = await route.abuild()
    if not event.is_generator:
        await Driven(event.function(*args, **kwargs), generation)
        failed = await adeliver(entries, args, kwargs)
        if failed is not None:
            event._settle(generation.kernel, failed)
            errors = event.gather(failed)
            if errors is not None:
                raise errors
        return
    body = event.function(*args, **kwargs)
    try:
        await Driven(body.__anext__(), generation)
    except StopAsyncIteration:
        return
    try:
        failed = await adeliver(entries, args, kwargs)
    except BaseException as error:
        try:
            await _aresume(body, error, event, generation)
        except BaseException as second:
            _contain_second(event, generation, error, second)
        raise
    try:
        errors = event.gather(failed) if failed is not None else None
        await _aresume(body, errors, event, generation)
    finally:
        if failed is not None:
            event._settle(generation.kernel, failed)


async def _aresume(
    body: Any, error: Optional[BaseException], event: "BaseEvent[Any, Any]", generation: Subject
) -> None:
    step = body.__anext__() if error is None else body.athrow(error)
    try:
        await Driven(step, generation, checked=False)
    except StopAsyncIteration:
        return
    await Driven(body.aclose(), generation, counted=False, checked=False)
    raise RuntimeError(f"the event {event.full_name} yielded a second time; it may yield once")
