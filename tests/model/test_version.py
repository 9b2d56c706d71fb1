"""Versions and specifiers agree with packaging on every question that both can answer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import List, Optional

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import VERSION_PATTERN, InvalidVersion, Version

from pkl.errors import RequirementError
from pkl.model.version import (
    check_specifier,
    is_version,
    parse_version,
    specifier_asks_for_prereleases,
    specifier_contains,
    version_key,
)

PATTERN = re.compile(rf"\s*{VERSION_PATTERN}\s*", re.VERBOSE | re.IGNORECASE)

numbers = st.sampled_from(["0", "1", "2", "10", "01", "00"])
releases = st.lists(numbers, min_size=1, max_size=4).map(".".join)
separators = st.sampled_from(["", ".", "-", "_"])


def suffix(*words: str) -> st.SearchStrategy[str]:
    """A segment such as ``.post1``, or none."""
    made = st.tuples(
        separators, st.sampled_from(words), separators, st.sampled_from(["", "0", "3"])
    )
    return st.one_of(st.just(""), made.map("".join))


versions = st.tuples(
    st.sampled_from(["", "", "v", "V", " v"]),
    st.sampled_from(["", "", "", "1!", "0!"]),
    releases,
    suffix("a", "Alpha", "b", "BETA", "c", "rc", "pre", "preview"),
    st.one_of(suffix("post", "rev", "r", "POST"), st.just("-2")),
    suffix("dev", "DEV"),
    st.sampled_from(["", "", "", "+local", "+1", "+a.1", "+A-1_b"]),
    st.sampled_from(["", "", " ", "\n"]),
).map("".join)
near_versions = st.one_of(
    versions,
    st.text(alphabet="0129.!+-_ abcdeprstvu\n\u017f\u0661", max_size=12),
    st.text(max_size=8),
)


@given(near_versions)
@example("1.0po\u017ft1")
@example("\u0661.0")
@example("1.0+\u212a")
@example("1.0\n")
@example("")
def test_what_is_a_version_is_what_packaging_says(text: str) -> None:
    assert is_version(text) == (PATTERN.fullmatch(text) is not None)
    try:
        Version(text)
    except InvalidVersion:
        assert not is_version(text)
    else:
        assert is_version(text)


@given(st.lists(versions, min_size=2, max_size=8))
def test_versions_are_ordered_as_packaging_orders_them(texts: List[str]) -> None:
    for one in texts:
        for other in texts:
            ours = (version_key(one) < version_key(other), version_key(one) == version_key(other))
            theirs = (Version(one) < Version(other), Version(one) == Version(other))
            assert ours == theirs, (one, other)


@given(st.lists(near_versions, max_size=8))
def test_anything_can_be_ordered_and_what_is_no_version_comes_first(texts: List[str]) -> None:
    ordered = [is_version(text) for text in sorted(texts, key=version_key)]
    assert ordered == sorted(ordered)


def test_an_absurd_version_is_none() -> None:
    """Python refuses to read an integer of more than 4,300 digits."""
    absurd = "9" * 5000
    assert not is_version(absurd)
    assert version_key(absurd) < version_key("0.dev0")
    assert not specifier_contains(">=1", absurd)
    with pytest.raises(InvalidVersion):
        parse_version(absurd)


def test_a_parsed_version_is_that_of_packaging() -> None:
    assert parse_version("1.0a1") == Version("1.0a1")
    with pytest.raises(ValueError, match="Invalid version"):
        parse_version("one")


operators = st.sampled_from([">=", "<=", "<", ">", "==", "!=", "~="])
clauses = st.one_of(
    st.tuples(operators, releases).map("".join),
    st.tuples(operators, versions.map(str.strip)).map("".join),
    st.tuples(st.sampled_from(["==", "!="]), releases, st.just(".*")).map("".join),
    st.sampled_from(["===1.0", "===foo", ">=1.*", "~=1", "", "1.0", "=1", ">=1+a"]),
)
specifiers = st.lists(clauses, max_size=3).map(",".join)


def packaged(text: str) -> Optional[SpecifierSet]:
    """The specifier as packaging reads it, or None."""
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        return None


@given(specifiers)
@example(">=1.0 , <2")
@example(" >= 1 ")
@example("==1.*")
def test_what_is_a_specifier_is_what_packaging_says(text: str) -> None:
    theirs = packaged(text)
    if theirs is None:
        with pytest.raises(RequirementError, match="is not a version specifier"):
            check_specifier(text)
    else:
        assert SpecifierSet(check_specifier(text)) == theirs


@given(specifiers, st.one_of(releases, versions), st.sampled_from([None, True, False]))
@example("==1.2.*", "1", None)
@example("~=1.2.0", "1.2", None)
@example("!=1.0.*", "1", None)
@example("", "1.0a1", False)
@example("", "rubbish", False)
@example(">=1", "rubbish", None)
@example("===rubbish", "rubbish", None)
def test_what_fits_is_what_packaging_says(
    text: str, version: str, prereleases: Optional[bool]
) -> None:
    theirs = packaged(text)
    if theirs is not None:
        ours = specifier_contains(check_specifier(text), version, prereleases)
        assert ours == theirs.contains(version, prereleases=prereleases)


@given(specifiers)
def test_who_asks_for_prereleases_is_what_packaging_says(text: str) -> None:
    theirs = packaged(text)
    if theirs is not None:
        assert specifier_asks_for_prereleases(check_specifier(text)) == bool(theirs.prereleases)


def test_a_bare_version_is_told_from_a_specifier() -> None:
    with pytest.raises(RequirementError) as caught:
        check_specifier("2.1")
    assert caught.value.hint == "write >=2.1 for this version or any later one, ==2.1 for it only"


def test_the_usual_versions_and_specifiers_do_not_import_packaging() -> None:
    code = (
        "import sys; from pkl.model.version import *\n"
        "version_key('1.2rc1'); is_version('x'); check_specifier('>=1.0a1,<2')\n"
        "specifier_contains('>=1.2,<2,!=1.5,~=1.2', '1.6'); specifier_contains('==1.*', '1.6')\n"
        "print(*sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True, env=environment
    )
    assert not [name for name in done.stdout.split() if name.startswith("packaging")]
