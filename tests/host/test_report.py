"""The boot verdict: a start as a table, its critical path, JSON; nothing left of a refused one."""

from __future__ import annotations

import json
import sys
import threading
from itertools import count
from pathlib import Path
from typing import Any, Dict, List

import pytest

import pkl
from pkl.host import starting
from pkl.host.report import StartReport
from pkl.model.state import Reason
from pkl.render.terminal import Terminal
from pkl.testing import FakeClock
from tests.discovery.fakes import plugin as distribution
from tests.kernel.conftest import Make, clock, host, make

__all__ = ["clock", "host", "make"]

WHY = Reason("load", "plugin 'boom' 1.0 could not be loaded: no \x1b[2J database", "x", "y")


def a_report(**fields: Any) -> StartReport:
    """Three that run, one slower than the other, and one that failed."""
    known: Dict[str, Any] = {
        "enabled": ("db", "auth", "web"),
        "failed": {"boom": WHY},
        "timings": {"db": 0.03, "auth": 0.001, "web": 0.2, "boom": 0.004},
        "versions": {"db": "2.0", "auth": "1.0", "web": "3.1", "boom": "1.0"},
        "status": "degraded",
        "seconds": 0.25,
        "critical_path": ("db", "web"),
    }
    return StartReport(**{**known, **fields})


def test_the_table_has_the_slowest_first_then_what_does_not_run_and_why() -> None:
    lines = a_report().as_text().splitlines()
    assert [line.split()[0] for line in lines] == [
        "NAME",
        "web",
        "db",
        "auth",
        "boom",
        "started",
        "degraded:",
    ]
    assert lines[1].split() == ["web", "3.1", "●", "enabled", "200.0"]
    assert "could not be loaded" in lines[4]
    assert lines[5] == "started in 250.0 ms; critical path: db 30.0, web 200.0"
    assert lines[6] == "degraded: 3 enabled, 1 failed"


def test_what_a_plugin_wrote_cannot_control_the_terminal() -> None:
    for terminal in (Terminal(), Terminal(color=True, width=60), Terminal(unicode=False)):
        assert "\x1b[2J" not in a_report().as_text(terminal=terminal)


def test_what_is_left_out_of_the_table_is_counted_and_added_up() -> None:
    lines = a_report().as_text(limit=1).splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["web", "boom"]
    assert lines[3] == "and 2 more that are enabled, 31.0 ms together"


def test_a_path_of_one_plugin_is_not_worth_a_line() -> None:
    assert "critical path" not in a_report(critical_path=("web",)).as_text()


def test_a_start_without_plugins_is_two_lines() -> None:
    assert StartReport(seconds=0.001).as_text() == "started in 1.0 ms\nok: 0 enabled\n"


def test_the_text_of_a_report_is_the_same_for_the_same_outcome() -> None:
    """No times in it, so that it can be compared."""
    assert str(a_report()) == str(a_report(seconds=9.0, timings={}))


def test_the_report_goes_through_json() -> None:
    found = json.loads(json.dumps(a_report().as_dict()))
    assert found["critical_path"] == ["db", "web"] and found["seconds"] == 0.25
    assert found["failed"]["boom"]["code"] == "load"


