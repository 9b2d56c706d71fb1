"""Handles of services: whom they follow, when they rebind, who is told, and who waits."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Callable, Iterator, List, Tuple

import pytest

import pkl

from .running import PATIENCE, loop_in_thread, wait_until
from .synthetic import Synthetic


class Clock:
    """The interface, and an implementation."""

    def __init__(self, name: str) -> None:
        self.name = name

    def who(self) -> str:
        return self.name


@pytest.fixture
def world() -> Iterator[Synthetic]:
    made = Synthetic(stop_timeout=PATIENCE, transition_timeout=PATIENCE)
    pkl.set_default_host(made.host)
    yield made
    made.host.close()
    pkl.set_default_host(None)


@pytest.fixture
def faults(world: Synthetic) -> List[Any]:
    seen: List[Any] = []
    world.host.on_error.subscribe(seen.append)
    return seen


def providing(interface: Any = Clock, **options: Any) -> Callable[[Any], None]:
    def body(module: Any) -> None:
        clock = Clock(module.plugin.name)
        module.provision = pkl.provide(interface, clock, **options)

    return body


def named(provision: pkl.Provision) -> str:
    assert provision.plugin is not None
    return provision.plugin.name


def watched(handle: Any) -> List[Tuple[str, str]]:
    seen: List[Tuple[str, str]] = []
    handle.on_bound(lambda p: seen.append(("bound", named(p))))
    handle.on_unbound(lambda p: seen.append(("unbound", named(p))))
    return seen


def test_a_reluctant_handle_keeps_its_provider_and_a_greedy_one_takes_the_better(
    world: Synthetic,
) -> None:
    reluctant, greedy = pkl.use(Clock), pkl.use(Clock, greedy=True)
    seen, greedily = watched(reluctant), watched(greedy)
    plain, better = world.add("plain", providing()), world.add("better", providing(rank=1))
    plain.enable()
    better.enable()
    assert (reluctant.api.who(), greedy.api.who()) == ("plain", "better")
    plain.disable()
    assert reluctant.api.who() == "better", "it goes on with who is left"
    plain.enable()
    assert (reluctant.api.who(), greedy.api.who()) == ("better", "better")
    better.disable()
    assert (reluctant.api.who(), greedy.api.who()) == ("plain", "plain")
    move = [("unbound", "plain"), ("bound", "better")]
    back = [("unbound", "better"), ("bound", "plain")]
    assert seen == greedily == [("bound", "plain"), *move, *back]


def test_a_handle_follows_a_replacement_and_a_method_kept_by_hand_does_too(
    world: Synthetic,
) -> None:
    first = world.add("first", providing()).enable()
    clock = pkl.use(Clock)
    who = clock.api.who
    world.add("second", providing()).enable()
    first.disable()
    assert who() == clock.api.who() == "second"


def test_a_call_on_its_way_into_a_stopping_provider_goes_to_the_next(world: Synthetic) -> None:
    """In the moment between the refusal of calls and the news of it."""
    first = world.add("first", providing()).enable()
    clock, everyone = pkl.use(Clock), pkl.use_all(Clock)
    who, (one,) = clock.api.who, everyone
    world.add("second", providing()).enable()
    first.generation.close()
    assert who() == "second" and clock.api.who() == "second"
    with pytest.raises(pkl.ServiceUnavailable):
        one.who()
    assert [api.who() for api in everyone] == ["second"]


def test_a_provision_released_by_hand_is_gone_and_a_new_one_is_taken(world: Synthetic) -> None:
    clock = pkl.use(Clock)
    one = pkl.provide(Clock, Clock("one"))
    assert clock.api.who() == "one"
    one.release()
    one.release()
    assert not clock
    pkl.provide(Clock, Clock("two"))
    assert clock.api.who() == "two"


def test_all_of_a_service_are_in_order_and_keep_their_apis(world: Synthetic) -> None:
    clocks = pkl.use_all(Clock)
    seen = watched(clocks)
    assert not clocks and list(clocks) == []
    plugins = [world.add(name, providing()).enable() for name in ("c", "a", "b")]
    assert [clock.who() for clock in clocks] == ["a", "b", "c"] and len(clocks) == 3
    first = next(iter(clocks))
    plugins[0].disable()
    assert next(iter(clocks)) is first and len(clocks) == 2
    assert seen == [("bound", "c"), ("bound", "a"), ("bound", "b"), ("unbound", "c")]


def test_a_watch_is_told_of_what_is_bound_and_no_more_once_taken_back(world: Synthetic) -> None:
    plugin = world.add("a", providing()).enable()
    clock = pkl.use(Clock)
    seen: List[str] = []
    undo = clock.on_bound(lambda p: seen.append(named(p)))
    plugin.disable()
    plugin.enable()
    undo()
    plugin.disable()
    plugin.enable()
    assert seen == ["a", "a"]


def test_a_watch_of_a_plugin_is_staged_runs_as_it_and_ends_with_it(world: Synthetic) -> None:
    seen: List[str] = []

    def body(module: Any) -> None:
        module.clock = pkl.use(Clock)
        module.clock.on_bound(lambda p: seen.append(f"{named(p)} in {pkl.this.name}"))

    user = world.host.load_plugin(world.add("user", body).name)
    provider = world.add("a", providing()).enable()
    assert seen == [] and user.module.clock.api.who() == "a"
    user.enable()
    assert seen == ["a in user"]
    user.disable()
    provider.disable()
    provider.enable()
    assert seen == ["a in user"]


def test_a_watch_that_raises_is_contained_and_the_rest_are_told(
    world: Synthetic, faults: List[Any]
) -> None:
    def body(module: Any) -> None:
        clock = pkl.use(Clock)
        clock.on_bound(lambda p: 1 // 0)

        def leave(p: Any) -> None:
            raise SystemExit

        clock.on_bound(leave)

    user = world.add("user", body).enable()
    seen = watched(pkl.use(Clock))
    world.add("a", providing()).enable()
    assert [type(f.error) for f in faults] == [ZeroDivisionError, SystemExit]
    assert {f.plugin for f in faults} == {user} and "service callback" in faults[0].where
    assert seen == [("bound", "a")]


def test_an_interrupt_passes_through_a_watch_and_leaves_it_working(world: Synthetic) -> None:
    clock = pkl.use(Clock)
    seen: List[str] = []

    def interrupt(provision: pkl.Provision) -> None:
        seen.append(named(provision))
        if len(seen) == 1:
            raise KeyboardInterrupt

    clock.on_bound(interrupt)
    plugin = world.add("a", providing())
    with pytest.raises(KeyboardInterrupt):
        plugin.enable()
    plugin.disable()
    plugin.enable()
    assert seen == ["a", "a"]


def test_a_change_made_by_a_watch_is_told_after_the_one_it_hears_of(world: Synthetic) -> None:
    clock = pkl.use(Clock)
    second: List[pkl.Provision] = []

    def replace(provision: pkl.Provision) -> None:
        if not second:
            second.append(pkl.provide(Clock, Clock("second")))
            first.release()

    first = pkl.provide(Clock, Clock("first"))
    seen: List[Tuple[str, Any]] = []
    clock.on_bound(replace)
    clock.on_bound(lambda p: seen.append(("bound", p)))
    clock.on_unbound(lambda p: seen.append(("unbound", p)))
    assert seen[0] == ("bound", second[0])
    assert clock.api.who() == "second"


@pytest.mark.parametrize("wrong", [3, None])
def test_what_cannot_watch_is_refused(world: Synthetic, wrong: Any) -> None:
    with pytest.raises(pkl.HandlerRefused, match="cannot be called"):
        pkl.use(Clock).on_bound(wrong)


def test_an_async_watch_is_refused_because_nobody_would_await_it(world: Synthetic) -> None:
    async def told(provision: pkl.Provision) -> None: ...

    with pytest.raises(pkl.HandlerRefused, match="async callback"):
        pkl.use(Clock).on_unbound(told)


def test_waiting_ends_when_somebody_provides(world: Synthetic) -> None:
    clock = pkl.use(Clock)
    assert clock.wait(0) is False
    got: List[bool] = []
    thread = threading.Thread(target=lambda: got.append(clock.wait(PATIENCE)))
    thread.start()
    wait_until(lambda: clock._waiting)
    world.add("a", providing()).enable()
    thread.join(PATIENCE)
    assert got == [True] and not clock._waiting
    assert clock.wait(), "at once"


def test_waiting_on_a_loop_leaves_the_loop_free(world: Synthetic) -> None:
    clock = pkl.use(Clock)

    async def run() -> bool:
        waiting = asyncio.ensure_future(clock.async_wait(PATIENCE))
        while not clock._waiting:
            await asyncio.sleep(0)
        world.add("a", providing()).enable()
        return await waiting

    assert asyncio.run(run()) is True
    assert asyncio.run(pkl.use("nobody").async_wait(0)) is False


def test_a_wait_ends_when_its_plugin_is_stopped(world: Synthetic) -> None:
    got: List[bool] = []

    def body(module: Any) -> None:
        module.clock = pkl.use(Clock)
        module.thread = pkl.start_thread(lambda: got.append(module.clock.wait()))

    user = world.add("user", body).enable()
    wait_until(lambda: user.module.clock._waiting)
    user.disable()
    assert got == [False]


def test_a_wait_inside_of_a_transition_is_bounded(world: Synthetic) -> None:
    """Else a plugin that waits in its start for one that comes after it would hang the host."""
    world.host.kernel.transition_timeout = 0.01
    got: List[bool] = []
    world.add("a", lambda module: got.append(pkl.use(Clock).wait())).enable()
    assert got == [False]


def test_use_waits_as_long_as_it_is_told_and_leaves_nothing_if_in_vain(world: Synthetic) -> None:
    with pytest.raises(pkl.ServiceUnavailable, match=r"which nobody provides within 0\.01 s"):
        pkl.use(Clock, timeout=0.01)
    assert not world.host.resource_manager.get_resources(None)
    assert not pkl.use(Clock, optional=True, timeout=0.01)
    pkl.provide(Clock, Clock("here"))
    assert pkl.use(Clock, timeout=PATIENCE).api.who() == "here"


def test_a_provider_on_a_loop_is_waited_for_by_a_thread(world: Synthetic) -> None:
    with loop_in_thread() as loop:

        async def come() -> None:
            await world.add("a", providing()).aenable()

        done = asyncio.run_coroutine_threadsafe(come(), loop)
        assert pkl.use(Clock).wait(PATIENCE)
        done.result(PATIENCE)


def test_the_error_says_who_could_provide_it_and_why_they_do_not(world: Synthetic) -> None:
    old = world.add("old", providing(version="1.4"), version="1.4").enable()
    new = world.add("new", providing(version="2.1"), version="2.1").enable()
    world.host.load_plugin(world.add("staged", providing(version="2.0")).name)
    got: List[Any] = []
    user = world.add("user", lambda module: got.append(pkl.use(Clock, ">=2"))).enable()
    new.disable()
    with pytest.raises(pkl.ServiceUnavailable) as caught:
        got[0].api.who()
    error = caught.value
    assert str(error) == (
        "plugin 'user' 1.0 uses the service Clock >=2, which nobody provides\n"
        "  plugin 'old' 1.4 provides 1.4, which is not >=2\n"
        "  plugin 'new' 2.1, which provided 2.1, is not running (state: disabled): new 2.1 was "
        "disabled\n"
        "  plugin 'staged' 1.0 provides it once it is enabled\n"
        "hint: enable it: host.get_plugin('new').enable()"
    )
    assert (error.code, error.exit_status, error.plugin) == ("E_SERVICE", 9, user.name)
    assert isinstance(error, pkl.PluginNotRunning) and isinstance(error, LookupError)
    assert error.details["service"] == "service Clock >=2"
    old.disable()


def test_the_error_of_a_service_that_nobody_ever_provided(world: Synthetic) -> None:
    with pytest.raises(pkl.ServiceUnavailable) as caught:
        pkl.use(Clock).api.who()
    assert str(caught.value) == (
        f"the host {world.host.kernel.name!r} uses the service Clock, which nobody provides\n"
        "hint: install or enable a plugin that provides it"
    )
    pkl.provide(Clock, Clock("one"), version="1")
    with pytest.raises(pkl.ServiceUnavailable, match="install a provider that is >=2"):
        pkl.use(Clock, ">=2").api.who()


def test_a_required_service_that_is_missing_is_found_by_check(world: Synthetic) -> None:
    def body(module: Any) -> None:
        pkl.use(Clock)
        pkl.use("extra", optional=True)

    user = world.add("user", body)
    world.host.load_plugin("user")
    assert world.host.check() == (), "nothing runs that uses it"
    user.enable()
    (finding,) = world.host.check()
    assert (finding.code, finding.severity, finding.plugin) == (
        "service-missing",
        "warning",
        "user",
    )
    assert "uses the service Clock, which nobody provides" in finding.message and finding.hint
    world.add("a", providing()).enable()
    assert world.host.check() == ()
