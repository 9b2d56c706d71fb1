"""``pkl registry add`` to ``show``, ``pkl search``, and ``pkl info`` of what is not installed."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Iterator, Tuple

import pytest

from pkl.model.known_registry import KnownRegistry
from pkl.store import RegistryBook
from tests.cli.running import Pkl, directory_plugin
from tests.discovery.fakes import plugin
from tests.registry.client.server import Server, answers, running
from tests.registry.client.site import Site, fake_key


@pytest.fixture
def main(tmp_path: Path) -> Site:
    """A registry with ``audit`` in two versions, one of which needs a later host, and ``web``."""
    site = Site()
    site.expires = None
    site.add("audit", "1.0.0", summary="Writes who did what")
    site.add(
        "audit",
        "2.0.0",
        summary="Writes who did what",
        requires=["auth>=1.2"],
        requires_host=">=9",
        permissions={"fs-read": ["$data"]},
    )
    site.add("web", summary="A page")
    return site


@pytest.fixture
def there(main: Site, tmp_path: Path) -> str:
    """The URL of that registry, a directory."""
    return main.write(tmp_path / "main")


@pytest.fixture
def known(pkl: Pkl, there: str) -> Pkl:
    """The command, where the registry ``main`` is known."""
    pkl.ok("registry", "add", "main", there)
    return pkl


def _other(tmp_path: Path) -> str:
    site = Site()
    site.expires = None
    site.add("audit", "9.0.0", distribution="evil-audit")
    return site.write(tmp_path / "other")


def _book() -> Tuple[KnownRegistry, ...]:
    reading = RegistryBook().read()
    assert reading.problem is None
    return reading.registries


# add, list, remove


def test_a_registry_is_asked_and_added(pkl: Pkl, there: str) -> None:
    ran = pkl.ok("registry", "add", "Main", there)
    assert ran.lines == [f"registry main: {there} (2 plugins)"]
    assert "no key is pinned" in ran.err
    (found,) = _book()
    assert (found.name, found.url, found.serial, found.wins) == ("main", there, 1, False)
    assert found.added


def test_a_directory_is_added_by_its_path(pkl: Pkl, there: str, tmp_path: Path) -> None:
    pkl.ok("registry", "add", "main", str(tmp_path / "main"))
    assert _book()[0].url == there


def test_adding_tells_in_json_what_is_held(pkl: Pkl, there: str, tmp_path: Path) -> None:
    found = pkl.ok("registry", "add", "main", there, "--wins", "--json").json
    assert found.pop("added")
    assert found.pop("contact")
    assert found == {
        "schema": "pkl.registry.add/1",
        "name": "main",
        "url": there,
        "keys": [],
        "wins": True,
        "serial": 1,
        "plugins": 2,
        "file": str(tmp_path / "home" / "state" / "registries.json"),
    }


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        ("http://example.org", 2, "for this machine alone"),
        ("nowhere", 2, "no such directory"),
        ("https://me:secret@example.org", 2, "user name or password"),
        ("file:///nowhere/at/all", 6, "E_REGISTRY_ABSENT"),
    ],
)
def test_a_registry_that_cannot_be_is_not_added(pkl: Pkl, url: str, status: int, said: str) -> None:
    ran = pkl("registry", "add", "main", url)
    assert ran.status == status
    assert said in ran.err
    assert "secret" not in ran.err
    assert _book() == ()


def test_a_name_has_to_be_one(pkl: Pkl, there: str) -> None:
    ran = pkl("registry", "add", "../main", there)
    assert ran.status == 2
    assert "is no name for a registry" in ran.err


def test_offline_a_registry_is_added_without_being_asked(pkl: Pkl) -> None:
    ran = pkl.ok("--offline", "registry", "add", "main", "https://example.org/")
    assert ran.lines == ["registry main: https://example.org (not asked yet)"]
    assert _book()[0].serial == 0


def test_a_registry_with_a_pinned_key_that_did_not_sign_is_not_added(
    pkl: Pkl, there: str, tmp_path: Path
) -> None:
    (tmp_path / "key.pub").write_text(f"{fake_key('a')} me@here\n", encoding="utf-8")
    ran = pkl("registry", "add", "main", there, "--key", str(tmp_path / "key.pub"))
    assert ran.status == 8
    assert "is not signed, and a key is pinned for it" in ran.err
    assert _book() == ()


def test_adding_again_changes_what_is_said_and_keeps_the_rest(
    known: Pkl, there: str, tmp_path: Path
) -> None:
    known.ok("registry", "add", "main", there, "--wins")
    assert (_book()[0].wins, _book()[0].serial) == (True, 1)
    (tmp_path / "key.pub").write_text(str(fake_key("a")), encoding="utf-8")
    other = "https://example.org"
    known.ok("--offline", "registry", "add", "o", other, "--key", str(tmp_path / "key.pub"))
    known.ok("--offline", "registry", "add", "o", other, "--no-wins")
    assert _book()[1].keys == (str(fake_key("a")),)
    assert fake_key("a").fingerprint in known.ok("registry", "list").out


def test_a_name_is_not_moved_to_another_place_in_passing(known: Pkl, there: str) -> None:
    ran = known("--offline", "registry", "add", "main", "https://example.org")
    assert ran.status == 2
    assert f"the registry main is at {there}" in ran.err
    assert "pkl registry remove main" in ran.err
    assert _book()[0].url == there


def test_the_list_is_in_order_and_asks_nobody(known: Pkl, there: str) -> None:
    known.ok("--offline", "registry", "add", "afar", "https://example.org")
    ran = known.ok("registry", "list")
    assert ran.lines[0].split() == ["NAME", "URL", "SERIAL", "CONTACT"]
    assert [line.split()[0] for line in ran.lines[1:]] == ["main", "afar"]
    assert "never" in ran.lines[2]
    found = known.ok("registry", "list", "--json").json
    assert [each["name"] for each in found["registries"]] == ["main", "afar"]
    assert found["registries"][1]["contact"] is None


def test_an_empty_list_says_what_to_do(pkl: Pkl) -> None:
    ran = pkl.ok("registry", "list")
    assert ran.out == ""
    assert "pkl registry add NAME URL" in ran.err


def test_a_damaged_list_is_a_warning_and_is_set_aside_by_the_next_change(
    known: Pkl, there: str, tmp_path: Path
) -> None:
    file = tmp_path / "home" / "state" / "registries.json"
    file.write_bytes(b"{")
    ran = known.ok("registry", "list")
    assert str(file) in ran.err
    ran = known.ok("registry", "add", "main", there)
    assert "was set aside as" in ran.err
    assert [each.name for each in _book()] == ["main"]


def test_registries_are_removed_all_or_none(known: Pkl) -> None:
    ran = known("registry", "remove", "main", "nian")
    assert ran.status == 6
    assert "no registry 'nian' is known here" in ran.err
    assert len(_book()) == 1
    assert known.ok("registry", "remove", "MAIN", "main", "--json").json["removed"] == ["main"]
    assert _book() == ()


# search


@pytest.mark.parametrize("verb", [("search",), ("registry", "search")])
def test_a_plugin_is_found_by_a_word(known: Pkl, verb: Tuple[str, ...]) -> None:
    ran = known.ok(*verb, "who")
    assert ran.lines[0].split() == ["NAME", "LATEST", "REGISTRY", "SUMMARY"]
    assert ran.lines[1].split(None, 3) == ["audit", "2.0.0", "main", "Writes who did what"]
    assert known.ok(*verb, "who", "--json").json == {
        "schema": "pkl.search/1",
        "plugins": [
            {
                "name": "audit",
                "latest": "2.0.0",
                "summary": "Writes who did what",
                "registry": "main",
            }
        ],
        "problems": [],
    }


def test_nothing_found_is_said(known: Pkl) -> None:
    ran = known.ok("search", "nowhere")
    assert (ran.out, ran.err) == ("", "nothing of that kind in the registries main\n")


def test_without_registries_a_search_says_how_to_add_one(pkl: Pkl) -> None:
    ran = pkl("search", "audit")
    assert ran.status == 6
    assert "pkl registry add NAME URL" in ran.err


def test_a_registry_that_is_out_hides_no_other_and_all_out_is_an_error(
    known: Pkl, tmp_path: Path
) -> None:
    with running() as server:
        server.does("/pkl/v1/index.json", answers(503, Retry_After="86400"))
        known.ok("--offline", "registry", "add", "out", server.url)
        ran = known.ok("search", "audit")
        assert "audit" in ran.out
        assert f"{server.url}/pkl/v1/index.json cannot be reached" in ran.err
        (problem,) = known.ok("search", "--json").json["problems"]
        assert (problem["registry"], problem["code"]) == ("out", "E_REGISTRY_UNREACHABLE")
        ran = known("search", "audit", "--registry", "out")
        assert (ran.status, ran.out) == (6, "")


@pytest.fixture
def served(pkl: Pkl, main: Site, server: Server) -> Pkl:
    """The command, where a registry on the network is known as ``net``."""
    server.files.update(main.served())
    pkl.ok("registry", "add", "net", server.url)
    return pkl


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that holds nothing yet."""
    with running() as told:
        yield told


