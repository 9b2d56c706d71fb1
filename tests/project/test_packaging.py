"""What pip installs is what the tree holds, with the dependencies that are tested."""

from __future__ import annotations

import configparser
import importlib.metadata
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import pkl
from tests.source_tree import PACKAGE, ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def project() -> Dict[str, Any]:
    """The ``[project]`` table."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert isinstance(table, dict)
    return table


def tox() -> configparser.ConfigParser:
    """``tox.ini``."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini", encoding="utf-8")
    return parser


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel, built from the tree without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True, stdout=subprocess.DEVNULL)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as opened:
        yield opened


def test_the_wheel_holds_the_whole_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    in_wheel = {name for name in wheel.namelist() if ".dist-info/" not in name}
    in_tree = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert in_wheel == in_tree
    assert "pkl/py.typed" in in_wheel


def test_the_wheel_states_version_licence_and_command(wheel: zipfile.ZipFile) -> None:
    inside = {Path(name).name: name for name in wheel.namelist() if ".dist-info/" in name}
    metadata = wheel.read(inside["METADATA"]).decode()
    assert f"\nVersion: {pkl.__version__}\n" in metadata
    assert "\nLicense-Expression: MIT\n" in metadata
    assert "LICENSE" in inside
    assert "pkl = pkl.cli:main" in wheel.read(inside["entry_points.txt"]).decode()


def lower_bounds(requirements: List[str]) -> Dict[str, Version]:
    """The lower bound of each requirement that Python 3.9 has."""
    bounds = {}
    for requirement in map(Requirement, requirements):
        if not requirement.marker or requirement.marker.evaluate({"python_version": "3.9"}):
            (bound,) = requirement.specifier
            assert bound.operator == ">=", f"{requirement} has an upper cap or no lower bound"
            bounds[requirement.name] = Version(bound.version)
    return bounds


def test_every_lower_bound_is_what_the_environment_minimum_versions_installs() -> None:
    table = project()
    stated = lower_bounds(table["dependencies"])
    for extra in ("yaml", "schema", "uv"):
        stated.update(lower_bounds(table["optional-dependencies"][extra]))
    pinned = map(Requirement, tox()["testenv:minimum-versions"]["deps"].split())
    assert stated == {each.name: Version(str(each.specifier)[2:]) for each in pinned}


def test_all_holds_every_extra_that_is_for_users() -> None:
    extras = project()["optional-dependencies"]
    (everything,) = map(Requirement, extras["all"])
    assert everything.extras == set(extras) - {
        *("all", "test", "bench", "docs", "lint", "types", "dev")
    }


def test_continuous_integration_runs_every_environment() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert [name for name in environments() if f" {name} " not in script] == []
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def environments() -> List[str]:
    """The environments of ``tox.ini``."""
    return tox()["tox"]["env_list"].split(", ")


def test_every_supported_python_is_tested() -> None:
    stated = {
        "py" + each.rpartition(" ")[2].replace(".", "")
        for each in project()["classifiers"]
        if each.startswith("Programming Language :: Python :: 3.")
    }
    assert stated == {name for name in environments() if name.startswith("py")}


def test_the_running_pkl_is_the_one_of_this_tree() -> None:
    """An older pkl that is installed beside the tests would be tested in its place."""
    try:
        installed = importlib.metadata.version("pkl")
    except importlib.metadata.PackageNotFoundError:
        installed = pkl.__version__
    assert installed == pkl.__version__
    theirs = Path(pkl.__file__).with_name("names.py")
    assert theirs.read_bytes() == (PACKAGE / "names.py").read_bytes()
