"""``host.close()`` keeps its deadline although handlers block, and names those that do."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path
from textwrap import dedent
from typing import Any, Dict, Iterator, List

import pytest

import pkl

from .conftest import Make, enabled, state
from .running import PATIENCE, overdue, wait_until

BOUND = 0.1
"""Seconds that a plugin is given; nothing here needs as much unless it hangs."""


@pytest.fixture
def shared() -> Iterator[Any]:
    """A module that plugins and tests share, with a flag that ends what hangs."""
    module: Any = type(sys)("shared")
    module.done = threading.Event()
    module.seen = []
    sys.modules["shared"] = module
    yield module
    module.done.set()
    del sys.modules["shared"]


@pytest.fixture
def brief(tmp_path: Path) -> Iterator[pkl.PluginHost]:
    """The default host, which gives plugins little time."""
    (tmp_path / "plugins").mkdir()
    host = pkl.PluginHost(paths=[tmp_path / "plugins"], stop_timeout=BOUND)
    pkl.set_default_host(host)
    yield host
    pkl.set_default_host(None)


SAYS = """
import pkl, shared
@pkl.this.on_disable.on
def stop(): shared.seen.append(pkl.this.name)
"""

HANGS = {
    "in C": "shared.done.wait()",
    "for a lock": "lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "in a loop": "while not shared.done.is_set(): pass",
    "whatever is raised": """
    while not shared.done.is_set():
        try:
            time.sleep(0.001)
        except BaseException:
            pass""",
    "unknown to threading": """
    here = threading.get_ident()
    thread = threading._active.pop(here)
    shared.done.wait()
    threading._active[here] = thread""",
}


@pytest.mark.parametrize("how", HANGS)
def test_close_goes_on_without_a_handler_that_does_not_return_and_names_it(
    brief: pkl.PluginHost, make: Make, shared: Any, how: str
) -> None:
    make("base", SAYS)
    path = make(
        "mid",
        "import pkl, shared, threading, time\n@pkl.this.on_disable.on\n"
        f"def stop():\n    {HANGS[how]}\n",
        requires=["base"],
    )
    make("top", SAYS, requires=["mid"])
    assert brief.start().ok
    began = time.monotonic()
    with pytest.raises(pkl.CleanupError) as raised:
        brief.close()
    assert time.monotonic() - began < PATIENCE
    assert shared.seen == ["top", "base"]
    assert brief.closed and {state(p) for p in brief.all_plugins()} == {"unloaded"}
    (error,) = overdue(raised.value)
    assert (error.plugin, error.version) == ("mid", "1.0.0")
    file = str(path / "plugin.py")
    text = str(raised.value)
    assert f"on_disable of plugin 'mid': StopTimeout: stop ({file}:2)" in text
    assert f"did not return within {BOUND:g} s" in text and "cannot be stopped" in text
    assert f"it is at stop ({file}:" in text
    assert error.details["threads"] == ["pkl-stop-mid"]
    receipt = pkl_plugin(brief, "mid").receipt
    assert receipt is not None
    (left,) = receipt.left
    assert left.kind == "thread" and file in left.note
    if how == "for a lock":
        return  # that one is there until the process ends
    shared.done.set()
    wait_until(lambda: not receipt.left)


def pkl_plugin(host: pkl.PluginHost, name: str) -> pkl.Plugin:
    """A plugin that is known."""
    plugin = host.get_plugin(name)
    assert plugin is not None
    return plugin


def test_clean_ups_and_on_unload_are_bounded_too(
    brief: pkl.PluginHost, make: Make, shared: Any
) -> None:
    make(
        "a",
        """
        import pkl, shared
        class R(pkl.Resource):
            def _cleanup(self): shared.done.wait()
        pkl.this.host.resource_manager.register(R())
        @pkl.this.on_unload.on
        def forget(): shared.done.wait()
        """,
    )
    brief.start()
    with pytest.raises(pkl.CleanupError) as raised:
        brief.close()
    texts = [str(each) for each in overdue(raised.value)]
    assert len(texts) == 2 and "R._cleanup" in texts[0] and texts[1].startswith("forget (")


def test_what_comes_after_the_deadline_is_stopped_all_the_same(
    tmp_path: Path, make: Make, shared: Any
) -> None:
    make("z", SAYS)
    for number in range(4):
        make(f"m{number}", "import pkl, shared\npkl.this.on_disable += shared.done.wait\n")
    make("a", SAYS, requires=["m0"])
    host = pkl.PluginHost(paths=[tmp_path / "plugins"], stop_timeout=60, close_timeout=BOUND)
    with host.as_current():
        host.start()
        with pytest.raises(pkl.CleanupError) as raised:
            host.close()
    assert [each.plugin for each in overdue(raised.value)] == ["m3", "m2", "m1", "m0"]
    assert sorted(shared.seen) == ["a", "z"]


def test_a_plugin_disabled_with_a_timeout_is_bounded_and_without_one_is_not(
    brief: pkl.PluginHost, make: Make, shared: Any
) -> None:
    make("a", "import pkl, shared\n@pkl.this.on_disable.on\ndef stop(): shared.done.wait()\n")
    brief.start()
    plugin = pkl_plugin(brief, "a")
    with pytest.raises(pkl.CleanupError) as raised:
        plugin.disable(timeout=BOUND)
    assert len(overdue(raised.value)) == 1 and state(plugin) == "disabled"
    plugin.enable()
    stopping = threading.Thread(target=plugin.disable)
    stopping.start()
    wait_until(lambda: state(plugin) == "disabling")
    stopping.join(2 * BOUND)
    assert stopping.is_alive() and state(plugin) == "disabling"
    shared.done.set()
    stopping.join(PATIENCE)
    assert state(plugin) == "disabled"
    brief.close()


AFFINE = """
import pkl, shared, threading
def note(): shared.seen.append(threading.current_thread().name)
class R(pkl.Resource):
    @pkl.on_stopping_thread
    def _cleanup(self): note()
