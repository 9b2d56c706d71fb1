"""The files of a registry: written as they are read, and refused as a whole with every fault."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkl.errors import RegistryGarbage
from pkl.model.manifest import PluginMetadata
from pkl.model.requirement import version_key
from pkl.registry.keys import parse_public_key
from pkl.registry.model import (
    Index,
    IndexEntry,
    Page,
    Release,
    Revocation,
    Revocations,
    Rotation,
    WheelFile,
)
from pkl.registry.moments import moment_text, parse_moment
from pkl.registry.schema import parse_index, parse_page, parse_revoked
from pkl.registry.wheel_name import parse_wheel_name
from pkl.registry.writing import dump_index, dump_page, dump_revoked

DIGEST = "ab" * 32
URL = "https://plugins.example/pkl/v1"


def row(**changes: Any) -> Dict[str, Any]:
    """One version of a page."""
    whole = {
        "requires": ["auth>=1"],
        "conflicts": [],
        "provides": ["audit-log==1.1"],
        "requires-host": ">=2,<3",
        "requires-python": ">=3.9",
        "permissions": {"fs-read": ["$data"]},
        "file": "acme_audit-1.4.0-py3-none-any.whl",
        "sha256": DIGEST,
        "size": 12,
        "uploaded": "2026-11-25T03:00:00Z",
        "yanked": False,
    }
    return {**whole, **changes}


def page(version: str = "1.4.0", **changes: Any) -> Dict[str, Any]:
    """A page with one version."""
    return {
        "schema": "pkl.page/1",
        "name": "audit",
        "distribution": "acme-audit",
        "versions": {version: row(**changes)},
    }


def index(**changes: Any) -> Dict[str, Any]:
    """An index with one plugin."""
    entry = {"summary": "Writes who did what", "latest": "1.4.0", "sha256": DIGEST}
    whole = {
        "schema": "pkl.index/1",
        "serial": 7,
        "expires": "2027-01-31T00:00:00Z",
        "revoked": DIGEST,
        "plugins": {"audit": entry},
    }
    return {**whole, **changes}


def encoded(whole: Any) -> bytes:
    return json.dumps(whole).encode()


def faults_of_page(whole: Any) -> List[str]:
    with pytest.raises(RegistryGarbage) as caught:
        parse_page(encoded(whole), "audit", url=f"{URL}/p/audit.json")
    return [each.path for each in caught.value.faults]


def faults_of_index(whole: Any) -> List[str]:
    with pytest.raises(RegistryGarbage) as caught:
        parse_index(encoded(whole), url=f"{URL}/index.json")
    return [each.path for each in caught.value.faults]


def test_an_index_says_what_it_holds() -> None:
    found = parse_index(encoded(index()))
    assert (found.serial, moment_text(found.expires or 0)) == (7, "2027-01-31T00:00:00Z")
    assert found.plugins["audit"] == IndexEntry("audit", "Writes who did what", "1.4.0", DIGEST)


def test_an_index_may_say_what_a_plugin_provides_and_what_carries_it() -> None:
    whole = index()
    whole["plugins"]["audit"].update(provides=["log", "audit-log"], distribution="Acme_Suite")
    entry = parse_index(encoded(whole)).plugins["audit"]
    assert (entry.provides, entry.distribution) == (("audit-log", "log"), "acme-suite")
    for wrong in ("log", [1], ["Log"], ["../log"]):
        whole["plugins"]["audit"]["provides"] = wrong
        assert faults_of_index(whole) == ["plugins.audit.provides"]
    whole["plugins"]["audit"].update(provides=[], distribution="../suite")
    assert faults_of_index(whole) == ["plugins.audit.distribution"]


def test_a_page_says_what_its_versions_require_and_where_their_wheels_are() -> None:
    found = parse_page(encoded(page()), "audit", summary="Writes").releases[0]
    said = found.metadata
    assert [str(each) for each in said.requires] == ["auth>=1"]
    assert [str(each) for each in said.provides] == ["audit-log==1.1"]
    assert (said.requires_host, said.requires_python) == (">=2,<3", ">=3.9")
    assert (said.permissions, said.summary) == ({"fs-read": ("$data",)}, "Writes")
    assert found.files == (WheelFile("acme_audit-1.4.0-py3-none-any.whl", DIGEST, 12, 1795575600),)


def test_the_versions_of_a_page_come_highest_first_as_pep_440_orders_them() -> None:
    whole = page()
    versions = whole["versions"] = {}
    for version in ("1.9", "1.10", "1.10rc1", "2.0.dev1"):
        versions[version] = row(file=f"acme_audit-{version}-py3-none-any.whl")
    found = parse_page(encoded(whole), "audit")
    assert [each.version for each in found.releases] == ["2.0.dev1", "1.10", "1.10rc1", "1.9"]
    assert found.release("1.9") is found.releases[-1] and found.release("3") is None


def test_keys_of_a_later_format_are_passed_over() -> None:
    assert parse_index(encoded(index(colour="red"))).serial == 7
    assert parse_page(encoded(page(colour="red")), "audit").releases


@pytest.mark.parametrize(
    ("value", "means"), [(False, None), (True, ""), ("it leaks", "it leaks"), ("", "")]
)
def test_a_yanked_version_says_why(value: Any, means: Any) -> None:
    assert parse_page(encoded(page(yanked=value)), "audit").releases[0].yanked == means


def test_every_fault_of_an_index_is_named_at_once_with_its_path() -> None:
    whole = index(serial=0, expires="tomorrow", revoked="x", rotations=[{"old": 1}, 2])
    whole["plugins"]["a/../b"] = whole["plugins"]["audit"]
    whole["plugins"]["Audit"] = whole["plugins"]["audit"]
    whole["plugins"]["audit"] = {"summary": 3, "latest": "one", "sha256": DIGEST.upper()}
    whole["plugins"]["mail"] = []
    assert faults_of_index(whole) == [
        "serial",
        "expires",
        "revoked",
        "rotations[0].old",
        "rotations[0].new",
        "rotations[0].signature",
        "rotations[1]",
        "plugins.audit.latest",
        "plugins.audit.summary",
        "plugins.audit.sha256",
        "plugins.'a/../b'",
        "plugins.Audit",
        "plugins.mail",
    ]


def test_every_fault_of_a_page_is_named_at_once_with_its_path() -> None:
    whole = page(
        requires=["auth >> 1", "audit>=1"],
        permissions={"fs-raed": []},
        size=True,
        sha256=None,
        uploaded=5,
        yanked=1,
        also=[3],
    )
    whole["versions"]["one"] = row()
    whole["versions"]["1.4"] = row()
    whole["distribution"] = "../acme"
    assert faults_of_page(whole) == [
        "distribution",
        "versions.'1.4.0'.sha256",
        "versions.'1.4.0'.size",
        "versions.'1.4.0'.uploaded",
        "versions.'1.4.0'.also[0]",
        "versions.'1.4.0'.yanked",
        "versions.'1.4.0'.requires[0]",
        "versions.'1.4.0'.requires[1]",
        "versions.'1.4.0'.permissions.fs-raed",
        "versions.one",
        "versions.'1.4'",
    ]


def test_the_text_of_a_fault_says_where_what_and_who_repairs_it() -> None:
    with pytest.raises(RegistryGarbage) as caught:
        parse_page(encoded(page(size=-1)), "audit", url=f"{URL}/p/audit.json", registry="acme")
    assert str(caught.value) == (
        f"the registry's page of 'audit' {URL}/p/audit.json is damaged (1 fault)\n"
        "  versions.'1.4.0'.size = -1: must be a whole number from 1 on\n"
        "hint: whoever runs the registry builds it anew with: pkl registry build"
    )
    assert (caught.value.url, caught.value.registry) == (f"{URL}/p/audit.json", "acme")
    assert caught.value.exit_status == 6


@pytest.mark.parametrize(
    "file",
    [
        "../acme_audit-1.4.0-py3-none-any.whl",
        "/etc/acme_audit-1.4.0-py3-none-any.whl",
        "x\\acme_audit-1.4.0-py3-none-any.whl",
        "acme_audit-1.4.0-py3-none-any.whl\0",
        "acme_audit-1.4.0.tar.gz",
        "acme_audit-1.4.0-py3-none-any.whl/..",
        ".acme_audit-1.4.0-py3-none-any.whl",
        "acme_audit-1.4.0-py3-none-any.WHL",
        "",
    ],
)
def test_a_wheel_is_named_and_not_reached_by_a_path(file: str) -> None:
    assert faults_of_page(page(file=file)) == ["versions.'1.4.0'.file"]


@pytest.mark.parametrize(
    "file", ["acme_mail-1.4.0-py3-none-any.whl", "acme_audit-1.4.1-py3-none-any.whl"]
)
def test_a_wheel_of_something_else_is_refused(file: str) -> None:
    assert faults_of_page(page(file=file)) == ["versions.'1.4.0'.file"]


def test_the_page_of_another_plugin_is_refused() -> None:
    whole = page()
    whole["name"] = "mail"
    assert faults_of_page(whole) == ["name"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"<!DOCTYPE html><p>Log in", "is a page of HTML, such as a network's login page"),
        (b"  <html>", "is a page of HTML"),
        (b"\xff\xfe{}", "is not UTF-8 (byte 0)"),
        (b"[" * 100_000, "is nested too deep"),
        (b'{"schema": "pkl.index/1", "serial": 1, "serial": 2}', "'serial' stands there twice"),
        (b'{"schema": "pkl.index/1", "serial": NaN}', "NaN is no number of JSON"),
        (b'{"serial": ' + b"9" * 5000 + b"}", "a number has 5000 digits"),
        (b'{"schema": "pkl.index/1"', "is not JSON"),
        (b"", "is not JSON"),
        (b"[]", "must be a JSON object"),
        (b'{"schema": "pkl.page/1"}', "must be 'pkl.index/1'"),
        (b'{"schema": "pkl.index/2"}', "if it was written for a later version, upgrade pkl"),
    ],
)
def test_what_is_no_index_is_garbage(data: bytes, says: str) -> None:
    with pytest.raises(RegistryGarbage) as caught:
        parse_index(data, url=f"{URL}/index.json")
    assert says in caught.value.message and URL in caught.value.message


def test_what_holds_a_hundred_faults_is_told_in_a_few_lines() -> None:
    whole = index()
    whole["plugins"] = {f"a/{n}": {} for n in range(100)}
    with pytest.raises(RegistryGarbage) as caught:
        parse_index(encoded(whole))
    assert len(caught.value.faults) == 100
    assert caught.value.message.splitlines()[-1] == "  and 90 more"


def test_a_revoked_version_is_found_in_any_spelling() -> None:
    entry = Revocation("audit", "1.4", "acme-audit", "leaks", 1795575600)
    found = parse_revoked(dump_revoked(Revocations().with_entry(entry)))
    assert found.of("audit", "1.4.0") == entry
    assert found.of("audit", "1.4.1") is None and found.of("mail", "1.4") is None
    again = found.with_entry(entry._replace(version="1.4.0", reason="leaks more"))
    assert again.entries["audit"].keys() == {"1.4.0"}


def test_faults_of_the_list_of_revoked_versions_are_named() -> None:
    revoked = {"Audit": {}, "mail": 3, "auth": {"x": {}, "1": 2, "2": {"reason": 1}}}
    with pytest.raises(RegistryGarbage) as caught:
        parse_revoked(encoded({"schema": "pkl.revoked/1", "revoked": revoked}))
    assert [each.path for each in caught.value.faults] == [
        "revoked.Audit",
        "revoked.mail",
        "revoked.auth.x",
        "revoked.auth.1",
        "revoked.auth.2.reason",
        "revoked.auth.2.since",
    ]


NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,3})?", fullmatch=True)
VERSIONS = st.from_regex(r"[0-9]{1,2}\.[0-9]{1,2}(rc[1-9])?", fullmatch=True)
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
MOMENTS = st.integers(0, 4_000_000_000)
KEY = parse_public_key(
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPcXsMWKMtFBrXBNVObT11npdcPsZIDTbkHlAMKxBDP9"
)
TEXTS = st.text(max_size=20).filter(
    lambda text: (not text or bool(text.strip())) and text.isprintable()
)


@given(
    st.integers(1, 2**53 - 1),
    st.none() | MOMENTS,
    st.dictionaries(NAMES, st.tuples(TEXTS, st.none() | VERSIONS, DIGESTS), max_size=4),
    st.booleans(),
)
@settings(deadline=None)
def test_an_index_is_read_as_it_was_written(
    serial: int, expires: Any, entries: Dict[str, Tuple[str, Any, str]], rotated: bool
) -> None:
    plugins = {name: IndexEntry(name, *each) for name, each in entries.items()}
    rotations = (Rotation(KEY, KEY, "sig"),) if rotated else ()
    whole = Index(serial, expires, DIGEST, plugins, rotations)
    data = dump_index(whole)
    found = parse_index(data)
    assert found.plugins == plugins and found.rotations == rotations
    assert dump_index(found) == data


@given(
    st.dictionaries(
        VERSIONS, st.tuples(DIGESTS, MOMENTS, st.none() | TEXTS), min_size=1, max_size=4
    ),
    st.lists(NAMES, max_size=3),
)
@settings(deadline=None)
def test_a_page_is_read_as_it_was_written(
    versions: Dict[str, Tuple[str, int, Any]], requires: List[str]
) -> None:
    releases = []
    versions = {v: versions[v] for v in {version_key(each): each for each in versions}.values()}
    for version, (digest, uploaded, yanked) in versions.items():
        data = {
            "name": "audit",
            "version": version,
            "requires": [f"x{each}>=1" for each in requires],
        }
        file = f"acme_audit-{version}-py3-none-any.whl"
        wheel = WheelFile(file, digest, 1, uploaded)
        releases.append(Release(PluginMetadata(data), (wheel,), yanked))
    data_ = dump_page(Page("audit", "acme-audit", tuple(releases)))
    found = parse_page(data_, "audit")
    assert dump_page(found) == data_
    assert {each.version: each.yanked for each in found.releases} == {
        version: each[2] for version, each in versions.items()
    }


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_are_an_index_or_garbage(data: bytes) -> None:
    with pytest.raises(RegistryGarbage):
        parse_index(data)


@pytest.mark.parametrize(
    ("name", "states"),
    [
        ("acme_audit-1.4.0-py3-none-any.whl", ("acme-audit", "1.4.0", "", "py3-none-any")),
        (
            "Acme.Audit-1.0-2-cp311-cp311-linux_x86_64.whl",
            ("acme-audit", "1.0", "2", "cp311-cp311-linux_x86_64"),
        ),
        ("a-1.0+local.1-py3-none-any.whl", ("a", "1.0+local.1", "", "py3-none-any")),
        ("a-1.0_local.1-py3-none-any.whl", ("a", "1.0+local.1", "", "py3-none-any")),
    ],
)
def test_a_wheels_name_states_what_it_is_of(name: str, states: Tuple[str, ...]) -> None:
    assert parse_wheel_name(name) == states


@pytest.mark.parametrize(
    "name",
    [
        "a.whl",
        "a-1.0-none-any.whl",
        "a-one-py3-none-any.whl",
        "a-1.0-py3-none-any.zip",
        "a" * 300 + "-1.0-py3-none-any.whl",
    ],
)
def test_other_names_are_those_of_no_wheel(name: str) -> None:
    assert parse_wheel_name(name) is None


@given(MOMENTS)
def test_a_moment_is_read_as_it_was_written(moment: int) -> None:
    assert parse_moment(moment_text(moment)) == moment


@pytest.mark.parametrize(
    "text", ["2027-02-30T00:00:00Z", "2027-01-31", "2027-01-31T00:00:00+00:00", "now", ""]
)
def test_other_texts_are_no_moments(text: str) -> None:
    assert parse_moment(text) is None
