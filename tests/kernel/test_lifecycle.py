"""States, staging, generations, dependants: what DESIGN.md says under "Lifecycle"."""

from __future__ import annotations

import gc
import sys
import weakref
from pathlib import Path
from typing import Any, List

import pytest

import pkl
from pkl import PluginState
from pkl.testing import FakeClock

from .conftest import Make, enabled, state


def test_a_plugin_goes_from_loaded_to_enabled_to_disabled_to_unloaded(
    host: pkl.PluginHost, make: Make
) -> None:
    plugin = host.load_plugin(path=make("a"))
    assert state(plugin) == "loaded"
    assert plugin.enable() is plugin
    assert state(plugin) == "enabled" and plugin.reason is None
    plugin.disable()
    assert state(plugin) == "disabled"
    plugin.unload()
    assert state(plugin) == "unloaded"
    assert host.get_plugin("a") is plugin


def test_a_plugin_knows_what_it_is(host: pkl.PluginHost, make: Make) -> None:
    path = make("My.Plugin", version="2.1")
    plugin = host.load_plugin(path=path)
    assert (plugin.name, plugin.version, plugin.path) == ("my-plugin", "2.1", path)
    assert plugin.parent is None and plugin.error is None and plugin.host is host
    assert host.get_plugin("my_plugin") is plugin is host.get_plugin("MY-PLUGIN")
    assert host.get_plugin("nobody") is None
    assert plugin.module.__file__ == str(path / "plugin.py")


def test_load_plugin_takes_a_path_or_a_name_by_position(host: pkl.PluginHost, make: Make) -> None:
    make("named")
    path = make("placed")
    assert pkl.load_plugin("named").name == "named"
    assert pkl.load_plugin(path).name == "placed"
    assert pkl.load_plugin(str(path)) is host.get_plugin("placed")
    with pytest.raises(TypeError):
        pkl.load_plugin()
    with pytest.raises(pkl.PluginNotFound, match="did you mean 'named'"):
        pkl.load_plugin("namde")
    with pytest.raises(pkl.PathError):
        pkl.load_plugin(path=path / "nowhere")


def test_enabling_an_enabled_plugin_does_nothing(host: pkl.PluginHost, make: Make) -> None:
    plugin = enabled(
        host, make("a", "count = []\nimport pkl\npkl.this.on_enable += lambda: count.append(1)")
    )
    plugin.enable()
    assert plugin.module.count == [1]


def test_what_is_registered_while_loaded_is_staged_until_enabled(
    host: pkl.PluginHost, make: Make, clock: FakeClock
) -> None:
    """Before it is enabled no handler is called and no timer runs; delays count from then."""
    a = enabled(host, make("a", "from pkl import event\n@event\ndef happened(): pass"))
    b = host.load_plugin(
        path=make(
            "b",
            """
            import pkl
            from pkl.plugins import a
            seen = []
            a.happened += lambda: seen.append("event")
            pkl.set_timeout(lambda: seen.append("timer"), 5)
            """,
            requires=["a"],
        )
    )
    a.module.happened()
    clock.advance(60)
    assert b.module.seen == []
    assert len(host.resource_manager.get_resources(b)) == 2
    b.enable()
    a.module.happened()
    clock.advance(4.9)
    assert b.module.seen == ["event"]
    clock.advance(0.2)
    assert b.module.seen == ["event", "timer"]


def test_what_on_enable_registers_goes_live_with_the_rest(host: pkl.PluginHost, make: Make) -> None:
    """During on_enable nothing is live yet, not even what the module registered."""
    plugin = enabled(
        host,
        make(
            "a",
            """
            import pkl
            seen = []
            @pkl.event
            def happened(n): pass
            happened += lambda n: seen.append(("module", n))
            @pkl.this.on_enable.on
            def start():
                global happened
                happened += lambda n: seen.append(("on_enable", n))
                happened(1)
            """,
        ),
    )
    assert plugin.module.seen == []
    plugin.module.happened(2)
    assert plugin.module.seen == [("module", 2), ("on_enable", 2)]


def test_loading_loads_but_does_not_enable_what_is_required(
    host: pkl.PluginHost, make: Make
) -> None:
    make("base")
    top = host.load_plugin(path=make("top", requires=["base>=1"]))
    base = host.get_plugin("base")
    assert base is not None and state(base) == "loaded"
    top.enable()
    assert state(base) == "enabled"
    assert base.started < top.started


@pytest.mark.parametrize(
    ("requires", "code", "words"),
    [
        (["nobody>=1"], "missing", "requires nobody>=1"),
        (["base>=2"], "unsatisfied", "but base is 1.0.0"),
    ],
)
def test_loading_by_hand_raises_for_a_requirement_and_names_it(
    host: pkl.PluginHost, make: Make, requires: List[str], code: str, words: str
) -> None:
    make("base")
    path = make("top", requires=requires)
    with pytest.raises(pkl.PluginBlocked, match=words) as raised:
        host.load_plugin(path=path)
    assert str(path / "plugin.json") in str(raised.value)
    top = host.get_plugin("top")
    assert top is not None and state(top) == "blocked"
    assert top.reason is not None and top.reason.code == code