pkl.this.host.resource_manager.register(R())
pkl.this.on_disable += note
@pkl.this.on_disable.on
@pkl.on_stopping_thread
def stop(): note()
"""


def test_what_is_marked_runs_on_the_thread_that_closes(
    brief: pkl.PluginHost, make: Make, shared: Any
) -> None:
    make("a", AFFINE)
    brief.start()
    brief.close()
    here = threading.current_thread().name
    assert shared.seen == ["pkl-stop-a", here, here]


def test_a_host_may_have_everything_run_on_the_thread_that_closes(
    tmp_path: Path, make: Make, shared: Any
) -> None:
    make("a", AFFINE)
    with (
        pkl.PluginHost(paths=[tmp_path / "plugins"], bounded_close=False) as host,
        host.as_current(),
    ):
        host.start()
    assert shared.seen == [threading.current_thread().name] * 3


def test_on_the_thread_of_a_running_loop_handlers_run_there(
    brief: pkl.PluginHost, make: Make, shared: Any
) -> None:
    make("a", AFFINE)
    brief.start()

    async def main() -> None:
        brief.close()

    asyncio.run(main())
    assert shared.seen == [threading.current_thread().name] * 3


def test_handlers_run_as_the_plugin_in_the_context_of_who_closes_and_may_stop_children(
    brief: pkl.PluginHost, make: Make, shared: Any
) -> None:
    from contextvars import ContextVar

    shared.variable = ContextVar("variable", default="unset")
    make("child", SAYS, under=make("parent").parent / "parent" / "inner")
    make(
        "parent",
        """
        import pkl, shared
        child = pkl.load_plugin(path="inner/child").enable()
        @pkl.this.on_disable.on
        def stop():
            child.disable()
            pkl.this.disable()
            shared.seen += [pkl.this.name, shared.variable.get()]
        """,
    )
    brief.start("parent")
    shared.variable.set("set")
    brief.close()
    assert shared.seen == ["child", "parent", "set"]


def test_a_failure_and_an_interrupt_of_a_handler_come_out_as_they_are(
    brief: pkl.PluginHost, make: Make, shared: Any
) -> None:
    make("a", "import pkl\n@pkl.this.on_disable.on\ndef stop(): raise KeyboardInterrupt\n")
    brief.start()
    with pytest.raises(KeyboardInterrupt):
        brief.close()
    make("b", "import pkl\n@pkl.this.on_disable.on\ndef stop(): raise SystemExit(3)\n")
    other = pkl.PluginHost(paths=brief.paths)
    with other.as_current():
        other.start("b")
        with pytest.raises(pkl.CleanupError) as raised:
            other.close()
    assert "SystemExit: 3" in str(raised.value)
    brief.close()


def test_what_a_handler_raises_long_after_is_reported(
    brief: pkl.PluginHost, make: Make, shared: Any
) -> None:
    make(
        "a",
        """
        import pkl, shared
        @pkl.this.on_disable.on
        def stop():
            shared.done.wait()
            raise OSError("too late")
        """,
    )
    faults: List[Any] = []
    brief.on_error.subscribe(faults.append)
    brief.start()
    with pytest.raises(pkl.CleanupError):
        brief.close()
    shared.done.set()
    wait_until(lambda: faults)
    assert str(faults[0].error) == "too late" and "given up" in faults[0].where


def test_a_handler_that_was_given_up_acts_for_nobody(
    brief: pkl.PluginHost, make: Make, shared: Any
) -> None:
    make(
        "a",
        """
        import pkl, shared
        me = pkl.this
        @me.on_disable.on
        def stop():
            shared.done.wait()
            try:
                me.enable()
            except Exception as error:
                shared.seen.append(type(error).__name__)
        """,
    )
    brief.start()
    with pytest.raises(pkl.CleanupError):
        brief.close()
    shared.done.set()
    wait_until(lambda: shared.seen)
    assert shared.seen == ["HostClosed"]


def test_an_async_handler_that_blocks_is_given_up_too(
    brief: pkl.PluginHost, make: Make, shared: Any
) -> None:
    make("a", "import pkl, shared\n@pkl.this.on_disable.on\nasync def stop(): shared.done.wait()\n")
    brief.start()
    with pytest.raises(pkl.CleanupError) as raised:
        brief.close()
    assert "did not return" in str(overdue(raised.value)[0])


def test_after_the_deadline_an_async_handler_has_no_grace_either(
    tmp_path: Path, make: Make, shared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a host with many plugins that hang would be far past its deadline."""
    monkeypatch.setattr("pkl.kernel.bounded.GRACE", 10 * PATIENCE)
    code = "import asyncio, pkl, shared, time\n@pkl.this.on_disable.on\nasync def stop():\n"
    code += "    while not shared.done.is_set(): time.sleep(0.001)\n"
    for name in ("one", "two"):
        make(name, code)
    host = pkl.PluginHost(paths=[tmp_path / "plugins"], close_timeout=0.0)
    host.start()
    began = time.monotonic()
    with pytest.raises(pkl.CleanupError) as raised:
        host.close()
    assert time.monotonic() - began < PATIENCE
    assert {each.plugin for each in overdue(raised.value)} == {"one", "two"}