def test_offline_the_copy_is_searched_and_its_age_said(served: Pkl, server: Server) -> None:
    server.asked.clear()
    ran = served.ok("--offline", "search", "audit")
    assert "audit" in ran.out
    assert "registry net: the copy of the last contact is used, " in ran.err
    assert server.asked == []
    ran = served("--offline", "registry", "show", "audit")
    assert ran.status == 6
    assert "run it once without --offline" in ran.err


def test_an_index_that_went_back_is_refused(served: Pkl, server: Server, main: Site) -> None:
    main.serial = 3
    server.files.update(main.served())
    served.ok("search")
    main.serial = 2
    server.files.update(main.served())
    ran = served("search")
    assert ran.status == 6
    assert "error[E_REGISTRY_ROLLED_BACK]" in ran.err
    assert _book()[0].serial == 3


# show, and info


def test_every_version_is_shown_with_why_it_does_not_fit(known: Pkl, work: Path) -> None:
    (work / "pkl.toml").write_text('name = "shop"\nversion = "2.1"\n', encoding="utf-8")
    ran = known.ok("registry", "show", "Audit")
    rows = [line.split(None, 3) for line in ran.lines[-2:]]
    assert rows[0][:2] == ["2.0.0", "no"]
    assert rows[0][3] == "needs host >=9, and this is 2.1"
    assert rows[1][:2] == ["1.0.0", "yes"]
    assert "Version:      1.0.0" in ran.lines
    ran = known.ok("registry", "show", "audit", "2.0.0")
    assert "Requires:     auth>=1.2" in ran.lines
    assert "Permissions:  fs-read = $data" in ran.lines


