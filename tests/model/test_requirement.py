"""Requirements are those of PEP 508 but for URLs, and errors point at the place."""

from __future__ import annotations

from typing import List, Optional

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Packaged
from packaging.utils import canonicalize_name

from pkl.errors import RequirementError
from pkl.model.requirement import (
    Provided,
    Requirement,
    parse_provided,
    parse_requirement,
)

from .test_version import releases, specifiers, versions

Words = st.SearchStrategy[str]

good_names = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,6}[A-Za-z0-9])?", fullmatch=True)
good_blanks = st.sampled_from(["", "", " ", "\t"])
good_extras = st.sampled_from(["", "", "", "[x]", "[X_y, z]", "[]"])
good_clauses = st.one_of(
    st.tuples(st.sampled_from([">=", "<", "!=", "==", "<= ", ">"]), releases).map("".join),
    st.tuples(st.sampled_from(["==", "!="]), releases, st.just(".*")).map("".join),
    st.tuples(st.sampled_from([">=", "==", "~=1."]), versions.map(str.strip)).map("".join),
)
good_bounds = st.tuples(st.lists(good_clauses, max_size=3).map(" ,".join), st.booleans()).map(
    lambda parts: f"({parts[0]})" if parts[1] else parts[0]
)
quotes = st.sampled_from(["'", '"'])


def quoted(variables: List[str], operators: List[str], values: List[str]) -> Words:
    """Comparisons of one of the variables with one of the values."""
    parts = st.tuples(
        st.sampled_from(variables), st.sampled_from(operators), quotes, st.sampled_from(values)
    )
    return parts.map(lambda each: "".join(each) + each[2])


good_comparisons = st.one_of(
    quoted(
        ["python_version", " python_full_version "],
        ["<", ">=", "==", " != ", "<="],
        ["3", "3.9", "3.11", "3.10.1", "3.8.*"],
    ),
    quoted(
        ["extra", "sys_platform", "os_name ", "platform_system", "platform_python_implementation"],
        ["==", " != "],
        ["", "linux", "posix", "Linux", "A_b", "CPython", "x-y"],
    ),
)
odd_comparisons = st.one_of(
    quoted(["python_version", "platform_release"], ["~=", " in ", "=", "==="], ["3", "3.*", "x"]),
    quoted(["os.name", "nothing", "extras", "extra"], [">=", " not in ", "~="], ["a b", "ä", ""]),
)


def joined(inner: Words) -> Words:
    """Markers of several comparisons."""
    return st.one_of(
        st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map("".join),
        inner.map(lambda each: f"({each})"),
    )


good_markers = st.recursive(good_comparisons, joined, max_leaves=4).map(lambda each: f";{each}")
odd_markers = st.recursive(odd_comparisons, joined, max_leaves=2).map(lambda each: f"; {each}")
good_requirements = st.tuples(
    *(good_blanks, good_names, good_blanks, good_extras, good_blanks, good_bounds, good_blanks),
    st.one_of(st.just(""), good_markers),
).map("".join)
odd_requirements = st.tuples(
    st.one_of(good_names, st.sampled_from(["a_", "-a", "a-", "", "ä", "a b", "a."])),
    st.one_of(good_extras, st.sampled_from(["[x", "[x y]", "\n", "\u00a0"])),
    st.one_of(
        specifiers,
        specifiers.map(lambda each: f"({each})"),
        st.sampled_from(["@ https://example.org/a.whl", "@ file:///a", ">=1,", "(>=1", ">=1 <2"]),
    ),
    st.one_of(st.just(""), st.just(";"), good_markers, odd_markers),
).map("".join)
requirements = st.one_of(good_requirements, odd_requirements)


def packaged(text: str) -> Optional[Packaged]:
    """The requirement as packaging reads it, or None where it cannot or pkl refuses on purpose."""
    try:
        found = Packaged(text)
        if found.marker is not None:
            found.marker.evaluate()
    except (InvalidRequirement, SyntaxError, ValueError, LookupError):
        return None
    # packaging lets a name end in an underscore, PEP 508 does not.
    return None if found.url is not None or found.name.endswith("_") else found


@given(requirements)
@example("a(>=1.0,<2);python_version<'3.10'")
@example("a ; extra=='X_y' and os_name!='nt' or python_version >= '3'")
@example("a===1.0;2")
@example("a>=1,")
@example("a>=1.0a1 , !=1.0b2")
@example("a >=1 ; python_version == '3.9.0'")
@example("a==1.0+local.1")
@example("a\n")
def test_a_requirement_is_what_packaging_reads(text: str) -> None:
    theirs = packaged(text)
    if theirs is None:
        with pytest.raises(RequirementError):
            parse_requirement(text)
        return
    ours = parse_requirement(text)
    assert ours.text == text.strip()
    assert ours.display == theirs.name
    assert ours.name == canonicalize_name(theirs.name)
    assert Packaged(f"a{ours.specifier}").specifier == theirs.specifier
    assert ours.extras == tuple(sorted({canonicalize_name(extra) for extra in theirs.extras}))
    assert ours.marker == (str(theirs.marker) if theirs.marker is not None else None)
    for environment in ({}, {"extra": "x-Y"}, {"python_version": "3.12", "sys_platform": "win32"}):
        holds = theirs.marker is None or theirs.marker.evaluate(dict(environment))
        assert ours.applies(environment) is holds


