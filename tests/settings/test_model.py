"""Layers of settings: merged, checked with every fault and its source, secrets never shown."""

from __future__ import annotations

import sys
from typing import Any, Dict

import pytest

from pkl.errors import MissingExtra, SettingsError
from pkl.model.settings import (
    MASK,
    Layer,
    environment_layer,
    masked,
    merged,
    settings_of,
)

SCHEMA: Dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["level"],
    "properties": {
        "level": {"enum": ["info", "debug"]},
        "port": {"type": "integer", "minimum": 1},
        "zip-code": {"type": "string"},
        "token": {"type": "string", "minLength": 20, "writeOnly": True},
        "server": {"$ref": "#/$defs/server"},
        "many": {"type": "array", "items": {"$ref": "#/$defs/server"}},
        "named": {"$ref": "#secret"},
    },
    "$defs": {
        "secret": {"$anchor": "secret", "type": "string", "writeOnly": True},
        "server": {
            "type": "object",
            "properties": {
                "host": {"type": "string"},
                "password": {"type": ["string", "null"], "writeOnly": True},
            },
        },
    },
}


def test_later_layers_win_objects_are_merged_and_lists_are_not() -> None:
    layers = [
        Layer("low", {"a": {"x": 1, "y": [1, 2]}, "b": 1}),
        Layer("high", {"a": {"y": [3]}, "b": {"z": None}}),
    ]
    assert merged(layers) == {"a": {"x": 1, "y": [3]}, "b": {"z": None}}
    assert layers[0].values["a"] == {"x": 1, "y": [1, 2]}


def test_without_a_schema_everything_is_valid() -> None:
    assert settings_of("mail", [Layer("x", {"a": 1})], None).values == {"a": 1}


def test_every_fault_is_named_with_its_place_and_its_source() -> None:
    layers = [
        Layer("the manifest's defaults", {"level": "loud", "prot": 1}),
        Layer("pkl config", {"port": 0, "many": [{"host": 3}]}),
    ]
    with pytest.raises(SettingsError) as raised:
        settings_of("mail", layers, SCHEMA)
    assert str(raised.value) == (
        "the settings of mail have 4 faults\n"
        "  (all of them) = {'level': 'loud', 'prot': '********', 'port': 0, "
        "'many': [{'host': 3}]}: Additional properties are not allowed ('prot' was unexpected)\n"
        '  level = \'loud\': must be one of ["info", "debug"] (from the manifest\'s defaults)\n'
        "  many[0].host = 3: must be string (from pkl config)\n"
        "  port = 0: must satisfy minimum: 1 (from pkl config)\n"
        "hint: pkl config mail shows them; pkl config mail set KEY VALUE changes one"
    )
    assert raised.value.exit_status == 5


