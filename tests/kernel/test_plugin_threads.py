"""``start_thread`` and ``submit``: threads and pooled functions as resources; stop tokens."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import threading
from contextvars import ContextVar
from typing import Any, Callable, Iterator, List, Tuple

import pytest

import pkl
from pkl.kernel import executor
from pkl.kernel.stop_token import takes_stop

from .running import PATIENCE, no_thread_left, overdue, wait_until
from .synthetic import Synthetic, check_settled


@pytest.fixture
def hosts() -> Iterator[Synthetic]:
    with no_thread_left():
        made = Synthetic(stop_timeout=PATIENCE)
        pkl.set_default_host(made.host)
        yield made
        made.host.close()
        check_settled(made.host)
        pkl.set_default_host(None)


def faults_of(host: pkl.PluginHost) -> List[Any]:
    seen: List[Any] = []
    host.on_error.subscribe(seen.append)
    return seen


def begin(kind: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return (pkl.start_thread if kind == "thread" else pkl.submit)(function, *args, **kwargs)


BOTH = pytest.mark.parametrize("kind", ["thread", "function"])


@BOTH
def test_it_runs_as_its_plugin_once_that_is_live_and_deregisters_itself(
    hosts: Synthetic, kind: str
) -> None:
    def body(module: Any) -> None:
        def work(a: int, *, b: int) -> Tuple[str, str, int]:
            return pkl.this.name, pkl.this.state.value, a + b

        module.work = begin(kind, work, 1, b=2)

    plugin = hosts.add("a", body)
    hosts.host.load_plugin("a")
    work = plugin.module.work
    assert work in hosts.host.resource_manager.get_resources(plugin) and not work.running()
    plugin.enable()
    assert work.result(PATIENCE) == ("a", "enabled", 3)
    assert not hosts.host.resource_manager.get_resources(plugin)
    assert work.plugin is plugin and work.done() and not work.cancelled()


@BOTH
def test_the_context_of_who_started_it_is_copied(hosts: Synthetic, kind: str) -> None:
    variable: ContextVar[str] = ContextVar("variable")
    variable.set("mine")
    plugin = hosts.add("a").enable()
    with pkl.plugin_context(hosts.host, plugin):
        work = begin(kind, variable.get)
        assert begin(kind, variable.set, "theirs").result(PATIENCE)
    assert work.result(PATIENCE) == "mine" and variable.get() == "mine"


@BOTH
@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1), StopIteration(), KeyError()])
def test_what_nobody_asked_for_is_contained_and_attributed(
    hosts: Synthetic, kind: str, error: BaseException
) -> None:
    faults = faults_of(hosts.host)
    plugin = hosts.add("a").enable()

    def fails() -> None:
        raise error

    with pkl.plugin_context(hosts.host, plugin):
        work = begin(kind, fails)
    concurrent.futures.wait([work], PATIENCE)
    wait_until(lambda: work.exception() is not None)
    if faults:  # nobody had asked yet
        assert faults[0].plugin is plugin and plugin.faults == 1
        assert faults[0].where.startswith(f"{kind} ") and "fails" in faults[0].where


@BOTH
def test_an_error_is_delivered_to_who_waits(hosts: Synthetic, kind: str) -> None:
    faults = faults_of(hosts.host)
    gate = threading.Event()

    def fails() -> None:
        gate.wait(PATIENCE)
        raise ValueError("told")

    work = begin(kind, fails)
    work.add_done_callback(lambda done: None)
    gate.set()
    with pytest.raises(ValueError, match="told"):
        work.result(PATIENCE)
    assert not faults


@BOTH
def test_a_stop_token_ends_it_when_its_plugin_stops(hosts: Synthetic, kind: str) -> None:
    begun = threading.Event()
    trace: List[Any] = []

    def body(module: Any) -> None:
        def polite(stop: pkl.StopToken) -> None:
            begun.set()
            assert stop.wait(PATIENCE)
            trace.append((pkl.this.name, bool(stop), bool(pkl.this.stopping)))

        def looks() -> None:
            token = pkl.stop_token()
            assert token.wait(PATIENCE) and token.is_set()
            with pytest.raises(pkl.PluginStopping, match=r"plugin 'a' 1\.0 is stopping"):
                token.raise_if_stopped()
            trace.append("looked")

        def on_disable() -> None:
            assert pkl.this.stopping, "set before on_disable"

        module.plugin.on_disable.subscribe(on_disable)
        module.work = [begin(kind, polite), begin(kind, looks)]

    plugin = hosts.add("a", body).enable()
    work = plugin.module.work
    assert begun.wait(PATIENCE) and not plugin.stopping
    plugin.disable()
    assert sorted(map(str, trace)) == ["('a', True, True)", "looked"]
    assert all(each.done() for each in work)


def test_the_thread_is_gone_when_the_plugin_is_stopped(hosts: Synthetic) -> None:
    plugin = hosts.add("a").enable()
    with pkl.plugin_context(hosts.host, plugin):
        named = pkl.start_thread(lambda stop: stop.wait(), name="named")
        unnamed = pkl.start_thread(pkl.stop_token().wait)
    assert named.thread is not None and unnamed.thread is not None
    assert named.thread.name == "named" and unnamed.thread.name == "pkl-a-wait"
    assert named.thread.daemon
    plugin.disable()
    assert not named.thread.is_alive() and not unnamed.thread.is_alive()


@BOTH
def test_one_that_will_not_end_is_named_with_the_line_it_is_at(hosts: Synthetic, kind: str) -> None:
    gate, begun = threading.Event(), threading.Event()

    def stubborn() -> None:
        begun.set()
        gate.wait(PATIENCE)

    plugin = hosts.add("a").enable()
    with pkl.plugin_context(hosts.host, plugin):
        work = begin(kind, stubborn)
    assert begun.wait(PATIENCE)
    with pytest.raises(pkl.CleanupError) as caught:
        plugin.disable(timeout=0.02)
    gate.set()
    (error,) = overdue(caught.value)
    assert plugin.state.value == "disabled"
    assert error.details["threads" if kind == "thread" else "functions"] == [work.name]
    assert f"  {kind} {work.name}, at " in error.message
    assert "stubborn (" in error.message and "test_plugin_threads.py:" in error.message
    assert "stop token" in error.hint
    work.result(PATIENCE)


@BOTH
def test_a_thread_in_its_own_plugins_syscall_is_not_waited_for_twice(
    hosts: Synthetic, kind: str
) -> None:
    begun = threading.Event()

    def body(module: Any) -> None:
        @pkl.syscall
        def loop() -> None:
            begun.set()
            pkl.stop_token().wait(PATIENCE)

        module.work = begin(kind, loop)

    plugin = hosts.add("a", body).enable()
    assert begun.wait(PATIENCE)
    plugin.disable()


@BOTH
def test_one_that_stops_its_own_plugin_is_not_waited_for(hosts: Synthetic, kind: str) -> None:
    plugin = hosts.add("a").enable()

    def suicide() -> str:
        pkl.this.disable()
        return plugin.state.value

    with pkl.plugin_context(hosts.host, plugin):
        work = begin(kind, suicide)
    assert work.result(PATIENCE) == "disabled"


@BOTH
def test_one_that_stops_its_plugin_while_another_does_hangs_nobody(
    hosts: Synthetic, kind: str
) -> None:
    plugin = hosts.add("a").enable()

    def also(stop: pkl.StopToken) -> None:
        stop.wait(PATIENCE)
        plugin.disable()

    with pkl.plugin_context(hosts.host, plugin):
        work = begin(kind, also)
    plugin.disable()
    work.exception(PATIENCE)
    assert plugin.state.value == "disabled"


@BOTH
def test_nothing_starts_in_a_plugin_that_stops(hosts: Synthetic, kind: str) -> None:
    refused: List[BaseException] = []
    gate = threading.Event()

    def body(module: Any) -> None:
        class Last(pkl.Resource):
            def _cleanup(self) -> None:
                try:
                    begin(kind, print)
                except pkl.PluginNotRunning as error:
                    refused.append(error)

        module.plugin.host.resource_manager.register(Last())

    plugin = hosts.add("a", body).enable()
    plugin.disable()
    with pkl.plugin_context(hosts.host, plugin), pytest.raises(pkl.PluginNotRunning):
        begin(kind, gate.wait)
    assert len(refused) == 1


def test_functions_that_wait_their_turn_are_cancelled_and_those_that_run_are_waited_for(
    hosts: Synthetic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "SIZE", 2)
    plugin = hosts.add("a").enable()
    ran: List[int] = []
    begun = threading.Semaphore(0)

    def work(number: int, stop: pkl.StopToken) -> int:
        begun.release()
        stop.wait(PATIENCE)
        ran.append(number)
        return number

    with pkl.plugin_context(hosts.host, plugin):
        work_of = [pkl.submit(work, n) for n in range(6)]
    for _ in range(2):
        assert begun.acquire(timeout=PATIENCE)
    assert work_of[5].cancel() and work_of[5].cancelled()
    assert len([t for t in threading.enumerate() if t.name == "pkl-a-work"]) == 2
    plugin.disable()
    assert sorted(ran) == [0, 1] and [w.result() for w in work_of[:2]] == [0, 1]
    assert all(w.cancelled() for w in work_of[2:])
    done, pending = concurrent.futures.wait(work_of, PATIENCE)
    assert not pending and len(done) == 6


def test_a_full_pool_whose_functions_wait_for_each_other_does_not_hang(
    hosts: Synthetic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "SIZE", 2)
    plugin = hosts.add("a").enable()

    def fibonacci(n: int) -> int:
        if n < 2:
            return n
        first, second = pkl.submit(fibonacci, n - 1), pkl.submit(fibonacci, n - 2)
        return first.result(PATIENCE) + second.result(PATIENCE)

    with pkl.plugin_context(hosts.host, plugin):
        assert pkl.submit(fibonacci, 10).result(PATIENCE) == 55


def test_functions_that_wait_for_each_other_in_a_circle_are_refused(hosts: Synthetic) -> None:
    made: List[pkl.Submission[Any]] = []
    ready = threading.Event()

    def first() -> Any:
        ready.wait(PATIENCE)
        return made[1].exception(PATIENCE)

    def second() -> Any:
        ready.wait(PATIENCE)
        return made[0].exception(PATIENCE)

    def itself() -> Any:
        ready.wait(PATIENCE)
        return made[2].result(PATIENCE)

    made += [pkl.submit(first), pkl.submit(second), pkl.submit(itself)]
    ready.set()
    with pytest.raises(pkl.WorkDeadlock, match=r"would wait for itself: .*itself.* -> .*itself"):
        made[2].result(PATIENCE)
    ended = [each.exception(PATIENCE) or each.result() for each in made[:2]]
    assert any(isinstance(error, pkl.WorkDeadlock) for error in ended)


def test_results_are_awaited_and_callbacks_run_as_who_added_them(hosts: Synthetic) -> None:
    plugin = hosts.add("a").enable()
    seen: List[Any] = []
    gate = threading.Event()

    async def main() -> None:
        with pkl.plugin_context(hosts.host, plugin):
            work = pkl.submit(lambda: gate.wait(PATIENCE) and pkl.this.name)
            work.add_done_callback(lambda done: seen.append(pkl.this.name))
        gate.set()
        assert await work == "a" and seen == ["a"]
        assert await asyncio.wait_for(pkl.start_thread(str, 3), PATIENCE) == "3"

    asyncio.run(main())


def test_a_thread_that_reads_a_socket_ends_when_its_resource_is_closed(hosts: Synthetic) -> None:
    """It is given half of the bound first; what it waits for goes after that."""
    closed = threading.Event()

    class Socket(pkl.Resource):
        def _cleanup(self) -> None:
            closed.set()

    def body(module: Any) -> None:
        module.plugin.host.resource_manager.register(Socket())
        module.work = pkl.start_thread(closed.wait, PATIENCE)

    plugin = hosts.add("a", body).enable()
    plugin.disable(timeout=2.0)


def test_callbacks_of_a_token_wake_what_waits_for_something_else(hosts: Synthetic) -> None:
    faults = faults_of(hosts.host)
    woken, trace = threading.Event(), []
    plugin = hosts.add("a").enable()

    def fails() -> None:
        trace.append(pkl.this.name)
        raise ValueError

    with pkl.plugin_context(hosts.host, plugin):
        token = pkl.stop_token()
        token.on_stop(woken.set)
        token.on_stop(fails)
        token.on_stop(trace.clear)()  # taken back
        work = pkl.start_thread(woken.wait, PATIENCE)
    assert token is pkl.stop_token() or token is plugin.stopping
    plugin.disable()
    assert trace == ["a"] and faults[0].where.startswith("stop callback") and work.result()
    token.on_stop(lambda: trace.append("at once"))
    assert trace == ["a", "at once"]
    with pytest.raises(TypeError, match="must be callable"):
        token.on_stop(3)  # type: ignore[arg-type]


def test_tokens_are_awaited_and_time_out(hosts: Synthetic) -> None:
    plugin = hosts.add("a").enable()
    token = plugin.stopping

    async def main() -> None:
        assert not await token.async_wait(0)
        waiting = asyncio.ensure_future(token.async_wait())
        await asyncio.sleep(0)
        await asyncio.get_running_loop().run_in_executor(None, plugin.disable)
        assert await waiting

    assert not token.wait(0) and "go on" in repr(token)
    token.raise_if_stopped()
    asyncio.run(main())
    assert token.wait() and "stop" in repr(token) and not token._callbacks


def test_each_load_has_a_token_of_its_own_and_the_host_too(hosts: Synthetic) -> None:
    plugin = hosts.add("a").enable()
    first = plugin.stopping
    plugin.disable()
    plugin.enable()
    assert first and not plugin.stopping
    other = Synthetic()
    with other.host.as_current():
        token = pkl.stop_token()
    assert not token
    other.host.close()
    assert token


def test_a_single_thread_is_asked_to_end_by_cancelling_it(hosts: Synthetic) -> None:
    plugin = hosts.add("a").enable()
    with pkl.plugin_context(hosts.host, plugin):
        thread = pkl.start_thread(lambda stop: stop.wait(PATIENCE))
        wait_until(thread.running)
        assert not thread.cancel(), "it may run on"
        assert thread.result(PATIENCE) is True and not plugin.stopping
        again = pkl.start_thread(lambda stop: stop.wait(PATIENCE))
        again.release()
        assert again.result(PATIENCE) is True and not again.held


@BOTH
def test_what_cannot_be_called_is_refused(hosts: Synthetic, kind: str) -> None:
    with pytest.raises(pkl.HandlerRefused, match="3 cannot be called"):
        begin(kind, 3)  # type: ignore[arg-type]


def test_a_thread_that_cannot_be_started_leaves_nothing(
    hosts: Synthetic, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    plugin = hosts.add("a").enable()
    with pkl.plugin_context(hosts.host, plugin), monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        for start in (pkl.start_thread, pkl.submit):
            with pytest.raises(RuntimeError, match="new thread"):
                start(print)
        assert not hosts.host.resource_manager.get_resources(plugin)


def plain(a: int, stop: Any) -> None: ...
def keyword(a: int, *, stop: Any = None) -> None: ...
def rest(*args: Any, **kwargs: Any) -> None: ...


class Called:
    def method(self, a: int, stop: Any) -> None: ...
    def __call__(self, stop: Any) -> None: ...


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "takes"),
    [
        (plain, (1,), {}, True),
        (plain, (1, 2), {}, False),
        (plain, (1,), {"stop": 3}, False),
        (keyword, (1,), {}, True),
        (rest, (), {}, False),
        (Called().method, (1,), {}, True),
        (Called().method, (1, 2), {}, False),
        (Called(), (), {}, True),
        (functools.partial(plain, 1), (), {}, True),
        (functools.partial(plain, 1, 2), (), {}, False),
        (functools.partial(plain, stop=1), (1,), {}, False),
        (functools.wraps(plain)(lambda *args: None), (1,), {}, True),
        (print, (), {}, False),
    ],
)
def test_a_parameter_named_stop_is_given_the_token_unless_it_is_given_something(
    function: Any, args: Any, kwargs: Any, takes: bool
) -> None:
    assert takes_stop(function, args, kwargs) is takes