@given(requirements, st.one_of(releases, versions), st.sampled_from([None, True, False]))
def test_what_a_requirement_contains_is_what_packaging_says(
    text: str, version: str, prereleases: Optional[bool]
) -> None:
    theirs = packaged(text)
    if theirs is not None:
        ours = parse_requirement(text)
        expected = theirs.specifier.contains(version, prereleases=prereleases)
        assert ours.contains(version, prereleases) == expected
        assert ours.asks_for_prereleases == bool(theirs.specifier.prereleases)


@given(st.one_of(st.text(max_size=30), requirements))
def test_nothing_but_a_requirement_error_is_ever_raised(text: str) -> None:
    try:
        parse_requirement(text)
    except RequirementError as e:
        assert e.details["reason"]


@given(st.one_of(st.text(max_size=30), requirements))
@example("Windows (alt)")
@example("xdist.looponfail")
@example("a @ https://example.org/a.whl ; python_version>'3'")
def test_a_foreign_name_is_never_rejected(text: str) -> None:
    if not text.strip():
        with pytest.raises(RequirementError):
            parse_requirement(text, fold=False)
    else:
        found = parse_requirement(text, fold=False)
        assert found.name == found.display
        assert found.name in text


@pytest.mark.parametrize(
    ("text", "name", "specifier"),
    [
        ("Windows (alt)", "Windows (alt)", ""),
        ("My.Plugin>=1", "My.Plugin", ">=1"),
        ("a @ https://example.org/a.whl", "a", ""),
        ("a>b", "a>b", ""),
    ],
)
def test_a_foreign_requirement_keeps_its_name_as_it_is(
    text: str, name: str, specifier: str
) -> None:
    found = parse_requirement(text, fold=False)
    assert (found.name, found.specifier) == (name, specifier)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "auth=1",
            """\
'auth=1' is not a requirement (PEP 508): expected a comparison such as >= or ==, a comma, \
a semicolon or the end
    auth=1
        ^
hint: write auth>=1 for this version or any later one, auth==1 for it only""",
        ),
        (
            "auth>=abc",
            """\
'auth>=abc' is not a requirement (PEP 508): expected a version (PEP 440) after the comparison
    auth>=abc
          ^""",
        ),
        (
            "auth>=1 <2",
            """\
'auth>=1 <2' is not a requirement (PEP 508): expected a comma between two comparisons
    auth>=1 <2
            ^""",
        ),
        (
            "auth @ https://example.org/auth.whl",
            """\
'auth @ https://example.org/auth.whl' is not a requirement (PEP 508): a URL has no place in it: \
a requirement names a plugin and its versions
    auth @ https://example.org/auth.whl
         ^""",
        ),
        (
            "\x1bauth_",
            """\
'\\x1bauth_' is not a requirement (PEP 508): expected package name at the start of \
dependency specifier
    \\x1bauth_
    ^""",
        ),
        ("  ", "'  ' is not a requirement (PEP 508): it is empty"),
    ],
)
def test_an_error_points_at_the_place_and_says_what_to_write(text: str, expected: str) -> None:
    with pytest.raises(RequirementError) as caught:
        parse_requirement(text)
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("auth^1.2", "write auth>=1.2,<2"),
        ("auth~1.2", "write auth~=1.2"),
        ("auth 1.2", "write auth>=1.2 for this version or any later one, auth==1.2 for it only"),
        ("auth@1", "write auth>=1 for this version or any later one, auth==1 for it only"),
        ("auth!", ""),
    ],
)
def test_the_ways_of_other_tools_are_understood_well_enough_for_a_hint(
    text: str, hint: str
) -> None:
    with pytest.raises(RequirementError) as caught:
        parse_requirement(text)
    assert caught.value.hint == hint


def test_absurd_requirements_are_refused() -> None:
    for text in ("a" * 5000, "a;" + "(" * 3000 + "extra=='x'" + ")" * 3000, "a;extra=='\\'"):
        with pytest.raises(RequirementError):
            parse_requirement(text)


def test_the_order_of_the_clauses_is_kept() -> None:
    assert parse_requirement("a (>=1.2, !=1.5 ,<2.0a1)").specifier == ">=1.2,!=1.5,<2.0a1"


def test_a_requirement_is_a_value() -> None:
    one, other = parse_requirement("My.Plugin >=1"), parse_requirement("my-plugin>=1")
    assert one == other and hash(one) == hash(other)
    assert one != parse_requirement("my-plugin>=2") and one != "my-plugin>=1"
    assert (str(one), repr(one)) == ("My.Plugin >=1", "Requirement('My.Plugin >=1')")
    assert isinstance(one, Requirement)
    with pytest.raises(AttributeError, match="immutable"):
        one.name = "other"
    with pytest.raises(AttributeError, match="immutable"):
        del one.name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Audit_Log", Provided("audit-log", "1.4")),
        ("audit-log==1.1", Provided("audit-log", "1.1")),
        (" audit-log == 1.1rc1 ", Provided("audit-log", "1.1rc1")),
    ],
)
def test_a_capability_has_the_version_of_the_plugin_or_its_own(
    text: str, expected: Provided
) -> None:
    assert parse_provided(text, "1.4") == expected
    assert str(expected) == f"{expected.name}=={expected.version}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "==1",
        "a>=1",
        "a==1.*",
        "a==",
        "a===1",
        "a==1,==2",
        "a[x]",
        "a;extra=='x'",
        "a @ b",
        "a=1",
    ],
)
def test_a_capability_is_nothing_else(text: str) -> None:
    with pytest.raises(RequirementError, match="is not a capability") as caught:
        parse_provided(text, "1")
    assert caught.value.hint == "write name, or name==1.2"


def test_a_foreign_capability_keeps_its_name() -> None:
    assert parse_provided("Windows (alt)", "1", fold=False) == Provided("Windows (alt)", "1")
