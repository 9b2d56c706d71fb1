"""What editable installations leave behind, also when it is broken or hostile: read, never run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Optional

import pytest

from pkl.discovery import discover
from pkl.discovery.distribution import Distribution
from pkl.discovery.editable import editable_project
from pkl.discovery.tree import DirectoryTree
from pkl.model.candidate import Candidate

from .fakes import TRAP, Content, install, write

POINTS = {"pkl.plugins": {"acme": "acme"}}


def edited(
    site: Path,
    files: Dict[str, str],
    project: Optional[Path] = None,
    record: Optional[str] = None,
    points: Any = POINTS,
) -> Candidate:
    """The candidate of an editable installation with these files beside its metadata."""
    extra: Dict[str, Content] = {}
    if project is not None:
        url = {"url": project.as_uri(), "dir_info": {"editable": True}}
        extra["direct_url.json"] = json.dumps(url)
    info = install(site, "acme", entry_points=points, files=dict(files), extra=extra)
    if record is not None:
        write(info / "RECORD", record)
    [candidate] = discover(sys_path=[str(site)], cache=False).candidates
    return candidate


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path / "project" / "src" / "acme" / "__init__.py", TRAP)
    write(tmp_path / "project" / "src" / "acme" / "plugin.toml", 'name = "acme"')
    return tmp_path / "project"


def test_path_lines_are_followed_and_others_are_not_run(site: Path, project: Path) -> None:
    lines = f"# comment\nimport os; {TRAP.splitlines()[0]}\n\n/nowhere\n{project / 'src'}\n"
    candidate = edited(site, {"acme.pth": lines})
    assert candidate.location == str(project / "src" / "acme")


def test_a_relative_path_line_starts_at_the_site_directory(site: Path, project: Path) -> None:
    assert edited(site, {"acme.pth": "../project/src\n"}).location == str(project / "src" / "acme")


def test_only_recorded_files_are_followed(site: Path, project: Path) -> None:
    """Another distribution's ``.pth`` says nothing about this one."""
    candidate = edited(site, {"acme.pth": f"{project / 'src'}\n"}, record="other.pth,,\n")
    assert candidate.location is None


def test_a_quoted_record_line_is_understood(site: Path, project: Path) -> None:
    files = {"ac,me.pth": f"{project / 'src'}\n"}
    assert edited(site, files, record='"ac,me.pth",sha256=x,1\n').location is not None


FINDERS = {
    "annotated": "MAPPING: dict[str, str] = {{'acme': {package!r}}}\n",
    "plain": "MAPPING = {{'acme': {package!r}}}\n",
    "namespaces": "MAPPING = {{}}\nNAMESPACES = {{'acme': [{package!r}]}}\n",
    "redirector": "F.install()\nF.map_module('acme', {package!r} + '')\n"
    "F.map_module('acme', {init!r})\n",
    "add-to-path": "F.add_to_path({source!r})\n",
    "relative": "MAPPING = {{'acme': '../project/src/acme'}}\n",
}


@pytest.mark.parametrize("kind", FINDERS)
def test_finder_modules_are_read_and_not_run(site: Path, project: Path, kind: str) -> None:
    source = project / "src"
    text = FINDERS[kind].format(
        package=str(source / "acme"), init=str(source / "acme" / "__init__.py"), source=str(source)
    )
    candidate = edited(site, {"__editable___acme_finder.py": f"{TRAP}{text}{TRAP}"})
    assert candidate.location is not None
    assert Path(candidate.location).resolve() == source / "acme"


def test_a_mapped_module_need_not_be_a_package(site: Path, project: Path) -> None:
    write(project / "single.py", TRAP)
    for path in (project / "single", project / "single.py"):
        text = f"MAPPING = {{'single': {str(path)!r}}}\n"
        points = {"pkl.plugins": {"acme": "single"}}
        candidate = edited(site, {"acme_finder.py": text}, points=points)
        assert candidate.location == str(project / "single.py")


@pytest.mark.parametrize(
    "text",
    [
        "MAPPING = __import__('os').system('false')\n",
        "MAPPING = [1, 2]\n",
        "MAPPING = {1: 2, 'acme': 3, 'x': None}\n",
        "MAPPING: dict\n",
        "MAPPING = {'acme': 'x'\n",
        "MAPPING = " + "(" * 500,
        "MAPPING = {'acme': " + "-" * 5000 + "1}\n",
        "\x00MAPPING = {}\n",
        "map_module('acme')\n",
        "F.map_module(acme, 'x')\n",
    ],
)
def test_a_finder_of_another_shape_says_nothing(site: Path, text: str) -> None:
    candidate = edited(site, {"acme_finder.py": text})
    assert candidate.location is None


def test_direct_url_leads_to_the_project_and_its_layouts(site: Path, tmp_path: Path) -> None:
    for layout in ("src", "", "lib", "python"):
        root = tmp_path / f"project {layout}%"
        write(root / layout / "acme" / "plugin.toml", 'name = "acme"')
        candidate = edited(site, {}, root)
        assert candidate.location == str(root / layout / "acme" if layout else root / "acme")


def test_what_an_earlier_installation_left_does_not_hide_the_project(
    site: Path, project: Path
) -> None:
    """pip leaves the directory with its ``__pycache__``; Python prefers the regular package."""
    write(site / "acme" / "__pycache__" / "x.pyc", b"")
    assert edited(site, {}, project).location == str(project / "src" / "acme")


def test_a_regular_package_beside_the_metadata_is_what_python_imports(
    site: Path, project: Path
) -> None:
    files = {"acme/__init__.py": TRAP, "acme.pth": f"{project / 'src'}\n"}
    assert edited(site, files, project).location == str(site / "acme")


def test_a_renamed_module_is_stale(site: Path, project: Path) -> None:
    (project / "src" / "acme").rename(project / "src" / "other")
    fault = edited(site, {"acme.pth": f"{project / 'src'}\n"}, project).fault
    assert fault is not None and fault.code == "stale" and str(project) in fault.message


def test_a_mapping_to_a_place_that_is_gone_is_stale_without_direct_url(site: Path) -> None:
    candidate = edited(site, {"acme_finder.py": "MAPPING = {'acme': '/gone/acme'}\n"})
    assert candidate.fault is not None
    assert candidate.fault.code == "stale" and "/gone/acme" in candidate.fault.message


@pytest.mark.parametrize(
    ("text", "project"),
    [
        ('{"url": "file:///x/y", "dir_info": {"editable": true}}', "/x/y"),
        ('{"url": "file://localhost/x/y", "dir_info": {"editable": true}}', "/x/y"),
        ('{"url": "file:/x/a%20b", "dir_info": {"editable": true}}', "/x/a b"),
        ('{"url": "file:///x/y", "dir_info": {"editable": false}}', None),
        ('{"url": "file:///x/y", "dir_info": {}}', None),
        ('{"url": "https://example.org/x", "dir_info": {"editable": true}}', None),
        ('{"url": 3, "dir_info": {"editable": true}}', None),
        ('{"dir_info": {"editable": true}}', None),
        ('["editable"]', None),
        ('{"editable"', None),
        ('{"editable": ' + "[" * 100_000, None),
        ("", None),
    ],
)
def test_direct_url_is_believed_only_in_its_own_shape(
    site: Path, text: str, project: Optional[str]
) -> None:
    info = install(site, "acme", extra={"direct_url.json": text})
    found = editable_project(Distribution(DirectoryTree(str(site)), info.name))
    assert found == project
