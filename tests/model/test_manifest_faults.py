"""Every rule of a manifest: what breaks it, where that is reported, and in which words."""

from __future__ import annotations

import datetime
from typing import Any, Dict, List

import pytest

from pkl.errors import ManifestError
from pkl.model.manifest import PluginMetadata
from pkl.model.rules import RULES

from .test_manifest import faults_of

NAME_RULE = (
    "must be a name (PEP 508): ASCII letters and digits, with '.', '_' and '-' inside, "
    "at most 200 characters"
)
ACTIVATION_RULE = "must be startup, import, idle, event:PLUGIN.EVENT, hook:NAME or capability:NAME"
SIZE_RULE = (
    'must be bytes as a positive integer, or a size such as "256MiB" '
    "(units B kB MB GB TB KiB MiB GiB TiB)"
)
MODULE_RULE = "must be the dotted name of a module inside the package, such as plugin or main.entry"
PATH_RULE = "must be an absolute path or begin with $data, $cache, $config"
SCHEMA_RULE = "must be a relative path inside the package, with / between its parts and no '..'"
ADDRESS_RULE = 'must be HOST:PORT, such as "api.example.org:443" or "*:443", PORT 1-65535'
SPECIFIER_RULE = "must be a version specifier (PEP 440) such as >=2,<3"


def at(path: str, value: Any) -> Dict[str, Any]:
    """A manifest with this value at this dotted path."""
    data: Dict[str, Any] = {"name": "zz"}
    table, _, key = path.rpartition(".")
    (data.setdefault(table, {}) if table else data)[key] = value
    return data


def refused(key: str, value: Any, path: str, rule: str) -> None:
    """Asserts that the value at the key is one fault, with this path and rule."""
    found = faults_of(at(key, value))
    assert [(fault.path, fault.rule) for fault in found] == [(path, rule)]


