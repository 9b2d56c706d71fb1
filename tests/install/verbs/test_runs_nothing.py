"""No verb runs code of a plugin: every file of these that could run leaves a mark if it does."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Callable

import pytest

from pkl.cli import installing
from pkl.install.backends.choose_backend import find_backend
from tests.cli.running import Pkl
from tests.discovery.fakes import TRAP, write
from tests.install.installers import both
from tests.install.making import GROUP
from tests.install.market import Shop

BACKEND = (
    TRAP
    + "def build_wheel(*_, **__): raise SystemExit\n"
    + "build_sdist = get_requires_for_build_wheel = build_wheel\n"
    + "prepare_metadata_for_build_wheel = build_wheel\n"
)


@pytest.fixture(params=both())
def real(pkl: Pkl, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Pkl:
    """The command line with a real installer."""
    monkeypatch.setattr(installing, "find_backend", lambda prefer=None: find_backend(request.param))
    return pkl


def trapped(shop: Shop, version: str, **more: object) -> None:
    """A plugin all of whose modules, scripts and entry points are traps, and its library."""
    shop.plugin(
        "audit",
        version,
        libraries=["libx"],
        manifest='[config]\nschema = "schema.json"\n',
        files={
            "acme_audit/schema.json": "{}",
            "acme_audit/__main__.py": TRAP,
            "acme_audit/conftest.py": TRAP,
            "acme_audit/setup.py": TRAP,
            "acme_audit/sub/__init__.py": TRAP,
        },
        entry_points={
            GROUP: {"audit": "acme_audit"},
            "console_scripts": {"audit-tool": "acme_audit.__main__:main"},
            "distutils.commands": {"audit": "acme_audit:command"},
            "setuptools.finalize_distribution_options": {"audit": "acme_audit:finalize"},
            "pip.plugins": {"audit": "acme_audit:hook"},
        },
        **more,
    )
    shop.library("libx", version, files={"libx/__init__.py": TRAP})


def test_from_installing_to_uninstalling_nothing_of_a_wheel_is_run(
    real: Pkl, shop: Shop, publish: Callable[[], None], imported: Path, work: Path
) -> None:
    trapped(shop, "1.0")
    publish()
    real.ok("install", "audit", "-y")
    trapped(shop, "1.1")
    publish()
    real.ok("upgrade", "-y")
    for words in (
        ["list"],
        ["info", "audit"],
        ["why", "audit"],
        ["graph"],
        ["resolve"],
        ["doctor"],
        ["permissions", "audit"],
        ["config", "audit"],
        ["rollback", "-y"],
        ["lock", "--upgrade"],
        ["sync", "--locked", "-y"],
        ["disable", "audit"],
        ["uninstall", "audit", "-y"],
        ["rollback", "-y"],
    ):
        ran = real(*words)
        assert ran.status in (0, 1), (words, ran)
    assert not imported.exists()
    # What is there is what the traps are in; a start would have run them.
    assert "acme_audit" in str(list((work.parent / "home").rglob("acme_audit")))


def project(folder: Path) -> Path:
    """A project that runs code however it is looked at, and a plugin in it."""
    write(
        folder / "pyproject.toml",
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "acme-audit"\nversion = "1.0"\n'
        f'[project.entry-points."{GROUP}"]\naudit = "acme_audit"\n',
    )
    write(folder / "backend.py", BACKEND)
    write(folder / "setup.py", TRAP)
    write(
        folder / "setup.cfg", "[metadata]\nname = acme-audit\nversion = attr: acme_audit.version\n"
    )
    write(folder / "conftest.py", TRAP)
    write(folder / "acme_audit" / "__init__.py", TRAP)
    write(folder / "acme_audit" / "plugin.py", TRAP)
    write(folder / "acme_audit" / "plugin.toml", 'name = "audit"\n')
    return folder


def test_a_project_is_not_built_unless_that_is_asked_for(
    real: Pkl, work: Path, imported: Path
) -> None:
    project(work / "audit")
    ran = real("install", "./audit", "-y")
    assert ran.status != 0
    assert "--allow-build" in ran.err or "-e" in ran.err
    assert not imported.exists()


def test_a_source_distribution_is_not_built(real: Pkl, work: Path, imported: Path) -> None:
    folder = project(work / "acme_audit-1.0")
    with tarfile.open(work / "acme_audit-1.0.tar.gz", "w:gz") as archive:
        archive.add(folder, folder.name)
    ran = real("install", "./acme_audit-1.0.tar.gz", "-y")
    assert ran.status != 0
    assert not imported.exists()


def test_a_library_that_there_is_only_as_source_is_not_built(
    real: Pkl, shop: Shop, publish: Callable[[], None], work: Path, imported: Path
) -> None:
    shop.plugin("mail", "1.0", libraries=["acme-audit"])
    publish()
    folder = project(work / "acme_audit-1.0")
    index = shop.root / "simple" / "acme-audit"
    index.mkdir()
    with tarfile.open(index / "acme_audit-1.0.tar.gz", "w:gz") as archive:
        archive.add(folder, folder.name)
    (index / "index.html").write_text('<a href="acme_audit-1.0.tar.gz">acme_audit-1.0.tar.gz</a>')
    assert real("install", "mail", "-y").status == 5
    assert not imported.exists()


def test_a_wheel_that_would_run_at_every_start_is_refused_unrun(
    real: Pkl, shop: Shop, publish: Callable[[], None], imported: Path
) -> None:
    trapped(shop, "1.0")
    shop.plugin("mail", "1.0", files={"mail.pth": TRAP.replace("\n", ""), "sitecustomize.py": TRAP})
    publish()
    ran = real("install", "mail", "-y")
    assert ran.status == 8
    assert "mail.pth" in ran.err
    assert not imported.exists()


def test_an_editable_project_is_not_run_by_being_installed(
    real: Pkl, work: Path, imported: Path
) -> None:
    """Its code counts as trusted; what is needed of it is read all the same."""
    project(work / "audit")
    ran = real("install", "-e", "./audit", "-y")
    assert ran.status == 0, ran
    assert not imported.exists()
    real.ok("list")
    real.ok("uninstall", "audit", "-y")
    assert not imported.exists()
