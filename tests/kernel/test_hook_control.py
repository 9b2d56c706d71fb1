"""Which handlers a call reaches, who watches it, and what is on its way out."""

from __future__ import annotations

import threading
import warnings
from typing import Any, List

import pytest

import pkl
from pkl.model.finding import WARNING

from .conftest import Make, enabled
from .running import PATIENCE

OWNER = """
import pkl
@pkl.hook
def ask(x, y=2): pass
@pkl.hook(first=True)
def first(x): pass
@pkl.hook(errors="raise")
async def aask(x): pass
"""
OTHER = """
import pkl
from pkl.plugins import owner
@owner.ask.on
def answer(x): return pkl.this.name
@owner.ask.on(wrapper=True)
def around(): return (yield)
"""


@pytest.fixture
def owner(host: pkl.PluginHost, make: Make) -> Any:
    return enabled(host, make("owner", OWNER)).module


@pytest.fixture
def other(host: pkl.PluginHost, make: Make, owner: Any) -> pkl.Plugin:
    return enabled(host, make("other", OTHER, requires=["owner"]))


def test_handlers_are_listed_wrappers_first_in_order_of_the_call(
    host: pkl.PluginHost, owner: Any, other: pkl.Plugin
) -> None:
    def mine(x: int) -> None: ...

    owner.ask.subscribe(mine, tryfirst=True)
    assert owner.ask.handlers() == (
        (other.module.around, other, True, True),
        (mine, None, False, True),
        (other.module.answer, other, False, True),
    )
    host.block_handlers("other")
    assert [each.live for each in owner.ask.handlers()] == [False, True, False]
    assert [each.live for each in owner.ask.without("other").handlers()] == [False, True, False]


def test_handlers_of_a_loaded_plugin_are_listed_and_not_live(
    host: pkl.PluginHost, make: Make, owner: Any
) -> None:
    loaded = host.load_plugin(path=make("other", OTHER, requires=["owner"]))
    assert [(h.plugin, h.live) for h in owner.ask.handlers()] == [(loaded, False)] * 2
    assert owner.ask(1).values == []


def test_a_handler_for_one_call_comes_behind_those_that_do_not_ask_to_be_last(
    host: pkl.PluginHost, owner: Any, other: pkl.Plugin
) -> None:
    owner.ask.subscribe(lambda: "last", trylast=True)
    with_extra = owner.ask.with_handlers(lambda y: y, lambda: pkl.get_current_plugin())
    assert with_extra(1).values == ["other", 2, "last"]
    assert owner.ask(1).values == ["other", "last"]
    with pkl.plugin_context(host, host.get_plugin("owner")):
        own = owner.ask.with_handlers(lambda: pkl.get_current_plugin())
        assert [each.plugin for each in own(1)][1] is host.get_plugin("owner")
    assert with_extra.without("other").with_handlers(lambda: 3)(1).values == [2, 3, "last"]
    with pytest.raises(pkl.HandlerRefused, match="takes z"):
        owner.ask.with_handlers(lambda z: z)
    assert len(owner.ask.handlers()) == 3


def test_a_plugin_blocked_twice_is_called_again_after_both_are_undone(
    host: pkl.PluginHost, owner: Any, other: pkl.Plugin
) -> None:
    first, second = host.block_handlers("other"), host.block_handlers("Other")
    assert host.blocked_handlers == {"other"}
    first()
    first()
    assert owner.ask(1).values == []
    second()
    assert owner.ask(1).values == ["other"] and host.blocked_handlers == frozenset()


def test_a_plugin_is_unblocked_by_name(host: pkl.PluginHost, owner: Any, other: pkl.Plugin) -> None:
    undo = host.block_handlers("other")
    host.block_handlers("other")
    assert host.unblock_handlers("OTHER") is True and host.unblock_handlers("other") is False
    assert owner.ask(1).values == ["other"]
    undo()
    assert owner.ask(1).values == ["other"]


def test_a_plugin_may_be_blocked_before_it_is_known(
    host: pkl.PluginHost, make: Make, owner: Any
) -> None:
    owner.ask.subscribe(lambda: "host")
    host.block_handlers("other")
    enabled(host, make("other", OTHER, requires=["owner"]))
    assert owner.ask(1).values == ["host"]


def test_blocking_in_the_middle_of_a_call_takes_effect_at_the_next(
    host: pkl.PluginHost, owner: Any, other: pkl.Plugin
) -> None:
    undo: List[Any] = []
    owner.ask.subscribe(lambda: undo.append(host.block_handlers("other")), tryfirst=True)
    undone = owner.ask.subscribe(lambda: "host")
    assert owner.ask(1).values == ["other", "host"] and host.blocked_handlers == {"other"}
    while undo:
        undo.pop()()
    undone()
    host.block_handlers("other")
    assert owner.ask(1).values == []


