"""``@syscall`` keeps a function's kind and runs every step of it as the plugin that defines it."""

from __future__ import annotations

import asyncio
import inspect
import threading
from typing import Any, List

import pytest

import pkl

from .conftest import Make, enabled, state

CODE = """
import pkl
from pkl import syscall
def who(): return pkl.this.name
@syscall
def plain(x: int = 1, *, y: str = "") -> str:
    "Says who."
    return who()
class Api:
    @syscall
    def method(self): return who()
    @syscall
    @staticmethod
    def static(): return who()
    @syscall
    @classmethod
    def klass(cls): return who()
@syscall
def generator(n):
    seen = []
    try:
        for i in range(n):
            got = yield (i, who())
            seen.append(got)
    except KeyError:
        yield ("caught", who())
    finally:
        closed.append(who())
    return seen
closed = []
@syscall
async def coroutine():
    import asyncio
    first = who()
    await asyncio.sleep(0)
    return first, who()
@syscall
async def async_generator(n):
    import asyncio
    try:
        for i in range(n):
            await asyncio.sleep(0)
            try:
                got = yield (i, who())
            except KeyError:
                yield ("caught", who())
    finally:
        closed.append(who())
def unmarked(): return pkl.get_current_plugin()
"""


@pytest.fixture
def api(host: pkl.PluginHost, make: Make) -> Any:
    return enabled(host, make("a", CODE)).module


@pytest.fixture
def as_b(host: pkl.PluginHost, make: Make, api: Any) -> Any:
    """Another plugin, to call from."""
    return pkl.plugin_context(host, enabled(host, make("b")))


def test_functions_and_methods_run_as_their_definer(api: Any, as_b: Any) -> None:
    with as_b:
        assert api.plain() == "a"
        assert api.Api().method() == "a" and api.Api.static() == "a" and api.Api.klass() == "a"
        assert api.unmarked().name == "b", "without @syscall it runs as the caller"
        assert pkl.this.name == "b"
    assert pkl.get_current_plugin() is None


def test_wrappers_keep_kind_name_signature_and_doc(api: Any) -> None:
    assert inspect.isgeneratorfunction(api.generator)
    assert inspect.iscoroutinefunction(api.coroutine)
    assert inspect.isasyncgenfunction(api.async_generator)
    assert str(inspect.signature(api.plain)) == "(x: int = 1, *, y: str = '') -> str"
    assert api.plain.__name__ == "plain" and api.plain.__doc__ == "Says who."


def test_generators_switch_at_every_step_and_restore(api: Any, as_b: Any) -> None:
    with as_b:
        g = api.generator(3)
        assert next(g) == (0, "a") and pkl.this.name == "b"
        assert g.send("x") == (1, "a") and pkl.this.name == "b"
        assert g.throw(KeyError()) == ("caught", "a") and pkl.this.name == "b"
        with pytest.raises(StopIteration) as stop:
            next(g)
        assert stop.value.value == ["x"]
    assert api.closed == ["a"]


def test_closing_a_generator_always_runs_as_the_owner(
    host: pkl.PluginHost, api: Any, as_b: Any
) -> None:
    g = api.generator(3)
    next(g)
    with as_b:
        g.close()
    assert api.closed == ["a"]
    g = api.generator(3)
    next(g)
    plugin = host.get_plugin("a")
    assert plugin is not None
    plugin.disable()
    with pytest.raises(pkl.PluginNotRunning):
        next(g)
    assert api.closed == ["a", "a"], "a refused step closes it, as its owner"


def test_the_first_step_raises_not_the_call(host: pkl.PluginHost, api: Any) -> None:
    plugin = host.get_plugin("a")
    assert plugin is not None
    plugin.disable()
    g, c, ag = api.generator(1), api.coroutine(), api.async_generator(1)
    with pytest.raises(pkl.PluginNotRunning):
        next(g)
    with pytest.raises(pkl.PluginNotRunning):
        asyncio.run(c)

    async def first() -> None:
        await ag.__anext__()

    with pytest.raises(pkl.PluginNotRunning):
        asyncio.run(first())