@pytest.mark.parametrize(
    ("key", "value", "path", "rule"),
    [
        ("name", "", "name", "must not be empty: the name of the plugin"),
        ("name", " ", "name", "must not be empty: the name of the plugin"),
        ("name", "a b", "name", NAME_RULE),
        ("name", "-a", "name", NAME_RULE),
        ("name", "ä", "name", NAME_RULE),
        ("name", "a" * 201, "name", NAME_RULE),
        ("name", None, "name", "must be a string: the name of the plugin"),
        ("name", 3, "name", "must be a string: the name of the plugin; put it in quotes"),
        ("version", "one", "version", "must be a version (PEP 440) such as 1.4.0"),
        ("version", "1.0-final", "version", "must be a version (PEP 440) such as 1.4.0"),
        (
            "version",
            1.0,
            "version",
            "must be a string: a version (PEP 440) such as 1.4.0; put it in quotes",
        ),
        ("version", "", "version", "must not be empty: a version (PEP 440) such as 1.4.0"),
        (
            "summary",
            1,
            "summary",
            "must be a string: one line on what the plugin does; put it in quotes",
        ),
        ("summary", "\udc00", "summary", "must be text that UTF-8 can hold"),
        ("entrypoint", "plugin.py", "entrypoint", 'must be a module, not a file: write "plugin"'),
        ("entrypoint", "../evil", "entrypoint", MODULE_RULE),
        ("entrypoint", "/abs", "entrypoint", MODULE_RULE),
        ("entrypoint", "a/b.py", "entrypoint", MODULE_RULE),
        ("entrypoint", "pkg.mod:obj", "entrypoint", MODULE_RULE),
        ("entrypoint", ".plugin", "entrypoint", MODULE_RULE),
        ("entrypoint", "my-plugin", "entrypoint", MODULE_RULE),
        (
            "entrypoint",
            [],
            "entrypoint",
            "must be a string: a module inside the package, such as plugin",
        ),
        ("requires", "auth", "requires", 'must be a list of requirements: write ["auth"]'),
        (
            "requires",
            {"auth": 1},
            "requires",
            'must be a list of requirements: write ["auth>=1.2,<2"]',
        ),
        (
            "requires",
            [1],
            "requires[0]",
            "must be a string: a requirement such as auth>=1.2,<2; put it in quotes",
        ),
        (
            "requires",
            ["a", ""],
            "requires[1]",
            "must not be empty: a requirement such as auth>=1.2,<2",
        ),
        (
            "requires",
            ["auth=1"],
            "requires[0]",
            "must be a requirement (PEP 508): expected a comparison such as >= or ==, a comma, "
            "a semicolon or the end at column 5; write auth>=1 for this version or any later one, "
            "auth==1 for it only",
        ),
        (
            "wants",
            ["a @ https://example.org/a.whl"],
            "wants[0]",
            "must be a requirement (PEP 508): a URL has no place in it: a requirement names "
            "a plugin and its versions at column 3",
        ),
        ("requires", ["ZZ>=1"], "requires[0]", "must not name the plugin itself"),
        ("wants", ["zz"], "wants[0]", "must not name the plugin itself"),
        ("after", ["a", "z-z", "zz"], "after[2]", "must not name the plugin itself"),
        ("before", ["zz"], "before[0]", "must not name the plugin itself"),
        ("provides", "log", "provides", 'must be a list of capabilities: write ["log"]'),
        (
            "provides",
            ["log>=1"],
            "provides[0]",
            "must be name or name==V: it is a name, or a name and one version as name==V",
        ),
        (
            "provides",
            ["log==1.*"],
            "provides[0]",
            "must be name or name==V: '1.*' is not one version (PEP 440)",
        ),
        ("provides", ["Log_x", "log-x==2"], "provides[1]", "must provide 'log-x' only once"),
        ("provides", ["zz", "ZZ"], "provides[1]", "must provide 'zz' only once"),
        (
            "provides",
            ["zz==2"],
            "provides[0]",
            "a plugin provides its own name at its own version, 0",
        ),
        (
            "requires-host",
            "2",
            "requires-host",
            f"{SPECIFIER_RULE}; write >=2 for this version or any later one, ==2 for it only",
        ),
        (
            "requires-host",
            ["x"],
            "requires-host",
            "must be a string: a version specifier such as >=2,<3",
        ),
        ("requires-python", "3.x", "requires-python", SPECIFIER_RULE),
        (
            "tier",
            "procces",
            "tier",
            "must be in-process, process or sandbox; did you mean 'process'?",
        ),
        ("tier", None, "tier", "must be in-process, process or sandbox"),
        ("activation", "startup", "activation", 'must be a list of activations: write ["startup"]'),
        ("activation", [], "activation", "must name one at least; without the key it is startup"),
        ("activation", ["starup"], "activation[0]", f"{ACTIVATION_RULE}; did you mean 'startup'?"),
        ("activation", ["event:"], "activation[0]", ACTIVATION_RULE),
        ("activation", ["event:a b.c"], "activation[0]", ACTIVATION_RULE),
        ("activation", ["hook:a-b"], "activation[0]", ACTIVATION_RULE),
        ("activation", ["capability:-"], "activation[0]", ACTIVATION_RULE),
        ("activation", ["timer:x"], "activation[0]", ACTIVATION_RULE),
        ("activation", [3], "activation[0]", ACTIVATION_RULE),
        ("critical", "yes", "critical", "must be true or false"),
        ("critical", 1, "critical", "must be true or false"),
        ("permissions", ["fs-read"], "permissions", "must be a table"),
        (
            "permissions.fs-read",
            "$data",
            "permissions.fs-read",
            'must be a list of paths: write ["$data"]',
        ),
        (
            "permissions.fs-read",
            True,
            "permissions.fs-read",
            'must be a list of paths: write ["$data"]',
        ),
        ("permissions.fs-write", ["data"], "permissions.fs-write[0]", PATH_RULE),
        ("permissions.fs-write", ["$home/x"], "permissions.fs-write[0]", PATH_RULE),
        (
            "permissions.fs-read",
            ["$data/../../etc"],
            "permissions.fs-read[0]",
            "must be a path without '..' in it",
        ),
        ("permissions.net-connect", ["example.org"], "permissions.net-connect[0]", ADDRESS_RULE),
        ("permissions.net-connect", ["a:0"], "permissions.net-connect[0]", ADDRESS_RULE),
        ("permissions.net-connect", ["a:70000"], "permissions.net-connect[0]", ADDRESS_RULE),
        ("permissions.net-connect", ["https://a:1"], "permissions.net-connect[0]", ADDRESS_RULE),
        ("permissions.net-bind", [80], "permissions.net-bind[0]", ADDRESS_RULE.replace("1-", "0-")),
        ("permissions.net-udp", [], "permissions.net-udp", "must be true or false"),
        (
            "permissions.exec",
            ["bin/git"],
            "permissions.exec[0]",
            "must be the name of a program, or its absolute path",
        ),
        (
            "permissions.env",
            ["A=B"],
            "permissions.env[0]",
            "must be the name of an environment variable",
        ),
        ("limits.memory", "256M", "limits.memory", f'{SIZE_RULE}; did you mean "256MiB"?'),
        ("limits.memory", "256mib", "limits.memory", f'{SIZE_RULE}; did you mean "256MiB"?'),
        ("limits.memory", "much", "limits.memory", SIZE_RULE),
        ("limits.memory", 0, "limits.memory", SIZE_RULE),
        ("limits.disk", True, "limits.disk", SIZE_RULE),
        ("limits.disk", "99999999TiB", "limits.disk", SIZE_RULE),
        pytest.param("limits.disk", 10**5000, "limits.disk", SIZE_RULE, id="5000-digits"),
        ("limits.handlers", -1, "limits.handlers", "must be a count: an integer, 0 or more"),
        ("limits.handlers", 1.5, "limits.handlers", "must be a count: an integer, 0 or more"),
        ("limits.timers", "3", "limits.timers", "must be a count: an integer, 0 or more"),
        ("limits.cpu-seconds", 0, "limits.cpu-seconds", "must be a number above 0, in seconds"),
        (
            "limits.cpu-seconds",
            float("nan"),
            "limits.cpu-seconds",
            "must be a number above 0, in seconds",
        ),
        (
            "limits.call-timeout",
            float("inf"),
            "limits.call-timeout",
            "must be a number above 0, in seconds",
        ),
        ("limits.hanlders", 3, "limits.hanlders", "unknown key; did you mean 'handlers'?"),
        (
            "calls.plugins",
            ["auth get"],
            "calls.plugins[0]",
            'must be a function such as "auth.get_user", or "auth.*"',
        ),
        ("calls.world", [], "calls.world", "unknown key; those known here are host, plugins"),
        (
            "supervision.restart",
            "Never",
            "supervision.restart",
            "must be never, on-failure or always; did you mean 'never'?",
        ),
        (
            "supervision.backoff",
            1,
            "supervision.backoff",
            "unknown key; those known here are restart",
        ),
        ("config.schema", "../schema.json", "config.schema", SCHEMA_RULE),
        ("config.schema", "/etc/schema.json", "config.schema", SCHEMA_RULE),
        ("config.schema", "a\\b.json", "config.schema", SCHEMA_RULE),
        ("config.schema", "c:/b.json", "config.schema", SCHEMA_RULE),
        ("config.schema", "a//b", "config.schema", SCHEMA_RULE),
        (
            "config.schema",
            "",
            "config.schema",
            'must not be empty: a file of the package, such as "config.schema.json"',
        ),
        ("config.defaults", [], "config.defaults", "must be a table"),
        (
            "config.defaults",
            {"a": {"b": [1, float("nan")]}},
            "config.defaults.a.b[1]",
            "must be a finite number",
        ),
        (
            "contributes",
            {"when": datetime.date(2026, 1, 1)},
            "contributes.when",
            "must be something JSON can hold: write it as a string",
        ),
        ("contributes", {"a": 2**65}, "contributes.a", "must be an integer of at most 64 bits"),
        (
            "contributes",
            {"a b": {1: 2}},
            "contributes.'a b'.<int>",
            "keys must be strings that UTF-8 can hold",
        ),
        ("contributes", {"a": "\ud800"}, "contributes.a", "must be text that UTF-8 can hold"),
    ],
)
def test_a_value_that_breaks_a_rule_is_one_fault(
    key: str, value: Any, path: str, rule: str
) -> None:
    refused(key, value, path, rule)
    assert faults_of(at(key, value))[0].path.startswith(key)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("nam", "name"),
        ("require", "requires"),
        ("requires_host", "requires-host"),
        ("dependencies", "requires"),
        ("description", "summary"),
        ("main", "entrypoint"),
        ("Limits", "limits"),
    ],
)
def test_an_unknown_key_says_which_was_meant(key: str, meant: str) -> None:
    refused(key, "x", key, f"unknown key; did you mean {meant!r}?")


