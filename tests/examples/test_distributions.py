"""The examples as distributions: complete, readable without import, whole in their wheels.

What they do is tested by the tests of each (``tox -e examples``) and by the demo (``tox -e demo``).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Dict, Set

import pytest

from pkl.model.manifest import PluginMetadata, parse_manifest_text

from ..run_examples import EXAMPLES, distributions

FOLDERS = distributions()
NAMES = [folder.name for folder in FOLDERS]


def project_of(folder: Path) -> Dict[str, Any]:
    """The ``[project]`` table of a distribution."""
    text = (folder / "pyproject.toml").read_text(encoding="utf-8")
    project: Dict[str, Any] = parse_manifest_text(text, "toml", "pyproject.toml")["project"]
    return project


def entry_points(folder: Path) -> Dict[str, str]:
    """The plugins that a distribution offers to the desk."""
    points: Dict[str, str] = project_of(folder).get("entry-points", {}).get("desk.plugins", {})
    return points


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_a_distribution_has_tests_and_a_readme_of_its_own(folder: Path) -> None:
    assert list((folder / "tests").glob("test_*.py"))
    assert (folder / "README.md").read_text(encoding="utf-8").startswith("# pkl-example-")


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_every_entry_point_names_a_package_with_a_sound_manifest(folder: Path) -> None:
    for name, package in entry_points(folder).items():
        place = folder / "src" / Path(*package.split("."))
        text = (place / "plugin.toml").read_text(encoding="utf-8")
        data = parse_manifest_text(text, "toml", str(place))
        metadata = PluginMetadata(data, default_name=name, default_version="1")
        assert metadata.name == name
        assert (place / "plugin.py").exists()


def test_each_plugin_is_offered_by_one_distribution() -> None:
    offered = [name for folder in FOLDERS for name in entry_points(folder)]
    assert len(offered) >= 6
    assert len(offered) == len(set(offered))


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_who_requires_a_plugin_depends_on_its_distribution(folder: Path) -> None:
    """Or the plugin is there and the one that it requires is not."""
    owners = {name: project_of(each)["name"] for each in FOLDERS for name in entry_points(each)}
    project = project_of(folder)
    depended = {text.split(">")[0].strip() for text in project["dependencies"]} | {project["name"]}
    for package in entry_points(folder).values():
        place = folder / "src" / Path(*package.split(".")) / "plugin.toml"
        data = parse_manifest_text(place.read_text(encoding="utf-8"), "toml", str(place))
        required = [r.name for r in PluginMetadata(data, default_name="x").requires]
        assert {owners[name] for name in required if name in owners} <= depended


@pytest.mark.parametrize("name", ["reports", "broken"])
def test_a_wheel_has_everything_that_the_source_has(name: str, tmp_path: Path) -> None:
    """These two have manifests in folders inside the package, which are easily left out."""
    rubbish = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    source = Path(shutil.copytree(EXAMPLES / name, tmp_path / name, ignore=rubbish))
    expected = {
        path.relative_to(source / "src").as_posix()
        for path in (source / "src").rglob("*")
        if path.is_file()
    }
    pip = [sys.executable, "-m", "pip", "wheel", "-qq", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "-w", tmp_path, source], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert expected <= names_in(wheel)


def names_in(wheel: Path) -> Set[str]:
    """The names of the files in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())
