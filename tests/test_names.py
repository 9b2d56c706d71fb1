"""Names: canonical form, validity, suggestions, and text that cannot deceive a terminal."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from pkl.names import canonical, did_you_mean, identifier, is_valid, printable


@pytest.mark.parametrize("name", ["my_plugin", "My.Plugin", "my-plugin", "MY--_.plugin"])
def test_spellings_of_one_name_have_one_canonical_form(name: str) -> None:
    assert canonical(name) == "my-plugin"


@given(st.text())
def test_the_canonical_form_of_a_canonical_form_is_itself(name: str) -> None:
    assert canonical(canonical(name)) == canonical(name)


@given(st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", fullmatch=True))
def test_the_canonical_form_is_that_of_packaging(name: str) -> None:
    assert is_valid(name)
    assert canonical(name) == canonicalize_name(name)


@pytest.mark.parametrize("name", ["a", "A1", "a.b", "a__b", "9"])
def test_names_of_pep_508_are_valid(name: str) -> None:
    assert is_valid(name)


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", "a_", ".", "a b", "ä", "a\n", "\u212aelvin", "a\u017f", "a/b", "a:b"]
)
def test_other_names_are_not_valid(name: str) -> None:
    """Neither are the Kelvin sign and the long s, which equal k and s when case is ignored."""
    assert not is_valid(name)


def test_a_spelling_of_a_known_name_is_meant_before_any_similar_one() -> None:
    assert did_you_mean("MY_plugin", ["my-plugins", "my.plugin"]) == "my.plugin"


@pytest.mark.parametrize(
    ("name", "meant"), [("auht", "auth"), ("requiers", "requires"), ("zzz", None), ("", None)]
)
def test_the_nearest_known_name_is_suggested(name: str, meant: str) -> None:
    known = ["auth", "requires", "web"]
    assert did_you_mean(name, known) == meant
    assert did_you_mean(name, reversed(known)) == meant


def test_no_suggestion_is_looked_for_where_the_name_is_absurd() -> None:
    assert did_you_mean("a" * 101, ["a" * 101]) is None


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("my-plugin", "my_plugin"),
        ("My.Plugin", "my_plugin"),
        ("3d", "_3d"),
        ("class", "class_"),
        ("Windows (alt)", "windows__alt_"),
        ("", "_"),
    ],
)
def test_a_name_has_an_identifier(name: str, word: str) -> None:
    assert identifier(name) == word


@given(st.text())
def test_every_name_has_an_identifier_that_python_takes(name: str) -> None:
    assert identifier(name).isidentifier()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("größe 日本 🎉", "größe 日本 🎉"),
        ("a\x1b[31mred", "a\\x1b[31mred"),
        ("a\nb\tc\0", "a\\x0ab\\x09c\\x00"),
        ("\x9b2J", "\\x9b2J"),
        ("user\u202etxt.exe", "user\\u202etxt.exe"),
        ("a\u200bb\ufeff\u2028", "a\\u200bb\\ufeff\\u2028"),
        ("\ud800", "\\ud800"),
        ("tag\U000e0041", "tag\\U000e0041"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_instead(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_no_character_that_controls_or_formats_is_left() -> None:
    """Asked of every character that the tables of this Python put in such a category."""
    left = [
        hex(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and printable(chr(code)) == chr(code)
    ]
    assert not left


@given(st.text())
def test_what_is_printable_is_left_as_it_is(text: str) -> None:
    """The escapes themselves are printable, so that showing twice changes nothing."""
    assert printable(printable(text)) == printable(text)
    assert printable(text).encode().decode() == printable(text)
