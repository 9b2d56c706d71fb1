"""``pkl lock``: what is locked stays, and what would change is said before it does."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Callable, Dict, List, Tuple

import pytest

from pkl.install.environment.places import host_directory
from pkl.install.locks.lock import LOCK_FILE
from pkl.install.locks.lock_reading import read_lock
from pkl.store import HostFacts, StateStore
from tests.discovery.fakes import install
from tests.install.lock.conftest import Project

NEW = ["+ audit 1.0", "+ auth 1.0", "+ libx 2.1"]


def test_a_lock_is_written_once_and_then_left_alone(project: Project) -> None:
    ran = project("lock")
    assert ran.lines == NEW
    assert ran.err == f"wrote {project.lock.name}; pkl sync installs it\n"
    lock = read_lock(str(project.lock))
    assert lock is not None and lock.versions == {"audit": "1.0", "auth": "1.0"}
    before = project.lock.stat()
    ran = project("lock")
    assert (ran.out, ran.err) == ("", f"{project.lock.name} is up to date\n")
    assert project.lock.stat().st_mtime_ns == before.st_mtime_ns
    assert project.installed() == []


def test_what_would_be_written_is_one_object(project: Project) -> None:
    found = project.json("lock", "--dry-run")
    assert not project.lock.exists()
    assert (found["schema"], found["file"]) == ("pkl.lock/1", str(project.lock))
    assert (found["changed"], found["written"], found["dry_run"]) == (True, False, True)
    assert found["changes"][0] == {
        "kind": "added",
        "subject": "distribution",
        "name": "audit",
        "before": "",
        "after": "1.0",
        "details": [],
    }
    assert found["packages"][2] == {
        "name": "libx",
        "version": "2.1",
        "plugins": [],
        "registry": "main",
        "editable": None,
    }
    assert project.json("lock")["written"] is True
    again = project.json("lock")
    assert (again["changed"], again["written"], again["changes"]) == (False, False, [])


def nothing(project: Project) -> None:
    """Changes nothing."""


def a_root(project: Project) -> None:
    """The project wants more."""
    project.wants("audit>=1", "auth>=1")


def a_newer_version(project: Project) -> None:
    """The registry has a newer version."""
    project.shop.plugin("auth", "1.1")
    project.shop.publish()


def a_needed_version(project: Project) -> None:
    """The project wants a newer version."""
    a_newer_version(project)
    project.wants("audit>=1", "auth>=1.1")


def a_library_of_the_host(project: Project) -> None:
    """The host's environment has a library by now."""
    install(project.site, "libx", "2.5")


def a_plugin_of_the_host(project: Project) -> None:
    """pip has installed a plugin by now."""
    install(
        project.site,
        "acme-auth",
        "1.0",
        files={"acme_auth/plugin.py": ""},
        entry_points={"shop.plugins": {"auth": "acme_auth"}},
    )


def another_wheel(project: Project) -> None:
    """The registry has another wheel of the same version."""
    project.shop.library("libx", "2.1", files={"libx/more.py": ""})
    project.shop.publish()


def a_wheel_for_another_platform(project: Project) -> None:
    """The registry has a wheel more."""
    project.shop.library("libx", "2.1", tags="cp311-cp311-win_amd64")
    project.shop.publish()


def a_revoked_version(project: Project) -> None:
    """The registry has revoked what is locked."""
    a_newer_version(project)
    project("registry", "revoke", str(project.shop.root), "auth", "1.0", "--reason", "bad")


def another_host(project: Project) -> None:
    """The host is called otherwise."""
    text = (project.folder / "pkl.toml").read_text()
    (project.folder / "pkl.toml").write_text(text.replace('"shop"', '"store"'))


STALE: Dict[str, Tuple[Callable[[Project], None], List[str]]] = {
    "nothing": (nothing, []),
    "the registry has newer versions": (a_newer_version, []),
    "a root": (a_root, ["+ root auth auth>=1"]),
    "a bound": (a_needed_version, ["+ root auth auth>=1.1", "~ auth 1.0 -> 1.1"]),
    "the host has the library": (a_library_of_the_host, ["- libx 2.1"]),
    "the host has the plugin": (a_plugin_of_the_host, ["- auth 1.0"]),
    "another wheel": (another_wheel, ["~ libx 2.1 (other wheels)"]),
    "a wheel more": (a_wheel_for_another_platform, ["~ libx 2.1 (other wheels)"]),
    "a revoked version": (a_revoked_version, ["~ auth 1.0 -> 1.1"]),
    "another host": (another_host, ["~ host shop -> store"]),
}


@pytest.mark.parametrize("case", STALE)
def test_a_lock_is_stale_when_it_would_be_made_otherwise(project: Project, case: str) -> None:
    change, reasons = STALE[case]
    project("lock")
    before = project.text
    change(project)
    if not reasons:
        assert project("lock", "--check").err == f"{project.lock.name} is up to date\n"
        return
    error = project.json("lock", "--check", status=1)
    assert error["code"] == "E_LOCK_STALE" and error["hint"] == "renew it: pkl lock"
    found = [each.replace("→", "->") for each in error["details"]["reasons"]]
    assert found == reasons
    assert error["message"].startswith(f"the lock {project.lock.name} is stale\n")
    assert project.text == before
    project("lock")
    project("lock", "--check")


def test_consents_that_came_later_do_not_make_a_lock_stale_but_are_written(
    project: Project,
) -> None:
    project("lock")
    project("sync", "-y")
    project("lock", "--check")
    ran = project("lock")
    assert ran.lines == ["+ consents audit (fs-read)"]
    assert '[tool.pkl.consents.audit]\nfs-read = ["$data"]\n' in project.text


