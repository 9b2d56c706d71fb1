"""Ctrl-C, SystemExit and worse at every stage: what passes, what is contained, what is left."""

from __future__ import annotations

import asyncio
from typing import Any, Callable, Iterator, List

import pytest

import pkl
from pkl.testing import FakeClock

from .conftest import state
from .running import PATIENCE
from .synthetic import Synthetic, check_settled


@pytest.fixture
def hosts() -> Iterator[Synthetic]:
    made = Synthetic(stop_timeout=PATIENCE)
    pkl.set_default_host(made.host)
    yield made
    made.host.close()
    check_settled(made.host)
    pkl.set_default_host(None)


class Held(pkl.Resource):
    """A resource that raises when it is released, if told to."""

    def __init__(self, released: List[Any], error: Any = None) -> None:
        super().__init__()
        self.released, self.error = released, error

    def _cleanup(self) -> None:
        self.released.append(self)
        if self.error is not None:
            raise self.error


def body_that_raises(stage: str, error: BaseException, released: List[Any]) -> Callable[..., None]:
    """A plugin that holds two resources and raises at one stage of its life, the first time."""
    errors = [error]

    def fail() -> None:
        if errors:
            raise errors.pop()

    def body(module: Any) -> None:
        plugin = module.plugin
        register = plugin.host.resource_manager.register
        register(Held(released))
        if stage == "cleanup" and errors:
            register(Held(released, errors.pop()))
        register(Held(released))
        if stage in ("on_enable", "on_disable", "on_unload"):
            getattr(plugin, stage).subscribe(fail)
        if stage.startswith("async"):

            async def afail() -> None:
                await asyncio.sleep(0)
                fail()

            getattr(plugin, stage[6:]).subscribe(afail)
        if stage == "import":
            fail()

    return body


STAGES = ["import", "on_enable", "on_disable", "cleanup", "on_unload"]
STAGES += ["async on_enable", "async on_disable", "async on_unload"]


def live(plugin: pkl.Plugin) -> None:
    """A whole life."""
    plugin.enable()
    plugin.disable()
    plugin.unload()


@pytest.mark.parametrize("stage", STAGES)
def test_keyboard_interrupt_passes_at_every_stage_and_leaves_nothing(
    hosts: Synthetic, stage: str
) -> None:
    released: List[Any] = []
    plugin = hosts.add("a", body_that_raises(stage, KeyboardInterrupt(), released))
    with pytest.raises(KeyboardInterrupt):
        live(plugin)
    check_settled(hosts.host)
    assert len(released) == len(set(released)) == (3 if stage == "cleanup" else 2)
    live(plugin)
    assert state(plugin) == "unloaded"


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("kind", [SystemExit, MemoryError, RecursionError, GeneratorExit])
def test_whatever_else_is_raised_is_that_plugins_fault(
    hosts: Synthetic, stage: str, kind: Any
) -> None:
    released: List[Any] = []
    plugin = hosts.add("a", body_that_raises(stage, kind("x"), released))
    other = hosts.add("b").enable()
    with pytest.raises(pkl.PklError):
        live(plugin)
    check_settled(hosts.host)
    assert len(released) == (3 if stage == "cleanup" else 2) and state(other) == "enabled"
    live(plugin)


class Unspeakable(Exception):
    """An error whose text, repr and attributes are no help."""

    def __str__(self) -> str:
        raise ValueError("no text")

    __repr__ = __str__


@pytest.mark.parametrize("stage", STAGES)
def test_an_error_without_a_text_is_told_all_the_same(hosts: Synthetic, stage: str) -> None:
    plugin = hosts.add("a", body_that_raises(stage, Unspeakable(), []))
    with pytest.raises(pkl.PklError) as raised:
        live(plugin)
    assert "Unspeakable" in str(raised.value) or stage == "cleanup"
    check_settled(hosts.host)


def test_an_error_without_a_text_in_a_handler_is_contained(
    hosts: Synthetic, caplog: pytest.LogCaptureFixture
) -> None:
    def body(module: Any) -> None:
        @pkl.event
        def happened() -> None: ...

        module.happened = happened

    owner = hosts.add("a", body).enable()
    seen: List[int] = []

    def bad() -> None:
        raise Unspeakable

    owner.module.happened.subscribe(bad)
    owner.module.happened.subscribe(lambda: seen.append(1))
    owner.module.happened()
    assert seen == [1] and "Unspeakable" in caplog.records[0].getMessage()


