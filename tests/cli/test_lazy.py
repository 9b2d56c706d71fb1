"""What the command line says of plugins that are started when they are needed; nothing imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Pkl, directory_plugin


@pytest.fixture
def lazy(work: Path) -> None:
    """A lazy plugin, what it requires, and an eager one that requires another lazy one."""
    directory_plugin(work / "p", "auth")
    triggers = 'activation = ["event:auth.login", "idle"]\n'
    directory_plugin(work / "p", "audit", triggers, requires=["auth"])
    directory_plugin(work / "p", "store", 'activation = ["import"]\n')
    directory_plugin(work / "p", "shop", requires=["store"])


@pytest.mark.usefixtures("lazy")
def test_a_waiting_plugin_is_predicted_with_what_it_waits_for(pkl: Pkl) -> None:
    rows = {row["name"]: row for row in pkl.json("list", "--path", "p")["plugins"]}
    assert {name: row["state"] for name, row in rows.items()} == {
        "audit": "unloaded",
        "auth": "enabled",
        "shop": "enabled",
        "store": "enabled",
    }
    assert rows["audit"]["reason"]["code"] == "waiting"
    said = "plugin 'audit' 1.0 waits for the event auth.login or the host to be idle"
    for verb in (["list"], ["info", "audit"], ["why", "audit"]):
        assert said in " ".join(pkl.ok(*verb, "--path", "p").out.split())


@pytest.mark.usefixtures("lazy")
def test_graph_and_resolve_tell_it_from_what_is_started(pkl: Pkl) -> None:
    nodes = pkl.json("graph", "--path", "p")["nodes"]
    assert [node["id"] for node in nodes if node["state"] == "unloaded"] == ["audit"]
    plan = pkl.json("resolve", "--path", "p")
    assert [each["name"] for each in plan["waiting"]] == ["audit"]
    assert "audit" in [step["name"] for step in plan["steps"]]
    assert "started when needed: audit" in pkl.ok("resolve", "--path", "p").out
    assert pkl.json("resolve", "audit", "--path", "p")["waiting"] == [], "asked for by name"
