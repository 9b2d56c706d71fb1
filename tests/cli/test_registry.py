"""``pkl registry``: what it prints, for people and as JSON, and how it exits."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Iterator

import pytest

from tests.cli.conftest import Process
from tests.cli.running import Pkl
from tests.registry.making import FakeKeygen, make_key, wheel


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of keys, with a stand-in for ``ssh-keygen`` on the PATH."""
    folder = tmp_path / "keys"
    folder.mkdir()
    FakeKeygen(folder)
    monkeypatch.setenv("PATH", str(folder))
    make_key(folder, "key")
    make_key(folder, "new")
    yield folder


@pytest.fixture
def wheels(work: Path) -> Path:
    """Wheels of two plugins in the folder ``wheels``."""
    folder = work / "wheels"
    wheel(folder, "audit", "1.4.0", 'requires = ["auth>=1"]\n')
    wheel(folder, "auth", "1.2")
    return folder


def test_building_says_what_there_is(pkl: Pkl, wheels: Path) -> None:
    assert pkl.ok("registry", "build", "wheels", "--out", "r").out == (
        "built r: 2 plugins, 2 wheels, serial 1, good for ever, not signed\n"
    )
    assert pkl.ok("registry", "build", "wheels", "--out", "r").out == (
        "unchanged r: 2 plugins, 2 wheels, serial 1, good for ever, not signed\n"
    )


def test_building_in_json(pkl: Pkl, wheels: Path, work: Path) -> None:
    (wheels / "bad-1-py3-none-any.whl").write_bytes(b"")
    found = pkl.json("registry", "build", "wheels", "--out", "r", status=1)
    assert list(found) == [
        *("schema", "registry", "serial", "expires", "plugins", "signed_by"),
        *("changed", "wheels", "read", "problems", "replaced"),
    ]
    assert (found["schema"], found["registry"]) == ("pkl.registry.build/1", str(work / "r"))
    assert (found["serial"], found["expires"], found["signed_by"]) == (1, None, None)
    assert (found["plugins"], found["wheels"], found["read"], found["changed"]) == (2, 2, 3, True)
    (problem,) = found["problems"]
    assert problem["file"] == "bad-1-py3-none-any.whl"
    assert "not a readable zip archive" in problem["message"]


def test_a_broken_wheel_is_named_with_the_verb_that_says_more(pkl: Pkl, wheels: Path) -> None:
    (wheels / "bad-1-py3-none-any.whl").write_bytes(b"")
    ran = pkl("registry", "build", "wheels", "--out", "r")
    assert ran.status == 1
    assert ran.out.startswith("built r: 2 plugins")
    first, hint = ran.err.splitlines()
    assert first.startswith(
        "warning: bad-1-py3-none-any.whl was left out: it is not a readable zip"
    )
    assert hint == "  hint: pkl check wheels/bad-1-py3-none-any.whl"


def test_a_host_s_own_group_is_what_counts(pkl: Pkl, work: Path) -> None:
    wheel(work / "wheels", "mine", entry_points={"shop.plugins": {"mine": "mine"}})
    assert pkl.json("registry", "build", "wheels", "--out", "a")["plugins"] == 0
    (work / "pkl.toml").write_text('name = "shop"\ngroup = "shop.plugins"\n')
    assert pkl.json("registry", "build", "wheels", "--out", "b")["plugins"] == 1


def test_a_wheel_that_changed_under_its_name_is_warned_of(pkl: Pkl, wheels: Path) -> None:
    pkl.ok("registry", "build", "wheels", "--out", "r")
    wheel(wheels, "auth", "1.2", 'summary = "Another"\n')
    ran = pkl.ok("registry", "build", "wheels", "--out", "r")
    assert "auth-1.2-py3-none-any.whl has another content than before" in ran.err
    assert "give a changed wheel a new version" in ran.err


