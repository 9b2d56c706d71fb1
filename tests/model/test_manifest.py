"""A valid manifest becomes values; an invalid one is refused and nothing else ever happens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, Dict, List, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkl.errors import Fault, ManifestError
from pkl.model.manifest import PluginMetadata, parse_manifest_text
from pkl.model.requirement import Provided, parse_requirement
from pkl.model.rules import LIMITS, PERMISSIONS, RULES

FULL = """
name = "Audit"
version = "1.4.0"
summary = "Writes who did what"
entrypoint = "main.entry"
requires = ["Auth>=1.2,<2", "storage>=2"]
wants = ["metrics>=1"]
after = ["cache"]
before = ["web"]
conflicts = ["legacy-audit", "auth<1"]
provides = ["audit_log==1.1", "journal", "audit"]
requires-host = ">=2, <3"
requires-python = ">=3.9"
tier = "process"
activation = ["startup", "event:Auth_X.user_login", "hook:render", "capability:Audit.Log"]
critical = true
[permissions]
fs-read = ["$data", "/srv/files"]
net-connect = ["api.example.org:443", "*:443", "[::1]:80"]
net-bind = ["127.0.0.1:0"]
exec = ["git", "/usr/bin/git"]
env = ["HOME"]
threads = true
[limits]
memory = "256MiB"
disk = 1000
file-size = "2 kB"
cpu-seconds = 30
call-timeout = 0.5
handlers = 0
[calls]
plugins = ["auth.get_user", "storage.*"]
host = ["*"]
[supervision]
restart = "always"
[config]
schema = "schemas/config.schema.json"
defaults = { level = "info", nested = { list = [1, 2.5, true] } }
[contributes]
menus = [{ title = "Audit" }]
"""


def faults_of(data: Any, **options: Any) -> List[Fault]:
    """The faults of a manifest that is refused."""
    with pytest.raises(ManifestError) as caught:
        PluginMetadata(data, **options)
    return list(caught.value.faults)


def test_a_name_is_a_complete_manifest() -> None:
    plugin = PluginMetadata({"name": "My.Plugin"})
    assert (plugin.name, plugin.display_name, plugin.version) == ("my-plugin", "My.Plugin", "0")
    assert (plugin.summary, plugin.entrypoint) == ("", "plugin")
    assert (plugin.requires, plugin.wants, plugin.after) == ((), (), ())
    assert (plugin.before, plugin.conflicts, plugin.provides) == ((), (), ())
    assert (plugin.requires_host, plugin.requires_python) == ("", "")
    assert (plugin.tier, plugin.activation, plugin.critical) == ("in-process", ("startup",), False)
    assert (plugin.permissions, plugin.limits, plugin.calls) == ({}, {}, {})
    assert (plugin.supervision, plugin.config, plugin.contributes) == ({}, {}, {})
    assert (plugin.file, plugin.distribution) == (None, None)


def test_every_key_has_its_meaning() -> None:
    plugin = PluginMetadata(parse_manifest_text(FULL, "toml"), file="f", distribution="acme-audit")
    assert plugin.name == "audit"
    assert plugin.entrypoint == "main.entry"
    assert plugin.requires == tuple(map(parse_requirement, ["auth>=1.2,<2", "storage>=2"]))
    assert plugin.wants == (parse_requirement("metrics>=1"),)
    assert plugin.after == (parse_requirement("cache"),)
    assert plugin.before == (parse_requirement("web"),)
    assert plugin.conflicts == tuple(map(parse_requirement, ["legacy-audit", "auth<1"]))
    assert plugin.provides == (Provided("audit-log", "1.1"), Provided("journal", "1.4.0"))
    assert (plugin.requires_host, plugin.requires_python) == (">=2,<3", ">=3.9")
    assert plugin.tier == "process"
    assert plugin.activation == (
        "startup",
        "event:auth-x.user_login",
        "hook:render",
        "capability:audit-log",
    )
    assert plugin.critical is True
    assert plugin.permissions == {
        "fs-read": ("$data", "/srv/files"),
        "net-connect": ("api.example.org:443", "*:443", "[::1]:80"),
        "net-bind": ("127.0.0.1:0",),
        "exec": ("git", "/usr/bin/git"),
        "env": ("HOME",),
        "threads": True,
    }
    assert plugin.limits == {
        "memory": 256 * 1024**2,
        "disk": 1000,
        "file-size": 2000,
        "cpu-seconds": 30,
        "call-timeout": 0.5,
        "handlers": 0,
    }
    assert plugin.calls == {"plugins": ("auth.get_user", "storage.*"), "host": ("*",)}
    assert plugin.supervision == {"restart": "always"}
    assert plugin.config == {
        "schema": "schemas/config.schema.json",
        "defaults": {"level": "info", "nested": {"list": [1, 2.5, True]}},
    }
    assert plugin.contributes == {"menus": [{"title": "Audit"}]}
    assert (plugin.file, plugin.distribution) == ("f", "acme-audit")


def test_the_data_are_a_copy_that_json_can_hold() -> None:
    data: Dict[str, Any] = {"name": "a", "config": {"defaults": {"x": [1]}}, "requires": ["b"]}
    plugin = PluginMetadata(data)
    data["config"]["defaults"]["x"].append(2)
    data["requires"].append("c")
    assert json.loads(json.dumps(plugin.data)) == {
        "name": "a",
        "config": {"defaults": {"x": [1]}},
        "requires": ["b"],
    }
    assert [str(each) for each in plugin.requires] == ["b"]
    assert plugin.config == {"defaults": {"x": [1]}}


def test_a_distribution_states_what_the_manifest_leaves_out() -> None:
    defaults: Dict[str, Any] = {
        "default_name": "Other",
        "default_version": "2",
        "default_summary": "Other.",
    }
    left_out = PluginMetadata({"entrypoint": "x"}, **defaults)
    assert (left_out.name, left_out.version, left_out.summary) == ("other", "2", "Other.")
    stated = PluginMetadata({"name": "a", "version": "1", "summary": "A."}, **defaults)
    assert (stated.name, stated.version, stated.summary) == ("a", "1", "A.")
    assert PluginMetadata({"provides": ["x"]}, **defaults).provides == (Provided("x", "2"),)


def test_the_name_of_an_entry_point_is_held_to_the_rule_and_its_version_is_not() -> None:
    assert [fault.path for fault in faults_of({}, default_name="a b")] == ["name"]
    assert PluginMetadata({}, default_name="a", default_version="strange").version == "strange"


def test_a_foreign_plugin_keeps_any_name() -> None:
    plugin = PluginMetadata({}, default_name="Windows (alt)", fold=False)
    assert (plugin.name, plugin.display_name) == ("Windows (alt)", "Windows (alt)")
    plugin = PluginMetadata({"name": "X_y", "requires": ["X_y", "Y (z)"]}, fold=False)
    assert [each.name for each in plugin.requires] == ["X_y", "Y (z)"]


def test_metadata_are_a_value_that_does_not_change() -> None:
    one, other = PluginMetadata({"name": "a", "version": "1"}), PluginMetadata({"name": "a"})
    assert one == PluginMetadata({"name": "a", "version": "1"})
    assert hash(one) == hash(PluginMetadata({"name": "a", "version": "1"}))
    assert one != other and one != {"name": "a", "version": "1"}
    with pytest.raises(AttributeError, match="PluginMetadata is immutable"):
        one.name = "b"
    with pytest.raises(AttributeError, match="PluginMetadata is immutable"):
        del one.name
    limited = PluginMetadata({"name": "a", "limits": {"handlers": 1}}).limits
    with pytest.raises(TypeError):
        limited["handlers"] = 2  # type: ignore[index]


def test_the_representation_says_what_matters() -> None:
    plugin = PluginMetadata(
        {"name": "A", "version": "1", "requires": ["b>=1"]}, file="a/plugin.toml"
    )
    assert repr(plugin) == (
        "<PluginMetadata name='A' version='1' requires=['b>=1'] file='a/plugin.toml'>"
    )


def test_what_is_left_of_a_faulty_plugin_is_its_name_and_version() -> None:
    data = {"name": "My.Plugin", "version": "1.0", "requires": "x", "tier": 3}
    assert PluginMetadata.salvage(data) == ("My.Plugin", "1.0")
    assert PluginMetadata.salvage({"name": "a", "version": "one"}) == ("a", "0")
    assert PluginMetadata.salvage({"name": "-", "version": "1"}) == (None, "1")
    nothings: List[Any] = [{}, [], None, "name", {"name": ["a"], "version": 1.0}]
    for nothing in nothings:
        assert PluginMetadata.salvage(nothing) == (None, "0")
    bare = PluginMetadata.bare("My.Plugin", "strange", summary="S", file="f", distribution="d")
    assert (bare.name, bare.display_name, bare.version) == ("my-plugin", "My.Plugin", "strange")
    assert (bare.summary, bare.file, bare.distribution) == ("S", "f", "d")
    assert (bare.requires, bare.entrypoint) == ((), "plugin")
    assert PluginMetadata.bare("My.Plugin", fold=False).name == "My.Plugin"


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(2**70),
    st.floats(),
    st.text(max_size=8),
    st.just("\ud800"),
    st.sampled_from(["a", "a>=1", "1.0", "startup", "256MiB", "process", "*:443", "$data"]),
)
words = st.one_of(
    st.sampled_from(sorted({*RULES, *LIMITS, *PERMISSIONS, "restart", "schema", "defaults"})),
    st.text(max_size=5),
)
json_values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(words, inner, max_size=5)),
    max_leaves=20,
)
tables = st.dictionaries(words, json_values, max_size=8)
named = st.dictionaries(words, json_values, max_size=2).map(lambda data: {**data, "name": "zz"})
strange = st.one_of(json_values, st.just({1: 2, "name": "a"}), st.just({"x": {None: ()}}))


@given(st.one_of(strange, tables, named), st.booleans())
def test_any_data_are_taken_or_refused_with_faults_and_nothing_else(data: Any, fold: bool) -> None:
    try:
        plugin = PluginMetadata(data, fold=fold, file="f")
    except ManifestError as e:
        assert e.faults
        assert all(isinstance(fault.path, str) and fault.rule for fault in e.faults)
        assert str(e).count("\n") == len(e.faults) + 1
        json.dumps(e.details)
        PluginMetadata.salvage(data)
    else:
        assert plugin.name
        assert repr(plugin)
        json.dumps(plugin.data).encode()


@given(
    st.dictionaries(words, json_values, max_size=4),
    st.sampled_from(sorted(RULES.keys() - {"name"})),
    json_values,
)
def test_each_key_is_judged_whatever_else_is_wrong(
    others: Mapping[str, Any], key: str, value: Any
) -> None:
    alone = {fault.path for fault in all_faults({"name": "zz", key: value})}
    assert alone <= {fault.path for fault in all_faults({**others, "name": "zz", key: value})}


def all_faults(data: Mapping[str, Any]) -> List[Fault]:
    """The faults of a manifest; none if it is valid."""
    try:
        PluginMetadata(data)
    except ManifestError as e:
        return list(e.faults)
    return []


def test_a_thousand_usual_manifests_do_without_packaging() -> None:
    code = (
        "import sys; from pkl.model.manifest import PluginMetadata\n"
        "for i in range(1000):\n"
        "    PluginMetadata({'name': f'p{i}', 'version': f'1.{i}', 'entrypoint': 'plugin',\n"
        "        'requires': [f'b{i}>=1', f'c{i}>=1.2,<2'], 'requires-host': '>=2,<3'})\n"
        "print(*sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True, env=environment
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"packaging", "difflib", "platform", "tomllib", "tomli", "yaml"}