def test_coroutines_keep_their_plugin_across_awaits_and_tasks(api: Any, as_b: Any) -> None:
    async def main() -> Any:
        with as_b:
            results = await asyncio.gather(*(api.coroutine() for _ in range(5)))
            assert pkl.this.name == "b"
        return results

    assert asyncio.run(main()) == [("a", "a")] * 5


def test_async_generators_switch_at_every_step(api: Any, as_b: Any) -> None:
    async def main() -> List[Any]:
        out: List[Any] = []
        with as_b:
            agen = api.async_generator(3)
            out.append(await agen.__anext__())
            assert pkl.this.name == "b"
            out.append(await agen.athrow(KeyError()))
            out.append(await agen.__anext__())
            await agen.aclose()
            assert pkl.this.name == "b"
        return out

    assert asyncio.run(main()) == [(0, "a"), ("caught", "a"), (1, "a")]
    assert api.closed == ["a"]


def test_an_async_generator_may_be_closed_by_another_task(api: Any) -> None:
    async def main() -> None:
        agen = api.async_generator(3)
        await agen.__anext__()
        await asyncio.create_task(agen.aclose())

    asyncio.run(main())
    assert api.closed == ["a"]


def test_others_may_call_from_enabling_to_disabling_and_the_plugin_itself_from_loaded(
    host: pkl.PluginHost, make: Make
) -> None:
    seen: List[Any] = []
    host.seen = seen  # type: ignore[attr-defined]
    a = host.load_plugin(
        path=make(
            "a",
            """
            import pkl
            @pkl.syscall
            def api(): return pkl.this.state.value
            host = pkl.this.host
            host.seen.append(("self", api()))
            @pkl.this.on_enable.on
            def f(): host.seen.append(("b", host.get_plugin("b").module.call()))
            @pkl.this.on_disable.on
            def g(): host.seen.append(("b", host.get_plugin("b").module.call()))
            """,
        )
    )
    b = enabled(
        host,
        make(
            "b",
            "import pkl\n@pkl.syscall\ndef call():\n"
            "    return pkl.this.host.get_plugin('a').module.api()",
        ),
    )
    with pytest.raises(pkl.PluginNotRunning, match="state: loaded"):
        b.module.call()
    assert a.module.api() == "loaded", "the host may"
    a.enable()
    assert b.module.call() == "enabled"
    api = a.module.api
    a.disable()
    assert seen == [("self", "unloaded"), ("b", "enabling"), ("b", "disabling")]
    for caller in (api, b.module.call):
        with pytest.raises((pkl.PluginNotRunning, AttributeError)):
            caller()
    with pytest.raises(ImportError):
        api()


def test_disabling_waits_for_calls_on_other_threads(host: pkl.PluginHost, make: Make) -> None:
    plugin = enabled(
        host,
        make(
            "a",
            """
            import pkl, threading
            entered, go, done = threading.Event(), threading.Event(), []
            @pkl.syscall
            def slow():
                entered.set()
                go.wait(10)
                done.append(pkl.this.state.value)
            @pkl.syscall
            def quick(): pass
            """,
        ),
    )
    module = plugin.module
    worker = threading.Thread(target=module.slow)
    worker.start()
    module.entered.wait(10)
    plugin._kernel.stop_timeout = 20.0
    stopper = threading.Thread(target=plugin.disable)
    stopper.start()
    while state(plugin) != "disabling" or plugin.generation.open:
        threading.Event().wait(0.001)
    with pytest.raises(pkl.PluginNotRunning):
        module.quick()
    assert module.done == []
    module.go.set()
    stopper.join(10)
    worker.join(10)
    assert module.done == ["disabling"] and state(plugin) == "disabled"