def test_what_is_revoked_says_why(pkl: Pkl, main: Site, tmp_path: Path) -> None:
    main.revoke("web", "1.0.0", reason="It leaks")
    pkl.ok("registry", "add", "main", main.write(tmp_path / "main"))
    (version,) = pkl.ok("registry", "show", "web", "--json").json["offers"][0]["versions"]
    assert (version["fits"], version["why_not"]) == (False, ["revoked: It leaks"])


def test_a_name_of_two_registries_is_shown_with_both_and_a_warning(
    known: Pkl, tmp_path: Path
) -> None:
    other = _other(tmp_path)
    known.ok("registry", "add", "other", other)
    ran = known.ok("registry", "show", "audit")
    assert "evil-audit" in ran.out
    assert "acme-audit" in ran.out
    assert "plugin audit is in several registries: main" in ran.err
    ran = known.ok("registry", "show", "audit", "--registry", "other")
    assert "acme-audit" not in ran.out
    assert ran.err == ""


def test_what_no_registry_has_is_not_found(known: Pkl) -> None:
    ran = known("registry", "show", "adit")
    assert ran.status == 4
    assert "no plugin 'adit' in the registries main; did you mean 'audit'?" in ran.err
    ran = known("registry", "show", "audit", "7")
    assert ran.status == 4
    assert "no registry has audit 7; the highest versions are 2.0.0, 1.0.0" in ran.err


def test_info_of_what_is_not_installed_is_what_the_registries_have(known: Pkl, there: str) -> None:
    ran = known.ok("info", "audit")
    assert f"Registry:     main ({there})" in ran.lines
    assert "audit is not installed" in ran.err
    found = known.ok("info", "audit", "--json").json
    assert found["schema"] == "pkl.info/1"
    assert (found["name"], found["version"], found["state"]) == ("audit", "2.0.0", "absent")
    assert found["reason"]["code"] == "not-installed"
    assert found["origin"] == "registry"
    (offer,) = found["offers"]
    assert (offer["registry"], offer["distribution"]) == ("main", "acme-audit")
    assert [each["version"] for each in offer["versions"]] == ["2.0.0", "1.0.0"]
    assert offer["versions"][0]["permissions"] == {"fs-read": ["$data"]}
    assert offer["versions"][0]["files"][0]["file"] == "acme_audit-2.0.0-py3-none-any.whl"


