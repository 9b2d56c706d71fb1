"""Every odd thing that was found in real environments, and what pkl makes of it: cases 1 to 25.

Each is tried at the command line beside a sound plugin, which has to stay enabled. What each part
does in detail has tests of its own.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

import pytest

from pkl.discovery import discover
from pkl.errors import NoSolution
from pkl.install.backends.backend import Query
from pkl.install.backends.choose_backend import find_backend
from pkl.registry.layout import INDEX
from tests.cli.running import Pkl, Ran
from tests.discovery.fakes import TRAP, Content, install, plugin, write, zip_up
from tests.install.fake_backend import FakeBackend
from tests.install.making import GROUP as SHOP_GROUP
from tests.install.market import Shop
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


@pytest.fixture
def installing(
    tmp_path: Path, shop: Shop, fake_backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> Pkl:
    """The command line in the directory of the host ``shop``, whose registry has ``auth``."""
    work = tmp_path / "work"
    work.mkdir()
    write(work / "pkl.toml", f'name = "shop"\nversion = "2.0"\ngroup = "{SHOP_GROUP}"\n')
    monkeypatch.chdir(work)
    monkeypatch.setattr("pkl.cli.installing.find_backend", lambda prefer=None: fake_backend)
    shop.plugin("auth", "1.0")
    return Pkl(tmp_path)


def offer(shop: Shop) -> None:
    """Makes the registry of all that was made, and makes it known."""
    shop.publish()
    shop.known()


def generations(home: Path) -> List[str]:
    """The generations that there are, and what is in the making."""
    return sorted(path.name for path in home.glob("data/hosts/shop/*/gens/*"))


def refused(pkl: Pkl, status: int, *arguments: str) -> Ran:
    """A command line that has to fail so."""
    ran = pkl(*arguments)
    assert ran.status == status, ran
    return ran


def test_case_20_another_digest_stops_all_with_both_digests_and_no_generation(
    installing: Pkl, shop: Shop, home: Path
) -> None:
    made = shop.plugin("mail", "1.0")
    offer(shop)
    served = shop.root / "files" / made.name
    stated = hashlib.sha256(served.read_bytes()).hexdigest()
    served.write_bytes(b"x" * served.stat().st_size)
    ran = refused(installing, 8, "install", "mail", "-y")
    assert stated in ran.err
    assert hashlib.sha256(served.read_bytes()).hexdigest() in ran.err
    assert generations(home) == []


def test_case_21_a_pre_release_is_taken_with_a_note_if_there_is_nothing_else(
    installing: Pkl, shop: Shop
) -> None:
    shop.plugin("mail", "1.0")
    shop.plugin("mail", "2.0rc1")
    shop.plugin("only", "1.0b1")
    offer(shop)
    assert "+ mail 1.0" in installing.ok("install", "mail", "-y").out
    ran = installing.ok("install", "only", "-y")
    assert "+ only 1.0b1" in ran.out
    assert "pre-release" in ran.out + ran.err


def test_case_22_a_cycle_is_refused_with_all_of_it_and_an_optional_edge_breaks_it(
    installing: Pkl, shop: Shop, home: Path
) -> None:
    shop.plugin("a", "1.0", requires=["b>=1"])
    shop.plugin("b", "1.0", requires=["a>=1"])
    shop.plugin("c", "1.0", requires=["d>=1"])
    shop.plugin("d", "1.0", manifest='wants = ["c>=1"]')
    offer(shop)
    ran = refused(installing, 5, "install", "a", "-y")
    assert "a -> b -> a require each other in a circle" in ran.err
    assert generations(home) == []
    installing.ok("install", "c", "-y")
    found = {each["name"]: each["state"] for each in installing.json("list")["plugins"]}
    assert (found["c"], found["d"]) == ("enabled", "enabled")


def test_case_23_a_library_that_the_host_has_otherwise_is_refused_with_the_proof(
    installing: Pkl, shop: Shop, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the real installers, ``test_backends`` has it."""
    host = tmp_path / "site-packages"
    install(host, "liby", "1.0", files={"liby/__init__.py": ""})
    monkeypatch.syspath_prepend(str(host))
    shop.library("liby", "2.0")
    shop.plugin("mail", "1.0", libraries=["liby>=2"])
    offer(shop)
    ran = refused(installing, 5, "install", "mail", "-y")
    assert "liby" in ran.err and "1.0" in ran.err and ">=2" in ran.err
    assert generations(home) == []


@pytest.mark.parametrize(
    ("files", "entry_points", "says"),
    [
        ({"mail.pth": "import os\n"}, {}, "mail.pth"),
        ({"acme_auth/plugin.py": "evil()\n"}, {}, "acme_auth/plugin.py"),
        ({}, {"console_scripts": {"pkl": "acme_mail:main"}}, "must not be called pkl"),
    ],
)
def test_case_24_a_wheel_that_would_do_more_is_refused_by_the_audit(
    installing: Pkl, shop: Shop, home: Path, files: Any, entry_points: Any, says: str
) -> None:
    points = {SHOP_GROUP: {"mail": "acme_mail"}, **entry_points}
    shop.plugin("mail", "1.0", requires=["auth"], files=files, entry_points=points)
    offer(shop)
    ran = refused(installing, 8, "install", "mail", "-y")
    assert "acme_mail-1.0-py3-none-any.whl is refused for 1 reason" in ran.err
    assert says in ran.err
    assert generations(home) == []


def test_case_24_what_there_is_only_as_source_is_named(tmp_path: Path) -> None:
    """pkl's own registries have wheels alone; other indexes have source archives, too."""
    with running() as server:
        row = {"filename": "liby-1.0.tar.gz", "url": "x", "hashes": {"sha256": "0" * 64}}
        page = {"meta": {"api-version": "1.1"}, "name": "liby", "files": [row]}
        server.files["/simple/liby/"] = json.dumps(page).encode()
        with pytest.raises(NoSolution) as caught:
            find_backend().resolve(Query(("liby",), indexes=(f"{server.url}/simple",)))
    assert caught.value.proof[-1].startswith("liby-1.0.tar.gz is a source archive")


def test_case_25_of_two_installations_one_waits_and_names_the_other(
    installing: Pkl, shop: Shop, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kills and full disks have their tests beside those of generations."""
    offer(shop)
    installing.ok("install", "auth", "-y")
    shop.plugin("mail", "1.0")
    offer(shop)
    before = generations(home)
    monkeypatch.setattr("pkl.cli.installing.PATIENCE", 0.05)
    code = (
        "import sys\n"
        "from pkl.install.environment.generations import Generations\n"
        "with Generations('shop').changing():\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-B", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=str(Path(__file__).resolve().parents[2]),
    )
    with holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        ran = refused(installing, 7, "install", "mail", "-y")
        holder.communicate()
    assert f"process {holder.pid}" in ran.err
    assert generations(home) == before
    installing.ok("install", "mail", "-y")


def test_every_case_has_a_test() -> None:
    """Those of facts about installing, section 7."""
    numbers = {int(name[10:12]) for name in globals() if name.startswith("test_case_")}
    assert numbers == set(range(1, 26))
