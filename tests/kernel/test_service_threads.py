"""Services under concurrency: no call is lost, none enters a stopped plugin, nothing is left."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any, Callable, Iterator, List

import pytest

import pkl

from .running import PATIENCE
from .synthetic import Synthetic, check_settled


class Counter:
    """The interface and its implementation."""

    def __init__(self, plugin: pkl.Plugin) -> None:
        self.plugin = plugin
        self.generation = plugin.generation

    def add(self) -> str:
        assert pkl.this is self.plugin
        assert not self.generation.dead, "a call into a stopped plugin"
        return self.plugin.name


def providing(module: Any) -> None:
    module.provision = pkl.provide(Counter, Counter(module.plugin))


@pytest.fixture
def world() -> Iterator[Synthetic]:
    made = Synthetic(stop_timeout=PATIENCE, transition_timeout=PATIENCE)
    pkl.set_default_host(made.host)
    yield made
    made.host.close()
    pkl.set_default_host(None)


def together(*work: Callable[[], None]) -> None:
    """Runs functions in a thread each; raises the first thing that any of them raised."""
    errors: List[BaseException] = []
    barrier = threading.Barrier(len(work))

    def run(one: Callable[[], None]) -> None:
        try:
            barrier.wait(PATIENCE)
            one()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(3 * PATIENCE)
        assert not thread.is_alive(), "it hangs"
    if errors:
        raise errors[0]


def test_no_call_is_lost_while_providers_take_turns(world: Synthetic) -> None:
    """One provider of the two always runs, so every call must be answered."""
    one, two = world.add("one", providing), world.add("two", providing)
    one.enable()
    counter, greedy = pkl.use(Counter), pkl.use(Counter, greedy=True)
    done = threading.Event()
    answers: List[str] = []

    def call() -> None:
        while not done.is_set():
            answers.append(counter.api.add())
            answers.append(greedy.api.add())

    def turn() -> None:
        try:
            for _ in range(15):
                two.enable()
                one.disable()
                one.enable()
                two.disable()
        finally:
            done.set()

    together(call, call, call, turn)
    assert set(answers) <= {"one", "two"}
    check_settled(world.host)


def test_provide_use_and_stop_from_many_threads(world: Synthetic) -> None:
    plugins = [world.add(f"p{n}", providing) for n in range(3)]
    host_answers = {p.name for p in plugins}

    def cycle(plugin: pkl.Plugin) -> Callable[[], None]:
        def run() -> None:
            for _ in range(10):
                plugin.enable()
                plugin.disable()

        return run

    refused: List[Exception] = []

    def use() -> None:
        for n in range(60):
            handle = pkl.use(Counter, greedy=bool(n % 2))
            undo = handle.on_bound(lambda p: None)
            try:
                assert handle.api.add() in host_answers
            except pkl.PluginNotRunning as error:
                refused.append(error)
            undo()
            handle.release()

    def each() -> None:
        for _ in range(60):
            for api in pkl.use_all(Counter):
                try:
                    assert api.add() in host_answers
                except pkl.PluginNotRunning:
                    continue

    together(*map(cycle, plugins), use, each)
    assert {type(error) for error in refused} <= {pkl.ServiceUnavailable}
    registry = world.host.kernel.services
    assert not registry._published and not pkl.use_all(Counter)
    check_settled(world.host)


def test_a_stop_waits_for_calls_in_other_threads(world: Synthetic) -> None:
    entered, leave = threading.Event(), threading.Event()

    class Slow:
        def work(self) -> bool:
            entered.set()
            assert leave.wait(PATIENCE)
            return bool(pkl.this.generation.dead)

    plugin = world.add("slow", lambda module: pkl.provide(Slow, Slow())).enable()
    slow = pkl.use(Slow)
    results: List[bool] = []
    stopped = threading.Event()

    def stop() -> None:
        assert entered.wait(PATIENCE)
        gone = slow.on_unbound(lambda p: leave.set())
        plugin.disable()
        gone()
        stopped.set()

    together(lambda: results.append(slow.api.work()), stop)
    assert results == [False], "the plugin was not torn down under the call"
    assert stopped.is_set() and not slow


def test_no_lock_is_held_while_a_callback_runs(world: Synthetic) -> None:
    """It may wait for another thread that provides, uses and stops."""
    counter = pkl.use(Counter)
    other = world.add("other", providing)

    def cycle() -> None:
        other.enable()
        other.disable()

    def told(provision: pkl.Provision) -> None:
        if provision.plugin is other:
            return
        thread = threading.Thread(target=cycle)
        thread.start()
        thread.join(PATIENCE)
        assert not thread.is_alive()

    seen: List[Any] = []
    world.host.on_error.subscribe(seen.append)
    counter.on_bound(told)
    world.add("first", providing).enable()
    assert not seen


def test_generations_leave_nothing_behind(world: Synthetic) -> None:
    counter = pkl.use(Counter)
    everyone = pkl.use_all(Counter)
    plugin = world.add("a", providing)
    implementations: List[Any] = []
    for _ in range(20):
        plugin.enable()
        assert counter.api.add() == "a" and len(everyone) == 1
        implementations.append(weakref.ref(plugin.module.provision._implementation))
        plugin.disable()
    gc.collect()
    assert [ref for ref in implementations if ref() is not None] == []
    registry = world.host.kernel.services
    (slot,) = registry._slots.values()
    assert len(slot.handles) == 2 and not slot.provisions and not registry._published
