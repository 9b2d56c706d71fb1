"""The headers of METADATA, held against the e-mail parser that defines the format."""

from __future__ import annotations

import email
import sys
from pathlib import Path
from typing import List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkl.discovery.headers import Headers, read_headers, read_requires_txt

INSTALLED = sorted(
    path for entry in sys.path for path in Path(entry or ".").glob("*.dist-info/METADATA")
)


def reference(data: bytes) -> Headers:
    message = email.message_from_bytes(data)

    def text(name: str) -> str:
        return " ".join(str(message.get(name) or "").split())

    return Headers(
        text("Name"),
        text("Version"),
        text("Summary"),
        text("Requires-Python"),
        tuple(" ".join(str(each).split()) for each in message.get_all("Requires-Dist") or ()),
    )


def squeezed(headers: Headers) -> Headers:
    summary = " ".join(headers.summary.split())
    requires = tuple(" ".join(each.split()) for each in headers.requires_dist)
    return headers._replace(summary=summary, requires_dist=requires)


def test_there_is_metadata_to_compare_with() -> None:
    assert len(INSTALLED) >= 5


@pytest.mark.parametrize("path", INSTALLED, ids=lambda path: path.parent.name)
def test_installed_metadata_is_read_as_the_standard_parser_reads_it(path: Path) -> None:
    data = path.read_bytes()
    if not data.isascii():
        data = data.decode().encode("ascii", "replace")  # the e-mail parser wants RFC 2047
    assert squeezed(read_headers(data)) == reference(data)


def test_fields_are_found_whatever_their_case_and_line_ends() -> None:
    data = b"NAME: acme\r\nversion : 1.0\r\nSummary:  words \r\n\r\nName: not this\r\n"
    assert read_headers(data) == Headers("acme", "1.0", "words")


def test_a_folded_field_becomes_one_line() -> None:
    data = b"Name: a\nSummary: one\n  two\n\tthree\nVersion: 1\n"
    assert read_headers(data).summary == "one two three"


def test_what_looks_like_a_field_inside_a_folded_one_or_the_body_is_none() -> None:
    data = b"Name: a\nDescription: x\n        Version: 9\nVersion: 1\n\nRequires-Dist: evil\n"
    assert read_headers(data) == Headers("a", "1")


def test_the_first_of_several_fields_counts() -> None:
    assert read_headers(b"Name: a\nName: b\nVersion: 1\nVersion: 2\n")[:2] == ("a", "1")


def test_bytes_that_are_not_utf_8_cost_only_themselves() -> None:
    headers = read_headers(b"Name: acme\nAuthor: J\xf6rg\nVersion: 1.0\nSummary: gr\xfcn\n")
    assert headers.name == "acme" and headers.version == "1.0" and headers.summary.startswith("gr")


def test_unknown_stands_for_no_summary() -> None:
    assert read_headers(b"Name: a\nSummary: UNKNOWN\n").summary == ""


@given(st.binary(max_size=300))
def test_any_bytes_can_be_read(data: bytes) -> None:
    read_headers(data)
    read_requires_txt(data)


@given(st.lists(st.sampled_from(["a", "b>=1", "c; x"]), max_size=5))
def test_every_requirement_is_kept_in_order(requires: List[str]) -> None:
    lines = "".join(f"Requires-Dist: {each}\n" for each in requires)
    assert read_headers(f"Name: a\n{lines}Version: 1\n".encode()).requires_dist == tuple(requires)


def test_requires_txt_is_turned_into_requirements_with_markers() -> None:
    data = (
        b"one>=1\n# comment\n\n[socks]\ntwo\n[:python_version < '3']\nthree\n"
        b"[x:os_name == 'nt']\nfour\n"
    )
    assert read_requires_txt(data) == (
        "one>=1",
        'two ; extra == "socks"',
        "three ; python_version < '3'",
        "four ; (os_name == 'nt') and extra == \"x\"",
    )