def test_a_lock_that_is_not_there_is_no_good_to_check(project: Project) -> None:
    error = project.json("lock", "--check", status=1)
    assert error["details"]["reasons"] == ["it is not there; 3 distributions would be in it"]
    assert not project.lock.exists()


def test_one_plugin_or_all_are_upgraded_on_request(project: Project) -> None:
    project("lock")
    for name, version in (("auth", "1.1"), ("audit", "1.1")):
        project.shop.plugin(name, version, requires=["auth>=1"] if name == "audit" else [])
    project.shop.library("libx", "3.0")
    project.shop.publish()
    only = project("lock", "--dry-run", "--upgrade", "Auth")
    assert [line.replace("→", "->") for line in only.lines] == ["~ auth 1.0 -> 1.1"]
    ran = project("lock", "--upgrade")
    assert [line.replace("→", "->") for line in ran.lines] == [
        "~ audit 1.0 -> 1.1",
        "~ auth 1.0 -> 1.1",
        "- libx 2.1",
    ]


def test_several_are_upgraded_and_an_unknown_one_is_refused(project: Project) -> None:
    project("lock")
    project.shop.plugin("auth", "1.1")
    project.shop.library("libx", "3.0")
    project.shop.publish()
    ran = project("lock", "--upgrade", "libx", "--upgrade", "auth", "--dry-run")
    assert [line.replace("→", "->") for line in ran.lines] == [
        "~ auth 1.0 -> 1.1",
        "~ libx 2.1 -> 3.0",
    ]
    error = project.json("lock", "--upgrade", "lbix", status=2)
    assert "did you mean 'libx'?" in error["message"]


def test_without_plugins_in_the_project_what_is_installed_is_locked(project: Project) -> None:
    project.states_nothing()
    error = project.json("lock", status=2)
    assert error["message"] == (
        "nothing says what to lock: no plugin is installed, and [tool.pkl] has no plugins"
    )
    project("install", "auth", "-y")
    assert project("lock").lines == ["+ auth 1.0"]
    lock = read_lock(str(project.lock))
    assert lock is not None and [root.name for root in lock.roots] == ["auth"]


def test_a_project_that_wants_nothing_has_an_empty_lock(project: Project) -> None:
    project.wants()
    project("lock")
    lock = read_lock(str(project.lock))
    assert lock is not None and lock.packages == () and lock.roots == ()
    project("lock", "--check")


def test_a_lock_that_cannot_be_used_is_made_anew(project: Project) -> None:
    project.lock.write_text("lock-version = 3\n")
    error = project.json("lock", "--check", status=5)
    assert error["code"] == "E_LOCK_INVALID"
    ran = project("lock")
    assert "it is made anew" in ran.err
    assert ran.lines == NEW
    project("lock", "--check")


def test_a_lock_may_lie_elsewhere_under_a_name_that_pip_takes(project: Project) -> None:
    other = project.folder / "pylock.shop.toml"
    project("lock", "--lock", "pylock.shop.toml")
    assert other.exists() and not project.lock.exists()
    project("lock", "--check", "--lock", "pylock.shop.toml")
    for name in ("shop.lock", "pylock.a.b.toml", "pylock..toml"):
        error = project.json("lock", "--lock", name, status=2)
        assert error["message"] == f"--lock {name}: pip and uv take no lock of that name (PEP 751)"


def test_the_lock_of_a_host_by_name_lies_where_its_plugins_do(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project("install", "auth", "-y")
    facts = HostFacts("shop", "2.1", "shop.plugins")
    StateStore().change("shop", lambda state: state.with_facts(facts))
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    assert "; pkl sync --host shop installs it" in project("lock", "--host", "shop").err
    path = Path(host_directory("shop")) / LOCK_FILE
    assert path.exists() and not list(empty.iterdir())


def test_a_lock_that_cannot_be_written_is_an_error(project: Project) -> None:
    error = project.json("lock", "--lock", "nowhere/pylock.toml", status=8)
    assert "cannot be written" in error["message"]


def test_what_is_locked_stays_with_its_registry(project: Project) -> None:
    project("lock")
    project("registry", "remove", "main")
    error = project.json("lock", status=6)
    assert error["code"] == "E_REGISTRY_ABSENT"
    assert error["message"] == "audit is from the registry main, which is not known here"
    assert error["hint"].startswith(f"pkl registry add main {project.shop.url}; or, ")


def test_a_project_in_place_below_the_lock_is_locked_and_stale_when_it_changes(
    project: Project,
) -> None:
    mine = project.folder / "plugins" / "mail"
    write_project(mine, 'requires = ["auth"]')
    project.states_nothing()
    project("install", "-e", str(mine), "-y")
    ran = project("lock")
    assert "+ mail 0.3" in ran.lines
    assert 'path = "plugins/mail"\n' in project.text
    write_project(mine, 'requires = ["auth>=1"]')
    error = project.json("lock", "--check", status=1)
    assert error["details"]["reasons"] == ["~ mail 0.3 (another manifest)"]
    shutil.rmtree(mine)
    error = project.json("lock", "--check", status=2)
    assert error["message"] == f"mail is from {mine}, and there is nothing any more"


def write_project(folder: Path, line: str) -> None:
    """A project with the plugin mail."""
    package = folder / "acme_mail"
    package.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "acme-mail"\nversion = "0.3"\ndependencies = ["acme-auth"]\n'
        '[project.entry-points."shop.plugins"]\nmail = "acme_mail"\n'
    )
    (package / "plugin.toml").write_text(f'name = "mail"\n{line}\n')
    (package / "plugin.py").write_text("")
    (package / "__init__.py").write_text("")