def test_a_cycle_blocks_its_members_and_names_every_edge_with_its_file(
    host: pkl.PluginHost, make: Make
) -> None:
    paths = [make(n, requires=[r]) for n, r in (("a", "b"), ("b", "c>=1"), ("c", "a"))]
    with pytest.raises(pkl.PluginBlocked) as raised:
        host.load_plugin(path=paths[0])
    for path in paths:
        assert str(path / "plugin.json") in str(raised.value)
    assert "requires c>=1" in str(raised.value)
    for name in "abc":
        plugin = host.get_plugin(name)
        assert plugin is not None and state(plugin) == "blocked"
        assert plugin.reason is not None and plugin.reason.code == "cycle"


def test_disabling_stops_dependants_first_in_reverse_start_order(
    host: pkl.PluginHost, make: Make
) -> None:
    stopped: List[str] = []
    host.add_disable_hook(lambda p: stopped.append(p.name))
    make("a")
    make("b", requires=["a"])
    make("c", requires=["b"])
    make("d", requires=["a"])
    assert host.start().ok
    started = {p.name: p.started for p in host.all_plugins()}
    a = host.get_plugin("a")
    assert a is not None
    a.disable()
    assert stopped == sorted(started, key=lambda n: -started[n])
    b = host.get_plugin("b")
    assert b is not None and state(b) == "disabled"
    assert b.reason is not None and b.reason.code == "stopped-with"


def test_disable_without_cascade_refuses_and_lists_the_dependants(
    host: pkl.PluginHost, make: Make
) -> None:
    make("a")
    make("b", requires=["a"])
    make("c", requires=["b"])
    host.start()
    a = host.get_plugin("a")
    assert a is not None
    with pytest.raises(pkl.InUse, match="2 running plugins depend on it") as raised:
        a.disable(cascade=False)
    assert set(raised.value.details["dependants"]) == {"b", "c"}
    assert all(state(p) == "enabled" for p in host.all_plugins())


def test_enabling_again_is_a_new_generation_of_the_code_as_it_is_now(
    host: pkl.PluginHost, make: Make
) -> None:
    path = make("a", "value = 1")
    plugin = enabled(host, path)
    first = plugin.module
    plugin.disable()
    (path / "plugin.py").write_text("value = 2")
    plugin.enable()
    assert plugin.module is not first and plugin.module.value == 2
    assert plugin.generation.number == 2


def test_the_stopped_generations_modules_are_dropped_and_freed(
    host: pkl.PluginHost, make: Make
) -> None:
    plugin = enabled(
        host,
        make(
            "a",
            """
            import pkl
            @pkl.event
            def happened(): pass
            happened += lambda: None
            @pkl.syscall
            def api(): pass
            pkl.this.on_disable += lambda: None
            pkl.set_interval(lambda: None, 1)
            """,
            init="from .plugin import api",
        ),
    )
    names = [n for n, m in sys.modules.items() if m is plugin.module or m is plugin.api]
    assert len(names) == 2
    reference = weakref.ref(plugin.module)
    plugin.disable()
    assert not any(n in sys.modules for n in names)
    gc.collect()
    assert reference() is None
    assert plugin.module is None


def test_on_unload_handlers_outlive_disable_and_run_once(host: pkl.PluginHost, make: Make) -> None:
    out: List[str] = []
    host.exit_log = out  # type: ignore[attr-defined]
    path = make(
        "a",
        """
        import pkl
        host = pkl.this.host
        pkl.this.on_unload += lambda: host.exit_log.append("unload")
        """,
    )
    plugin = enabled(host, path)
    plugin.disable()
    assert out == []
    plugin.enable()
    assert out == ["unload"], "before the next generation loads"
    plugin.unload()
    plugin.unload()
    assert out == ["unload", "unload"]


def test_a_plugin_may_stop_itself_and_its_own_frames_finish(
    host: pkl.PluginHost, make: Make
) -> None:
    plugin = enabled(
        host,
        make(
            "a",
            """
            import pkl
            @pkl.syscall
            def leave():
                pkl.this.disable()
                try:
                    other()
                except pkl.PluginNotRunning as error:
                    return str(error)
            @pkl.syscall
            def other(): pass
            """,
        ),
    )
    leave = plugin.module.leave
    assert "is not running" in leave()
    assert state(plugin) == "disabled"
    with pytest.raises(pkl.PluginNotRunning):
        leave()


