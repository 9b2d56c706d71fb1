"""While an application is only looked at, its hosts start nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import pkl
from pkl.host.looking import only_looking
from tests.cli.running import directory_plugin


def test_a_host_that_is_looked_at_starts_and_loads_nothing(tmp_path: Path) -> None:
    directory_plugin(tmp_path, "auth", code="")
    with pkl.PluginHost(paths=[tmp_path]) as host:
        with only_looking():
            with pytest.raises(pkl.NotPermitted, match=r"start\(\) is refused"):
                host.start()
            with pytest.raises(pkl.NotPermitted, match=r"start\(\) is refused"):
                asyncio.run(host.astart())
            with pytest.raises(pkl.NotPermitted, match=r"load_plugin\(\) is refused"):
                host.load_plugin("auth")
            with pytest.raises(pkl.NotPermitted, match=r"refresh\(\) is refused"):
                host.refresh()
            assert [step.name for step in host.resolve().steps] == ["auth"]
        assert host.start().enabled == ("auth",)


def test_looking_inside_looking_ends_with_the_outer_one() -> None:
    host = pkl.PluginHost(paths=[])
    with only_looking():
        with only_looking():
            pass
        with pytest.raises(pkl.NotPermitted):
            host.start()
    host.close()


def test_start_of_some_plugins_reports_about_these_and_what_they_need(tmp_path: Path) -> None:
    for name, needed in (("db", []), ("auth", ["db"]), ("lost", ["nowhere"]), ("other", [])):
        directory_plugin(tmp_path, name, code="", requires=needed)
    with pkl.PluginHost(paths=[tmp_path]) as host:
        report = host.start("Auth")
        assert (report.status, report.enabled, dict(report.blocked)) == ("ok", ("db", "auth"), {})
        other = host.get_plugin("other")
        assert other is not None
        assert other.state is pkl.PluginState.UNLOADED
        with pytest.raises(pkl.PluginNotFound):
            host.start("nobody")