def test_a_nested_host_that_hangs_in_a_plugin_that_stops_holds_nobody_up(
    brief: pkl.PluginHost, make: Make, shared: Any, tmp_path: Path
) -> None:
    make(
        "deep",
        "import pkl, shared\npkl.this.on_disable += shared.done.wait\n",
        under=tmp_path / "in",
    )
    make(
        "outer",
        f"""
        import pkl
        inner = pkl.PluginHost(paths=[{str(tmp_path / "in")!r}])
        with inner.as_current():
            assert inner.start().ok
        @pkl.this.on_disable.on
        def stop():
            with inner.as_current(): inner.close()
        """,
    )
    assert brief.start().ok
    with pytest.raises(pkl.CleanupError) as raised:
        brief.close()
    assert [each.plugin for each in overdue(raised.value)] == ["outer"]


def test_a_call_that_outlives_its_plugin_is_named_with_thread_and_line(
    host: pkl.PluginHost, make: Make, shared: Any
) -> None:
    plugin = enabled(
        host, make("a", "import pkl, shared\n@pkl.syscall\ndef f(): shared.done.wait()\n")
    )
    thread = threading.Thread(target=plugin.module.f, name="caller", daemon=True)
    thread.start()
    wait_until(lambda: plugin.generation.threads_inside())
    with pytest.raises(pkl.CleanupError) as raised:
        plugin.disable(timeout=0)
    assert "thread caller, at f (" in str(raised.value)
    receipt = plugin.receipt
    assert receipt is not None and [each.what for each in receipt.left] == ["caller"]
    shared.done.set()
    thread.join(PATIENCE)
    assert not receipt.left


PROGRAM: Dict[str, str] = {
    "closed in atexit": "import atexit; atexit.register(host.close)",
    "closed by hand": "host.close()",
}


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(
            "closed in atexit",
            marks=pytest.mark.skipif(
                sys.version_info[:2] == (3, 12), reason="3.12 starts no thread in atexit functions"
            ),
        ),
        "closed by hand",
    ],
)
def test_the_process_ends_although_a_plugin_hangs(make: Make, tmp_path: Path, how: str) -> None:
    make("a", "import pkl, time\n@pkl.this.on_disable.on\ndef stop(): time.sleep(600)\n")
    program = f"""
    import pkl
    host = pkl.PluginHost(paths=[{str(tmp_path / "plugins")!r}], stop_timeout=0.1)
    pkl.set_default_host(host)
    assert host.start().ok
    {PROGRAM[how]}
    """
    ran = subprocess.run(
        [sys.executable, "-c", dedent(program)],
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE,
        check=False,
    )
    assert "did not return within 0.1 s" in ran.stderr and "pkl-stop-a" in ran.stderr


def test_close_does_not_spend_all_its_time_on_a_start_that_hangs_in_another_thread(
    brief: pkl.PluginHost, make: Make, shared: Any
) -> None:
    make("a", SAYS)
    make("stuck", "import pkl, shared\npkl.this.on_enable += shared.done.wait\n")
    brief.start("a")
    stuck = brief.load_plugin("stuck")
    starting = threading.Thread(target=lambda: shared.seen.append(attempt(stuck.enable)))
    starting.start()
    wait_until(lambda: state(stuck) == "enabling")
    began = time.monotonic()
    with pytest.raises(pkl.CleanupError) as raised:
        brief.close()
    assert time.monotonic() - began < brief.close_timeout
    assert "TransitionTimeout" in str(raised.value) and "'stuck' (state: enabling)" in str(
        raised.value
    )
    assert shared.seen == ["a"]
    shared.done.set()
    starting.join(PATIENCE)
    assert not starting.is_alive()


def attempt(function: Any) -> str:
    """What calling it comes to."""
    try:
        function()
    except pkl.PklError as error:
        return type(error).__name__
    return "done"
