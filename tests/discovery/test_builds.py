"""Real builds: plugins installed by pip, with every common build backend, as wheel and editable."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Mapping, Tuple

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from pkl.discovery import discover
from pkl.model.candidate import Candidate, Discovery

from .fakes import TRAP, write

# A build takes a second or two; each project is built once and then looked at by several tests.
pytestmark = pytest.mark.filterwarnings("ignore")


@dataclass(frozen=True)
class Project:
    """A way to make a plugin project.

    Attributes:
        backend: The build backend's object.
        needs: Distributions that must be installed to build it, with their least versions.
        package: Where its package lies.
        module: The package's dotted name.
        settings: More of ``pyproject.toml``.
        options: Options of ``pip install``.
        same_wheel: Whether it differs from another project only when it is editable.
        editable_needs: What an editable installation needs beside.
    """

    backend: str
    needs: Mapping[str, int]
    package: str = "src/acme_audit"
    module: str = "acme_audit"
    settings: str = ""
    options: Tuple[str, ...] = ()
    same_wheel: bool = False
    editable_needs: Mapping[str, int] = field(default_factory=dict)


SETUPTOOLS = {"setuptools": 64, "wheel": 0}
DATA = '[tool.setuptools.package-data]\n"*" = ["plugin.toml"]\n'
NAMESPACE = DATA + '[tool.setuptools.packages.find]\nwhere = ["src"]\nnamespaces = true\n'
STRICT = ("--config-settings", "editable_mode=strict")
EXACT = "[tool.hatch.build]\ndev-mode-exact = true\n"
REDIRECT = '[tool.pdm.build]\neditable-backend = "editables"\n'

PROJECTS = {
    "setuptools-src": Project("setuptools.build_meta", SETUPTOOLS, settings=DATA),
    "setuptools-flat": Project("setuptools.build_meta", SETUPTOOLS, "acme_audit", settings=DATA),
    "setuptools-strict": Project(
        "setuptools.build_meta", SETUPTOOLS, settings=DATA, options=STRICT, same_wheel=True
    ),
    "setuptools-flat-strict": Project(
        "setuptools.build_meta",
        SETUPTOOLS,
        "acme_audit",
        settings=DATA,
        options=STRICT,
        same_wheel=True,
    ),
    "setuptools-namespace": Project(
        "setuptools.build_meta", SETUPTOOLS, "src/acme/audit", "acme.audit", NAMESPACE
    ),
    "setuptools-flat-namespace": Project(
        "setuptools.build_meta",
        SETUPTOOLS,
        "acme/audit",
        "acme.audit",
        DATA + '[tool.setuptools.packages.find]\ninclude = ["acme.*"]\nnamespaces = true\n',
    ),
    "hatchling": Project("hatchling.build", {"hatchling": 0}, editable_needs={"editables": 0}),
    "hatchling-exact": Project(
        "hatchling.build",
        {"hatchling": 0},
        settings=EXACT,
        same_wheel=True,
        editable_needs={"editables": 0},
    ),
    "flit": Project("flit_core.buildapi", {"flit-core": 3}),
    "poetry-core": Project("poetry.core.masonry.api", {"poetry-core": 2}),
    "uv-build": Project("uv_build", {"uv-build": 0}),
    "pdm-backend": Project("pdm.backend", {"pdm-backend": 2}),
    "pdm-backend-redirector": Project(
        "pdm.backend",
        {"pdm-backend": 2},
        settings=REDIRECT,
        same_wheel=True,
        editable_needs={"editables": 0},
    ),
}

PYPROJECT = """
[build-system]
requires = []
build-backend = "{backend}"
[project]
name = "acme-audit"
version = "1.4.0"
description = "Writes who did what"
dependencies = ["acme-auth>=1.2,<2"]
[project.entry-points."pkl.plugins"]
audit = "{module}"
{settings}
"""


def require(needs: Mapping[str, int]) -> None:
    for name, least in needs.items():
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pytest.skip(f"{name} is not installed: pip install pkl[test]")
        if int(version.split(".")[0]) < least:
            pytest.skip(f"{name} {version} is too old, {least} or later builds this")


def pip(*arguments: str) -> None:
    """Runs pip on what is here, with the backends that are installed here."""
    scripts = sysconfig.get_path("scripts")
    environment = {name: value for name, value in os.environ.items() if name[:4] != "PIP_"}
    environment["PIP_CONFIG_FILE"] = os.devnull
    environment["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", "")])
    command = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *arguments]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"


HERE = ("--no-index", "--no-deps", "--no-build-isolation")


class Built:
    """A project, and what is made of it when it is first asked for."""

    def __init__(self, name: str, base: Path) -> None:
        self.name = name
        self.base = base
        self.project = PROJECTS[name]
        self.directory = make_project(base / "project", self.project)

    @property
    def wheel(self) -> Path:
        """The built wheel."""
        if not (self.base / "wheels").exists():
            pip("wheel", *HERE, "-w", str(self.base / "wheels"), str(self.directory))
        [wheel] = (self.base / "wheels").iterdir()
        return wheel

    @property
    def installed(self) -> Path:
        """Where the wheel is installed: the directory with the packages."""
        return self._installation("installed", str(self.wheel))

    @property
    def editable(self) -> Path:
        """Where the editable installation is, likewise."""
        require(self.project.editable_needs)
        return self._installation("editable", *self.project.options, "-e", str(self.directory))

    def _installation(self, name: str, *what: str) -> Path:
        prefix = self.base / name
        if not prefix.exists():
            pip("install", *HERE, "--ignore-installed", "--prefix", str(prefix), *what)
        return site_in(prefix)


def site_in(prefix: Path) -> Path:
    [metadata] = prefix.rglob("acme_audit-1.4.0.dist-info")
    return metadata.parent


_built: Dict[str, Built] = {}


def build(name: str, tmp_path_factory: pytest.TempPathFactory) -> Built:
    require(PROJECTS[name].needs)
    if name not in _built:
        _built[name] = Built(name, tmp_path_factory.mktemp(name))
    return _built[name]


@pytest.fixture(params=PROJECTS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(request.param, tmp_path_factory)


@pytest.fixture(params=[name for name, project in PROJECTS.items() if not project.same_wheel])
def wheel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(request.param, tmp_path_factory)


def make_project(directory: Path, project: Project) -> Path:
    package = directory / project.package
    write(package / "__init__.py", f'"""A plugin."""\n{TRAP}')
    write(package / "plugin.py", TRAP)
    manifest = 'name = "audit"\nversion = "1.4.0"\nrequires = ["auth>=1.2,<2"]\n'
    write(package / "plugin.toml", manifest)
    text = PYPROJECT.format(
        backend=project.backend, module=project.module, settings=project.settings
    )
    if project.backend == "uv_build":
        text += f'[tool.uv.build-backend]\nmodule-name = "{project.module}"\n'
    write(directory / "pyproject.toml", text)
    return directory


def found(*entries: Path) -> Discovery:
    return discover(sys_path=[str(entry) for entry in entries], cache=False)


def audit(discovery: Discovery) -> Candidate:
    assert discovery.failures == ()
    [candidate] = discovery.candidates
    assert candidate.name == "audit"
    assert candidate.version == candidate.distribution_version == "1.4.0"
    assert candidate.distribution == "acme-audit"
    assert [str(each) for each in candidate.metadata.requires] == ["auth>=1.2,<2"]
    # Some backends add what their way of editing needs.
    [requirement] = [r for r in candidate.requires_dist if not r.startswith("editables")]
    assert canonicalize_name(Requirement(requirement).name) == "acme-auth"
    assert Requirement(requirement).specifier == SpecifierSet(">=1.2,<2")
    return candidate


def imported_from(entry: Path, module: str) -> Path:
    """The directory of the module, as a new interpreter finds it that has ``entry`` as a site."""
    code = (
        "import importlib.machinery, importlib.util, site, sys\n"
        f"site.addsitedir({str(entry)!r})\n"
        f"parts = {module!r}.split('.')\n"
        "spec = importlib.util.find_spec(parts[0])\n"
        "for depth in range(2, len(parts) + 1):\n"
        "    name, search = '.'.join(parts[:depth]), spec.submodule_search_locations\n"
        "    specs = (f.find_spec(name, search) for f in sys.meta_path)\n"
        "    spec = next(filter(None, specs))\n"
        "print(spec.origin)\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Path(done.stdout.strip()).parent


def test_a_wheel_is_found_with_its_manifest(wheel: Built) -> None:
    candidate = audit(found(wheel.installed))
    package = wheel.installed / wheel.project.module.replace(".", "/")
    assert candidate.location == str(package)
    assert candidate.manifest_file == str(package / "plugin.toml")
    assert candidate.fault is None and candidate.notes == ()
    assert imported_from(wheel.installed, wheel.project.module) == package


def test_a_wheel_is_found_while_it_is_still_zipped(wheel: Built) -> None:
    candidate = audit(found(wheel.wheel))
    assert candidate.location == str(wheel.wheel)
    package = wheel.project.module.replace(".", "/")
    assert candidate.manifest_file == f"{wheel.wheel}/{package}/plugin.toml"


def test_an_editable_installation_is_found_where_python_would_import_it(built: Built) -> None:
    candidate = audit(found(built.editable))
    assert candidate.fault is None and candidate.notes == ()
    assert candidate.location is not None
    imported = imported_from(built.editable, built.project.module)
    assert Path(candidate.location) == imported
    assert Path(str(candidate.manifest_file)).parent == imported
    if "strict" not in built.name:
        assert imported == built.directory / built.project.package


def test_an_editable_installation_and_its_source_tree_are_one_plugin(built: Built) -> None:
    """setuptools leaves an ``.egg-info`` in the source tree, which is on ``sys.path`` as well."""
    source = (built.directory / built.project.package).parents[built.project.module.count(".")]
    for entries in ((built.editable, source), (source, built.editable)):
        assert audit(found(*entries)).fault is None
    assert found(source, built.editable).shadowed == ()


def test_a_moved_project_is_stale_and_its_path_is_shown(built: Built) -> None:
    assert built.editable.exists()
    moved = built.directory.with_name("moved")
    built.directory.rename(moved)
    try:
        discovery = found(built.editable)
    finally:
        moved.rename(built.directory)
    [candidate] = discovery.candidates
    assert candidate.fault is not None
    assert candidate.fault.code == "stale"
    assert str(built.directory) in candidate.fault.message
    assert candidate.name == "audit" and candidate.version == "1.4.0"
    assert "pip install -e" in candidate.fault.remedy


def test_a_wheel_without_package_data_is_remarked(tmp_path: Path) -> None:
    """setuptools leaves the manifest out of the wheel; the editable installation still has it."""
    require(SETUPTOOLS)
    project = Project("setuptools.build_meta", SETUPTOOLS)
    directory = make_project(tmp_path / "project", project)
    pip("wheel", *HERE, "-w", str(tmp_path), str(directory))
    [wheel] = tmp_path.glob("*.whl")
    assert "plugin.toml" not in _names(wheel)
    [candidate] = found(wheel).candidates
    assert candidate.manifest_file is None
    assert "package-data" in candidate.notes[0]


def _names(wheel: Path) -> List[str]:
    import zipfile

    with zipfile.ZipFile(wheel) as archive:
        return [name.rpartition("/")[2] for name in archive.namelist()]


UV = shutil.which("uv", path=sysconfig.get_path("scripts")) or shutil.which("uv")


@pytest.mark.skipif(UV is None, reason="uv is not installed")
def test_what_uv_installs_is_found_too(wheel: Built, tmp_path: Path) -> None:
    built = wheel
    require(built.project.editable_needs)
    for kind, what in (("wheel", [str(built.wheel)]), ("editable", ["-e", str(built.directory)])):
        prefix = tmp_path / kind
        command = [str(UV), "pip", "install", "--no-config", "--offline", "--no-deps", "-q"]
        command += ["--no-build-isolation", "--python", sys.executable, "--prefix", str(prefix)]
        command += ["--cache-dir", str(tmp_path / "cache"), *what]
        path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
        environment = {**os.environ, "PATH": path}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        candidate = audit(found(site_in(prefix)))
        assert candidate.fault is None
        assert candidate.location is not None and Path(candidate.location).is_dir()
