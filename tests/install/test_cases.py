"""Every odd thing that was found in real environments, and what pkl makes of it: cases 1 to 25.

Each is tried at the command line beside a sound plugin, which has to stay enabled. What each part
does in detail has tests of its own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

import pytest

from pkl.discovery import discover
from pkl.registry.layout import INDEX
from tests.cli.running import Pkl
from tests.discovery.fakes import TRAP, Content, install, plugin, write, zip_up
from tests.registry.client.server import Server, answers, running
from tests.registry.client.site import NOW, Site

GROUP = "pkl.plugins"


@pytest.fixture
def pkl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pkl:
    """The command line, in an empty directory, over a site directory with the plugin ``auth``."""
    work, site = tmp_path / "work", tmp_path / "site-packages"
    work.mkdir()
    plugin(site, "auth", "1.0")
    monkeypatch.chdir(work)
    monkeypatch.syspath_prepend(str(site))
    return Pkl(site)


class Listed(NamedTuple):
    """What ``pkl list`` says."""

    plugins: Dict[str, Dict[str, Any]]
    failures: List[Dict[str, Any]]

    @property
    def codes(self) -> List[str]:
        """The kinds of failures."""
        return [each["code"] for each in self.failures]


def listed(pkl: Pkl, *arguments: str) -> Listed:
    """What is there; ``auth`` has to be enabled, whatever else is."""
    found = pkl.json("list", *arguments)
    plugins = {each["name"]: each for each in found["plugins"]}
    assert plugins["auth"]["state"] == "enabled", plugins["auth"]
    return Listed(plugins, found["failures"])


def broken(pkl: Pkl, entry_points: Content) -> Listed:
    """What is there beside a distribution with these entry points."""
    install(pkl.site, "broken", entry_points=entry_points, files={"broken/__init__.py": TRAP})
    return listed(pkl)


def test_case_01_entry_points_that_are_not_utf_8_cost_their_distribution(pkl: Pkl) -> None:
    found = broken(pkl, b"[pkl.plugins]\nbroken = br\xf6ken\n")
    assert found.codes == ["entry-points-encoding"]
    assert found.failures[0]["distribution"] == "broken"


def test_case_02_a_line_that_is_none_is_named_with_its_number(pkl: Pkl) -> None:
    found = broken(pkl, "[pkl.plugins]\nbroken\n")
    assert found.codes == ["entry-point-syntax"]
    assert found.failures[0]["file"].endswith("entry_points.txt:2")
    outside = broken(pkl, "broken = broken\n[pkl.plugins]\n")
    assert outside.failures[0]["file"].endswith("entry_points.txt:1")


def test_case_03_a_byte_order_mark_and_crlf_are_accepted(pkl: Pkl) -> None:
    found = broken(pkl, b"\xef\xbb\xbf[pkl.plugins]\r\nbroken = broken\r\n")
    assert not found.failures
    assert found.plugins["broken"]["state"] == "enabled"


def test_case_04_a_name_that_stands_twice_is_an_error_and_not_the_last_one(pkl: Pkl) -> None:
    found = broken(pkl, "[pkl.plugins]\nbroken = broken\nbroken = other\n")
    assert found.codes == ["entry-point-duplicate"]
    assert "broken" not in found.plugins


@pytest.mark.parametrize("value", ["pkg:../../etc/passwd", "/etc/passwd", "my-package"])
def test_case_05_a_value_that_is_a_path_touches_no_file(pkl: Pkl, value: str) -> None:
    found = broken(pkl, f"[pkl.plugins]\nbroken = {value}\n")
    assert len(found.failures) == 1
    assert value in found.failures[0]["message"]


def test_case_06_a_plugin_without_a_name_is_refused(pkl: Pkl) -> None:
    found = broken(pkl, "[pkl.plugins]\n= broken\n")
    assert len(found.failures) == 1
    assert set(found.plugins) == {"auth"}


@pytest.mark.parametrize("metadata", [None, ""])
def test_case_07_without_metadata_it_is_listed_and_not_enabled(pkl: Pkl, metadata: Any) -> None:
    info = plugin(pkl.site, "mail", "2.0")
    (info / "METADATA").unlink()
    if metadata is not None:
        write(info / "METADATA", metadata)
    found = listed(pkl).plugins["mail"]
    assert (found["version"], found["state"]) == ("2.0", "blocked")
    assert "METADATA" in found["reason"]["message"]


def test_case_08_a_version_that_is_none_is_shown_with_the_reason(pkl: Pkl) -> None:
    plugin(pkl.site, "mail", "2.0.beta-x.y")
    found = listed(pkl).plugins["mail"]
    assert found["version"] == "2.0.beta-x.y"
    assert found["state"] == "blocked"
    assert "2.0.beta-x.y" in found["reason"]["message"]


def test_case_09_names_that_differ_in_form_are_one_and_keep_their_form(pkl: Pkl) -> None:
    entry_points = {GROUP: {"Weird.Name_X": "weird"}}
    files = {"weird/__init__.py": TRAP, "weird/plugin.py": TRAP}
    install(pkl.site, "weird", entry_points=entry_points, files=files)
    assert "weird-name-x" in listed(pkl).plugins
    assert pkl.json("info", "WEIRD_NAME.x")["name"] == "weird-name-x"
    (found,) = [each for each in discover().candidates if each.name == "weird-name-x"]
    assert found.metadata.display_name == "Weird.Name_X"


def test_case_10_one_plugin_of_two_distributions_is_not_enabled_and_both_are_named(
    pkl: Pkl,
) -> None:
    for name in ("one", "two"):
        install(
            pkl.site,
            f"mail-{name}",
            entry_points={GROUP: {"mail": f"mail_{name}"}},
            files={f"mail_{name}/__init__.py": TRAP, f"mail_{name}/plugin.py": TRAP},
        )
    found = pkl.json("list")["plugins"]
    mails = [each for each in found if each["name"] == "mail"]
    assert mails and all(each["state"] == "blocked" for each in mails)
    message = mails[0]["reason"]["message"]
    assert "mail-one" in message and "mail-two" in message
    listed(pkl)


def test_case_11_of_two_copies_in_one_directory_the_highest_counts(pkl: Pkl) -> None:
    plugin(pkl.site, "mail", "1.0")
    plugin(pkl.site, "mail", "2.0")
    assert listed(pkl).plugins["mail"]["version"] == "2.0"
    findings = pkl("doctor", "--json").json["findings"]
    assert [each for each in findings if each["code"] == "duplicate"]


def test_case_12_leftovers_are_passed_over_and_doctor_counts_them(pkl: Pkl) -> None:
    write(pkl.site / "~oo-1.0.dist-info" / "entry_points.txt", "[pkl.plugins]\noo = oo\n")
    write(pkl.site / "afile-1.0.dist-info", "")
    (pkl.site / "folder-1.0.dist-info" / "entry_points.txt").mkdir(parents=True)
    codes = {"leftover", "not-a-directory", "not-a-file"}
    if sys.platform != "win32":
        (pkl.site / "gone-1.0.dist-info").symlink_to(pkl.site / "nowhere")
        codes.add("dangling")
    assert set(listed(pkl).plugins) == {"auth"}
    findings = pkl("doctor", "--json").json["findings"]
    assert codes <= {each["code"] for each in findings}


def test_case_13_of_two_entries_of_sys_path_the_first_wins(
    pkl: Pkl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(tmp_path / "first", "mail", "1.0")
    plugin(pkl.site, "mail", "2.0")
    monkeypatch.syspath_prepend(str(tmp_path / "first"))
    assert listed(pkl).plugins["mail"]["version"] == "1.0"
    assert str(pkl.site) in pkl.ok("discover").out


def test_case_14_an_editable_one_and_its_source_tree_are_one_plugin(
    pkl: Pkl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "project" / "src"
    write(source / "mail" / "__init__.py", TRAP)
    write(source / "mail" / "plugin.py", TRAP)
    write(source / "mail.egg-info" / "PKG-INFO", "Name: mail\nVersion: 1.0\n")
    write(source / "mail.egg-info" / "entry_points.txt", "[pkl.plugins]\nmail = mail\n")
    _editable(pkl.site, "mail", source)
    monkeypatch.setattr(sys, "path", [str(source), *sys.path])
    mails = [each for each in pkl.json("list")["plugins"] if each["name"] == "mail"]
    assert [each["state"] for each in mails] == ["enabled"]


def _editable(site: Path, name: str, source: Path) -> None:
    direct = {"url": source.parent.as_uri(), "dir_info": {"editable": True}}
    install(
        site,
        name,
        entry_points={GROUP: {name: name}},
        files={f"__editable__.{name}.pth": f"{source}\n"},
        extra={"direct_url.json": json.dumps(direct)},
    )


def test_case_15_a_manifest_that_was_left_out_of_the_wheel_is_remarked(pkl: Pkl) -> None:
    """setuptools leaves it out of a wheel, silently, unless it is listed as package data."""
    plugin(pkl.site, "mail", "1.0")
    assert "[tool.setuptools.package-data]" in pkl.ok("info", "mail").out


def test_case_16_a_manifest_that_disagrees_with_its_distribution_is_an_error(pkl: Pkl) -> None:
    plugin(pkl.site, "mail", "1.0", 'name = "mail"\nversion = "2.0"\n')
    found = listed(pkl).plugins["mail"]
    assert found["state"] == "error"
    assert "2.0" in found["reason"]["message"] and "1.0" in found["reason"]["message"]


def test_case_17_an_editable_project_that_is_gone_is_stale_with_its_path(
    pkl: Pkl, tmp_path: Path
) -> None:
    _editable(pkl.site, "mail", tmp_path / "gone" / "src")
    found = listed(pkl).plugins["mail"]
    assert found["state"] == "blocked"
    assert str(tmp_path / "gone") in found["reason"]["message"]


def test_case_18_a_zipped_wheel_works_with_its_manifest(
    pkl: Pkl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(tmp_path / "zipped", "mail", "1.0", 'name = "mail"\nsummary = "Sends"\n')
    archive = zip_up(tmp_path / "zipped", tmp_path / "mail-1.0-py3-none-any.whl")
    monkeypatch.syspath_prepend(str(archive))
    found = listed(pkl).plugins["mail"]
    assert (found["state"], found["summary"]) == ("enabled", "Sends")


@pytest.fixture
def site() -> Site:
    """A small registry that has ``audit``."""
    made = Site()
    made.expires = None
    made.add("audit")
    return made


def test_case_19_five_ways_in_which_an_index_fails_are_told_apart_and_a_copy_will_do(
    pkl: Pkl, site: Site
) -> None:
    with running() as server:
        server.files.update(site.served())
        pkl.ok("registry", "add", "main", server.url)
        assert "audit" in pkl.ok("search", "audit").out
        assert _search(pkl, server, answers(401)) == "E_REGISTRY_DENIED"
        assert _search(pkl, server, answers(503)) == "E_REGISTRY_UNREACHABLE"
        assert _search(pkl, server, answers(200, b"<html>Sign in</html>")) == "E_REGISTRY_GARBAGE"
        site.serial, site.expires = 3, NOW - 86_400 * 3000
        assert _search(pkl, server, answers(200, site.served()[f"/{INDEX}"])) == (
            "E_REGISTRY_EXPIRED"
        )
        site.serial, site.expires = 0, None
        del server.behaviours[f"/{INDEX}"]
    assert "audit" in pkl.ok("search", "audit", "--offline").out


def _search(pkl: Pkl, server: Server, behaviour: Any) -> str:
    server.does(f"/{INDEX}", behaviour)
    ran = pkl("search", "audit", "--json")
    assert ran.status == 6, ran
    found = ran.json
    code = found.get("code") or found["problems"][0]["code"]
    assert isinstance(code, str)
    return code
