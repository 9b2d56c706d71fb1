"""``pkl permissions``: what is asked for against what was granted."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkl.store import Consent, StateStore
from tests.cli.running import Pkl, directory_plugin
from tests.discovery.fakes import write

ASKED = '[permissions]\nfs-read = ["$data"]\nthreads = true\n'


@pytest.fixture
def shop(pkl: Pkl, work: Path) -> StateStore:
    """The host ``shop`` of this directory, with mail, which asks for two permissions."""
    directory_plugin(work / "plugins", "mail", ASKED)
    directory_plugin(work / "plugins", "lone")
    write(work / "pkl.toml", 'name = "shop"\ngroup = "shop.plugins"\npaths = ["plugins"]\n')
    return StateStore()


def statuses(pkl: Pkl, *arguments: str) -> "dict[str, str]":
    """The status of each permission of mail."""
    rows = pkl.json("permissions", "mail", *arguments)["permissions"]
    return {row["name"]: row["status"] for row in rows}


def test_what_is_asked_for_is_not_granted_by_itself(pkl: Pkl, shop: StateStore) -> None:
    assert pkl.ok("permissions", "Mail").out == (
        "PERMISSION  STATUS       ASKED\n"
        "fs-read     not granted  $data\n"
        "threads     not granted  true\n"
    )
    ran = pkl.ok("permissions", "lone")
    assert (ran.out, ran.err) == ("", "lone asks for no permissions\n")


def test_a_grant_is_kept_with_what_was_asked_and_by_which_version(
    pkl: Pkl, shop: StateStore
) -> None:
    ran = pkl.ok("permissions", "mail", "--grant", "fs-read")
    consents = shop.read("shop").state.record("mail").consents
    since = consents["fs-read"].since
    assert consents == {"fs-read": Consent(["$data"], "1.0", since, "pkl permissions mail --grant")}
    assert ran.out == (
        "PERMISSION  STATUS       ASKED  GRANTED  SINCE\n"
        f"fs-read     granted      $data  $data    {since}\n"
        "threads     not granted  true\n"
    )
    assert (
        f"fs-read = $data (since {since}, pkl permissions mail --grant)"
        in pkl.ok("info", "mail").out
    )
    assert pkl.json("permissions", "mail") == {
        "schema": "pkl.permissions/1",
        "host": "shop",
        "group": "shop.plugins",
        "file": shop.path_of("shop"),
        "name": "mail",
        "version": "1.0",
        "permissions": [
            {
                "name": "fs-read",
                "status": "granted",
                "asked": ["$data"],
                "granted": ["$data"],
                "version": "1.0",
                "since": since,
                "by": "pkl permissions mail --grant",
            },
            {
                "name": "threads",
                "status": "not granted",
                "asked": True,
                "granted": None,
                "version": None,
                "since": None,
                "by": None,
            },
        ],
    }


def test_all_stands_for_every_one(pkl: Pkl, shop: StateStore) -> None:
    assert statuses(pkl, "--grant", "all") == {"fs-read": "granted", "threads": "granted"}
    assert statuses(pkl, "--revoke", "threads") == {
        "fs-read": "granted",
        "threads": "not granted",
    }
    assert set(statuses(pkl, "--revoke", "all").values()) == {"not granted"}
    assert shop.read("shop").state.plugins == {}


def test_a_later_version_that_asks_for_something_else_has_no_consent_to_it(
    pkl: Pkl, shop: StateStore, work: Path
) -> None:
    pkl.ok("permissions", "mail", "--grant", "all")
    directory_plugin(work / "plugins", "mail", '[permissions]\nfs-read = ["/"]\n')
    assert statuses(pkl) == {"fs-read": "changed", "threads": "not asked"}
    assert statuses(pkl, "--grant", "fs-read") == {"fs-read": "granted", "threads": "not asked"}
    assert statuses(pkl, "--revoke", "threads") == {"fs-read": "granted"}


def test_what_is_not_asked_for_cannot_be_granted_and_changes_nothing(
    pkl: Pkl, shop: StateStore
) -> None:
    ran = pkl("permissions", "mail", "--grant", "threads", "--grant", "fsread")
    assert ran.status == 2
    assert ran.err == (
        "error[E_USAGE]: --grant 'fsread' is none of what mail asks for; "
        "did you mean 'fs-read'?\n"
        "  hint: it is one of fs-read, threads\n"
    )
    assert pkl("permissions", "mail", "--grant", "threads", "--revoke", "x").status == 2
    assert shop.read("shop").state.plugins == {}


def test_two_sources_that_ask_for_different_things_are_told_apart_first(
    pkl: Pkl, shop: StateStore, work: Path
) -> None:
    write(work / "plugins" / "copy" / "plugin.toml", 'name = "mail"\nversion = "2"\n')
    write(work / "plugins" / "copy" / "plugin.py", "")
    ran = pkl("permissions", "mail", "--grant", "all")
    assert ran.status == 2
    assert "which ask for different permissions" in ran.err


def test_what_is_gone_can_be_revoked(pkl: Pkl, shop: StateStore) -> None:
    shop.consent("shop", "legacy", {"threads": True}, version="1")
    (row,) = pkl.json("permissions", "legacy")["permissions"]
    assert row["status"] == "not asked"
    assert pkl.json("permissions", "legacy", "--revoke", "all")["permissions"] == []
