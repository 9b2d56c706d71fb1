"""Hooks: answers with provenance, order, wrappers, subsets of arguments, history, async."""

from __future__ import annotations

import asyncio
from typing import Any, Callable, Generator, Iterator, List, TypeVar

import pytest

import pkl
from pkl.kernel.hook import hook

from .conftest import Make, enabled

OWNER = """
import pkl
from pkl.kernel.hook import hook
@hook
def render(page, size=3): pass
@hook(first=True)
def find(key): pass
@hook(historic=True)
def loaded(name): pass
@hook(errors="raise")
def strict(x): pass
@hook(first=True, errors="raise")
def pick(x): pass
"""


F = TypeVar("F", bound=Callable[..., Any])


def on(declared: Any, **options: Any) -> Callable[[F], F]:
    """``declared.on(…)``, typed."""
    subscribe: Callable[[F], F] = declared.on(**options)
    return subscribe


@pytest.fixture
def owner(host: pkl.PluginHost, make: Make) -> Any:
    return enabled(host, make("owner", OWNER)).module


@pytest.fixture
def plugin(host: pkl.PluginHost, make: Make, owner: Any) -> pkl.Plugin:
    return enabled(
        host,
        make(
            "answers",
            """
            import pkl
            from pkl.plugins import owner
            @owner.render.on
            def render(size, page): return f"{page} {size} {pkl.this.name}"
            @owner.render.on
            def nothing(page): return None
            @owner.find.on
            def find(key): return pkl.this.name
            """,
            requires=["owner"],
        ),
    )


def test_answers_carry_plugin_and_duration_and_none_is_no_answer(
    owner: Any, plugin: pkl.Plugin
) -> None:
    results = owner.render("home")
    assert len(results) == 1 and results.values == ["home 3 answers"]
    assert results[0].value == "home 3 answers" and results[0].plugin is plugin
    assert results[0].duration >= 0 and [r.value for r in results] == results.values
    assert owner.render("home", size=9).values == ["home 9 answers"]
    assert pkl.get_current_plugin() is None


def test_first_takes_the_first_answer_and_calls_no_more(owner: Any) -> None:
    seen: List[str] = []

    def answer(name: str, value: Any) -> Any:
        def handler(key: str) -> Any:
            seen.append(name)
            return value

        return handler

    for name, value in (("none", None), ("zero", 0), ("late", 1)):
        owner.find.subscribe(answer(name, value))
    assert owner.find("k") == 0 and seen == ["none", "zero"]


def test_order_is_tryfirst_then_priority_then_subscription_then_trylast(owner: Any) -> None:
    def named(name: str) -> Any:
        return lambda page: name

    h = owner.render
    h.subscribe(named("last"), trylast=True, priority=9)
    h.subscribe(named("one"))
    h.subscribe(named("two"))
    h.subscribe(named("high"), priority=5)
    h.subscribe(named("first"), tryfirst=True)
    assert h("x").values == ["first", "high", "one", "two", "last"]


def test_wrappers_run_around_the_call_and_may_replace_result_or_error(owner: Any) -> None:
    trace: List[Any] = []

    @on(owner.strict, wrapper=True)
    def inner(x: int) -> Generator[Any, Any, Any]:
        trace.append(("inner", x))
        try:
            yield
        except ValueError as error:
            raise KeyError("replaced") from error

    @on(owner.strict, wrapper=True, tryfirst=True)
    def outer() -> Generator[Any, Any, Any]:
        trace.append("outer")
        try:
            results = yield
        except KeyError:
            trace.append("caught")
            return ["rescued"]
        trace.append(results.values)
        return None

    assert owner.strict(1).values == []

    def fails(x: int) -> None:
        raise ValueError

    undo = owner.strict.subscribe(fails)
    assert owner.strict(2) == ["rescued"]
    undo()
    owner.strict.subscribe(lambda x: x)
    assert owner.strict(3).values == [3]
    assert trace == [
        "outer",
        ("inner", 1),
        [],
        "outer",
        ("inner", 2),
        "caught",
        "outer",
        ("inner", 3),
        [3],
    ]