def test_info_of_what_is_nowhere_is_not_found_as_ever(known: Pkl, tmp_path: Path) -> None:
    ran = known("info", "nothing")
    assert ran.status == 4
    assert "no plugin 'nothing' in the entry-point group" in ran.err
    (tmp_path / "main" / "pkl" / "v1" / "index.json").unlink()
    ran = known("info", "audit")
    assert ran.status == 4
    assert "index.json is not there" in ran.err


def test_info_of_what_is_installed_asks_no_registry(
    served: Pkl, server: Server, work: Path
) -> None:
    directory_plugin(work / "plugins", "audit", 'version = "5"\n')
    server.asked.clear()
    assert "Origin:     path" in served.ok("info", "audit", "--path", "plugins").out
    assert server.asked == []


# resolve, and what is revoked


def test_what_is_not_installed_can_be_planned(known: Pkl, main: Site, tmp_path: Path) -> None:
    main.add("auth", "1.3.0")
    main.serial = 2
    main.write(tmp_path / "main")
    ran = known("resolve", "audit")
    assert ran.status == 4
    ran = known.ok("resolve", "audit", "--registry")
    assert ran.lines[1].split(None, 3) == ["1", "auth", "1.3.0", "acme-auth 1.3.0, not installed"]
    assert ran.lines[2].split(None, 3)[:3] == ["2", "audit", "2.0.0"]
    found = known.ok("resolve", "audit", "--registry", "--host-version", "2", "--json").json
    assert found["steps"] == [{"name": "audit", "version": "1.0.0", "layer": 0}]
    assert found["from_registry"] == [
        {
            "name": "audit",
            "version": "1.0.0",
            "distribution": "acme-audit",
            "url": (tmp_path / "main").as_uri() + "/pkl/v1/p/audit.json",
        }
    ]
    assert known.ok("resolve", "--json").json["from_registry"] == []


def test_a_plan_over_a_name_of_two_registries_is_blocked_until_one_wins(
    known: Pkl, tmp_path: Path
) -> None:
    other = _other(tmp_path)
    known.ok("registry", "add", "other", other)
    ran = known("resolve", "audit", "--registry")
    assert ran.status == 5
    assert "plugin audit is in several registries" in ran.out
    known.ok("registry", "add", "other", other, "--wins")
    ran = known.ok("resolve", "audit", "--registry")
    assert "evil-audit 9.0.0" in ran.out
    assert "audit: taken from the registry other, which wins over main" in ran.err


def test_registries_say_nothing_of_foreign_groups(known: Pkl) -> None:
    ran = known("resolve", "--group", "pytest11", "--registry")
    assert ran.status == 2
    assert "registries hold plugins of pkl" in ran.err


def test_a_plan_without_its_registry_is_an_error(known: Pkl, tmp_path: Path) -> None:
    (tmp_path / "main" / "pkl" / "v1" / "index.json").unlink()
    ran = known("resolve", "audit", "--registry")
    assert (ran.status, ran.out) == (6, "")
    assert "index.json is not there" in ran.err


def test_what_was_revoked_is_blocked_in_every_view_with_no_network(
    pkl: Pkl, main: Site, work: Path, site: Path, tmp_path: Path
) -> None:
    plugin(site, "audit", "1.0.0", 'name = "audit"\n')
    (work / "pkl.toml").write_text('name = "shop"\nversion = "2.1"\n', encoding="utf-8")
    main.revoke("audit", "1.0", reason="It leaks")
    pkl.ok("registry", "add", "main", main.write(tmp_path / "main"))
    (tmp_path / "main" / "pkl" / "v1" / "index.json").unlink()
    (row,) = pkl.ok("list", "--json").json["plugins"]
    assert (row["state"], row["reason"]["code"]) == ("blocked", "revoked")
    assert row["reason"]["message"] == "audit 1.0 was revoked by its registry: It leaks"
    assert "It leaks" in pkl.ok("info", "audit").out


def test_a_pinned_key_that_is_damaged_is_shown_as_such_and_can_be_pinned_again(
    pkl: Pkl, tmp_path: Path
) -> None:
    blob = base64.b64encode(b"rubbish").decode("ascii")
    damaged = KnownRegistry("main", "https://example.org", (f"ssh-ed25519 {blob}",))
    RegistryBook().change(lambda _: (damaged,))
    assert "damaged" in pkl.ok("registry", "list").out
    (tmp_path / "key.pub").write_text(str(fake_key("a")), encoding="utf-8")
    again = ("registry", "add", "main", "https://example.org", "--key", str(tmp_path / "key.pub"))
    pkl.ok("--offline", *again)
    assert _book()[0].keys == (str(fake_key("a")),)
