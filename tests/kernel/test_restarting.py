"""Plugins that fail are started again as their policy says, with all that waited for them."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

import pkl
from pkl.store import StateStore
from pkl.supervision import RestartPolicy, Supervision
from pkl.testing import FakeClock

from .conftest import Make, enabled, state
from .running import PATIENCE, wait_until

FLAKY = """
import builtins, pkl
@pkl.this.on_enable.on
def start():
    builtins.pkl_starts.append(pkl.this.name)
    if pkl.this.name in builtins.pkl_broken:
        raise OSError("no server")
@pkl.this.on_disable.on
def stop():
    builtins.pkl_starts.append(f"-{pkl.this.name}")
"""
ON_FAILURE = {"restart": "on-failure"}


@pytest.fixture
def host(clock: FakeClock, tmp_path: Path, broken: "set[str]") -> Iterator[pkl.PluginHost]:
    """A host without jitter, closed before what its plugins write to goes away."""
    (tmp_path / "plugins").mkdir(exist_ok=True)
    supervision = Supervision(restart=RestartPolicy(jitter=0))
    made = pkl.PluginHost(paths=[tmp_path / "plugins"], clock=clock, supervision=supervision)
    pkl.set_default_host(made)
    yield made
    made.close()
    pkl.set_default_host(None)


def states(host: pkl.PluginHost) -> Dict[str, str]:
    """The state of each plugin."""
    return {name: p.state.value for name, p in sorted(host.kernel.plugins.items())}


def test_by_default_a_plugin_that_failed_is_left_as_it_is(
    host: pkl.PluginHost, make: Make, clock: FakeClock, starts: List[str], broken: "set[str]"
) -> None:
    make("a", FLAKY)
    broken.add("a")
    host.start()
    clock.advance(1000)
    assert starts == ["a"]
    assert states(host) == {"a": "error"}


def test_a_plugin_that_fails_to_start_is_tried_again_after_a_delay_that_doubles(
    host: pkl.PluginHost, make: Make, clock: FakeClock, starts: List[str], broken: "set[str]"
) -> None:
    make("a", FLAKY, supervision=ON_FAILURE)
    broken.add("a")
    host.start()
    counts = []
    for _ in range(8):
        counts.append(len(starts))
        clock.advance(0.1)
    assert counts == [1, 2, 2, 3, 3, 3, 3, 4]


def test_after_three_restarts_in_a_minute_it_is_quarantined_until_it_is_reset(
    host: pkl.PluginHost, make: Make, clock: FakeClock, starts: List[str], broken: "set[str]"
) -> None:
    make("a", FLAKY, supervision=ON_FAILURE)
    make("b", FLAKY, requires=["a"])
    make("other", FLAKY)
    broken.add("a")
    host.start()
    clock.advance(1000)
    assert starts.count("a") == 4
    a, b = host.get_plugin("a"), host.get_plugin("b")
    assert a is not None and b is not None and a.reason is not None and b.reason is not None
    assert states(host) == {"a": "blocked", "b": "blocked", "other": "enabled"}
    assert a.reason.code == "quarantined"
    assert "3 restarts within 60 s did not help; a 1.0.0: OSError: no server" in a.reason.cause
    assert a.reason.remedy == "pkl reset a"
    assert (b.reason.code, b.reason.cause, b.reason.remedy) == (
        "requirement-failed",
        a.reason.cause,
        "pkl reset a",
    )
    with pytest.raises(pkl.PluginBlocked, match=r"a is in quarantine since .* no server"):
        a.enable()
    host.refresh()
    assert starts.count("a") == 4
    broken.clear()
    host.reset("a")
    assert states(host) == {"a": "enabled", "b": "enabled", "other": "enabled"}


def test_a_reset_of_all_is_of_those_in_quarantine_and_starts_the_count_anew(
    host: pkl.PluginHost, make: Make, clock: FakeClock, starts: List[str], broken: "set[str]"
) -> None:
    make("a", FLAKY, supervision=ON_FAILURE)
    broken.add("a")
    host.start()
    clock.advance(10)
    host.reset()
    assert starts.count("a") == 5
    clock.advance(0.1)
    assert starts.count("a") == 6
    clock.advance(10)
    assert starts.count("a") == 8
    assert states(host) == {"a": "blocked"}


def test_a_reset_of_a_plugin_that_there_is_not_names_the_one_that_was_meant(
    host: pkl.PluginHost, make: Make, starts: List[str], broken: "set[str]"
) -> None:
    make("auth", FLAKY)
    host.start()
    with pytest.raises(pkl.PluginNotFound, match=r"no plugin 'auht' .*did you mean 'auth'"):
        host.reset("auht")


def test_a_crash_stops_the_dependants_in_reverse_and_they_start_again_with_it(
    host: pkl.PluginHost, make: Make, clock: FakeClock, starts: List[str], broken: "set[str]"
) -> None:
    make("base", FLAKY, supervision=ON_FAILURE)
    make("left", FLAKY, requires=["base"])
    make("right", FLAKY, requires=["base"])
    make("top", FLAKY, requires=["left", "right"])
    make("after", FLAKY, wants=["base"])
    host.start()
    del starts[:]
    base, top = host.get_plugin("base"), host.get_plugin("top")
    assert base is not None and top is not None
    base.crash(ConnectionError("gone"))
    assert starts == ["-top", "-right", "-left", "-base"]
    assert states(host) == {
        "after": "enabled",
        "base": "error",
        "left": "blocked",
        "right": "blocked",
        "top": "blocked",
    }
    assert isinstance(base.error, pkl.PluginCrashed)
    assert str(base.error).startswith(
        "plugin 'base' 1.0.0, from "
    ) and "crashed while it was running: ConnectionError: gone" in str(base.error)
    assert base.reason is not None and base.reason.code == "crash"
    assert top.reason is not None
    assert top.reason.code == "requirement-failed"
    assert top.reason.cause == base.reason.cause == "base 1.0.0: ConnectionError: gone"
    del starts[:]
    clock.advance(0.1)
    assert starts == ["base", "left", "right", "top"]
    assert set(states(host).values()) == {"enabled"}


def test_dependants_of_a_crashed_plugin_that_is_not_restarted_start_when_it_is_enabled_by_hand(
    host: pkl.PluginHost, make: Make, clock: FakeClock, starts: List[str], broken: "set[str]"
) -> None:
    make("a", FLAKY)
    make("b", FLAKY, requires=["a"])
    make("c", FLAKY, requires=["b"])
    host.start()
    a = host.get_plugin("a")
    assert a is not None
    a.crash(ValueError("broken"))
    clock.advance(1000)
    assert states(host) == {"a": "error", "b": "blocked", "c": "blocked"}
    a.enable()
    assert states(host) == {"a": "enabled", "b": "enabled", "c": "enabled"}


def test_children_of_a_crashed_plugin_are_stopped_with_it(
    host: pkl.PluginHost, make: Make, clock: FakeClock, starts: List[str], broken: "set[str]"
) -> None:
    parent = make("parent", "import pkl\npkl.load_plugin(path='child').enable()")
    make("child", FLAKY, under=parent)
    plugin = enabled(host, parent)
    child = host.get_plugin("child")
    assert child is not None
    plugin.crash(ValueError("broken"))
    assert (state(plugin), state(child)) == ("error", "disabled")
    assert child.reason is not None and child.reason.code == "parent-stopped"


def test_a_plugin_may_say_of_itself_that_it_crashed_and_not_of_another(
    host: pkl.PluginHost, make: Make, clock: FakeClock, starts: List[str], broken: "set[str]"
) -> None:
    plugin = enabled(
        host,
        make(
            "a",
            """
            import pkl
            @pkl.syscall
            def give_up():
                pkl.this.crash(RuntimeError("my disk is full"))
            @pkl.syscall
            def accuse(name):
                pkl.this.host.get_plugin(name).crash(RuntimeError("it looked at me"))
            """,
        ),
    )
    other = enabled(host, make("b", FLAKY))
    with pytest.raises(pkl.NotPermitted, match="plugin 'a' may not stop plugin 'b'"):
        plugin.module.accuse("b")
    plugin.module.give_up()
    assert (state(plugin), state(other)) == ("error", "enabled")
    assert plugin.reason is not None and "my disk is full" in plugin.reason.message


def test_what_its_clean_up_raises_in_a_crash_is_reported_and_it_is_stopped_all_the_same(
    host: pkl.PluginHost, make: Make, faults: List[Any], starts: List[str], broken: "set[str]"
) -> None:
    code = FLAKY + "    raise KeyError('in on_disable')\n"
    plugin = enabled(host, make("a", code))
    plugin.crash(ValueError("broken"))
    assert state(plugin) == "error"
    assert [type(fault.error) for fault in faults] == [KeyError]
    assert faults[0].where == "stopping of a, which crashed"


def test_dependants_come_back_also_if_two_threads_tell_of_the_crash(
    host: pkl.PluginHost, make: Make, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, go = threading.Event(), threading.Event()
    monkeypatch.setattr("builtins.pkl_entered", entered, raising=False)
    monkeypatch.setattr("builtins.pkl_go", go, raising=False)
    make("base", supervision=ON_FAILURE)
    stops = "import pkl\n@pkl.this.on_disable.on\ndef stop():\n"
    make("user", stops + "    pkl_entered.set()\n    assert pkl_go.wait(60)", requires=["base"])
    assert host.start().ok
    base = host.get_plugin("base")
    assert base is not None
    threads = [threading.Thread(target=base.crash, args=(OSError(n),)) for n in range(2)]
    threads[0].start()
    assert entered.wait(PATIENCE)
    threads[1].start()
    wait_until(lambda: host.kernel.transitions._awaited)
    go.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert states(host) == {"base": "error", "user": "blocked"}
    clock.advance(1)
    assert states(host) == {"base": "enabled", "user": "enabled"}


def test_a_plugin_that_does_not_run_cannot_crash(
    host: pkl.PluginHost, make: Make, clock: FakeClock, starts: List[str], broken: "set[str]"
) -> None:
    plugin = enabled(host, make("a", FLAKY, supervision=ON_FAILURE))
    plugin.disable()
    plugin.crash(ValueError("late"))
    clock.advance(1000)
    assert state(plugin) == "disabled"
    assert plugin.reason is not None and plugin.reason.code == "stopped"


@pytest.mark.parametrize("how", ["disable", "unload"])
def test_whoever_stops_a_plugin_that_waits_for_its_restart_cancels_that(
    host: pkl.PluginHost,
    make: Make,
    clock: FakeClock,
    starts: List[str],
    broken: "set[str]",
    how: str,
) -> None:
    make("a", FLAKY, supervision=ON_FAILURE)
    broken.add("a")
    host.start()
    broken.clear()
    plugin = host.get_plugin("a")
    getattr(plugin, how)()
    clock.advance(1000)
    assert starts == ["a"]
    assert state(plugin) in ("error", "unloaded")


def test_a_restart_never_starts_what_somebody_stopped_meanwhile(
    host: pkl.PluginHost, make: Make, clock: FakeClock, starts: List[str], broken: "set[str]"
) -> None:
    """The plugin waits, BLOCKED, and starts when the other is there again."""
    make("a", FLAKY)
    make("b", FLAKY, requires=["a"], supervision=ON_FAILURE)
    broken.add("b")
    host.start()
    broken.clear()
    a, b = host.get_plugin("a"), host.get_plugin("b")
    assert a is not None and b is not None
    a.disable()
    clock.advance(1)
    assert states(host) == {"a": "disabled", "b": "blocked"}
    assert b.reason is not None and b.reason.cause == "a 1.0.0 was disabled"
    a.enable()
    assert states(host) == {"a": "enabled", "b": "enabled"}


def test_a_masked_plugin_is_not_restarted(
    host: pkl.PluginHost, make: Make, clock: FakeClock, starts: List[str], broken: "set[str]"
) -> None:
    plugin = enabled(host, make("a", FLAKY, supervision=ON_FAILURE))
    host.set_desired("a", "masked")
    plugin.crash(ValueError("broken"))
    clock.advance(1000)
    assert starts == ["a", "-a"]


def test_a_child_whose_parent_was_stopped_is_not_restarted(
    host: pkl.PluginHost, make: Make, clock: FakeClock, starts: List[str], broken: "set[str]"
) -> None:
    parent = make("parent", "import pkl\npkl.load_plugin(path='child').enable()")
    make("child", FLAKY, under=parent, supervision=ON_FAILURE)
    plugin = enabled(host, parent)
    child = host.get_plugin("child")
    assert child is not None
    child.crash(ValueError("broken"))
    plugin.disable()
    clock.advance(1000)
    assert starts == ["child", "-child"]


def test_always_starts_a_plugin_again_that_stopped_itself_and_not_one_that_others_stopped(
    host: pkl.PluginHost, make: Make, clock: FakeClock, starts: List[str], broken: "set[str]"
) -> None:
    code = FLAKY + "@pkl.syscall\ndef leave():\n    pkl.this.disable()\n"
    plugin = enabled(host, make("a", code, supervision={"restart": "always"}))
    plugin.module.leave()
    assert state(plugin) == "disabled"
    clock.advance(0.1)
    assert state(plugin) == "enabled"
    plugin.disable()
    clock.advance(1000)
    assert state(plugin) == "disabled"


def test_on_failure_does_not_start_a_plugin_again_that_stopped_itself(
    host: pkl.PluginHost, make: Make, clock: FakeClock, starts: List[str], broken: "set[str]"
) -> None:
    code = FLAKY + "@pkl.syscall\ndef leave():\n    pkl.this.disable()\n"
    plugin = enabled(host, make("a", code, supervision=ON_FAILURE))
    plugin.module.leave()
    clock.advance(1000)
    assert state(plugin) == "disabled"


def test_a_plugin_whose_code_is_faulty_is_read_anew_at_each_restart(
    host: pkl.PluginHost, make: Make, clock: FakeClock
) -> None:
    path = make("a", "syntax error", supervision=ON_FAILURE)
    host.start()
    plugin = host.get_plugin("a")
    assert state(plugin) == "error"
    (path / "plugin.py").write_text("")
    clock.advance(0.1)
    assert state(plugin) == "enabled"


def test_a_host_may_have_a_policy_for_all_and_one_may_have_none(
    make: Make, clock: FakeClock, tmp_path: Path, starts: List[str], broken: "set[str]"
) -> None:
    make("a", FLAKY)
    make("b", FLAKY, supervision={"restart": "never"})
    make("c", FLAKY, supervision={"restart": "always"})
    broken.update("abc")
    policy = RestartPolicy(default="on-failure", restarts=1)
    for supervision, expected in (
        (Supervision(restart=policy), {"a": 2, "b": 1, "c": 2}),
        (Supervision(restart=None), {"a": 1, "b": 1, "c": 1}),
    ):
        del starts[:]
        with pkl.PluginHost(
            paths=[tmp_path / "plugins"], clock=clock, supervision=supervision
        ) as host:
            host.start()
            clock.advance(100)
        assert {name: starts.count(name) for name in "abc"} == expected


def test_a_closed_host_restarts_nothing(
    make: Make, clock: FakeClock, tmp_path: Path, starts: List[str], broken: "set[str]"
) -> None:
    make("a", FLAKY, supervision=ON_FAILURE)
    broken.add("a")
    with pkl.PluginHost(paths=[tmp_path / "plugins"], clock=clock) as host:
        host.start()
    clock.advance(1000)
    assert starts == ["a"]


def test_quarantine_of_a_host_with_a_name_lasts_until_the_reset_in_another_run(
    make: Make, clock: FakeClock, tmp_path: Path, starts: List[str], broken: "set[str]"
) -> None:
    make("a", FLAKY, supervision=ON_FAILURE)
    broken.add("a")
    paths = [tmp_path / "plugins"]
    with pkl.PluginHost("shop", paths=paths, clock=clock) as first:
        first.start()
        clock.advance(10)
        assert states(first) == {"a": "blocked"}
    broken.clear()
    del starts[:]
    with pkl.PluginHost("shop", paths=paths, clock=clock) as second:
        report = second.start()
        assert report.blocked["a"].code == "quarantined"
        assert starts == []
        second.reset()
        assert states(second) == {"a": "enabled"}
    with pkl.PluginHost("shop", paths=paths, clock=clock) as third:
        assert third.start().status == "ok"


@pytest.mark.parametrize("how", ["refresh", "start"])
def test_a_reset_by_another_process_starts_the_count_anew_as_well(
    make: Make, clock: FakeClock, tmp_path: Path, starts: List[str], broken: "set[str]", how: str
) -> None:
    """Else the first failure after it would be the last one allowed."""
    make("a", FLAKY, supervision=ON_FAILURE)
    broken.add("a")
    with pkl.PluginHost("shop", paths=[tmp_path / "plugins"], clock=clock) as host:
        host.start()
        clock.advance(10)
        assert states(host) == {"a": "blocked"}
        StateStore().reset("shop", "a")  # what pkl reset does
        broken.clear()
        getattr(host, how)()
        plugin = host.get_plugin("a")
        assert plugin is not None and state(plugin) == "enabled"
        plugin.crash(OSError("once more"))
        assert state(plugin) == "error"
        clock.advance(1)
        assert state(plugin) == "enabled"


def test_quarantine_that_cannot_be_kept_holds_in_this_run_and_is_reported(
    make: Make,
    clock: FakeClock,
    tmp_path: Path,
    starts: List[str],
    broken: "set[str]",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make("a", FLAKY, supervision=ON_FAILURE)
    broken.add("a")

    def full(*_: Any, **__: Any) -> Any:
        raise pkl.StateUnavailable("the disk is full")

    with pkl.PluginHost("shop", paths=[tmp_path / "plugins"], clock=clock) as host:
        host.start()
        seen: List[Any] = []
        host.on_error.subscribe(seen.append)
        monkeypatch.setattr(host._wishes.store, "quarantine", full)
        clock.advance(10)
        assert states(host) == {"a": "blocked"}
        assert [(f.where, str(f.error)) for f in seen] == [("quarantine of a", "the disk is full")]
        host.refresh()
        assert states(host) == {"a": "blocked"}


def test_on_a_running_loop_the_restart_awaits_async_handlers_there(
    make: Make, tmp_path: Path, starts: List[str], broken: "set[str]"
) -> None:
    code = """
    import asyncio, builtins, pkl
    @pkl.this.on_enable.on
    async def start():
        await asyncio.sleep(0)
        builtins.pkl_starts.append(asyncio.get_running_loop())
    """
    make("a", code, supervision=ON_FAILURE)
    make("b", FLAKY, requires=["a"])
    policy = RestartPolicy(delay=0.001, longest=0.001)

    async def main() -> None:
        paths = [tmp_path / "plugins"]
        async with pkl.PluginHost(paths=paths, supervision=Supervision(restart=policy)) as host:
            await host.astart()
            a, b = host.get_plugin("a"), host.get_plugin("b")
            assert a is not None and b is not None
            await a.acrash(ValueError("broken"))
            loop = asyncio.get_running_loop()
            end = loop.time() + PATIENCE
            while state(b) != "enabled":
                assert loop.time() < end
                await asyncio.sleep(0.001)
            assert starts == [loop, "b", "-b", loop, "b"]

    asyncio.run(main())


def test_on_the_real_clock_it_is_restarted_on_a_thread_of_the_host(
    make: Make, tmp_path: Path, starts: List[str], broken: "set[str]"
) -> None:
    policy = RestartPolicy(delay=0.001, longest=0.001)
    make("a", FLAKY, supervision=ON_FAILURE)
    with pkl.PluginHost(
        paths=[tmp_path / "plugins"], supervision=Supervision(restart=policy)
    ) as host:
        host.start()
        plugin = host.get_plugin("a")
        assert plugin is not None
        plugin.crash(ValueError("broken"))
        wait_until(lambda: plugin.state is pkl.PluginState.ENABLED)
    assert starts == ["a", "-a", "a", "-a"]