@pytest.mark.parametrize("yields", [0, 2])
def test_a_wrapper_that_does_not_yield_once_is_reported_and_the_others_torn_down(
    owner: Any, faults: List[Any], yields: int
) -> None:
    torn: List[str] = []

    @on(owner.render, wrapper=True)
    def good(page: str) -> Generator[Any, Any, Any]:
        try:
            yield
        finally:
            torn.append("good")

    @on(owner.render, wrapper=True)
    def bad(page: str) -> Generator[Any, Any, Any]:
        for _ in range(yields):
            yield

    owner.render.subscribe(lambda page: 1)
    assert owner.render("x").values == [1]
    assert torn == ["good"] and len(faults) == 1
    assert "wrapper" in faults[0].where and "test_hooks.py" in faults[0].where
    assert "yield" in str(faults[0].error)


def test_a_handlers_error_is_contained_or_ends_the_call(owner: Any, faults: List[Any]) -> None:
    def fails(**kwargs: Any) -> Any:
        raise ValueError("boo")

    for each in (owner.render, owner.strict, owner.pick):
        each.subscribe(fails)
        each.subscribe(lambda: 2)
    assert owner.render(page=1).values == [2]
    assert len(faults) == 1 and "of the hook owner.render" in faults[0].where
    for each in (owner.strict, owner.pick):
        with pytest.raises(ValueError, match="boo"):
            each(x=1)
    assert len(faults) == 3, "it is reported all the same"
    assert pkl.get_current_plugin() is None


@pytest.mark.parametrize(
    ("handler", "options", "words"),
    [
        (lambda pages: 1, {}, "takes pages, which the hook owner.render does not pass"),
        (lambda page: 1, {"wrapper": True}, "is not a generator function"),
        (3, {}, "cannot be called"),
    ],
)
def test_a_refused_handler_leaves_nothing_registered(
    host: pkl.PluginHost, owner: Any, handler: Any, options: Any, words: str
) -> None:
    with pytest.raises(pkl.HandlerRefused, match=words):
        owner.render.subscribe(handler, **options)
    assert owner.render("x").values == []
    assert host.resource_manager.get_resources(None) == ()


def test_generators_and_async_handlers_that_do_not_fit_are_refused(owner: Any) -> None:
    def generator(page: str) -> Iterator[int]:
        yield 1

    async def later(page: str) -> None: ...

    with pytest.raises(pkl.HandlerRefused, match="would be a generator"):
        owner.render.on(generator)
    with pytest.raises(pkl.HandlerRefused, match="is not async"):
        owner.render.on(later)


def test_a_historic_hook_replays_past_calls_to_who_comes_late_once(
    host: pkl.PluginHost, make: Make, owner: Any
) -> None:
    answers: List[Any] = []
    owner.loaded("one")
    owner.loaded.recorded(answers.append, "two")
    late = host.load_plugin(
        path=make(
            "late",
            "import pkl\nfrom pkl.plugins import owner\nseen = []\n@owner.loaded.on\n"
            "def f(name):\n    seen.append((name, pkl.this.name))\n    return name",
            requires=["owner"],
        )
    )
    owner.loaded("three")
    assert late.module.seen == []
    late.enable()
    owner.loaded("four")
    assert late.module.seen == [(n, "late") for n in ("one", "two", "three", "four")]
    assert answers == ["two"]


def test_hooks_that_cannot_be_are_refused() -> None:
    with pytest.raises(pkl.HandlerRefused, match=r"\*args"):
        hook(lambda *args: None)
    with pytest.raises(pkl.HandlerRefused, match="historic"):
        hook(historic=True, first=True)(lambda x: None)
    with pytest.raises(ValueError, match="'contain' or 'raise'"):
        hook(errors="ignore")  # type: ignore[call-overload]


def test_plugins_can_be_left_out_of_a_call_and_blocked_by_name(
    host: pkl.PluginHost, owner: Any, plugin: pkl.Plugin
) -> None:
    owner.render.subscribe(lambda page: "host")
    assert owner.render.without("answers")("x").values == ["host"]
    undo = host.block_handlers("Answers")
    assert owner.render("x").values == ["host"] and owner.find("k") is None
    undo()
    assert len(owner.render("x")) == 2