def test_signing_verifying_and_changing_the_key(pkl: Pkl, wheels: Path, keys: Path) -> None:
    old, new = str(keys / "key"), str(keys / "new")
    pkl.ok("registry", "build", "wheels", "--out", "r", "--expires", "30d")
    signed = pkl.json("registry", "sign", "r", "--key", old)
    assert signed["signed_by"].startswith("SHA256:")
    assert signed["schema"] == "pkl.registry.sign/1"
    verified = pkl.json("registry", "verify", "r", "--key", f"{old}.pub")
    assert verified["signed_by"] == signed["signed_by"]
    assert (verified["pinned"], verified["pages"], verified["wheels"]) == (True, 2, 2)
    refused = pkl("registry", "verify", "r", "--key", f"{new}.pub")
    assert (refused.status, refused.out) == (8, "")
    assert refused.err.startswith("error[E_SIGNATURE]: the index of the registry")

    rotated = pkl.json("registry", "keys", "rotate", "r", "--key", old, "--new", new)
    assert rotated["signed_by"] != signed["signed_by"]
    for key in (old, new):
        pkl.ok("registry", "verify", "r", "--key", f"{key}.pub")
    again = pkl("registry", "sign", "r", "--key", old)
    assert again.status == 8 and "was replaced by" in again.err


def test_a_change_without_the_key_says_that_the_signature_is_gone(
    pkl: Pkl, wheels: Path, keys: Path
) -> None:
    pkl.ok("registry", "build", "wheels", "--out", "r", "--key", str(keys / "key"))
    ran = pkl.ok("registry", "revoke", "r", "audit", "1.4", "--reason", "it leaks")
    assert ran.lines == [
        "revoked audit 1.4.0: it leaks",
        "r: serial 2, good for ever, not signed",
    ]
    assert "its signature was taken away" in ran.err
    assert "pkl registry sign r --key FILE" in ran.err


