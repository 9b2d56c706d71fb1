"""Async hooks: in order or together, structured ends, cancellation, wrappers of both kinds."""

from __future__ import annotations

import asyncio
from typing import Any, Awaitable, Callable, List

import pytest

import pkl

from .conftest import Make, enabled, state

OWNER = """
import pkl
ran = []
@pkl.hook
async def ordered(x): ran.append((pkl.this.name, x))
@pkl.hook(concurrent=True)
async def together(x): pass
@pkl.hook(errors="raise")
async def strict(x): pass
@pkl.hook(concurrent=True, errors="raise")
async def group(x): pass
"""

BOTH = pytest.mark.parametrize("name", ["ordered", "together"])
RAISING = pytest.mark.parametrize("name", ["strict", "group"])
EVERY = pytest.mark.parametrize("name", ["ordered", "together", "strict", "group"])


@pytest.fixture
def owner(host: pkl.PluginHost, make: Make) -> Any:
    return enabled(host, make("owner", OWNER)).module


async def settled() -> None:
    """Lets every task that can go on go on."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_the_body_is_awaited_first_as_the_owner(owner: Any) -> None:
    asyncio.run(owner.ordered(3))
    assert owner.ran == [("owner", 3)]


@EVERY
def test_answers_are_in_order_of_the_handlers_with_plugin_and_duration(
    host: pkl.PluginHost, make: Make, owner: Any, name: str
) -> None:
    code = f"""
        import asyncio, pkl
        from pkl.plugins import owner
        @owner.{name}.on
        async def late(x):
            await asyncio.sleep(0)
            return pkl.this.name
        @owner.{name}.on
        def soon(): return pkl.this.name
        """
    plugins = [enabled(host, make(n, code, requires=["owner"])) for n in ("one", "two")]
    results = asyncio.run(getattr(owner, name)(1))
    assert results.values == ["one", "one", "two", "two"]
    assert [each.plugin for each in results] == [p for p in plugins for _ in range(2)]
    assert all(each.duration >= 0 for each in results)


@EVERY
def test_a_callable_that_gives_an_awaitable_is_awaited(owner: Any, name: str) -> None:
    async def later(x: int) -> int:
        return x

    class Awaited:
        def __await__(self) -> Any:
            yield from asyncio.sleep(0).__await__()
            return 7

    hook = getattr(owner, name)
    hook.subscribe(lambda x: later(x))
    hook.subscribe(Awaited)
    assert asyncio.run(hook(1)).values == [1, 7]


@BOTH
def test_what_handlers_raise_is_contained_and_the_others_answer(
    owner: Any, faults: List[Any], name: str
) -> None:
    async def fails(x: int) -> None:
        await asyncio.sleep(0)
        raise ValueError(x)

    def exits(x: int) -> None:
        raise SystemExit(x)

    async def cancels_itself(x: int) -> None:
        raise asyncio.CancelledError

    hook = getattr(owner, name)
    for each in (fails, exits, cancels_itself):
        hook.subscribe(each)
    hook.subscribe(lambda x: x)
    assert asyncio.run(hook(1)).values == [1]
    kinds = {type(fault.error) for fault in faults}
    assert kinds == {ValueError, SystemExit, asyncio.CancelledError}


def waiting(ended: List[str], name: str) -> Callable[[int], Awaitable[None]]:
    """A handler that waits for ever, and takes a moment to end when it is cancelled."""

    async def handler(x: int) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            ended.append(name)
            raise

    return handler


def test_a_second_failure_while_siblings_are_cancelled_is_contained(
    owner: Any, faults: List[Any]
) -> None:
    async def fails(x: int) -> None:
        raise ValueError("first")

    async def fails_late(x: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise KeyError("second")

    ended: List[str] = []
    owner.group.subscribe(waiting(ended, "one"))
    owner.group.subscribe(fails_late)
    owner.group.subscribe(fails)
    with pytest.raises(ValueError, match="first"):
        asyncio.run(owner.group(1))
    assert ended == ["one"]
    assert [type(fault.error) for fault in faults] == [ValueError, KeyError]
    assert "being cancelled" in faults[1].where


@EVERY
def test_cancelling_the_call_cancels_its_handlers_and_leaves_none(
    owner: Any, faults: List[Any], name: str
) -> None:
    """On every Python: the cancellation is the caller's, not a fault of the handler's."""
    ended: List[str] = []
    hook = getattr(owner, name)
    hook.subscribe(waiting(ended, "one"))
    concurrent = name in ("together", "group")
    if concurrent:
        hook.subscribe(waiting(ended, "two"))

    async def main() -> None:
        task = asyncio.ensure_future(hook(1))
        await settled()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert ended == (["one", "two"] if concurrent else ["one"])
    assert faults == []


def test_a_call_that_is_cancelled_twice_still_waits_for_its_handlers(owner: Any) -> None:
    ended: List[str] = []
    let_go: List[Any] = []

    async def stubborn(x: int) -> None:
        for _ in range(2):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                let_go.append(1)
        ended.append("stubborn")

    owner.together.subscribe(stubborn)

    async def main() -> None:
        task = asyncio.ensure_future(owner.together(1))
        await settled()
        task.cancel()
        await settled()
        assert let_go == [1] and not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert ended == ["stubborn"]


@EVERY
def test_wrappers_are_torn_down_when_the_call_is_cancelled(owner: Any, name: str) -> None:
    trace: List[str] = []

    async def around(x: int) -> Any:
        try:
            yield
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            trace.append("async wrapper")

    def inner(x: int) -> Any:
        try:
            yield
        finally:
            trace.append("sync wrapper")

    hook = getattr(owner, name)
    hook.subscribe(around, wrapper=True)
    hook.subscribe(inner, wrapper=True)
    hook.subscribe(waiting(trace, "handler"))

    async def main() -> None:
        task = asyncio.ensure_future(hook(1))
        await settled()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert trace == ["handler", "sync wrapper", "async wrapper"]


@EVERY
def test_an_async_wrapper_yields_what_replaces_the_result_last(owner: Any, name: str) -> None:
    after: List[str] = []

    async def around(x: int) -> Any:
        results = yield
        yield [*results.values, x]
        after.append("goes on")

    hook = getattr(owner, name)
    hook.subscribe(around, wrapper=True)
    hook.subscribe(lambda x: "answer")
    assert asyncio.run(hook(1)) == ["answer", 1] and after == ["goes on"]


@RAISING
def test_an_async_wrapper_may_answer_for_a_failure(owner: Any, name: str) -> None:
    async def rescues(x: int) -> Any:
        try:
            yield
        except ValueError:
            yield "rescued"

    async def fails(x: int) -> None:
        raise ValueError

    hook = getattr(owner, name)
    hook.subscribe(rescues, wrapper=True)
    hook.subscribe(fails)
    assert asyncio.run(hook(1)) == "rescued"


@BOTH
def test_an_async_wrapper_that_yields_wrongly_is_reported_and_closed(
    owner: Any, faults: List[Any], name: str
) -> None:
    closed: List[str] = []

    async def never(x: int) -> Any:
        if x is None:
            yield

    async def bare_twice(x: int) -> Any:
        try:
            yield
            yield
        finally:
            closed.append("twice")

    async def thrice(x: int) -> Any:
        yield
        yield ["replaced"]
        try:
            yield
        finally:
            closed.append("thrice")

    hook = getattr(owner, name)
    for each in (never, bare_twice, thrice):
        hook.subscribe(each, wrapper=True)
    assert asyncio.run(hook(1)) == ["replaced"]
    assert closed == ["thrice", "twice"]
    assert [type(fault.error) for fault in faults] == [pkl.WrapperFault] * 3


def test_async_handlers_and_wrappers_are_refused_by_hooks_that_nobody_awaits(
    host: pkl.PluginHost, make: Make
) -> None:
    plain = enabled(host, make("plain", "import pkl\n@pkl.hook\ndef ask(x): pass")).module

    async def handler(x: int) -> None: ...

    async def wrapper(x: int) -> Any:
        yield

    with pytest.raises(pkl.HandlerRefused, match="await the async handler"):
        plain.ask.subscribe(handler)
    with pytest.raises(pkl.HandlerRefused, match="await the async wrapper"):
        plain.ask.subscribe(wrapper, wrapper=True)


@EVERY
def test_a_handler_may_disable_its_plugin_while_the_call_is_suspended(
    host: pkl.PluginHost, make: Make, owner: Any, faults: List[Any], name: str
) -> None:
    code = f"""
        import asyncio, pkl
        from pkl.plugins import owner
        this = pkl.this
        @owner.{name}.on
        async def ends(x):
            await asyncio.sleep(0)
            this.disable()
            return "ended"
        """
    plugin = enabled(host, make("other", code, requires=["owner"]))
    assert asyncio.run(getattr(owner, name)(1)).values == ["ended"]
    assert state(plugin) == "disabled" and faults == []
    assert asyncio.run(getattr(owner, name)(1)).values == []


def test_the_owner_is_not_stopped_under_a_call_that_is_suspended(
    host: pkl.PluginHost, owner: Any
) -> None:
    """Its call is in flight from the first step to the last, whoever's handlers run."""
    plugin = host.get_plugin("owner")
    assert plugin is not None
    ended: List[str] = []

    async def main() -> None:
        go_on = asyncio.Event()

        async def waits(x: int) -> None:
            await go_on.wait()
            ended.append("call")

        owner.ordered.subscribe(waits)
        call = asyncio.ensure_future(owner.ordered(1))
        await settled()

        async def stop() -> None:
            await plugin.adisable(timeout=30)
            ended.append("stopped")

        stopping = asyncio.ensure_future(stop())
        await settled()
        go_on.set()
        await call
        await stopping

    asyncio.run(main())
    assert ended == ["call", "stopped"]