@pytest.mark.parametrize(
    "bad",
    [
        {"token": "hunter2"},
        {"token": ["hunter2"]},
        {"token": {"deep": "hunter2"}},
        {"server": {"password": 7, "host": {"x": 1}}, "token": "hunter2"},
        {"many": [{"password": ["hunter2"]}], "nosuch": 1},
        {"tokn": "hunter2"},
        {"named": ["hunter2"]},
    ],
)
def test_no_error_shows_a_secret(bad: Dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as raised:
        settings_of("mail", [Layer("pkl config", {"level": "info", **bad})], SCHEMA)
    said = f"{raised.value!s} {raised.value!r} {raised.value.details} {raised.value.faults}"
    assert "hunter2" not in said


def test_secrets_are_masked_through_references_lists_and_alternatives() -> None:
    values = {"token": "s", "server": {"host": "h", "password": "s"}, "many": [{"password": "s"}]}
    assert masked(values, SCHEMA) == {
        "token": MASK,
        "server": {"host": "h", "password": MASK},
        "many": [{"password": MASK}],
    }
    either = {"anyOf": [{"properties": {"a": {}}}, {"additionalProperties": {"writeOnly": True}}]}
    assert masked({"a": 1, "b": 2}, either) == {"a": MASK, "b": MASK}
    endless = {"$ref": "#"}
    assert masked({"a": {"a": 1}}, endless) == {"a": {"a": 1}}


SECRET: Dict[str, Any] = {"writeOnly": True}
PART = {"$defs": {"s": {"$anchor": "here", **SECRET}}}


@pytest.mark.parametrize(
    ("schema", "shown"),
    [
        ({"properties": {"a": {"$ref": "#here"}}, **PART}, {"a": MASK, "b": 2}),
        ({"properties": {"a": {"$dynamicRef": "#here"}}, **PART}, {"a": MASK, "b": 2}),
        ({"properties": {"a": {"$ref": "#/allOf/0"}}, "allOf": [SECRET]}, MASK),
        ({"properties": {"a": {"$ref": "other.json"}}}, {"a": MASK, "b": 2}),
        ({"properties": {"a": {"$ref": "#nowhere"}}}, {"a": MASK, "b": 2}),
        ({"dependentSchemas": {"b": {"properties": {"a": SECRET}}}}, {"a": MASK, "b": 2}),
        ({"unevaluatedProperties": SECRET, "properties": {"b": {}}}, {"a": MASK, "b": MASK}),
        ({"patternProperties": {"^a$": SECRET}, "properties": {"a": {}}}, {"a": MASK, "b": 2}),
        ({"patternProperties": {"(": SECRET}}, {"a": MASK, "b": MASK}),
    ],
)
def test_however_a_schema_says_that_something_is_secret(schema: Any, shown: Any) -> None:
    """And where nobody can tell whether it does, it is."""
    assert masked({"a": 1, "b": 2}, schema) == shown


def test_what_the_schema_does_not_admit_is_masked() -> None:
    """It may be a secret whose name is misspelt, or that an earlier version had."""
    values = {"tokn": "s", "level": "info", "server": {"host": "h", "more": 1}}
    assert masked(values, SCHEMA) == {"tokn": MASK, "level": "info", "server": values["server"]}
    parts = {"additionalProperties": False, "allOf": [{"properties": {"a": {}}}]}
    assert masked({"a": 1, "b": 2}, parts) == {"a": 1, "b": MASK}
    lists = {"items": SECRET, "prefixItems": [{}]}
    assert masked([1, 2], lists) == [MASK, MASK]
    assert masked([1], {"contains": SECRET}) == [MASK]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"$ref": "https://example.org/schema.json"},
        {"$ref": "#/nowhere"},
        {"properties": {"level": {"pattern": "("}}},
        [],
    ],
)
def test_a_schema_that_is_none_is_an_error_and_nothing_is_fetched(schema: Any) -> None:
    with pytest.raises(SettingsError, match="schema"):
        settings_of("mail", [Layer("x", {"level": "info"})], schema)


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(MissingExtra) as raised:
        settings_of("mail", [], SCHEMA)
    assert raised.value.hint == 'pip install "pkl[schema]"'


def test_variables_name_keys_in_any_case_and_are_typed_by_the_schema() -> None:
    environ = {
        "PKL_CONFIG_MY_MAIL__PORT": "25",
        "PKL_CONFIG_MY_MAIL__ZIP_CODE": "01234",
        "PKL_CONFIG_MY_MAIL__SERVER__HOST": "3",
        "PKL_CONFIG_MY_MAIL__EXTRA__MORE": "[1, NaN]",
        "PKL_CONFIG_MY_MAIL__EXTRA__Flag": "true",
        "PKL_CONFIG_MY_MAIL__": "nothing",
        "PKL_CONFIG_MY__X": "another plugin's",
    }
    layer = environment_layer("my-mail", environ, SCHEMA, {})
    assert layer is not None
    assert layer.source == "the variables PKL_CONFIG_MY_MAIL__*"
    assert layer.values == {
        "port": 25,
        "zip-code": "01234",
        "server": {"host": "3"},
        "extra": {"more": "[1, NaN]", "flag": True},
    }
    assert environment_layer("mail", environ, SCHEMA, {}) is None
    known = environment_layer("m", {"PKL_CONFIG_M__CAMEL_CASE": "x"}, None, {"Camel-Case": 1})
    assert known == Layer("PKL_CONFIG_M__CAMEL_CASE", {"Camel-Case": "x"})
