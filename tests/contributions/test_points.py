"""What a host declares as its points, and what manifests state for them."""

from __future__ import annotations

import builtins
from typing import Any, Dict

import pytest

import pkl
from pkl.model.candidate import Candidate, Origin
from pkl.model.contributions import Points
from pkl.model.manifest import parse_manifest_text
from tests.contributions.conftest import COMMANDS


def deep(levels: int) -> Dict[str, Any]:
    """A schema with schemas inside each other."""
    schema: Dict[str, Any] = {}
    for _ in range(levels):
        schema = {"items": schema}
    return schema


@pytest.mark.parametrize(
    ("declared", "path", "rule"),
    [
        ([1], "contributions", "must be a mapping of points to schemas"),
        ({1: None}, "1", "must be the name of a point"),
        ({"": None}, "''", "must be the name of a point"),
        ({"a b": None}, "a b", "must be the name of a point"),
        ({"x" * 201: None}, "x" * 201, "at most 200 characters"),
        ({"m-x": None, "M_X": None}, "M_X", "differs from 'm-x' in case or separators only"),
        ({"x": 3}, "x", "must be a JSON Schema, true or false, or None for any value"),
        ({"x": {"type": 3}}, "x", "the schema is no JSON Schema: type: 3 is not valid"),
        ({"x": {"pattern": "("}}, "x", "the schema is no JSON Schema: pattern: '('"),
        ({"x": {"$ref": "#/$defs/no"}}, "x", "the schema cannot be used: PointerToNowhere"),
        ({"x": {"$ref": "http://example.org/s.json"}}, "x", "cannot be used: Unresolvable"),
        ({"x": {"$ref": "#"}}, "x", "the schema cannot be used: RecursionError"),
        ({"x": {"const": float("nan")}}, "x.schema.const", "must be a finite number"),
        ({"x": {"default": {1: 2}}}, "x.schema.default.<int>", "keys must be strings"),
        ({"x": deep(5000)}, "x", "must not be nested more than 32 deep"),
    ],
)
def test_a_point_that_makes_no_sense_is_refused_when_the_host_is_made(
    declared: Any, path: str, rule: str
) -> None:
    with pytest.raises(pkl.PointRefused) as caught:
        pkl.PluginHost(contributions=declared)
    (fault,) = caught.value.faults
    assert fault.path == path
    assert rule in fault.rule
    assert str(caught.value).startswith(f"the points of the host have 1 fault\n  {path} = ")
    assert "hint: declare them as contributions=" in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_every_fault_of_the_points_is_named_at_once() -> None:
    with pytest.raises(pkl.PointRefused, match="have 3 faults") as caught:
        pkl.PluginHost(contributions={"a b": None, "x": 3, "y": {"type": "text"}, "good": {}})
    assert [fault.path for fault in caught.value.faults] == ["a b", "x", "y"]


def test_a_schema_may_be_anything_that_draft_2020_12_allows() -> None:
    property_called_ref = {"properties": {"$ref": {"type": "string"}}, "const": {"$ref": "#/no"}}
    nested = {"$id": "http://example.org/s", "$defs": {"a": {"$ref": "#/b"}}, "b": {}}
    recursive = {"type": "object", "additionalProperties": {"$ref": "#"}}
    declared = {"a": True, "b": property_called_ref, "c": recursive, "d": {"$defs": {"n": nested}}}
    assert pkl.PluginHost(contributions=declared).points == declared


def test_what_is_declared_is_a_copy() -> None:
    schema: Dict[str, Any] = {"enum": ["a"]}
    host = pkl.PluginHost(contributions={"x": schema})
    schema["enum"].append("b")
    assert host.points == {"x": {"enum": ["a"]}}


def test_a_schema_needs_the_extra_at_once_and_a_point_without_one_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name.split(".")[0] == "jsonschema":
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    pkl.PluginHost(contributions={"menus": None})
    with pytest.raises(pkl.MissingExtra) as caught:
        pkl.PluginHost(contributions={"menus": None, "commands": COMMANDS})
    assert str(caught.value) == (
        "checking what is contributed to 'commands' needs the extra 'schema', which is not "
        'installed\nhint: pip install "pkl[schema]"'
    )


def candidate(contributes: Any) -> Candidate:
    """A plugin that contributes this."""
    data = {"name": "git", "version": "1.0", "contributes": contributes}
    metadata = pkl.PluginMetadata(data, file="git/plugin.toml")
    return Candidate("git", metadata, Origin.DIRECTORY, "git", manifest_file="git/plugin.toml")


def test_every_breach_of_a_schema_has_its_path_its_value_and_its_rule() -> None:
    value = [{"id": "git.pull"}, {"id": "GIT", "titel": "x"}, {"title": 3}]
    marked = Points({"commands": COMMANDS}).marked(candidate({"commands": value, "other": 1}))
    assert marked.fault is not None
    assert marked.fault.code == "manifest"
    assert marked.fault.message == (
        "the manifest of plugin 'git' has 4 faults (git/plugin.toml)\n"
        "  contributes.commands[1] = {'id': 'GIT', 'titel': 'x'}: Additional properties are not "
        "allowed ('titel' was unexpected) (by the schema of the host)\n"
        "  contributes.commands[1].id = 'GIT': must satisfy pattern: \"^[a-z.]+$\" "
        "(by the schema of the host)\n"
        "  contributes.commands[2] = {'title': 3}: 'id' is a required property "
        "(by the schema of the host)\n"
        "  contributes.commands[2].title = 3: must be string (by the schema of the host)"
    )
    assert marked.fault.remedy == "correct the manifest, then run: pkl check git/plugin.toml"


def test_a_huge_value_has_a_bounded_number_of_faults() -> None:
    points = Points({"commands": COMMANDS})
    marked = points.marked(candidate({"commands": list(range(50_000))}))
    assert marked.fault is not None
    assert marked.fault.message.startswith("the manifest of plugin 'git' has 1000 faults")


def test_a_deep_value_is_checked_and_one_that_is_too_deep_is_no_manifest() -> None:
    value: Any = "end"
    for _ in range(30):
        value = {"a": value}
    points = Points({"x": {"type": "object", "additionalProperties": {"$ref": "#"}}})
    fault = points.marked(candidate({"x": value})).fault
    assert fault is not None
    assert f"contributes.x{'.a' * 30} = 'end': must be object" in fault.message
    with pytest.raises(pkl.ManifestError, match="nested more than 32 deep"):
        candidate({"x": {"a": {"b": value}}})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**70, {1: 2}, object()])
def test_what_json_cannot_hold_is_a_fault_of_the_manifest_in_any_host(value: Any) -> None:
    with pytest.raises(pkl.ManifestError):
        candidate({"x": value})


def test_a_date_of_toml_is_a_fault_of_the_manifest() -> None:
    data = parse_manifest_text('name = "a"\n[contributes]\nx = 2026-01-01\n', "toml", "plugin.toml")
    with pytest.raises(pkl.ManifestError, match=r"contributes\.x = .*write it as a string"):
        pkl.PluginMetadata(data)


def test_a_key_that_is_no_point_is_told_with_what_was_probably_meant() -> None:
    points = Points({"commands": None, "task-types": None})
    stated = {"comands": 1, "task_types": 2, "commands": 3, "zzz": 4}
    unknown = points.unknown(candidate(stated).metadata)
    assert [(each.key, each.meant) for each in unknown] == [
        ("comands", "commands"),
        ("task_types", "task-types"),
        ("zzz", None),
    ]
    assert unknown[0].hint == "did you mean 'commands'? a key that is for another host may stay"
    assert points.marked(candidate(stated)).fault is None, "it stops nobody"
