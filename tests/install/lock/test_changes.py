"""When a lock is stale, and in what: each line is what would change if it were made now."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, List, Optional

import pytest

from pkl.errors import StateUnavailable, UsageError
from pkl.install.locks.lock import LOCK_FILE, Lock, LockedRegistry
from pkl.install.locks.lock_changes import differences
from pkl.install.locks.locking import (
    consents_for,
    locked_registries,
    preferred_versions,
    relocked,
    roots_of,
    stale,
    why_stale,
    write_lock,
)
from pkl.install.solution import Chosen
from pkl.install.wanted import Root, RootKind
from pkl.model.known_registry import KnownRegistry
from pkl.store.state import Consent, HostState
from tests.install.lock.making import (
    MAIN,
    a_host,
    a_library,
    a_lock,
    a_plugin,
    a_solution,
    a_wheel,
    reparsed,
    text_of,
)
from tests.registry.client.site import fake_key

AUDIT = a_plugin("audit", "1.0", "libx>=2", requires=["auth>=1"])
AUTH = a_plugin("auth", "1.0")
LIBX = a_library("libx", "2.1")
ROOTS = [Root("audit", "audit>=1")]
WINDOWS = "cp311-cp311-win_amd64"


def lock_of(*chosen: Chosen, roots: Optional[List[Root]] = None, **more: Any) -> Lock:
    """A lock of these; audit is its root."""
    return reparsed(text_of(a_solution(*chosen, roots=roots or ROOTS), **more))


OLD = lock_of(AUDIT, AUTH, LIBX)
CHANGES = {
    "nothing": (lock_of(AUDIT, AUTH, LIBX), []),
    "the registry was built anew": (
        lock_of(AUDIT, AUTH, LIBX, registries=[MAIN._replace(serial=9, digest="c" * 64)]),
        [],
    ),
    "a newer version": (
        lock_of(AUDIT, a_plugin("auth", "1.1"), LIBX),
        ["~ auth 1.0 → 1.1"],
    ),
    "a plugin more": (
        lock_of(AUDIT, AUTH, LIBX, a_plugin("mail", "3.0")),
        ["+ mail 3.0"],
    ),
    "a library that the host has by now": (lock_of(AUDIT, AUTH), ["- libx 2.1"]),
    "another root": (
        lock_of(AUDIT, AUTH, LIBX, roots=[Root("audit", "audit>=1.0"), Root("auth", "auth")]),
        ["~ root audit audit>=1 → audit>=1.0", "+ root auth in any version"],
    ),
    "a root that is gone": (
        lock_of(AUDIT, AUTH, LIBX, roots=[Root("auth", "auth")]),
        ["- root audit audit>=1", "+ root auth in any version"],
    ),
    "a root of a registry": (
        lock_of(AUDIT, AUTH, LIBX, roots=[Root("audit", "audit>=1", registry="main")]),
        ["~ root audit audit>=1 → audit>=1 from main"],
    ),
    "a wheel for another platform": (
        lock_of(
            AUDIT, AUTH, a_library("libx", "2.1", tags=("cp311-cp311-win_amd64", "py3-none-any"))
        ),
        ["~ libx 2.1 (other wheels)"],
    ),
    "wheels elsewhere": (
        lock_of(
            AUDIT, AUTH, replace(LIBX, wheels=(a_wheel("libx", "2.1", base="https://o.example"),))
        ),
        ["~ libx 2.1 (wheels in other places)"],
    ),
    "another manifest": (
        lock_of(replace(AUDIT, plugins=a_plugin("audit", "1.0").plugins), AUTH, LIBX),
        ["~ audit 1.0 (another manifest)"],
    ),
    "other requirements": (
        lock_of(replace(AUDIT, requires=("libx>=2.1",)), AUTH, LIBX),
        ["~ audit 1.0 (other requirements)"],
    ),
    "another key": (
        lock_of(AUDIT, AUTH, replace(LIBX, signer="SHA256:other")),
        ["~ libx 2.1 (another registry or key)"],
    ),
    "a registry at another place": (
        lock_of(AUDIT, AUTH, LIBX, registries=[MAIN._replace(url="https://o.example")]),
        ["~ registry main https://plugins.example/r SHA256:abc → https://o.example SHA256:abc"],
    ),
    "another host": (
        lock_of(AUDIT, AUTH, LIBX, host=a_host()._replace(name="store")),
        ["~ host shop → store"],
    ),
    "a consent": (
        lock_of(AUDIT, AUTH, LIBX, consents={"audit": {"net-udp": True}}),
        ["+ consents audit (net-udp)"],
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_would_change_is_named_line_by_line(case: str) -> None:
    new, lines = CHANGES[case]
    assert [each.text() for each in differences(OLD, new)] == lines


def test_a_lock_that_is_not_there_adds_everything() -> None:
    assert [each.text() for each in differences(None, OLD)] == [
        "+ audit 1.0",
        "+ auth 1.0",
        "+ libx 2.1",
    ]


def test_a_project_that_is_used_in_place_from_now_on_is_a_change() -> None:
    here = a_plugin("auth", "1.0", editable="/project/auth")
    change, _registry = differences(lock_of(AUTH, roots=[]), lock_of(here, roots=[]))
    assert change.text("->") == "~ auth 1.0 (another registry or key, used in place: /project/auth)"
    assert change.as_dict()["details"][1] == "used in place: /project/auth"


def test_an_order_alone_is_a_change() -> None:
    text = text_of(a_solution(AUDIT, AUTH, LIBX, roots=ROOTS))
    other = reparsed(text.replace('order = ["auth", "audit"]', 'order = ["audit", "auth"]'))
    assert [e.text() for e in differences(OLD, other)] == ["~ order auth, audit → audit, auth"]


def test_nothing_is_written_where_nothing_would_change() -> None:
    later = [MAIN._replace(serial=9)]
    path = f"/project/{LOCK_FILE}"
    solution = a_solution(AUDIT, AUTH, LIBX, roots=ROOTS)
    again = relocked(OLD, solution, path=path, host=a_host(), registries=later)
    assert not again.changed and not again.changes
    assert relocked(None, solution, path=path, host=a_host()).changed
    assert relocked(None, a_solution(), path=path, host=a_host()).changed


# Roots.


def test_the_project_says_what_is_locked_before_what_is_installed() -> None:
    installed = [Root("mail", "mail", RootKind.EDITABLE, "/project/mail")]
    assert roots_of(["Auth>=1"], installed, OLD) == (Root("auth", "Auth>=1"),)
    assert roots_of([], installed, OLD) == ()
    assert roots_of(None, installed, OLD) == tuple(installed)
    assert roots_of(None, None, OLD) == OLD.roots


def test_where_nothing_says_what_to_lock_the_error_says_how_to() -> None:
    with pytest.raises(UsageError) as caught:
        roots_of(None, None, None)
    assert caught.value.message == (
        "nothing says what to lock: no plugin is installed, and [tool.pkl] has no plugins"
    )
    assert "[tool.pkl]" in caught.value.hint


def test_a_lock_is_stale_for_another_host_or_other_roots() -> None:
    assert why_stale(OLD, a_host()) == ()
    assert why_stale(OLD, a_host(), ["audit>=1"]) == ()
    assert why_stale(OLD, a_host(), ["audit>=2", "mail"]) == (
        "audit>=2 is wanted, and it has audit>=1",
        "mail is wanted, and not in it",
    )
    assert why_stale(OLD, a_host(), []) == ("audit is in it, and not wanted any more",)
    other = a_host()._replace(name="store", group="store.plugins")
    assert why_stale(OLD, other) == (
        "it is for the host 'shop', and this is 'store'",
        "it is for the group 'shop.plugins', and this is 'store.plugins'",
    )


def test_a_stale_lock_says_in_what_and_what_renews_it() -> None:
    error = stale("/project/lock", ["a", "b"])
    assert error.message == "the lock /project/lock is stale\n  a\n  b"
    assert (error.hint, error.exit_status) == ("renew it: pkl lock", 1)
    assert error.details["reasons"] == ["a", "b"]


# Versions that stay.


def test_locked_versions_are_preferred_to_installed_ones() -> None:
    installed = [a_plugin("auth", "0.9"), a_library("liby", "3.0")]
    kept = {"acme-audit": "1.0", "acme-auth": "1.0", "libx": "2.1", "liby": "3.0"}
    assert preferred_versions(OLD, installed) == kept
    assert preferred_versions(OLD, installed, []) == {}
    del kept["acme-audit"], kept["libx"]
    assert preferred_versions(OLD, installed, ["audit", "libx"]) == kept
    assert preferred_versions(None, []) == {}


def test_to_upgrade_what_is_not_there_is_refused_with_what_was_meant() -> None:
    with pytest.raises(UsageError, match="did you mean 'audit'") as caught:
        preferred_versions(OLD, [], ["audti"])
    assert "pkl install NAME" in caught.value.hint


# What is noted of registries and consents.


def test_a_registry_is_noted_with_the_fingerprints_of_its_keys() -> None:
    key = fake_key("a")
    known = KnownRegistry("main", "https://r.example", (str(key), "damaged"), 4, "b" * 64)
    assert locked_registries([known]) == (
        LockedRegistry("main", "https://r.example", (key.fingerprint,), 4, "b" * 64),
    )


def test_consents_of_here_come_before_those_of_the_lock() -> None:
    lock = a_lock(AUDIT, AUTH, consents={"audit": {"net-udp": True, "fs-read": ["$data"]}})
    state = HostState().with_consent("audit", "fs-read", Consent(["/srv"], "1.0"))
    state = state.with_consent("audit", "dependency:libx", Consent(True, "1.0"))
    state = state.with_consent("audit", "odd", Consent({"a": None}))
    state = state.with_consent("gone", "net-udp", Consent(True))
    found = consents_for([AUDIT, AUTH, LIBX], state, lock)
    assert found == {"audit": {"net-udp": True, "fs-read": ["/srv"], "dependency:libx": True}}
    assert a_lock(AUDIT, AUTH, consents=found).consents == found


# Writing.


def test_a_lock_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / LOCK_FILE
    write_lock(str(path), "a = 1\n")
    write_lock(str(path), "b = 2\n")
    assert path.read_text() == "b = 2\n"
    assert os.listdir(tmp_path) == [LOCK_FILE]


def test_a_lock_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / LOCK_FILE
    with pytest.raises(StateUnavailable, match="cannot be written: No such file") as caught:
        write_lock(str(path), "")
    assert caught.value.file == str(path)
    assert "--lock FILE" in caught.value.hint