def test_an_unknown_key_like_no_other_lists_them_all() -> None:
    refused("qqqq", 1, "qqqq", f"unknown key; those known here are {', '.join(sorted(RULES))}")


@pytest.mark.parametrize(
    ("key", "path"), [(1, "<int>"), (None, "<NoneType>"), (True, "True"), ((1,), "<tuple>")]
)
def test_a_key_that_is_no_string_is_a_fault(key: Any, path: str) -> None:
    found = faults_of({"name": "a", key: "x"})
    assert [(fault.path, fault.rule) for fault in found] == [(path, "keys must be strings")]


@pytest.mark.parametrize("data", [None, [], "name", 3])
def test_what_is_no_table_is_one_fault(data: Any) -> None:
    found = faults_of(data)
    assert [(f.path, f.rule) for f in found] == [
        ("", "must be a table (a mapping of keys to values)")
    ]


def test_a_missing_name_is_a_fault() -> None:
    assert [(f.path, f.value, f.rule) for f in faults_of({})] == [
        ("name", None, "is required: the name of the plugin")
    ]


def test_conflicting_with_oneself_is_no_fault() -> None:
    """It is how one provider of a capability excludes the others."""
    plugin = PluginMetadata({"name": "a", "provides": ["web"], "conflicts": ["web", "a<1"]})
    assert [each.name for each in plugin.conflicts] == ["web", "a"]


