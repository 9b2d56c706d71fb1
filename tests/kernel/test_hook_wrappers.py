"""Wrappers: around the whole call, torn down in order whatever happens."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Callable, Dict, List

import pytest

import pkl

from .conftest import Make, enabled

OWNER = """
import pkl
@pkl.hook
def ask(x): pass
@pkl.hook(errors="raise")
def strict(x): pass
@pkl.hook(first=True)
def first(x): pass
@pkl.hook(first=True, errors="raise")
def only(x): pass
@pkl.hook
async def aask(x): pass
@pkl.hook(errors="raise")
async def astrict(x): pass
"""


class Strange(BaseException):
    """Nothing that anybody expects."""


@pytest.fixture
def owner(host: pkl.PluginHost, make: Make) -> Any:
    return enabled(host, make("owner", OWNER)).module


def call(hook: Any, *args: Any) -> Any:
    """Calls a hook, or awaits it in a loop of its own."""
    result = hook(*args)
    return asyncio.run(result) if hook.is_async else result


def recorder(trace: List[str], name: str) -> Callable[..., Any]:
    """A wrapper that notes its start and how it was ended."""

    def wrapper(x: Any) -> Any:
        trace.append(f"{name} starts")
        try:
            yield
        except BaseException as error:
            trace.append(f"{name} sees {type(error).__name__}")
            raise
        trace.append(f"{name} ends")

    return wrapper


STRICT = pytest.mark.parametrize("name", ["strict", "only", "astrict"])
EVERY = pytest.mark.parametrize("name", ["ask", "strict", "first", "only", "aask", "astrict"])


@EVERY
def test_wrappers_nest_first_to_start_last_to_end(owner: Any, name: str) -> None:
    trace: List[str] = []
    hook = getattr(owner, name)
    hook.subscribe(recorder(trace, "middle"), wrapper=True)
    hook.subscribe(recorder(trace, "inner"), wrapper=True, trylast=True)
    hook.subscribe(recorder(trace, "outer"), wrapper=True, tryfirst=True)
    hook.subscribe(lambda x: trace.append("handler"))
    call(hook, 1)
    down = ["outer starts", "middle starts", "inner starts", "handler"]
    assert trace == [*down, "inner ends", "middle ends", "outer ends"]
    assert pkl.get_current_plugin() is None


@pytest.mark.parametrize(
    ("name", "error"),
    [
        *((n, e) for n in ("strict", "only", "astrict") for e in (ValueError, SystemExit, Strange)),
        *((n, GeneratorExit) for n in ("strict", "only", "astrict")),
        *((n, StopIteration) for n in ("strict", "only")),
        ("astrict", StopAsyncIteration),
    ],
)
def test_every_wrapper_sees_a_failure_and_the_caller_gets_it_as_it_was(
    owner: Any, name: str, error: Any
) -> None:
    """StopIteration too, which a generator cannot let through as it is (PEP 479)."""
    trace: List[str] = []
    hook = getattr(owner, name)
    hook.subscribe(recorder(trace, "outer"), wrapper=True)
    hook.subscribe(recorder(trace, "inner"), wrapper=True)
    raised = error("boo")

    def fails(x: Any) -> None:
        raise raised

    hook.subscribe(fails)
    with pytest.raises(error) as caught:
        call(hook, 1)
    assert caught.value is raised
    assert trace[2:] == [f"inner sees {error.__name__}", f"outer sees {error.__name__}"]


@EVERY
def test_a_wrapper_replaces_the_result_unless_it_returns_none(owner: Any, name: str) -> None:
    hook = getattr(owner, name)
    got: List[Any] = []

    def changes(x: Any) -> Any:
        yield
        return "changed"

    def looks(x: Any) -> Any:
        got.append((yield))

    hook.subscribe(looks, wrapper=True)
    hook.subscribe(changes, wrapper=True)
    hook.subscribe(lambda x: x)
    assert call(hook, 1) == "changed" and got == ["changed"]


@STRICT
def test_a_wrapper_that_swallows_a_failure_leaves_the_empty_result(owner: Any, name: str) -> None:
    hook = getattr(owner, name)

    def swallows(x: Any) -> Any:
        with suppress(ValueError):
            yield

    def fails(x: Any) -> None:
        raise ValueError

    hook.subscribe(swallows, wrapper=True)
    hook.subscribe(lambda x: None)
    hook.subscribe(fails)
    assert call(hook, 1) == (None if hook.first else [])


@pytest.mark.parametrize("name", ["ask", "first", "aask"])
def test_what_a_wrapper_raises_is_contained_and_the_result_is_kept(
    owner: Any, faults: List[Any], name: str
) -> None:
    hook = getattr(owner, name)

    def before(x: Any) -> Any:
        raise ValueError("before")
        yield

    def after(x: Any) -> Any:
        yield
        raise ValueError("after")

    hook.subscribe(before, wrapper=True)
    hook.subscribe(after, wrapper=True)
    hook.subscribe(lambda x: x)
    result = call(hook, 1)
    assert (result if hook.first else result.values[0]) == 1
    assert [str(fault.error) for fault in faults] == ["before", "after"]
    assert all(fault.where.startswith("wrapper ") for fault in faults)


@STRICT
def test_what_a_wrapper_raises_goes_to_the_wrappers_outside_of_it(owner: Any, name: str) -> None:
    trace: List[str] = []
    hook = getattr(owner, name)

    def after(x: Any) -> Any:
        yield
        raise KeyError

    def before(x: Any) -> Any:
        raise ValueError
        yield

    hook.subscribe(recorder(trace, "outer"), wrapper=True)
    hook.subscribe(after, wrapper=True)
    with pytest.raises(KeyError):
        call(hook, 1)
    hook.subscribe(before, wrapper=True, trylast=True)
    hook.subscribe(lambda x: trace.append("never"))
    with pytest.raises(ValueError):
        call(hook, 1)
    assert trace == ["outer starts", "outer sees KeyError", "outer starts", "outer sees ValueError"]


def twice(x: Any) -> Any:
    yield
    yield


def never(x: Any) -> Any:
    if x is None:
        yield


def stubborn(x: Any) -> Any:
    yield
    try:
        yield
    except GeneratorExit:
        yield


@pytest.mark.parametrize("wrapper", [twice, never])
@EVERY
def test_a_wrapper_that_does_not_yield_once_is_named_with_hook_file_and_line(
    owner: Any, faults: List[Any], name: str, wrapper: Any
) -> None:
    hook = getattr(owner, name)
    hook.subscribe(wrapper, wrapper=True)
    hook.subscribe(lambda x: x)
    if hook.errors == "raise":
        with pytest.raises(pkl.WrapperFault) as caught:
            call(hook, 1)
        error: Any = caught.value
    else:
        result = call(hook, 1)
        assert (result if hook.first else result.values[0]) == 1
        (fault,) = faults
        error = fault.error
        assert isinstance(error, pkl.WrapperFault)
    line = wrapper.__code__.co_firstlineno
    assert (error.file, error.details["line"]) == (__file__, line)
    assert error.details["hook"] == f"owner.{name}"
    did = "did not yield" if wrapper is never else "yielded"
    assert f"the wrapper {wrapper.__name__} ({__file__}:{line})" in str(error)
    assert did in str(error) and "must yield exactly once" in str(error) and error.hint


def test_the_fault_of_a_plugins_wrapper_names_the_plugin(
    host: pkl.PluginHost, make: Make, owner: Any, faults: List[Any]
) -> None:
    code = """
        from pkl.plugins import owner
        @owner.ask.on(wrapper=True)
        def around(x):
            return
            yield
        """
    enabled(host, make("other", code, requires=["owner"], version="1.2"))
    owner.ask(1)
    (fault,) = faults
    assert (fault.error.plugin, fault.error.version) == ("other", "1.2")
    assert "of plugin 'other' 1.2 of the hook owner.ask did not yield" in str(fault.error)


@pytest.mark.parametrize("name", ["ask", "aask"])
def test_a_wrapper_that_will_not_be_closed_is_contained_too(
    owner: Any, faults: List[Any], name: str
) -> None:
    hook = getattr(owner, name)
    hook.subscribe(stubborn, wrapper=True)
    assert call(hook, 1) == []
    assert [type(fault.error) for fault in faults] == [RuntimeError, pkl.WrapperFault]


@EVERY
def test_an_interrupt_passes_every_wrapper_whatever_they_make_of_it(
    owner: Any, faults: List[Any], name: str
) -> None:
    """Handlers behind it are skipped, wrappers are torn down, and nobody swallows it."""
    trace: List[str] = []
    hook = getattr(owner, name)

    def swallows(x: Any) -> Any:
        try:
            yield
        except BaseException:
            trace.append("swallowed")
        return "fine"

    def raises(x: Any) -> Any:
        try:
            yield
        finally:
            raise ValueError("instead")

    def interrupted(x: Any) -> None:
        raise KeyboardInterrupt

    hook.subscribe(recorder(trace, "outer"), wrapper=True)
    hook.subscribe(raises, wrapper=True)
    hook.subscribe(swallows, wrapper=True)
    hook.subscribe(interrupted)
    hook.subscribe(lambda x: trace.append("never"))
    if not hook.is_async:
        with pytest.raises(KeyboardInterrupt):
            hook(1)
    else:
        step = hook(1)
        with pytest.raises(KeyboardInterrupt):
            step.send(None)
    assert "never" not in trace and "swallowed" in trace and trace[0] == "outer starts"
    assert len([line for line in trace if line.startswith("outer")]) == 2
    assert pkl.get_current_plugin() is None


def test_each_step_of_a_wrapper_runs_as_its_plugin(
    host: pkl.PluginHost, make: Make, owner: Any
) -> None:
    names: Dict[str, Any] = {}
    code = """
        import pkl
        from pkl.plugins import owner
        seen = []
        @owner.ask.on(wrapper=True)
        def around(x):
            seen.append(pkl.this.name)
            yield
            seen.append(pkl.this.name)
        """
    plugins = [enabled(host, make(name, code, requires=["owner"])) for name in ("one", "two")]

    def handler(x: Any) -> None:
        names["handler"] = pkl.get_current_plugin()

    owner.ask.subscribe(handler)
    owner.ask(1)
    assert [plugin.module.seen for plugin in plugins] == [["one", "one"], ["two", "two"]]
    assert names == {"handler": None}
    assert pkl.get_current_plugin() is None
