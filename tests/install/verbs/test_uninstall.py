"""``pkl uninstall`` takes what only went with a plugin along, and nothing that is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

from pkl.install.environment.generations import Generations
from tests.cli.running import Pkl
from tests.discovery.fakes import plugin
from tests.install.fake_backend import FakeBackend
from tests.install.making import GROUP
from tests.install.market import Shop


@pytest.fixture
def audited(pkl: Pkl, shop: Shop, publish: Callable[[], None]) -> Pkl:
    """``audit``, which needs ``auth`` and the library ``libx``, and ``mail`` beside."""
    shop.plugin("audit", "1.0", requires=["auth"], libraries=["libx"])
    shop.plugin("auth", "1.0")
    shop.plugin("mail", "1.0")
    shop.library("libx", "1.0")
    publish()
    pkl.ok("install", "audit", "mail", "-y")
    return pkl


def test_what_only_the_plugin_needed_goes_with_it(
    audited: Pkl, generations: Generations, fake_backend: FakeBackend, shop: Shop
) -> None:
    asked, placed = len(fake_backend.asked), len(fake_backend.placed)
    for path in shop.root.rglob("*"):
        if path.is_file():
            path.unlink()
    assert audited.ok("uninstall", "audit", "-y").lines == [
        "- audit 1.0 (acme-audit)",
        "- auth 1.0 (acme-auth)",
        "- libx 1.0 (library)",
    ]
    assert (len(fake_backend.asked), len(fake_backend.placed)) == (asked, placed)
    assert [each["name"] for each in audited.json("list")["plugins"]] == ["mail"]
    assert sorted(each.name for each in Path(generations.places.site(2)).iterdir()) == [
        "acme_mail",
        "acme_mail-1.0.dist-info",
    ]


def test_what_others_need_is_refused_with_who_needs_it(audited: Pkl) -> None:
    ran = audited("uninstall", "auth", "-y")
    assert ran.status == 7
    assert "auth is needed by 1 plugin" in ran.err and "audit 1.0 requires auth" in ran.err
    assert "pkl uninstall auth --cascade" in ran.err
    error = audited.json("uninstall", "auth", "-y", status=7)
    assert error["details"]["dependants"] == ["audit"]


def test_cascade_takes_those_along(audited: Pkl) -> None:
    lines = audited.ok("uninstall", "auth", "--cascade", "-y").lines
    assert [line.split()[1] for line in lines] == ["audit", "auth", "libx"]
    assert [each["name"] for each in audited.json("list")["plugins"]] == ["mail"]


def test_all_can_go_and_rollback_brings_it_back(audited: Pkl) -> None:
    audited.ok("uninstall", "audit", "mail", "-y")
    assert audited.json("list")["plugins"] == []
    assert audited.ok("rollback", "-y").lines[0] == "+ audit 1.0 (acme-audit)"
    assert len(audited.json("list")["plugins"]) == 3


def test_what_lies_in_one_distribution_goes_together_and_is_asked_about_together(
    pkl: Pkl, shop: Shop, publish: Callable[[], None]
) -> None:
    files = {"acme_one/two/plugin.toml": 'name = "two"\n', "acme_one/two/plugin.py": ""}
    points = {GROUP: {"one": "acme_one", "two": "acme_one.two"}}
    shop.plugin("one", "1.0", files=files, entry_points=points, code="")
    shop.plugin("three", "1.0", requires=["two"], libraries=["acme-one"], code="")
    # The distribution of ``two`` is not the one that ``plugin`` takes for granted.
    shop.other("acme-two", "1.0", files={"acme_two/__init__.py": ""})
    publish()
    pkl.ok("install", "three", "one", "-y")
    ran = pkl("uninstall", "one", "-y")
    assert ran.status == 7 and "three 1.0 requires two" in ran.err
    lines = pkl.ok("uninstall", "one", "--cascade", "-y").lines
    assert [line.split()[1] for line in lines] == ["one", "three", "two", "acme-two"]


def test_what_is_not_there_is_no_plugin(audited: Pkl) -> None:
    ran = audited("uninstall", "audits", "-y")
    assert ran.status == 4 and "did you mean 'audit'?" in ran.err
    assert "what pkl has installed: audit, auth, mail" in ran.err


@pytest.mark.parametrize(
    ("installer", "command"),
    [
        ("pip\n", "python -m pip uninstall acme-old"),
        ("uv", "uv pip uninstall acme-old"),
        (None, "another installer"),
    ],
)
def test_what_another_installed_is_left_to_that(
    pkl: Pkl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installer: str, command: str
) -> None:
    site = tmp_path / "site"
    extra = {} if installer is None else {"INSTALLER": installer}
    plugin(site, "acme-old", entry_points={GROUP: {"old": "acme_old"}}, extra=extra)
    monkeypatch.syspath_prepend(str(site))
    ran = pkl("uninstall", "old", "-y")
    assert ran.status == 8 and "old was not installed by pkl" in ran.err
    assert command in ran.err and "pkl disable old" in ran.err
    assert (site / "acme_old" / "plugin.py").exists()


def test_a_plugin_directory_is_not_deleted(pkl: Pkl, work: Path) -> None:
    (work / "plugins" / "local").mkdir(parents=True)
    (work / "plugins" / "local" / "plugin.toml").write_text('name = "local"\n')
    (work / "plugins" / "local" / "plugin.py").write_text("")
    with (work / "pkl.toml").open("a") as file:
        file.write('paths = ["plugins"]\n')
    ran = pkl("uninstall", "local", "-y")
    assert ran.status == 8 and "it lies in" in ran.err


def test_what_a_plugin_that_pip_installed_needs_is_not_taken_away(
    audited: Pkl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    manifest = 'name = "old"\nrequires = ["auth"]\n'
    plugin(site, "acme-old", manifest=manifest, entry_points={GROUP: {"old": "acme_old"}})
    monkeypatch.syspath_prepend(str(site))
    ran = audited("uninstall", "auth", "--cascade", "-y")
    assert ran.status == 7 and "old was not installed by pkl" in ran.err