def test_the_critical_path_follows_what_waited_for_what(
    host: pkl.PluginHost, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requirements, wants and orders, also stated by the other side; never an unrelated plugin."""
    make("a", before=["d"])
    make("b", requires=["a"])
    make("c", wants=["b"])
    make("d", after=["c"])
    make("alone")
    ticks = count()
    monkeypatch.setattr(starting, "perf_counter", lambda: float(next(ticks)))  # each takes as long
    report = host.start()
    assert set(report.enabled) == {"a", "b", "c", "d", "alone"}
    assert report.critical_path == ("a", "b", "c", "d")
    assert report.seconds >= sum(report.timings.values())


REFUSED = """
import pkl, threading
from pkl import set_interval, this

@pkl.event
def happened():
    pass

class Held(pkl.Resource):
    def _cleanup(self):
        this.host.released.append(this.name)

this.host.resource_manager.register(Held())
set_interval(print, 1)

@this.on_enable.on
def up():
    pass
"""


def test_a_refused_start_leaves_nothing_behind(host: pkl.PluginHost, make: Make) -> None:
    """Threads, modules, resources, handlers and subscriptions are as before."""
    released: List[str] = []
    host.released = released  # type: ignore[attr-defined]
    make("one", REFUSED)
    make("two", REFUSED, requires=["one"])
    make("zvital", "1/0", critical=True, requires=["two"])
    modules, threads = set(sys.modules), set(threading.enumerate())
    report = host.start()
    assert report.status == "refused" and report.enabled == ()
    assert "error" in report.as_text() and "ZeroDivisionError" in report.as_text()
    assert released == ["two", "one"]
    assert not {name for name in set(sys.modules) - modules if name.startswith("pkl_local_")}
    assert set(threading.enumerate()) <= threads
    for name in ("one", "two", "zvital"):
        plugin = host.get_plugin(name)
        assert plugin is not None and not plugin.running
        assert not host.resource_manager.get_resources(plugin)
        assert plugin.reason is not None
    assert not host.kernel.routes_of("one") or all(
        route.event is None for route in host.kernel.routes_of("one")
    )


CALLS = """
import pkl
@pkl.event
def opened(): pass
@pkl.this.on_enable.on
def up():
    opened()
"""


def test_a_refused_start_takes_back_what_waits_and_restarts_that_are_due(
    host: pkl.PluginHost, make: Make, clock: FakeClock
) -> None:
    make("yard", CALLS)
    make("idle", activation=["event:yard.opened", "idle"])
    make("lame", "1/0", supervision={"restart": "on-failure"}, activation=["event:yard.opened"])
    make("good")
    make("zvital", "1/0", critical=True, supervision={"restart": "always"})
    make("zzuser", requires=["zvital"])
    report = host.start()
    assert report.status == "refused"
    remedy = report.failed["zvital"].remedy
    assert "restart" not in remedy and report.blocked["zzuser"].remedy == remedy
    assert set(report.stopped) == {"yard", "good", "idle"}
    assert {each.code for each in report.stopped.values()} == {"refused"}
    assert {each.cause for each in report.stopped.values()} == {report.failed["zvital"].cause}
    assert report.waiting == {} and report.summary.endswith("3 stopped again")
    text = " ".join(report.as_text().split())
    assert "good 1.0.0 ○ disabled" in text and "zvital 1.0.0 is critical and does not run" in text
    assert json.loads(json.dumps(report.as_dict()))["stopped"]["good"]["code"] == "refused"
    clock.advance(1000)
    assert not any(plugin.running for plugin in host.all_plugins())


def test_a_lazy_plugin_that_was_needed_meanwhile_says_by_whom_and_what_it_cost(
    host: pkl.PluginHost, make: Make
) -> None:
    make("yard", CALLS, after=["ear"])
    make("ear", activation=["event:yard.opened"], requires=["store"])
    make("store", activation=["import"])
    report = host.start()
    assert set(report.enabled) == {"yard", "ear", "store"} and report.waiting == {}
    done = report.activations["ear"]
    assert (done.trigger, done.by, done.pulled_in) == ("event:yard.opened", "yard", ("store",))
    assert list(report.activations) == ["ear"], "what was pulled in was not triggered"
    text = " ".join(report.as_text().split())
    assert (
        f"started by event:yard.opened of yard in {done.seconds * 1000:.1f} ms, with store" in text
    )
    kept = json.loads(json.dumps(report.as_dict()))["activations"]["ear"]
    assert kept == {**done._asdict(), "pulled_in": ["store"]} and kept["failed"] == ""


def test_a_critical_plugin_whose_manifest_is_faulty_elsewhere_refuses_the_start(
    host: pkl.PluginHost, make: Make
) -> None:
    make("good")
    make("vital", critical=True, tier="soft")
    make("lame", critical="yes")
    report = host.start()
    assert report.status == "refused" and "tier" in report.failed["vital"].cause
    assert report.stopped["good"].cause == report.failed["vital"].cause


@pytest.mark.parametrize("manifest", ["critical = true\ntier = 1\n", "critical = 1\n"])
def test_that_it_is_critical_is_known_of_a_distribution_and_from_the_cache_too(
    manifest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution(tmp_path, "vital", manifest=manifest)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PKL_HOME", str(tmp_path / "home"))
    for _ in range(2):
        with pkl.PluginHost("shop") as host:
            assert host.start().status == ("refused" if "true" in manifest else "degraded")