def test_a_plugin_may_disable_itself_while_it_is_loaded(
    host: pkl.PluginHost, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    plugin = host.load_plugin(
        path=make(
            "b",
            """
            from pkl import get_current_plugin, log, set_interval
            set_interval(print, 10)
            log.info("is disabling")
            get_current_plugin().disable()
            log.info("is disabled")
            """,
        )
    )
    assert state(plugin) == "disabled"
    assert plugin.reason is not None and plugin.reason.code == "stopped-itself"
    assert host.resource_manager.get_resources(plugin) == ()
    assert [r.getMessage() for r in caplog.records] == ["is disabling"]
    plugin.enable()
    assert state(plugin) == "disabled", "it does it again"


def test_a_plugin_may_disable_itself_in_on_enable(host: pkl.PluginHost, make: Make) -> None:
    plugin = enabled(
        host, make("a", "import pkl\nthis = pkl.this\nthis.on_enable += lambda: this.disable()")
    )
    assert state(plugin) == "disabled"


def test_another_plugin_may_not_be_stopped(host: pkl.PluginHost, make: Make) -> None:
    enabled(host, make("a"))
    b = enabled(
        host,
        make(
            "b",
            "import pkl\n@pkl.syscall\ndef stop(name):\n"
            "    pkl.this.host.get_plugin(name).disable()",
        ),
    )
    with pytest.raises(pkl.NotPermitted, match="plugin 'b' may not stop plugin 'a'"):
        b.module.stop("a")
    with pytest.raises(PermissionError):
        b.module.stop("a")
    assert state(b) == "enabled"


def test_blocked_plugins_start_when_what_they_waited_for_does(
    host: pkl.PluginHost, make: Make
) -> None:
    """Through a chain, before the enable() that cured it returns."""
    switch = make("base", "import pkl\n@pkl.this.on_enable.on\ndef f(): 1/0")
    make("mid", requires=["base"])
    make("top", requires=["mid"])
    report = host.start()
    assert report.status == "degraded" and set(report.failed) == {"base"}
    assert set(report.blocked) == {"mid", "top"}
    causes = {report.blocked[n].cause for n in ("mid", "top")} | {report.failed["base"].cause}
    assert len(causes) == 1 and "ZeroDivisionError" in causes.pop()
    (switch / "plugin.py").write_text("")
    base = host.get_plugin("base")
    assert base is not None
    base.enable()
    assert [p.state for p in host.all_plugins()] == [PluginState.ENABLED] * 3


def test_conflicting_plugins_do_not_run_together_unless_replaced(
    host: pkl.PluginHost, make: Make
) -> None:
    old = enabled(host, make("old"))
    new = host.load_plugin(path=make("new", conflicts=["old<2"]))
    with pytest.raises(pkl.ConflictError, match=r"conflicts with old 1\.0\.0"):
        new.enable()
    assert state(new) == "loaded"
    new.enable(replace=True)
    assert (old.state, new.state) == (PluginState.DISABLED, PluginState.ENABLED)
    with pytest.raises(pkl.ConflictError):
        old.enable()


def test_a_closed_host_refuses(host: pkl.PluginHost, make: Make) -> None:
    plugin = enabled(host, make("a"))
    host.close()
    host.close()
    assert state(plugin) == "unloaded"
    for call in (plugin.enable, host.start, lambda: host.load_plugin("a")):
        with pytest.raises(pkl.HostClosed):
            call()


def test_a_plugin_may_not_close_the_host_but_may_ask_it_to_exit(
    host: pkl.PluginHost, make: Make
) -> None:
    plugin = enabled(
        host,
        make(
            "a",
            """
            import pkl
            @pkl.syscall
            def close(): pkl.this.host.close()
            @pkl.syscall
            def leave(): pkl.this.host.exit(3)
            """,
        ),
    )
    with pytest.raises(pkl.NotPermitted, match="may not close the host"):
        plugin.module.close()
    assert host.wait(0) is None
    plugin.module.leave()
    assert host.wait(0) == 3


def test_a_known_name_from_another_path_is_refused_while_it_is_in_use(
    host: pkl.PluginHost, make: Make, tmp_path: Path
) -> None:
    first = enabled(host, make("a"))
    other = make("a", under=tmp_path / "elsewhere")
    with pytest.raises(pkl.NameRefused, match="already, from"):
        host.load_plugin(path=other)
    first.unload()
    assert host.load_plugin(path=other).path == other


def test_disabling_what_does_not_run_changes_nothing(host: pkl.PluginHost, make: Make) -> None:
    plugin = host.load_plugin(path=make("a"))
    plugin.unload()
    plugin.disable()
    assert state(plugin) == "unloaded"


def test_a_loaded_plugin_that_is_never_enabled_is_cleaned(host: pkl.PluginHost, make: Make) -> None:
    out: List[Any] = []
    host.out = out  # type: ignore[attr-defined]
    plugin = host.load_plugin(
        path=make(
            "a",
            """
            import pkl
            host = pkl.this.host
            class R(pkl.Resource):
                def _cleanup(self): host.out.append(pkl.this.name)
            host.resource_manager.register(R())
            pkl.this.on_disable += lambda: host.out.append("on_disable")
            """,
        )
    )
    plugin.unload()
    assert out == ["a"], "its resource is released; it was never enabled, so on_disable is not run"