def test_calls_can_be_traced_and_the_undo_ends_it(
    host: pkl.PluginHost, owner: Any, plugin: pkl.Plugin
) -> None:
    seen: List[Any] = []
    undo = host.trace_hooks(
        before=lambda name, arguments: seen.append((name, dict(arguments))),
        after=lambda name, arguments, result, error, seconds: seen.append((result, error)),
    )
    owner.find("k")
    owner.strict.subscribe(lambda x: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        owner.strict(1)
    undo()
    undo()
    owner.find("k")
    assert seen[:2] == [("owner.find", {"key": "k"}), ("answers", None)]
    assert seen[2] == ("owner.strict", {"x": 1}) and isinstance(seen[3][1], ZeroDivisionError)
    assert len(seen) == 4


def test_only_the_owner_and_the_host_invoke_a_plugins_hook_and_while_it_runs(
    host: pkl.PluginHost, owner: Any, plugin: pkl.Plugin
) -> None:
    with pkl.plugin_context(host, plugin), pytest.raises(pkl.NotPermitted, match="the hook"):
        owner.find("k")
    stopped = owner.find
    host.get_plugin("owner").disable()  # type: ignore[union-attr]
    with pytest.raises(pkl.PluginNotRunning):
        stopped("k")


def test_subscriptions_outlive_the_hooks_owner(host: pkl.PluginHost, owner: Any) -> None:
    owner.find.subscribe(lambda key: 7)
    plugin = host.get_plugin("owner")
    assert plugin is not None
    plugin.disable()
    plugin.enable()
    assert plugin.module.find("k") == 7


ASYNC = """
import asyncio
from pkl.kernel.hook import hook
@hook
async def ordered(x): pass
@hook(concurrent=True)
async def together(x): pass
@hook(concurrent=True, errors="raise")
async def strict(x): pass
@hook(first=True)
async def pick(x): pass
"""


def test_async_hooks_await_async_and_call_sync_handlers(host: pkl.PluginHost, make: Make) -> None:
    owner = enabled(host, make("owner", ASYNC)).module
    order: List[str] = []

    async def slow(x: int) -> str:
        for _ in range(3):
            await asyncio.sleep(0)
        order.append("slow")
        return "slow"

    async def fast() -> str:
        order.append("fast")
        return "fast"

    for each in (owner.ordered, owner.together, owner.pick):
        each.subscribe(slow)
        each.subscribe(fast)
        each.subscribe(lambda x: f"sync {x}")

    async def main() -> None:
        assert (await owner.ordered(1)).values == ["slow", "fast", "sync 1"]
        assert order == ["slow", "fast"]
        order.clear()
        assert (await owner.together(x=2)).values == ["slow", "fast", "sync 2"]
        assert order == ["fast", "slow"], "they ran concurrently"
        assert await owner.pick(3) == "slow"

    asyncio.run(main())


def test_the_first_failure_of_a_concurrent_hook_cancels_its_siblings(
    host: pkl.PluginHost, make: Make
) -> None:
    owner = enabled(host, make("owner", ASYNC)).module
    ended: List[str] = []

    async def waits(x: int) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            ended.append("cancelled")
            raise

    async def fails(x: int) -> None:
        await asyncio.sleep(0)
        raise ValueError("boo")

    owner.strict.subscribe(waits)
    owner.strict.subscribe(fails)

    async def main() -> None:
        with pytest.raises(ValueError, match="boo"):
            await owner.strict(1)
        assert ended == ["cancelled"], "no handler outlives the call"

    asyncio.run(main())


def test_async_wrappers_run_around_async_hooks(host: pkl.PluginHost, make: Make) -> None:
    owner = enabled(host, make("owner", ASYNC)).module
    trace: List[Any] = []

    @on(owner.pick, wrapper=True)
    async def outer(x: int) -> Any:
        await asyncio.sleep(0)
        trace.append("before")
        trace.append((yield))

    @on(owner.pick, wrapper=True)
    def inner(x: int) -> Generator[Any, Any, Any]:
        result = yield
        return result * 2

    owner.pick.subscribe(lambda x: x)
    assert asyncio.run(owner.pick(4)) == 8
    assert trace == ["before", 8]
