"""``pkl sync``: what is installed becomes what the lock says, on every machine the same."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import List

import pytest

from pkl.install.locks.lock_reading import read_lock
from pkl.install.solution import Chosen
from pkl.install.wheels.fetching import wheel_place
from pkl.store import StateStore
from tests.discovery.fakes import install
from tests.install.lock.conftest import Project
from tests.install.lock.test_lock_verb import write_project

THREE = ["acme-audit 1.0", "acme-auth 1.0", "libx 2.1"]
READS = '[permissions]\nfs-read = ["$data"]\n'


def ascii_lines(text: str) -> List[str]:
    """The lines, with arrows that every terminal has."""
    return text.replace("→", "->").splitlines()


def packages(project: Project) -> "dict[str, Chosen]":
    """What is locked."""
    lock = read_lock(str(project.lock))
    assert lock is not None
    return {each.name: each for each in lock.packages}


def test_what_the_lock_says_is_installed_and_nothing_else(project: Project) -> None:
    project("lock")
    ran = project("sync", "-y")
    assert ran.lines == [
        "+ audit 1.0 (acme-audit)",
        '    asks for fs-read "$data"',
        "+ auth 1.0 (acme-auth)",
        "+ libx 2.1 (library)",
    ]
    assert project.installed() == THREE
    assert project("sync", "-y").lines == [f"shop has what {project.lock.name} says"]
    project.shop.plugin("mail")
    project.shop.publish()
    said = "pylock.pkl.toml is as it was: pkl lock writes it anew, pkl sync goes by it"
    assert said in project("install", "mail", "-y").err
    back = project("sync", "-y")
    assert said not in back.err and ascii_lines(back.out) == ["- mail 1.0 (acme-mail)"]
    assert project.installed() == THREE


def test_the_generation_notes_the_digest_of_its_lock(project: Project) -> None:
    project("lock")
    project("sync", "-y")
    record, lock = project.generations.current(), read_lock(str(project.lock))
    assert record is not None and lock is not None
    assert record.lock == lock.digest and record.by == "pkl sync"


def test_two_machines_have_the_same_bytes(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project("lock")
    project("sync", "-y")
    here = project.bytes_of_site()
    # The registry goes on; the lock does not.
    project.shop.plugin("auth", "1.1")
    project.shop.library("libx", "3.0")
    project.shop.publish()
    project.elsewhere(monkeypatch, "elsewhere")
    assert project.installed() == []
    project("sync", "--locked", "-y")
    assert project.installed() == THREE
    assert project.bytes_of_site() == here
    assert len(here) > 10


def test_without_a_lock_one_is_made_first(project: Project) -> None:
    shown = project("sync", "--dry-run")
    assert not project.lock.exists() and project.installed() == []
    ran = project("sync", "-y")
    assert f"the lock {project.lock.name} is made first\n" in ran.err
    assert shown.out == ran.out
    assert ran.lines[:3] == ["+ audit 1.0", "+ auth 1.0", "+ libx 2.1"]
    assert f"wrote {project.lock.name}\n" in ran.err
    assert project.installed() == THREE
    project("lock", "--check")


def test_a_stale_lock_is_made_anew_and_keeps_what_it_can(project: Project) -> None:
    project("sync", "-y")
    project.shop.plugin("auth", "1.1")
    project.shop.plugin("mail")
    project.shop.publish()
    project.wants("audit>=1", "mail")
    ran = project("sync", "-y")
    assert "is stale, and is made anew\n  mail is wanted, and not in it\n" in ran.err
    assert project.installed() == ["acme-audit 1.0", "acme-auth 1.0", "acme-mail 1.0", "libx 2.1"]
    project("lock", "--check")


def test_locked_never_writes_the_lock(project: Project) -> None:
    error = project.json("sync", "--locked", "-y", status=1)
    assert error["code"] == "E_LOCK_STALE"
    assert error["details"]["reasons"] == ["it is not there"]
    assert not project.lock.exists()
    project("lock")
    before = project.text
    project.wants("auth")
    error = project.json("sync", "--locked", "-y", status=1)
    assert error["details"]["reasons"] == [
        "audit is in it, and not wanted any more",
        "auth is wanted, and not in it",
    ]
    assert project.text == before and project.installed() == []


def test_check_says_what_would_be_changed_and_changes_nothing(project: Project) -> None:
    project("sync", "--check", status=1)
    assert not project.lock.exists()
    project("lock")
    ran = project("sync", "--check", status=1)
    assert ran.lines[0] == "+ audit 1.0 (acme-audit)"
    found = project.json("sync", "--check", status=1)
    assert (found["in_sync"], found["file"]) == (False, str(project.lock))
    assert [each["name"] for each in found["added"]] == ["audit", "auth", "libx"]
    assert project.installed() == []
    project("sync", "-y")
    assert project("sync", "--check").lines == [f"shop has what {project.lock.name} says"]
    assert project.json("sync", "--check")["in_sync"] is True


def test_nobody_is_asked_where_nobody_can_be(project: Project) -> None:
    project("lock")
    error = project.json("sync", status=2)
    assert "nobody can be asked" in error["message"]
    assert project.installed() == []


# Wheels.


def test_a_wheel_that_is_not_what_was_locked_is_refused_and_nothing_changes(
    project: Project,
) -> None:
    project("lock")
    locked = packages(project)["libx"].wheels[0]
    wheel = project.shop.root / "files" / locked.file
    wheel.write_bytes(wheel.read_bytes()[:-1] + b"!")
    error = project.json("sync", "-y", status=8)
    assert locked.sha256 in error["message"] and locked.file in error["message"]
    assert project.installed() == []


def test_offline_the_cache_is_enough(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.install.market import serving

    with serving(project.shop):
        project.shop.publish()
        project.shop.known()
        project("lock")
        project("sync", "-y")
        here = project.bytes_of_site()
    assert "http://127.0.0.1" in project.text
    shutil.rmtree(project.generations.places.root)
    ran = project("sync", "--locked", "--offline", "-y")
    assert project.bytes_of_site() == here
    assert "libx" in ran.out


def test_offline_every_wheel_that_is_missing_is_named(project: Project) -> None:
    from tests.install.market import serving

    with serving(project.shop):
        project.shop.publish()
        project.shop.known()
        project("lock")
        for each in packages(project).values():
            cached = Path(wheel_place(each.wheels[0]))
            assert not cached.exists()
        project("sync", "-y")
    shutil.rmtree(project.generations.places.root)
    for name in ("libx", "acme-auth"):
        Path(wheel_place(packages(project)[name].wheels[0])).unlink()
    error = project.json("sync", "--locked", "--offline", "-y", status=6)
    assert error["details"]["missing"] == [
        "acme_auth-1.0-py3-none-any.whl",
        "libx-2.1-py3-none-any.whl",
    ]
    assert error["message"].startswith("2 wheels are not here, and --offline forbids to fetch them")
    assert project.installed() == []


def test_a_lock_of_another_platform_says_what_there_is(project: Project) -> None:
    project("lock")
    text = project.text.replace("libx-2.1-py3-none-any", "libx-2.1-cp311-cp311-win_amd64")
    project.lock.write_text(text)
    error = project.json("sync", "--locked", "-y", status=5)
    assert error["code"] == "E_NO_SOLUTION"
    assert error["details"]["proof"] == [
        "libx 2.1 has no wheel for this Python and platform, only for cp311-cp311-win_amd64"
    ]


def test_a_library_that_the_host_has_and_will_not_do_is_refused(project: Project) -> None:
    project("lock")
    install(project.site, "libx", "1.0")
    error = project.json("sync", "--locked", "-y", status=5)
    assert error["details"]["proof"] == [
        f"acme-audit 1.0 requires libx>=2, and the host has 1.0 ({project.site}/libx-1.0.dist-info)"
    ]
    assert project.installed() == []


def test_a_library_that_the_host_has_and_will_do_is_used(project: Project) -> None:
    project("lock")
    install(project.site, "libx", "2.7")
    ran = project("sync", "--locked", "-y")
    assert "libx: the host's environment has 2.7, which is used in place of 2.1" in ran.err
    assert project.installed() == ["acme-audit 1.0", "acme-auth 1.0"]


# Trust.


def test_a_version_that_was_revoked_is_refused_by_name(project: Project) -> None:
    project("lock")
    project("registry", "revoke", str(project.shop.root), "auth", "1.0", "--reason", "leaks")
    error = project.json("sync", "--locked", "-y", status=8)
    assert error["message"] == (
        "the lock has what must not run any more; nothing was changed\n"
        "auth 1.0 was revoked by main: leaks"
    )
    assert project.installed() == []


def test_a_registry_that_is_older_than_the_lock_is_refused(project: Project) -> None:
    project("lock")
    project.lock.write_text(project.text.replace("serial = 1\n", "serial = 7\n"))
    error = project.json("sync", "--locked", "-y", status=6)
    assert error["code"] == "E_REGISTRY_ROLLED_BACK"
    assert project.installed() == []


def test_a_registry_that_is_not_known_is_a_warning(project: Project) -> None:
    project("lock")
    project("registry", "remove", "main")
    ran = project("sync", "--locked", "-y")
    assert "the registry main" in ran.err and "is not known here" in ran.err
    assert project.installed() == THREE


def test_an_update_that_asks_for_more_is_held_until_it_is_consented_to(project: Project) -> None:
    project("sync", "-y")
    more = '[permissions]\nfs-read = ["$data"]\nnet-connect = ["*:443"]\n'
    needs = {"requires": ["auth>=1"], "libraries": ["libx>=2"]}
    project.shop.plugin("audit", "1.1", manifest=more, **needs)
    project.shop.plugin("auth", "1.1")
    project.shop.publish()
    project("lock", "--upgrade")
    ran = project("sync", "--locked", "-y", status=8)
    assert 'HELD audit 1.0 -> 1.1: asks for net-connect "*:443"' in ascii_lines(ran.out)
    assert project.installed() == ["acme-audit 1.0", "acme-auth 1.1", "libx 2.1"]
    project("sync", "--check", status=1)
    project("sync", "--locked", "-y", "--consent", "audit==1.1")
    assert project.installed() == ["acme-audit 1.1", "acme-auth 1.1", "libx 2.1"]


def test_on_a_terminal_sync_asks_for_the_consent(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project("sync", "-y")
    more = '[permissions]\nfs-read = ["$data"]\nnet-connect = ["*:443"]\n'
    needs = {"requires": ["auth>=1"], "libraries": ["libx>=2"]}
    project.shop.plugin("audit", "1.1", manifest=more, **needs)
    project.shop.publish()
    project("lock", "--upgrade")
    monkeypatch.setattr("pkl.cli.installing._can_ask", lambda: True)
    ran = project("sync", "--locked", answers="y\ny\n")
    assert ran.err.count("let it? [y/N]") == 1
    assert "acme-audit 1.1" in project.installed()


def test_the_project_says_how_old_the_versions_of_a_lock_have_to_be(project: Project) -> None:
    with open(project.folder / "pkl.toml", "a") as file:
        file.write('min-age = "3000w"\n')
    ran = project("lock", status=5)
    assert "is left out: it was uploaded on" in ran.err
    project("lock", "--min-age", "0")


def test_what_was_consented_to_where_the_lock_was_made_is_consented_to(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project("sync", "-y")
    project.elsewhere(monkeypatch, "elsewhere")
    project("sync", "--locked", "-y")
    monkeypatch.setenv("PKL_HOME", str(project.folder.parent / "home"))
    more = '[permissions]\nfs-read = ["$data"]\nnet-udp = true\n'
    needs = {"requires": ["auth>=1"], "libraries": ["libx>=2"]}
    project.shop.plugin("audit", "1.1", manifest=more, **needs)
    project.shop.publish()
    project("lock", "--upgrade")
    project("sync", "-y", "--consent", "audit==1.1")
    project("lock")
    monkeypatch.setenv("PKL_HOME", str(project.folder.parent / "elsewhere"))
    project("sync", "--locked", "-y")
    assert "acme-audit 1.1" in project.installed()
    consent = StateStore().read("shop").state.record("audit").consents["net-udp"]
    assert (consent.value, consent.version) == (True, "1.1")
    assert consent.by == project.lock.name and consent.since


# Locks that nobody should have.


HOSTILE = [
    ("[tool.pkl]", "[tool.pkl"),
    ('lock-version = "1.0"', 'lock-version = "2.0"'),
    ('name = "libx"\nversion', 'name = "LibX"\nversion'),
    ("sha256 = ", "md5 = "),
    ('url = "file:///', 'path = "/'),
    ('url = "file:///', 'path = "../'),
    ('url = "file:///', 'url = "ftp://example.org/'),
    ("tool.pkl", "tool.other"),
    ("schema = 1", "schema = 2"),
]


def test_a_hostile_lock_changes_nothing(project: Project) -> None:
    project("sync", "-y")
    text, number = project.text, project.generations.current_number()
    for old, new in HOSTILE:
        assert old in text
        project.lock.write_text(text.replace(old, new))
        for arguments in (("--locked",), ("--check",), ()):
            error = project.json("sync", "-y", *arguments, status=5)
            assert error["code"] == "E_LOCK_INVALID"
            assert error["details"]["file"] == str(project.lock)
    assert project.generations.current_number() == number
    assert project.installed() == THREE


def test_a_project_in_place_is_synced_as_it_is_now(project: Project) -> None:
    mine = project.folder / "plugins" / "mail"
    write_project(mine, 'requires = ["auth"]')
    project.states_nothing()
    project("install", "-e", str(mine), "-y")
    project("lock")
    project("sync", "--locked", "-y")
    write_project(mine, 'requires = ["auth>=1"]')
    error = project.json("sync", "--locked", "-y", status=1)
    assert error["details"]["reasons"] == [f"mail in {mine} has changed: another manifest"]
    shutil.rmtree(mine)
    error = project.json("sync", "--locked", "-y", status=1)
    assert error["details"]["reasons"][0].startswith("mail: ")