@pytest.mark.parametrize("hook", ["enable", "disable", "register", "cleanup", "context_switch"])
def test_ctrl_c_in_a_hook_of_the_host_passes_and_leaves_nothing(
    hosts: Synthetic, hook: str
) -> None:
    released: List[Any] = []
    plugin = hosts.add("a", body_that_raises("", ValueError(), released))
    manager = hosts.host.resource_manager
    add = getattr(hosts.host, f"add_{hook}_hook", None) or getattr(manager, f"add_{hook}_hook")

    def interrupt(*args: Any) -> None:
        raise KeyboardInterrupt

    undo = add(interrupt)
    with pytest.raises(KeyboardInterrupt):
        live(plugin)
    assert pkl.get_current_plugin() is None
    undo()
    check_settled(hosts.host)
    plugin.disable()
    check_settled(hosts.host)
    assert all(not r.held for r in released)


def test_ctrl_c_while_dependants_are_stopped_leaves_what_they_stand_on_running(
    hosts: Synthetic,
) -> None:
    base = hosts.add("base")
    top = hosts.add("top", body_that_raises("on_disable", KeyboardInterrupt(), []))
    hosts.host.kernel.add(top.candidate)
    user = hosts.add("user", requires=["base", "top"])
    for plugin in (base, top, user):
        plugin.enable()
    with pytest.raises(KeyboardInterrupt):
        top.disable()
    assert [state(p) for p in (base, top, user)] == ["enabled", "disabled", "disabled"]
    check_settled(hosts.host)


def test_ctrl_c_in_the_clean_up_of_a_failed_plugin_passes(hosts: Synthetic) -> None:
    """The plugin is in ERROR for its own reason."""

    def body(module: Any) -> None:
        module.plugin.host.resource_manager.register(Held([], KeyboardInterrupt()))
        raise ValueError("first")

    plugin = hosts.add("a", body)
    with pytest.raises(KeyboardInterrupt):
        plugin.enable()
    assert state(plugin) == "error" and plugin.reason is not None
    assert "first" in plugin.reason.cause
    check_settled(hosts.host)


def test_ctrl_c_during_close_passes_and_closing_again_completes_it(hosts: Synthetic) -> None:
    plugin = hosts.add("a", body_that_raises("on_disable", KeyboardInterrupt(), []))
    other = hosts.add("b")
    for each in (other, plugin):
        each.enable()
    with pytest.raises(KeyboardInterrupt):
        hosts.host.close()
    assert state(other) == "enabled" and not hosts.host.closed
    hosts.host.close()
    assert hosts.host.closed and state(other) == "unloaded"


def test_ctrl_c_during_start_passes_and_starting_again_completes_it(
    make: Any, host: pkl.PluginHost
) -> None:
    path = make("a", "raise KeyboardInterrupt")
    make("b", requires=["a"])
    with pytest.raises(KeyboardInterrupt):
        host.start()
    check_settled(host)
    (path / "plugin.py").write_text("")
    assert host.start().ok


def test_ctrl_c_in_a_generator_event_passes_whatever_the_generator_makes_of_it(
    hosts: Synthetic,
) -> None:
    def body(module: Any) -> None:
        @pkl.event
        def happened() -> Any:
            try:
                yield
            except BaseException as error:
                raise ValueError("instead") from error

        module.happened = happened

    owner = hosts.add("a", body).enable()

    def interrupt() -> None:
        raise KeyboardInterrupt

    owner.module.happened.subscribe(interrupt)
    with pytest.raises(KeyboardInterrupt):
        owner.module.happened()
    assert pkl.get_current_plugin() is None
    owner.disable()


def test_ctrl_c_in_a_timers_callback_passes_and_the_interval_goes_on(hosts: Synthetic) -> None:
    """Where the callback runs in the thread that advances the clock, or on the loop."""
    clock: FakeClock = hosts.host.kernel.clock  # type: ignore[assignment]
    ticks: List[int] = []

    def tick() -> None:
        ticks.append(1)
        if len(ticks) == 1:
            raise KeyboardInterrupt

    def body(module: Any) -> None:
        pkl.set_interval(tick, 1)

    plugin = hosts.add("a", body).enable()
    with pytest.raises(KeyboardInterrupt):
        clock.advance(1)
    clock.advance(2)
    assert len(ticks) == 3 and plugin.faults == 0
