"""Hosts: start and its report, hooks, custom loaders, several side by side."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path
from typing import Any, List, Tuple

import pytest

import pkl

from .conftest import Make, enabled, state


def test_start_enables_everything_in_order_and_reports(host: pkl.PluginHost, make: Make) -> None:
    make("c", requires=["b"])
    make("b", requires=["a>=1"])
    make("a")
    plan = host.resolve()
    assert [s.name for s in plan.steps] == ["a", "b", "c"]
    assert plan.layers == (("a",), ("b",), ("c",))
    report = host.start()
    assert report.status == "ok" and report.ok and report.enabled == ("a", "b", "c")
    assert set(report.timings) == {"a", "b", "c"} and all(t >= 0 for t in report.timings.values())
    assert host.start().enabled == ("a", "b", "c"), "starting again changes nothing"


def test_each_bad_plugin_is_its_own_reason_and_everybody_else_works(
    host: pkl.PluginHost, make: Make
) -> None:
    """Missing, unsatisfied, cycle of three, raising in import and in enable, bad manifest."""
    make("good")
    make("missing", requires=["nobody"])
    make("unsatisfied", requires=["good>=2"])
    for name, other in (("c1", "c2"), ("c2", "c3"), ("c3", "c1")):
        make(name, requires=[other])
    make("raises", "raise ValueError('at import')")
    make("fails", "import pkl\n@pkl.this.on_enable.on\ndef f(): raise ValueError('at enable')")
    make("faulty", requires=["??"], version="one")
    make("user", requires=["good"])
    make("dependant", requires=["raises"])
    report = host.start()
    assert report.status == "degraded" and report.enabled == ("good", "user")
    assert {n: r.code for n, r in report.failed.items()} == {
        "raises": "load",
        "fails": "enable",
        "faulty": "manifest",
    }
    codes = {n: r.code for n, r in report.blocked.items()}
    assert codes["missing"] == "missing" and codes["unsatisfied"] == "unsatisfied"
    assert codes["c1"] == codes["c2"] == codes["c3"] == "cycle"
    assert state(host.get_plugin("dependant")) == "blocked"
    assert "at import" in report.blocked["dependant"].cause
    assert "requires[0]" in report.failed["faulty"].message
    assert "version" in report.failed["faulty"].message
    assert "at import" in str(report)


def test_a_critical_plugin_that_cannot_run_refuses_the_start(
    host: pkl.PluginHost, make: Make
) -> None:
    make("good")
    make("vital", "1/0", critical=True)
    report = host.start()
    assert report.status == "refused" and report.enabled == ()
    assert state(host.get_plugin("good")) in ("unloaded", "disabled")


def test_a_manifest_with_three_faults_raises_all_three(host: pkl.PluginHost, make: Make) -> None:
    path = make("bad", version="one", requires=["a b"], tier="moon")
    with pytest.raises(pkl.ManifestError) as raised:
        host.load_plugin(path=path)
    paths = [fault.path for fault in raised.value.faults]
    assert sorted(paths) == ["requires[0]", "tier", "version"]
    for fault in raised.value.faults:
        assert fault.value and fault.rule and str(fault) in str(raised.value)
    assert state(host.get_plugin("bad")) == "error"


def test_desired_disabled_is_not_started_unless_required_and_masked_never(
    host: pkl.PluginHost, make: Make
) -> None:
    make("a")
    make("b")
    make("c", requires=["b"])
    make("d")
    host.set_desired("a", "disabled")
    host.set_desired("b", pkl.Desired.DISABLED)
    host.set_desired("d", "masked")
    report = host.start()
    assert report.enabled == ("b", "c") and report.ok
    d = host.get_plugin("d")
    assert d is not None
    with pytest.raises(pkl.PluginBlocked, match="masked"):
        d.enable()
    a = host.get_plugin("a")
    assert a is not None
    a.enable()
    assert a.desired is pkl.Desired.DISABLED, "desired never changes by itself"
    with pytest.raises(ValueError, match="nonsense"):
        host.set_desired("a", "nonsense")


def test_refresh_finds_what_is_new_and_starts_what_waited(host: pkl.PluginHost, make: Make) -> None:
    make("top", requires=["base"])
    assert host.start().status == "degraded"
    make("base")
    host.refresh()
    base = host.get_plugin("base")
    assert base is not None
    base.enable()
    assert state(host.get_plugin("top")) == "enabled"


def test_the_context_switch_hook_is_really_called(host: pkl.PluginHost, make: Make) -> None:
    code = "import pkl\n@pkl.syscall\ndef api(): pass\n@pkl.event\ndef e(): pass\n"
    a = enabled(host, make("a", code))
    b = enabled(
        host, make("b", code + "from pkl.plugins import a\na.e += lambda: None", requires=["a"])
    )
    seen: List[Tuple[Any, Any]] = []
    undo = host.add_context_switch_hook(lambda old, new: seen.append((old, new)))
    a.module.api()
    assert seen == [(None, a), (a, None)]
    seen.clear()
    a.module.e()
    assert seen == [(None, a), (a, b), (b, a), (a, None)]
    seen.clear()
    with pkl.plugin_context(host, b):
        a.module.api()
    assert seen == [(None, b), (b, a), (a, b), (b, None)]
    undo()
    undo()
    seen.clear()
    a.module.api()
    assert seen == []


def test_enable_and_disable_hooks_and_one_that_raises(
    host: pkl.PluginHost, make: Make, faults: List[Any]
) -> None:
    seen: List[str] = []

    def broken(plugin: pkl.Plugin) -> None:
        raise ValueError("hook")

    host.add_enable_hook(broken)
    undo = host.add_enable_hook(lambda p: seen.append(f"+{p.name} {p.state}"))
    host.add_disable_hook(lambda p: seen.append(f"-{p.name} {p.state}"))
    plugin = enabled(host, make("a"))
    plugin.disable()
    undo()
    plugin.enable()
    assert seen == ["+a enabled", "-a disabled"]
    assert [type(f.error) for f in faults] == [ValueError, ValueError]
    assert "enable hook" in faults[0].where
    with pytest.raises(TypeError):
        host.add_enable_hook(3)  # type: ignore[arg-type]


def test_a_custom_plugin_loader_needs_only_load(make: Make) -> None:
    class Loader:
        def load(self, plugin: pkl.Plugin) -> Any:
            assert plugin.path is not None
            spec = importlib.util.spec_from_file_location(
                f"custom_{plugin.name}", plugin.path / "plugin.py"
            )
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = module
            spec.loader.exec_module(module)
            return module

    with pkl.PluginHost(plugin_loader=Loader()) as host:
        plugin = enabled(
            host,
            make(
                "a",
                "import pkl\n@pkl.syscall\ndef who(): return pkl.this.name\n"
                "@pkl.event\ndef e(): pass",
            ),
        )
        assert plugin.module.who() == "a" and plugin.module.e.owner.plugin is plugin
        who = plugin.module.who
        plugin.disable()
        assert "custom_a" not in sys.modules
        with pytest.raises(pkl.PluginNotRunning):
            who()
        plugin.enable()
        assert plugin.module.who() == "a"


def test_a_custom_loader_may_return_a_namespace_and_not_none(make: Make) -> None:
    class Loader:
        def load(self, plugin: pkl.Plugin) -> Any:
            return types.SimpleNamespace(x=1) if plugin.name == "a" else None

    with pkl.PluginHost(plugin_loader=Loader()) as host:
        assert enabled(host, make("a")).module.x == 1
        with pytest.raises(pkl.PluginLoadError, match="returned None"):
            host.load_plugin(path=make("b"))


def test_a_custom_metadata_loader_needs_only_load(tmp_path: Path) -> None:
    class Loader:
        def load(self, location: Path) -> pkl.PluginMetadata:
            return pkl.PluginMetadata({"name": location.name, "version": "9"})

    (tmp_path / "thing").mkdir()
    (tmp_path / "thing" / "plugin.py").write_text("x = 1")
    with pkl.PluginHost(metadata_loader=Loader()) as host:
        plugin = host.load_plugin(path=tmp_path / "thing")
        assert (plugin.name, plugin.version, plugin.module.x) == ("thing", "9", 1)


def test_the_default_host_is_made_on_first_use_and_can_be_replaced(host: pkl.PluginHost) -> None:
    assert pkl.get_default_host() is host
    pkl.set_default_host(None)
    made = pkl.get_default_host()
    assert made is not host and pkl.get_default_host() is made
    made.close()
    assert pkl.get_default_host() is not made
    pkl.get_default_host().close()
    pkl.set_default_host(host)


def test_host_events_reach_the_host_in_whose_name_they_are_called(
    host: pkl.PluginHost, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hosts with the same plugin: each plugin's call reaches its own host's handlers."""
    (tmp_path / "shared_events.py").write_text("import pkl\n@pkl.event\ndef ping(): pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    path = make(
        "a",
        "import pkl\nfrom shared_events import ping\nseen = []\n"
        "ping += lambda: seen.append(pkl.this.host)\n"
        "@pkl.syscall\ndef call(): ping()",
    )
    one = enabled(host, path)
    import shared_events  # type: ignore[import-not-found, unused-ignore]

    with pkl.PluginHost() as other:
        two = enabled(other, path)
        shared_events.ping()
        assert (one.module.seen, two.module.seen) == ([host], [])
        two.module.call()
        with other.as_current():
            shared_events.ping()
        assert (one.module.seen, two.module.seen) == ([host], [other, other])
    assert len(shared_events.ping._routes) == 1
    sys.modules.pop("shared_events")