def test_tracers_see_calls_of_every_kind_in_order_and_end_apart(
    host: pkl.PluginHost, owner: Any
) -> None:
    seen: List[Any] = []
    undo = host.trace_hooks(before=lambda name, arguments: seen.append(("one", name)))
    same = host.trace_hooks(before=lambda name, arguments: seen.append(("two", name)))
    owner.ask(1)
    undo()
    undo()
    owner.first.without("nobody")(x=2)
    same()
    owner.ask(3)
    assert seen == [("one", "owner.ask"), ("two", "owner.ask"), ("two", "owner.first")]


def test_a_tracer_is_told_of_results_errors_and_arguments_with_their_defaults(
    host: pkl.PluginHost, owner: Any
) -> None:
    import asyncio

    seen: List[Any] = []

    def after(name: str, arguments: Any, result: Any, error: Any, seconds: float) -> None:
        seen.append((name, dict(arguments), getattr(result, "values", result), type(error)))
        assert seconds >= 0

    def fails() -> None:
        raise ValueError

    host.trace_hooks(after=after)
    owner.ask.subscribe(lambda x: x)
    owner.aask.subscribe(fails)
    owner.ask(1)
    with pytest.raises(ValueError):
        asyncio.run(owner.aask(x=5))
    nothing = type(None)
    assert seen == [
        ("owner.ask", {"x": 1, "y": 2}, [1], nothing),
        ("owner.aask", {"x": 5}, None, ValueError),
    ]


def test_a_tracer_that_raises_is_reported_and_changes_nothing(
    host: pkl.PluginHost, owner: Any, faults: List[Any]
) -> None:
    host.trace_hooks(before=lambda name, arguments: 1 / 0)
    owner.ask.subscribe(lambda x: x)
    assert owner.ask(1).values == [1] and isinstance(faults[0].error, ZeroDivisionError)


def test_context_switch_hooks_hear_of_handlers(
    host: pkl.PluginHost, owner: Any, other: pkl.Plugin
) -> None:
    seen: List[Any] = []

    def note(old: Any, new: Any) -> None:
        seen.append(tuple(p.name if p else None for p in (old, new)))

    undo = host.add_context_switch_hook(note)
    owner.ask(1)
    undo()
    owner.ask(1)
    step = [("owner", "other"), ("other", "owner")]
    assert seen == [(None, "owner"), *step * 3, ("owner", None)]


def test_who_answers_a_deprecated_hook_is_warned_at_his_own_line_and_found(
    host: pkl.PluginHost, make: Make
) -> None:
    code = """
        import pkl
        @pkl.hook(deprecated="answer shop.prices")
        def offers(x): pass
        """
    shop = enabled(host, make("shop", code)).module

    def answer(x: int) -> int:
        return x

    with pytest.warns(pkl.DeprecatedHookWarning, match=r"shop\.offers is deprecated: answer") as w:
        shop.offers.subscribe(answer)
    assert (w[0].filename, w[0].lineno) == (__file__, answer.__code__.co_firstlineno)
    assert shop.offers(1).values == [1]
    (found,) = host.check()
    assert (found.severity, found.code, found.hook) == (WARNING, "deprecated-hook", "shop.offers")
    assert found.line == answer.__code__.co_firstlineno and found.hint == "answer shop.prices"


def test_only_who_takes_a_deprecated_argument_is_warned(host: pkl.PluginHost, make: Make) -> None:
    code = """
        import pkl
        @pkl.hook(deprecated_arguments={"path": "take file"})
        def read(file, path): pass
        """
    shop = enabled(host, make("shop", code)).module
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shop.read.subscribe(lambda file: file)
        for handler in (lambda file, path: 0, lambda *, path: 0, lambda **every: 0):
            with pytest.raises(pkl.DeprecatedHookWarning, match="passes path, which is deprec"):
                shop.read.subscribe(handler)
    assert shop.read(1, 2).values == [1], "what is refused leaves nothing behind"
    with pytest.warns(pkl.DeprecatedHookWarning):
        shop.read.subscribe(lambda path: path)
    (found,) = host.check()
    assert (found.code, found.argument) == ("deprecated-argument", "path")


def test_a_hook_deprecates_only_what_it_takes() -> None:
    with pytest.raises(pkl.HandlerRefused, match="deprecates size, which it does not take"):
        pkl.hook(deprecated_arguments={"size": "none"})(lambda x: None)


def test_blocking_and_tracing_while_others_call(host: pkl.PluginHost, owner: Any) -> None:
    """The quick way of calling is left and taken again without a call going astray."""
    owner.ask.subscribe(lambda x: x)
    wrong: List[Any] = []

    def calls() -> None:
        for _ in range(200):
            if owner.ask(1).values != [1]:
                wrong.append(1)

    threads = [threading.Thread(target=calls) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(30):
        undo, other = host.block_handlers("nobody"), host.trace_hooks()
        owner.ask.subscribe(lambda: None)()
        undo()
        other()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert wrong == []
