"""Our own reader of ``entry_points.txt``: tolerant of what is harmless, exact about what is not."""

from __future__ import annotations

import configparser
from typing import Dict, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkl.discovery.entry_points import (
    EntryPoint,
    MalformedEntryPoints,
    check_value,
    parse_entry_points,
)

PLAIN = b"[console_scripts]\nrun = acme.cli:main\n\n[pkl.plugins]\naudit = acme_audit\n"


def malformed(data: bytes, group: Optional[str] = None) -> MalformedEntryPoints:
    with pytest.raises(MalformedEntryPoints) as caught:
        parse_entry_points(data, group)
    return caught.value


def test_groups_come_with_their_points_and_lines() -> None:
    assert parse_entry_points(PLAIN) == {
        "console_scripts": (EntryPoint("run", "acme.cli:main", 2),),
        "pkl.plugins": (EntryPoint("audit", "acme_audit", 5),),
    }


def test_only_the_wanted_group_is_returned() -> None:
    assert list(parse_entry_points(PLAIN, "pkl.plugins")) == ["pkl.plugins"]
    assert parse_entry_points(PLAIN, "pkl.plug") == {}
    assert parse_entry_points(PLAIN, "absent") == {}


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf[pkl.plugins]\r\naudit = acme_audit\r\n",
        b"[pkl.plugins]\raudit = acme_audit\r",
        b"; a comment\n# another\n\n  [pkl.plugins]  \n\taudit=acme_audit",
        b"[pkl.plugins]\n[other]\nx = y\n[pkl.plugins]\naudit = acme_audit\n",
        b"[ pkl.plugins ]\naudit = acme_audit\n",
    ],
    ids=["bom-crlf", "cr", "comments-and-blanks", "a-group-twice", "blanks-in-brackets"],
)
def test_what_is_harmless_is_accepted(data: bytes) -> None:
    [point] = parse_entry_points(data, "pkl.plugins")["pkl.plugins"]
    assert (point.name, point.value) == ("audit", "acme_audit")


def test_an_empty_file_offers_nothing() -> None:
    assert parse_entry_points(b"") == parse_entry_points(b"\n# nothing\n") == {}


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"[a]\nx = y\n\xffz = 1\n", "entry-points-encoding", 3),
        (b"[a]\nx = y\njust words\n", "entry-point-syntax", 3),
        (b"x = y\n[a]\n", "entry-point-syntax", 1),
        (b"[a]\n[b\n", "entry-point-syntax", 2),
        (b"\n[]\n", "entry-point-syntax", 2),
        (b"[a]]\n", "entry-point-syntax", 1),
        (b"[a]\nx = y\nz = 1\nx = w\n", "entry-point-duplicate", 4),
    ],
)
@pytest.mark.parametrize("group", [None, "a"])
def test_what_is_malformed_is_named_with_its_line(
    data: bytes, code: str, line: int, group: Optional[str]
) -> None:
    error = malformed(data, group)
    assert (error.code, error.line) == (code, line)


def test_a_file_is_malformed_whatever_group_is_wanted() -> None:
    assert malformed(b"[a]\nwords\n", "pkl.plugins").line == 2


def test_a_name_that_stands_twice_in_another_group_is_not_this_groups_affair() -> None:
    data = b"[a]\nx = y\nx = z\n[b]\nx = y\n"
    assert list(parse_entry_points(data, "b")) == ["b"]


def test_the_text_of_a_duplicate_names_both_lines_and_both_values() -> None:
    text = str(malformed(b"[a]\nx = one\nx = two\n"))
    assert "line 2 as 'one'" in text and "line 3 as 'two'" in text


def test_a_huge_hostile_file_is_read_in_linear_time() -> None:
    """A backtracking expression would not come back from this within a day."""
    data = b"[a]\n" + b"x = y\n\t \t \n" * 20_000 + b"\t" * 20_000 + b"words"
    assert malformed(data, "b").line == 40_002


@pytest.mark.parametrize(
    ("value", "target"),
    [
        ("acme", ("acme", "")),
        ("acme.audit:plugin", ("acme.audit", "plugin")),
        ("acme.audit : Plugin.make [extra, more]", ("acme.audit", "Plugin.make")),
        ("äcme._x1", ("äcme._x1", "")),
    ],
)
def test_a_value_names_a_module_and_an_object(value: str, target: object) -> None:
    assert check_value(value) == target


@pytest.mark.parametrize(
    "value",
    [
        "",
        ":obj",
        "pkg:",
        "../../etc/passwd",
        "pkg:../../etc/passwd",
        "/etc/passwd",
        "pkg/mod",
        "pkg:my-file.toml",
        "my-pkg",
        ".pkg",
        "pkg..mod",
        "pkg.",
        "1pkg",
        "pkg:obj()",
        "C:\\pkg",
        "pkg\x00",
        "pkg mod",
    ],
)
def test_paths_hyphens_and_empty_parts_are_no_values(value: str) -> None:
    assert check_value(value) is None


@given(st.binary(max_size=200), st.sampled_from([None, "a", "pkl.plugins"]))
def test_any_bytes_are_read_or_refused(data: bytes, group: Optional[str]) -> None:
    try:
        parse_entry_points(data, group)
    except MalformedEntryPoints as e:
        assert e.line >= 1


LINES = st.sampled_from(
    ["[a]", "[b]", " [a] ", "x = y", "z=1", "", "# c", "; c", "words", "=", "[c"]
)


@given(st.lists(LINES, max_size=12), st.sampled_from(["\n", "\r\n"]))
def test_the_short_cut_agrees_with_the_whole_reading(lines: "list[str]", end: str) -> None:
    """Looking for an absent group refuses exactly the files that cannot be read whole."""
    data = end.join(lines).encode()

    def code(group: Optional[str]) -> str:
        try:
            parse_entry_points(data, group)
        except MalformedEntryPoints as e:
            return f"{e.code}:{e.line}"
        return ""

    whole = code(None)
    if "duplicate" not in whole:
        assert code("absent") == whole


NAMES = st.text("abcXYZ019_.- ", min_size=1, max_size=8).map(str.strip).filter(bool)


@given(
    st.dictionaries(
        st.sampled_from(["a", "b.c", "d-e"]), st.dictionaries(NAMES, NAMES, max_size=4), max_size=3
    )
)
def test_what_configparser_writes_is_read_back(groups: Dict[str, Dict[str, str]]) -> None:
    writer = configparser.RawConfigParser(delimiters=("=",))
    writer.optionxform = str  # type: ignore[assignment,method-assign]
    writer.read_dict(groups)
    text = "".join(
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in points.items())
        for group, points in groups.items()
    )
    found = parse_entry_points(text.encode())
    assert {g: {p.name: p.value for p in points} for g, points in found.items()} == {
        section: dict(writer[section]) for section in writer.sections() if writer[section]
    }
