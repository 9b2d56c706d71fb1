"""Safe mode starts what is critical, with what that requires, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Iterator, Sequence

import pytest

import pkl
from pkl.errors import PluginBlocked
from pkl.host.safe_mode import SAFE_MODE, asked_for
from pkl.model.state import Desired, PluginState
from pkl.store import StateStore
from tests.cli.running import directory_plugin

CODE = "import pkl\n"


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """web is critical and requires db and a cache, which memory provides; it wants chart."""
    directory = tmp_path / "plugins"
    web = 'critical = true\nwants = ["chart"]\n'
    directory_plugin(directory, "web", web, CODE, requires=["db", "cache"])
    directory_plugin(directory, "db", "", CODE, requires=["disk"])
    directory_plugin(directory, "disk", "", CODE)
    directory_plugin(directory, "memory", 'provides = ["cache"]\n', CODE)
    directory_plugin(directory, "chart", "", "raise SystemExit('never')\n")
    directory_plugin(directory, "broken", "", "def broken(:\n")
    directory_plugin(directory, "later", 'activation = ["import"]\n', CODE)
    return directory


@pytest.fixture
def hosts(plugins: Path) -> Iterator[Any]:
    """Makes hosts with these plugins, and closes them."""
    made = []

    def make(name: "str | None" = None, **more: Any) -> pkl.PluginHost:
        made.append(pkl.PluginHost(name, paths=[plugins], group="none", **more))
        return made[-1]

    yield make
    for each in made:
        each.close()


NEEDED = ("disk", "db", "memory", "web")


def test_only_what_is_critical_starts_with_what_it_requires(hosts: Any) -> None:
    host = hosts(safe_mode=True)
    report = host.start()
    assert sorted(report.enabled) == sorted(NEEDED)
    assert report.enabled[-1] == "web"
    assert sorted(report.blocked) == ["broken", "chart", "later"]
    assert {each.code for each in report.blocked.values()} == {SAFE_MODE}
    assert (report.status, report.safe_mode) == ("degraded", True)
    assert report.as_dict()["safe_mode"] is True
    reason = host.get_plugin("broken").reason
    assert reason.message == (
        "plugin 'broken' 1.0 is left out: in safe mode only what is critical starts"
    )
    assert reason.cause == "the host was started in safe mode"
    assert reason.remedy == (
        "repair what is broken (pkl doctor, pkl disable NAME, pkl rollback), then start it without"
        " --safe-mode and PKL_SAFE_MODE"
    )


def test_nobody_starts_by_hand_what_is_left_out(hosts: Any) -> None:
    host = hosts(safe_mode=True)
    host.start()
    chart = host.get_plugin("chart")
    with pytest.raises(PluginBlocked) as error:
        chart.enable()
    assert error.value.reason_code == SAFE_MODE
    assert chart.state is PluginState.BLOCKED
    host.refresh()
    assert chart.state is PluginState.BLOCKED
    assert host.start("later").blocked["later"].code == SAFE_MODE


def test_the_next_start_is_an_ordinary_one(hosts: Any, plugins: Path) -> None:
    (plugins / "chart" / "plugin.py").write_text(CODE)
    first = hosts("shop", safe_mode=True)
    first.start()
    first.close()
    state = StateStore().read("shop").state
    assert (state.desired, state.quarantined, state.plugins) == ({}, {}, {})
    report = hosts("shop").start()
    assert "chart" in report.enabled and "later" in report.waiting
    assert list(report.failed) == ["broken"]
    assert not report.safe_mode


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1", True), ("true", True), ("0", False), ("", False), (" no ", False), ("off", False)],
)
def test_the_environment_may_ask_for_it_and_the_host_may_refuse(
    hosts: Any, monkeypatch: pytest.MonkeyPatch, value: str, expected: bool
) -> None:
    monkeypatch.setenv("PKL_SAFE_MODE", value)
    assert asked_for() is expected
    assert hosts().safe_mode is expected
    assert hosts(safe_mode=False).safe_mode is False
    assert hosts(safe_mode=True).safe_mode is True


@pytest.mark.parametrize("desired", [Desired.DISABLED, Desired.MASKED])
def test_what_people_do_not_want_is_not_critical(hosts: Any, desired: Desired) -> None:
    host = hosts(safe_mode=True)
    host.set_desired("web", desired)
    assert host.start().enabled == ()


def test_where_nothing_is_critical_nothing_starts(tmp_path: Path) -> None:
    directory_plugin(tmp_path / "p", "a", "", "raise SystemExit\n")
    with pkl.PluginHost(paths=[tmp_path / "p"], group="none", safe_mode=True) as host:
        assert host.start().enabled == ()


def test_a_critical_plugin_that_cannot_start_refuses_with_its_own_reason(
    hosts: Any, plugins: Path
) -> None:
    directory_plugin(plugins, "disk", 'requires-python = ">=99"\n', CODE)
    report = hosts(safe_mode=True).start()
    assert report.status == "refused"
    assert "safe mode" not in report.blocked["web"].message
    assert "Python" in report.blocked["web"].cause
    assert report.blocked["chart"].code == SAFE_MODE


def test_a_fault_of_its_own_is_told_rather_than_safe_mode(hosts: Any, plugins: Path) -> None:
    (plugins / "broken" / "plugin.toml").write_text("name = 5\n")
    (plugins / "chart" / "plugin.toml").write_text('name = "chart"\nrequires = [1]\n')
    report = hosts(safe_mode=True).start()
    assert report.failed["chart"].code == "manifest"


def test_async_starts_are_safe_as_well(hosts: Any) -> None:
    import asyncio

    async def main() -> Sequence[str]:
        host = hosts(safe_mode=True)
        report = await host.astart()
        await host.aclose()
        return list(report.enabled)

    assert sorted(asyncio.run(main())) == sorted(NEEDED)


def test_what_is_left_out_is_not_imported(hosts: Any) -> None:
    host = hosts(safe_mode=True)
    host.start()
    assert host.get_plugin("later").generation.code is None
    assert "later" not in sys.modules
