"""What is written as TOML reads back as what it was."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone
from typing import Any, Dict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkl.install.locks.toml_text import toml_inline, toml_key, toml_table

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MOMENTS = st.integers(0, 4_000_000_000).map(lambda s: datetime.fromtimestamp(s, timezone.utc))
PLAIN = st.one_of(
    TEXT, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), MOMENTS
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_a_table_reads_back_as_it_was(table: Dict[str, Any]) -> None:
    text = "\n".join(toml_table(table))
    assert tomllib.loads(text) == table
    assert "\n".join(toml_table(table)) == text


@settings(max_examples=50, deadline=None)
@given(VALUES)
def test_a_value_reads_back_and_has_one_line(value: Any) -> None:
    line = toml_inline(value)
    assert tomllib.loads(f"x = {line}")["x"] == value
    assert len(line.splitlines()) <= 1


@settings(max_examples=50, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=3), st.dictionaries(TEXT, PLAIN, max_size=3))
def test_a_header_leads_to_its_table(names: "list[str]", table: Dict[str, Any]) -> None:
    found: Any = tomllib.loads("\n".join(toml_table(table, *names)))
    for name in names:
        found = found[name]
    assert found == table


def test_repeated_tables_become_a_list() -> None:
    lines = [
        *toml_table({"a": 1}, "x", repeated=True),
        *toml_table({}, "x", repeated=True),
        *toml_table({"b": {"c": [{"d": 1}, {"d": 2}]}}, "x", repeated=True),
    ]
    found = tomllib.loads("\n".join(lines))
    assert found == {"x": [{"a": 1}, {}, {"b": {"c": [{"d": 1}, {"d": 2}]}}]}


def test_a_key_is_quoted_only_where_it_has_to_be() -> None:
    assert toml_key("tool", "pkl", "a.b", "é", "") == 'tool.pkl."a.b"."é".""'


def test_what_changes_how_text_is_seen_is_escaped() -> None:
    assert toml_inline('a"\\\x00\n\x7f\u202eé') == '"a\\"\\\\\\u0000\\n\\u007f\\u202eé"'


def test_a_moment_is_written_in_utc() -> None:
    moment = datetime(2026, 11, 25, 4, 0, tzinfo=timezone(timedelta(hours=1)))
    assert toml_inline(moment) == "2026-11-25T03:00:00Z"


@pytest.mark.parametrize("value", [None, "\ud800", 2**63, object(), {"a": None}, [b"x"]])
def test_what_toml_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        toml_inline(value)