def test_a_call_that_outlives_the_deadline_is_reported_and_the_plugin_stopped(
    host: pkl.PluginHost, make: Make
) -> None:
    plugin = enabled(
        host,
        make(
            "a",
            """
            import pkl, threading
            entered, go = threading.Event(), threading.Event()
            @pkl.syscall
            def slow():
                entered.set()
                go.wait(10)
            """,
        ),
    )
    module = plugin.module
    worker = threading.Thread(target=module.slow)
    worker.start()
    module.entered.wait(10)
    with pytest.raises(pkl.CleanupError) as raised:
        plugin.disable(timeout=0.01)
    assert "1 call into plugin 'a'" in str(raised.value)
    assert isinstance(raised.value.exceptions[0], pkl.StopTimeout)
    assert state(plugin) == "disabled"
    module.go.set()
    worker.join(10)


def test_a_coroutine_that_stops_its_own_plugin_finishes(host: pkl.PluginHost, make: Make) -> None:
    plugin = enabled(
        host,
        make(
            "a",
            """
            import asyncio, pkl
            @pkl.syscall
            async def leave():
                await pkl.this.adisable()
                await asyncio.sleep(0)
                return "finished"
            """,
        ),
    )
    assert asyncio.run(plugin.module.leave()) == "finished"
    assert state(plugin) == "disabled"


def test_adisable_waits_for_coroutines_in_other_tasks(host: pkl.PluginHost, make: Make) -> None:
    plugin = enabled(
        host,
        make(
            "a",
            """
            import asyncio, pkl
            done = []
            @pkl.syscall
            async def slow(gate):
                await gate.wait()
                done.append(pkl.this.name)
            """,
        ),
    )
    module = plugin.module

    async def main() -> None:
        gate = asyncio.Event()
        task = asyncio.create_task(module.slow(gate))
        await asyncio.sleep(0)
        stop = asyncio.create_task(plugin.adisable(timeout=10))
        await asyncio.sleep(0.01)
        assert not stop.done()
        gate.set()
        await stop
        await task

    asyncio.run(main())
    assert module.done == ["a"] and state(plugin) == "disabled"


def test_a_host_syscall_runs_as_the_host(host: pkl.PluginHost, make: Make) -> None:
    @pkl.syscall
    def route() -> Any:
        return pkl.get_current_plugin()

    @pkl.syscall
    async def aroute() -> Any:
        return pkl.get_current_plugin()

    plugin = enabled(host, make("a"))
    with pkl.plugin_context(host, plugin):
        assert route() is None
        assert asyncio.run(aroute()) is None
        assert pkl.this is plugin


def test_disabling_waits_for_handlers_on_other_threads(host: pkl.PluginHost, make: Make) -> None:
    a = enabled(host, make("a", "import pkl\n@pkl.event\ndef e(): pass"))
    b = enabled(
        host,
        make(
            "b",
            """
            import threading
            from pkl.plugins import a
            entered, go, done = threading.Event(), threading.Event(), []
            @a.e.on
            def handler():
                entered.set()
                go.wait(10)
                done.append(1)
            """,
            requires=["a"],
        ),
    )
    module = b.module
    worker = threading.Thread(target=a.module.e)
    worker.start()
    module.entered.wait(10)
    stopper = threading.Thread(target=lambda: b.disable(timeout=20))
    stopper.start()
    while b.generation.open:
        threading.Event().wait(0.001)
    a.module.e()
    assert module.done == [], "the stopping plugin's handler is not called again"
    module.go.set()
    stopper.join(10)
    worker.join(10)
    assert module.done == [1] and state(b) == "disabled"


def test_registrations_from_a_bare_thread_belong_to_the_modules_plugin(
    host: pkl.PluginHost, make: Make
) -> None:
    plugin = enabled(
        host,
        make(
            "a",
            """
            import pkl, threading
            seen = []
            def work():
                seen.append(pkl.get_current_plugin())
                pkl.set_timeout(print, 60)
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            """,
        ),
    )
    assert plugin.module.seen == [None]
    assert len(host.resource_manager.get_resources(plugin)) == 1