def test_without_ssh_keygen_signing_is_69_and_a_pinned_key_is_refused_with_8(
    pkl: Pkl, wheels: Path, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pkl.ok("registry", "build", "wheels", "--out", "r", "--key", str(keys / "key"))
    monkeypatch.setenv("PATH", "")
    assert pkl("registry", "sign", "r", "--key", str(keys / "new")).status == 69
    ran = pkl("registry", "verify", "r", "--key", str(keys / "key.pub"))
    assert ran.status == 8
    assert "ssh-keygen is not on the PATH" in ran.err


def test_revoking_in_json(pkl: Pkl, wheels: Path) -> None:
    pkl.ok("registry", "build", "wheels", "--out", "r")
    found = pkl.json("registry", "revoke", "r", "Audit", "1.4", "--reason", "it leaks")
    wanted = ("pkl.registry.revoke/1", "audit", "1.4.0", "it leaks", True)
    assert tuple(found[k] for k in ("schema", "name", "version", "reason", "changed")) == wanted
    assert pkl("registry", "revoke", "r", "audti", "1", "--reason", "x").status == 4
    assert pkl("registry", "revoke", "r", "audit", "1", "--reason", " ").status == 2


def test_verifying_finds_what_does_not_hold(pkl: Pkl, wheels: Path, work: Path) -> None:
    pkl.ok("registry", "build", "wheels", "--out", "r")
    (work / "r" / "files" / "auth-1.2-py3-none-any.whl").unlink()
    ran = pkl("registry", "verify", "r")
    assert (ran.status, ran.lines) == (
        1,
        [
            "files/auth-1.2-py3-none-any.whl: it is not there",
            "2 plugins of 2 and 1 wheel hold; serial 1, good for ever, not signed",
        ],
    )
    assert pkl.json("registry", "verify", "r", status=1)["findings"] == [
        {
            "file": "files/auth-1.2-py3-none-any.whl",
            "message": "it is not there",
        }
    ]


@pytest.mark.parametrize("verb", ["sign", "verify", "serve"])
def test_a_folder_without_a_registry_is_6(pkl: Pkl, work: Path, keys: Path, verb: str) -> None:
    more = ["--key", str(keys / "key")] if verb == "sign" else []
    ran = pkl("registry", verb, ".", *more)
    assert ran.status == 6
    assert "there is no registry in" in ran.err and "pkl registry build" in ran.err


@pytest.mark.parametrize(
    "line",
    [
        ("registry", "bulid", "x"),
        ("registry", "build"),
        ("registry", "build", ".", "--expires", "soon"),
        ("registry", "build", ".", "--serial", "0"),
        ("registry", "keys", "rotate", "."),
        ("registry", "keys", "rotate"),
        ("registry", "keys", "pin", "main"),
        ("registry", "keys", "list", "main", "x"),
        ("registry", "verify", "ftp://plugins.example"),
    ],
)
def test_what_cannot_be_understood_is_2(pkl: Pkl, work: Path, line: "tuple[str, ...]") -> None:
    (work / "x").mkdir()
    assert pkl(*line).status == 2


def test_a_misspelt_verb_is_met_with_the_right_one(pkl: Pkl) -> None:
    assert "did you mean 'build'?" in pkl("registry", "bulid").err


def test_two_distributions_with_one_plugin_are_5(pkl: Pkl, wheels: Path) -> None:
    wheel(wheels, "impostor", entry_points={"pkl.plugins": {"audit": "impostor"}})
    ran = pkl("registry", "build", "wheels", "--out", "r")
    assert (ran.status, ran.out) == (5, "")
    assert ran.err.startswith("error[E_NAME]: two distributions offer the plugin 'audit'")


def test_serving_prints_the_address_and_serves(
    pkl: Pkl, wheels: Path, work: Path, process: Process
) -> None:
    pkl.ok("registry", "build", "wheels", "--out", "r")
    running = process.start("registry", "serve", "r", "--json")
    assert running.stdout is not None
    text = ""
    while "}" not in text:
        line = running.stdout.readline()
        assert line, running.communicate()[1]
        text += line
    found = json.loads(text)
    assert found["schema"] == "pkl.registry.serve/1"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{found['url']}/pkl/v1/index.json", timeout=60) as answer:
        assert json.load(answer)["serial"] == 1


def test_serving_elsewhere_than_on_this_machine_is_refused(pkl: Pkl, wheels: Path) -> None:
    pkl.ok("registry", "build", "wheels", "--out", "r")
    ran = pkl("registry", "serve", "r", "--address", "0.0.0.0")
    assert ran.status == 2
    assert "is for this machine alone" in ran.err


def test_keys_are_pinned_and_listed_by_the_name_of_a_registry(
    pkl: Pkl, wheels: Path, keys: Path
) -> None:
    pkl.ok("registry", "build", "wheels", "--out", "r", "--key", str(keys / "key"))
    assert pkl.ok("registry", "keys", "list").out == ""
    pkl.ok("registry", "add", "main", "r")
    assert pkl.ok("registry", "keys", "list", "main").out == "main: no key is pinned\n"
    pinned = pkl.json("registry", "keys", "pin", "Main", str(keys / "key.pub"))
    assert pinned["schema"] == "pkl.registry.keys/1"
    (row,) = pinned["registries"]
    assert row["name"] == "main" and row["keys"][0]["key"].startswith("ssh-ed25519 ")
    found = pkl.json("registry", "verify", "main")
    assert found["pinned"] and found["signed_by"] == row["keys"][0]["fingerprint"]
    listed = pkl.ok("registry", "keys", "list").out
    assert listed == f"main: {found['signed_by']}\n"
    pkl.ok("registry", "keys", "pin", "main", str(keys / "new.pub"))
    assert pkl("registry", "verify", "main").status == 8
    unknown = pkl("registry", "keys", "pin", "other", str(keys / "new.pub"))
    assert unknown.status == 6 and "no registry is known here as 'other'" in unknown.err


def test_a_mirror_is_the_registry_byte_for_byte(
    pkl: Pkl, wheels: Path, work: Path, keys: Path
) -> None:
    pkl.ok("registry", "build", "wheels", "--out", "r", "--key", str(keys / "key"))
    url = (work / "r").as_uri()
    ran = pkl.ok("registry", "mirror", url, "m", "--key", str(keys / "key.pub"))
    assert ran.out.startswith("mirrored m: 2 plugins, 2 wheels, serial 1, good for ever, signed by")
    again = pkl.json("registry", "mirror", "r", "m")
    assert (again["schema"], again["changed"], again["fetched"]) == (
        "pkl.registry.mirror/1",
        False,
        0,
    )
    assert pkl("registry", "mirror", "r", "n", "--key", str(keys / "new.pub")).status == 8
    assert pkl("registry", "mirror", "https://plugins.example", "n", "--offline").status == 6
