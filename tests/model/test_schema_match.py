"""What the quick functions call valid the library calls valid, for any schema and any value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pkl.model.json_schema import JsonSchema
from pkl.model.schema_match import match_of

TEXT = st.sampled_from(["", "a", "b", "ab", "aé", "1", "\n"])
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-2, 3),
        st.sampled_from([0.0, 1.0, 1.5, -2.0, 2**60]),
        TEXT,
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
TYPES = st.sampled_from(["array", "boolean", "integer", "null", "number", "object", "string"])
SMALL = st.integers(0, 2)


def keywords(inner: Any) -> Any:
    """Schemas of any of the keywords, with schemas inside."""
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.one_of(TYPES, st.lists(TYPES, min_size=1, max_size=3, unique=True)),
            "properties": st.dictionaries(TEXT, inner, max_size=2),
            "additionalProperties": inner,
            "items": inner,
            "required": st.lists(TEXT, max_size=2, unique=True),
            "pattern": st.sampled_from(["^a", "b$", ".", r"\d"]),
            "enum": st.lists(VALUES, min_size=1, max_size=2),
            "const": VALUES,
            "minLength": SMALL,
            "maxLength": SMALL,
            "minItems": SMALL,
            "maxItems": SMALL,
            "minimum": st.sampled_from([0, 1, 0.5]),
            "maximum": st.sampled_from([0, 1, 1.5]),
            "title": TEXT,
            "format": st.just("email"),
            "uniqueItems": st.booleans(),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
        },
    )


SCHEMAS = st.recursive(st.booleans(), keywords, max_leaves=4)


@settings(max_examples=150, deadline=None)
@given(schema=SCHEMAS, value=VALUES)
def test_what_is_called_valid_is_valid(schema: Any, value: Any) -> None:
    valid = Draft202012Validator(schema).is_valid(value)
    match = match_of(schema)
    if match is not None and match(value):
        assert valid
    assert (not JsonSchema(schema, "a test").breaches(value)) is valid


ITEM = {
    "type": "object",
    "required": ["id"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "pattern": "^[a-z]+$", "minLength": 2, "maxLength": 9},
        "kind": {"enum": ["menu", "button"], "default": "menu"},
        "rank": {"type": ["integer", "null"], "minimum": 1, "maximum": 5},
    },
}


@pytest.mark.parametrize(
    ("value", "sure"),
    [
        ([{"id": "pull"}, {"id": "push", "kind": "menu", "rank": 3}], True),
        ([{"id": "pull", "rank": None}], True),
        ([], True),
        ([{"id": "x"}], False),
        ([{"id": "PULL"}], False),
        ([{"id": "much too long"}], False),
        ([{"kind": "menu"}], False),
        ([{"id": "pull", "other": 1}], False),
        ([{"id": "pull", "kind": "door"}], False),
        ([{"id": "pull", "rank": 0}], False),
        ([{"id": "pull", "rank": 6}], False),
        ([{"id": "pull", "rank": True}], False),
        ([{"id": "pull", "rank": 2.0}], False),
        ([[]], False),
        ({}, False),
    ],
)
def test_the_usual_keywords_need_no_library(value: Any, sure: bool) -> None:
    """``2.0`` is an integer to JSON Schema: valid, and nothing that the function is sure of."""
    match = match_of({"$schema": DIALECT, "type": "array", "items": ITEM})
    assert match is not None
    assert match(value) is sure


DIALECT = "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"$ref": "#/$defs/a", "$defs": {"a": {}}},
        {"$schema": "http://json-schema.org/draft-07/schema#"},
        {"items": {"anyOf": [True]}},
        {"patternProperties": {"a": True}, "additionalProperties": False},
        {"prefixItems": [True], "items": {"type": "null"}},
        {"properties": {"a": {"not": {}}}},
        {"x-unknown": 1},
    ],
)
def test_other_keywords_are_for_the_library_alone(schema: Any) -> None:
    assert match_of(schema) is None