def test_all_faults_are_reported_at_once_in_the_order_of_the_file() -> None:
    data = {
        "version": "one",
        "provides": ["x", "x"],
        "requires": "auth",
        "limits": {"memory": "2 GB", "handlres": 1},
        "enty": 1,
    }
    with pytest.raises(ManifestError) as caught:
        PluginMetadata(data, file="audit/plugin.toml")
    assert str(caught.value) == (
        "the manifest has 6 faults (audit/plugin.toml)\n"
        "  name = None: is required: the name of the plugin\n"
        "  version = 'one': must be a version (PEP 440) such as 1.4.0\n"
        "  provides[1] = 'x': must provide 'x' only once\n"
        "  requires = 'auth': must be a list of requirements: write [\"auth\"]\n"
        "  limits.handlres = 1: unknown key; did you mean 'handlers'?\n"
        f"  enty = 1: unknown key; those known here are {', '.join(sorted(RULES))}\n"
        "hint: correct the manifest, then run: pkl check audit/plugin.toml"
    )


def test_the_error_names_the_plugin_where_its_name_is_known() -> None:
    with pytest.raises(ManifestError) as caught:
        PluginMetadata({"name": "My.Plugin", "version": "1", "tier": ""}, distribution="acme")
    error = caught.value
    assert (error.plugin, error.version, error.distribution) == ("my-plugin", "1", "acme")
    assert str(error).startswith("the manifest of plugin 'my-plugin' has 1 fault")


def nested(depth: int, kind: type) -> Any:
    """A value nested so deep."""
    value: Any = "x"
    for _ in range(depth):
        value = {"x": value} if kind is dict else [value]
    return value


@pytest.mark.parametrize("kind", [dict, list])
@pytest.mark.parametrize("key", ["contributes", "name", "requires", "unknown", "config"])
def test_absurd_depth_is_a_fault_and_no_recursion_error(key: str, kind: type) -> None:
    found = faults_of({"name": "a", key: nested(100_000, kind)})
    assert ("must not be nested more than 32 deep") in [f.rule for f in found if f.path == key]


def test_a_value_within_itself_is_a_fault() -> None:
    """YAML can write one: ``contributes: &a {b: *a}``."""
    data: Dict[str, Any] = {"name": "a", "contributes": {}}
    data["contributes"]["b"] = data["contributes"]
    assert [f.rule for f in faults_of(data)] == ["must not be nested more than 32 deep"]


def test_a_value_that_grows_by_repeating_itself_is_a_fault() -> None:
    """Ten lists of ten of the same lists, eight deep, are a few dozen objects in memory."""
    level: List[Any] = ["x"] * 10
    for _ in range(8):
        level = [level] * 10
    found = faults_of({"name": "a", "contributes": {"x": level}})
    assert [f.rule for f in found] == ["must not hold more than 100000 values"]


def test_many_unknown_keys_are_all_reported_but_only_the_first_are_guessed_at() -> None:
    found = faults_of({"name": "a", **{f"require{i}": 1 for i in range(1000)}})
    assert len(found) == 1000
    assert sum("did you mean" in fault.rule for fault in found) == 20