def test_a_host_as_context_manager_closes_and_does_not_hide_an_error(make: Make) -> None:
    path = make("a", "import pkl\n@pkl.this.on_disable.on\ndef f(): 1/0")
    with pytest.raises(KeyError), pkl.PluginHost() as host:
        enabled(host, path)
        raise KeyError
    assert host.closed
    with pytest.raises(pkl.CleanupError), pkl.PluginHost() as host:
        enabled(host, path)


def test_close_stops_all_in_reverse_order(host: pkl.PluginHost, make: Make) -> None:
    make("a")
    make("b", requires=["a"])
    make("c")
    host.start()
    order: List[str] = []
    started = sorted(host.all_plugins(), key=lambda p: -p.started)
    host.add_disable_hook(lambda p: order.append(p.name))
    names = [p.name for p in started]
    host.close()
    assert order == names


def test_a_failed_plugin_is_tried_once_a_start_however_many_depend_on_it(
    host: pkl.PluginHost, make: Make
) -> None:
    tried: List[int] = []
    host.tried = tried  # type: ignore[attr-defined]
    make("base", "import pkl\npkl.this.host.tried.append(1)\n1/0")
    for name in ("one", "two", "three"):
        make(name, requires=["base"])
    report = host.start()
    assert tried == [1] and set(report.blocked) == {"one", "two", "three"}
    assert len({r.cause for r in report.blocked.values()} | {report.failed["base"].cause}) == 1
    host.start()
    assert tried == [1, 1], "the next start tries again"
