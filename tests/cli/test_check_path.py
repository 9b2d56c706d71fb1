"""``pkl check PATH``: plugin directories, projects and wheels, held to every rule."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

import pytest

from tests.cli.running import Pkl, directory_plugin
from tests.discovery.fakes import plugin, write

Files = Mapping[str, str]


def codes(pkl: Pkl, *paths: str, status: int = 1) -> List[str]:
    """The codes of what is found at paths, in order."""
    return [each["code"] for each in findings(pkl, *paths, status=status)]


def findings(pkl: Pkl, *paths: str, status: int = 1) -> List[Dict[str, Any]]:
    """What is found at paths."""
    found = pkl.json("check", *paths, status=status)
    assert found["schema"] == "pkl.check/1"
    listed = found["findings"]
    assert isinstance(listed, list)
    return listed


# Directories.


def test_a_sound_directory_has_no_findings(pkl: Pkl, work: Path) -> None:
    directory_plugin(work, "good", code="import pkl\n")
    ran = pkl.ok("check", "good")
    assert (ran.out, ran.err) == ("", "no errors, no warnings\n")


def test_every_fault_of_a_manifest_is_found_at_its_line(pkl: Pkl, work: Path) -> None:
    text = 'name = "bad"\nversion = "x"\nrequires = [\n  "a",\n  "b c",\n]\n'
    text += '[limits]\nmemory = "lots"\n'
    write(work / "bad" / "plugin.toml", text)
    write(work / "bad" / "plugin.py", "")
    found = findings(pkl, "bad")
    assert [(each["code"], each["line"], each["path"]) for each in found] == [
        ("manifest", 2, "version"),
        ("manifest", 5, "requires[1]"),
        ("manifest", 8, "limits.memory"),
    ]
    out = pkl("check", "bad").lines[0]
    assert (
        out
        == "bad/plugin.toml:2: manifest version = 'x': must be a version (PEP 440) such as 1.4.0"
    )
    assert list(found[0]) == ["severity", "code", "message", "file", "line", "path", "hint"]


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("plugin.toml", 'name = "bad"\nrequires = [', None),
        ("plugin.toml", 'name = "bad"\nversion 3\n', 2),
        ("plugin.json", '{"name": "bad",\n "version": }', 2),
        ("plugin.json", '{"name": "bad",\n "version": "nope"}', 2),
        ("plugin.yaml", "name: bad\nversion: nope\n", 2),
    ],
)
def test_other_formats_and_broken_ones_have_lines_too(
    pkl: Pkl, work: Path, file: str, text: str, line: int
) -> None:
    write(work / "bad" / file, text)
    write(work / "bad" / "plugin.py", "")
    (found,) = findings(pkl, "bad")
    assert found["code"] == "manifest"
    assert found["file"] == f"bad/{file}"
    if line is not None:
        assert found["line"] == line


def test_the_manifest_itself_may_be_given(pkl: Pkl, work: Path) -> None:
    write(work / "bad" / "plugin.toml", 'name = "-"\n')
    write(work / "bad" / "plugin.py", "")
    assert codes(pkl, "bad/plugin.toml") == ["manifest"]


def test_two_manifests_are_one_too_many(pkl: Pkl, work: Path) -> None:
    directory_plugin(work, "two", code="")
    write(work / "two" / "plugin.json", "{}")
    (found,) = findings(pkl, "two")
    assert "plugin.toml, plugin.json" in found["message"]


def test_the_module_that_a_start_would_import_has_to_be_there(pkl: Pkl, work: Path) -> None:
    write(work / "a" / "plugin.toml", 'name = "a"\nentrypoint = "start.here"\n')
    (found,) = findings(pkl, "a")
    assert (found["code"], found["line"]) == ("entry-point-target", 2)
    write(work / "a" / "start" / "here.py", "")
    assert codes(pkl, "a", status=0) == []


def test_no_manifest_is_a_warning(pkl: Pkl, work: Path) -> None:
    write(work / "bare" / "plugin.py", "")
    assert codes(pkl, "bare", status=0) == ["no-manifest"]
    assert pkl("check", "bare", "--strict").status == 1


IMPORTS = [
    "import pkl.plugins.other",
    "import pkl.plugins.other as o",
    "from pkl.plugins import other",
    "from pkl.plugins import db, other as o",
    "from pkl.plugins.other import thing",
    "import pkl\npkl.plugins.other.thing()",
    "import pkl as p\np.plugins.other",
    "from pkl import plugins\nplugins.other",
    "from pkl import plugins as ps\nps.other",
    "import pkl.plugins as ps\nps.other",
    "import importlib\nimportlib.import_module('pkl.plugins.other')",
    "def f():\n    from pkl.plugins import other",
    "try:\n    from pkl.plugins import other\nexcept ImportError:\n    pass",
]


@pytest.mark.parametrize("code", IMPORTS)
def test_an_import_of_a_plugin_that_is_not_declared_is_found(
    pkl: Pkl, work: Path, code: str
) -> None:
    directory_plugin(work, "a", code=code, requires=["db"])
    plugin(pkl.site, "db")
    (found,) = findings(pkl, "a")
    assert found["code"] == "undeclared-import"
    assert found["severity"] == "error"
    assert found["file"] == "a/plugin.py"
    assert "pkl.plugins.other" in found["message"]
    assert found["line"] == len(code.split("other")[0].split("\n"))
    assert '"other"' in found["hint"]


@pytest.mark.parametrize(
    "code",
    [
        "from pkl.plugins import other_one",
        "import pkl.plugins.other_one",
        "from pkl.plugins import wanted",
        "from pkl.plugins import a",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pkl.plugins import x",
        "import pkl\npkl.this.name",
        "from .plugins import x",
        "from pkl.plugins import *",
    ],
)
def test_what_is_declared_or_not_another_plugin_is_no_finding(
    pkl: Pkl, work: Path, code: str
) -> None:
    directory_plugin(work, "a", 'wants = ["wanted"]\n', code=code, requires=["Other.One>=1"])
    assert codes(pkl, "a", status=0) == []


def test_a_plugin_that_is_required_by_a_capability_is_declared(pkl: Pkl, work: Path) -> None:
    plugin(pkl.site, "audit", manifest='name = "audit"\nprovides = ["audit-log"]\n')
    directory_plugin(work, "a", code="from pkl.plugins import audit", requires=["audit-log"])
    assert codes(pkl, "a", status=0) == []


def test_children_and_parents_may_use_each_other(pkl: Pkl, work: Path) -> None:
    directory_plugin(work, "a", code="from pkl.plugins import b")
    directory_plugin(work / "a" / "children", "b", code="from pkl.plugins import a")
    assert codes(pkl, "a", status=0) == []
    directory_plugin(work / "a" / "children", "c", code="from pkl.plugins import b")
    (found,) = findings(pkl, "a")
    assert found["file"] == "a/children/c/plugin.py"


def test_code_that_cannot_be_parsed_is_found_at_its_line(pkl: Pkl, work: Path) -> None:
    directory_plugin(work, "a", code="x = 1\ny = (\n")
    (found,) = findings(pkl, "a")
    assert (found["code"], found["file"], found["line"]) == ("syntax", "a/plugin.py", 2)


def test_the_schema_of_the_settings_has_to_be_there_and_json(pkl: Pkl, work: Path) -> None:
    directory_plugin(work, "a", '[config]\nschema = "s.json"\n', code="")
    (found,) = findings(pkl, "a")
    assert (found["code"], found["path"]) == ("package-data", "config.schema")
    write(work / "a" / "s.json", "{")
    assert codes(pkl, "a") == ["config-schema"]
    write(work / "a" / "s.json", "{}")
    assert codes(pkl, "a", status=0) == []


def test_a_folder_of_plugins_is_checked_plugin_by_plugin(pkl: Pkl, work: Path) -> None:
    write(work / "all" / "one" / "plugin.toml", "")
    write(work / "all" / "two" / "plugin.toml", 'name = "two"\n')
    found = findings(pkl, "all")
    assert {each["file"].split("/")[1] for each in found} == {"one", "two"}


@pytest.mark.parametrize("path", ["nowhere", "empty", "file.txt", "broken.whl", "nothing.whl"])
def test_what_cannot_be_checked_is_exit_4(pkl: Pkl, work: Path, path: str) -> None:
    (work / "empty").mkdir()
    write(work / "file.txt", "")
    write(work / "broken.whl", "no zip")
    with zipfile.ZipFile(work / "nothing.whl", "w") as archive:
        archive.writestr("x.py", "")
    ran = pkl("check", path)
    assert ran.status == 4
    assert path in ran.err


# Projects.

SETUPTOOLS = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
"""
HATCHLING = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""
PROJECT = """
[project]
name = "acme-audit"
version = "1.4"
dependencies = ["acme-auth>=1"]
[project.entry-points."pkl.plugins"]
audit = "acme_audit"
"""


def project(work: Path, text: str, files: Optional[Files] = None) -> Path:
    """A project in ``acme``: a package in ``src`` with a sound manifest, unless told otherwise."""
    there: Dict[str, str] = {
        "src/acme_audit/__init__.py": "",
        "src/acme_audit/plugin.py": "",
        "src/acme_audit/plugin.toml": 'name = "audit"\nrequires = ["auth"]\n',
        **(files or {}),
    }
    for name, content in there.items():
        write(work / "acme" / name, content)
    write(work / "acme" / "pyproject.toml", text)
    return work / "acme"


def test_a_sound_project_has_no_findings(pkl: Pkl, work: Path) -> None:
    project(work, HATCHLING + PROJECT)
    assert codes(pkl, "acme", status=0) == []
    assert codes(pkl, "acme/pyproject.toml", status=0) == []
    assert pkl.ok("-C", "acme", "check", ".").out == ""


def test_setuptools_leaves_the_manifest_behind_unless_told(pkl: Pkl, work: Path) -> None:
    project(work, SETUPTOOLS + PROJECT)
    (found,) = findings(pkl, "acme")
    assert found["code"] == "package-data"
    assert found["file"] == "acme/pyproject.toml"
    assert '"acme_audit" = ["plugin.toml"]' in found["hint"]
    project(work, PROJECT)  # without [build-system] it is setuptools as well
    assert codes(pkl, "acme") == ["package-data"]


@pytest.mark.parametrize(
    "text",
    [
        '[tool.setuptools.package-data]\nacme_audit = ["plugin.toml"]\n',
        '[tool.setuptools.package-data]\n"*" = ["*.toml"]\n',
        '[tool.setuptools.package-data]\n"" = ["*.toml"]\n',
        '[tool.setuptools.package-data]\nacme_audit = ["**/*.toml"]\n',
    ],
)
def test_package_data_takes_the_manifest_along(pkl: Pkl, work: Path, text: str) -> None:
    project(work, SETUPTOOLS + PROJECT + text)
    assert codes(pkl, "acme", status=0) == []


@pytest.mark.parametrize(
    "line",
    [
        "include src/acme_audit/plugin.toml",
        "graft src",
        "recursive-include src *.toml",
        "global-include *.toml",
    ],
)
def test_so_does_a_line_of_manifest_in(pkl: Pkl, work: Path, line: str) -> None:
    project(work, SETUPTOOLS + PROJECT, {"MANIFEST.in": f"# data\n{line}\n"})
    assert codes(pkl, "acme", status=0) == []


@pytest.mark.parametrize(
    "line", ["include README.md", "recursive-include docs *.toml", "graft docs"]
)
def test_another_line_of_manifest_in_does_not(pkl: Pkl, work: Path, line: str) -> None:
    project(work, SETUPTOOLS + PROJECT, {"MANIFEST.in": f"{line}\n"})
    assert codes(pkl, "acme") == ["package-data"]


def test_what_setup_py_says_is_not_guessed(pkl: Pkl, work: Path) -> None:
    project(work, SETUPTOOLS + PROJECT, {"setup.py": "from setuptools import setup\nsetup()\n"})
    assert codes(pkl, "acme", status=0) == []


@pytest.mark.parametrize(
    ("value", "files", "code"),
    [
        ("acme_lost", {}, "entry-point-target"),
        ("acme_audit:nothing", {}, "entry-point-target"),
        ("acme-audit", {}, "entry-point-value"),
        ("acme_audit.plugin", {}, "manifest-unread"),
    ],
)
def test_an_entry_point_that_points_nowhere_is_found_at_its_line(
    pkl: Pkl, work: Path, value: str, files: Files, code: str
) -> None:
    text = (HATCHLING + PROJECT).replace('"acme_audit"', f'"{value}"')
    project(work, text, files)
    found = findings(pkl, "acme")[0]
    assert (found["code"], found["file"]) == (code, "acme/pyproject.toml")
    assert text.split("\n")[found["line"] - 1].startswith("audit = ")


@pytest.mark.parametrize(
    "code",
    [
        "def made(): pass",
        "class made: pass",
        "made = 1",
        "from x import made",
        "import y as made",
        "if 1:\n    made = 1",
        "try:\n    pass\nexcept E:\n    made = 2",
        "for made in (): pass",
        "from x import *",
        "def __getattr__(name): pass",
    ],
)
def test_an_object_that_the_module_may_have_is_accepted(pkl: Pkl, work: Path, code: str) -> None:
    text = (HATCHLING + PROJECT).replace('"acme_audit"', '"acme_audit:made.it"')
    project(work, text, {"src/acme_audit/plugin.py": code})
    assert codes(pkl, "acme", status=0) == []


def test_names_of_plugins_have_to_be_names_and_only_once(pkl: Pkl, work: Path) -> None:
    project(work, HATCHLING + PROJECT + 'Audit = "acme_audit"\n"-x" = "acme_audit"\n')
    assert codes(pkl, "acme") == ["entry-point-duplicate", "entry-point-name"]


def test_a_manifest_that_disagrees_with_its_project_is_found(pkl: Pkl, work: Path) -> None:
    text = 'name = "odit"\nversion = "1.5"\nrequires = ["auth"]\n'
    project(work, HATCHLING + PROJECT, {"src/acme_audit/plugin.toml": text})
    found = findings(pkl, "acme")
    assert [(each["code"], each["path"], each["line"]) for each in found] == [
        ("disagreement", "name", 1),
        ("disagreement", "version", 2),
    ]


def test_a_version_that_is_made_when_building_cannot_disagree(pkl: Pkl, work: Path) -> None:
    text = (HATCHLING + PROJECT).replace('version = "1.4"', 'dynamic = ["version"]')
    manifest = 'name = "audit"\nversion = "9"\nrequires = ["auth"]\n'
    project(work, text, {"src/acme_audit/plugin.toml": manifest})
    assert codes(pkl, "acme", status=0) == []


def test_a_required_plugin_whose_distribution_is_no_dependency_is_found(
    pkl: Pkl, work: Path
) -> None:
    plugin(pkl.site, "store", entry_points={"pkl.plugins": {"storage": "store"}})
    manifest = 'name = "audit"\nrequires = ["auth", "storage>=1"]\n'
    project(work, HATCHLING + PROJECT, {"src/acme_audit/plugin.toml": manifest})
    (found,) = findings(pkl, "acme")
    assert (found["code"], found["severity"], found["line"]) == ("requires-dist", "error", 2)
    assert "add store to the dependencies" in found["hint"]
    text = (HATCHLING + PROJECT).replace(
        '"acme-auth>=1"', '"acme-auth", "Store>1; python_version>\'3\'"'
    )
    project(work, text, {"src/acme_audit/plugin.toml": manifest})
    assert codes(pkl, "acme", status=0) == []


def test_where_the_carrier_is_not_known_a_name_that_fits_will_do(pkl: Pkl, work: Path) -> None:
    manifest = 'name = "audit"\nrequires = ["auth", "mail"]\n'
    project(work, HATCHLING + PROJECT, {"src/acme_audit/plugin.toml": manifest})
    (found,) = findings(pkl, "acme", status=0)
    assert (found["code"], found["severity"]) == ("requires-dist", "warning")
    assert "mail" in found["message"]


def test_plugins_of_one_distribution_need_no_dependency(pkl: Pkl, work: Path) -> None:
    text = HATCHLING + PROJECT + 'mail = "acme_mail"\n'
    files = {
        "src/acme_mail/__init__.py": "",
        "src/acme_mail/plugin.py": "",
        "src/acme_mail/plugin.toml": 'name = "mail"\nrequires = ["audit"]\n',
    }
    project(work, text, files)
    assert codes(pkl, "acme", status=0) == []


def test_a_project_without_an_entry_point_offers_nothing(pkl: Pkl, work: Path) -> None:
    project(work, HATCHLING + PROJECT.split("[project.entry-points")[0])
    assert codes(pkl, "acme") == ["no-entry-point"]


def test_entry_points_of_setup_py_are_not_looked_at_and_that_is_said(pkl: Pkl, work: Path) -> None:
    text = SETUPTOOLS + PROJECT.split("[project.entry-points")[0]
    project(work, text, {"setup.py": "setup(entry_points={})"})
    (found,) = findings(pkl, "acme", status=0)
    assert (found["code"], found["severity"]) == ("entry-points-unread", "warning")
    assert "wheel" in found["hint"]


def test_a_pyproject_that_cannot_be_read_is_a_finding(pkl: Pkl, work: Path) -> None:
    write(work / "acme" / "pyproject.toml", "[project]\nname 3\n")
    (found,) = findings(pkl, "acme")
    assert (found["code"], found["line"]) == ("pyproject", 2)


def test_a_group_of_a_hosts_own_is_known_by_its_manifests(pkl: Pkl, work: Path) -> None:
    text = (HATCHLING + PROJECT).replace('"pkl.plugins"', '"shop.plugins"')
    bad = {"src/acme_audit/plugin.toml": 'name = "audit"\nzap = 1\n'}
    project(work, text, bad)
    assert codes(pkl, "acme") == ["manifest"]


@pytest.mark.parametrize(
    ("told", "folder"),
    [
        ('[tool.setuptools.packages.find]\nwhere = ["code"]\n', "code"),
        ('[tool.setuptools.package-dir]\n"" = "code"\n', "code"),
        ('[tool.hatch.build.targets.wheel]\npackages = ["code/acme_audit"]\n', "code"),
        ('[tool.uv.build-backend]\nmodule-root = "code"\n', "code"),
        ('[tool.pdm.build]\npackage-dir = "code"\n', "code"),
        ('[tool.poetry]\npackages = [{include = "acme_audit", from = "code"}]\n', "code"),
        ("", "."),
        ("", "lib"),
    ],
)
def test_packages_are_found_where_the_backend_finds_them(
    pkl: Pkl, work: Path, told: str, folder: str
) -> None:
    write(work / "acme" / "pyproject.toml", HATCHLING + PROJECT + told)
    package = work / "acme" / folder / "acme_audit"
    write(package / "plugin.toml", 'name = "audit"\n')
    write(package / "plugin.py", "")
    assert codes(pkl, "acme", status=0) == []


def test_what_was_built_or_belongs_to_an_environment_is_passed_over(pkl: Pkl, work: Path) -> None:
    bad = "from pkl.plugins import nobody"
    files = {
        "build/lib/acme_audit/plugin.py": bad,
        ".hidden/plugin.toml": "",
        "venv/pyvenv.cfg": "",
        "venv/lib/plugin.toml": "",
        "src/acme_audit/tests/test_it.py": bad,
        "src/acme_audit/build/__init__.py": "",
    }
    project(work, HATCHLING + PROJECT, files)
    assert codes(pkl, "acme", status=0) == []
    write(work / "acme" / "src" / "acme_audit" / "build" / "__init__.py", bad)
    assert codes(pkl, "acme") == ["undeclared-import"]


# Wheels.


def _hash(text: str) -> str:
    found = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return f"sha256={found.decode().rstrip('=')}"


def wheel(work: Path, files: Files, points: str = "[pkl.plugins]\naudit = acme_audit\n") -> str:
    """A wheel of ``acme-audit 1.4`` with these files."""
    path = work / "acme_audit-1.4-py3-none-any.whl"
    info = "acme_audit-1.4.dist-info"
    metadata = (
        "Metadata-Version: 2.1\nName: acme-audit\nVersion: 1.4\nRequires-Dist: acme-auth>=1\n"
    )
    content = {
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": points,
        **files,
    }
    rows = [f"{name},{_hash(text)},{len(text.encode())}" for name, text in content.items()]
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in content.items():
            archive.writestr(name, text)
        archive.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,", ""]))
    return path.name


SOUND = {
    "acme_audit/__init__.py": "",
    "acme_audit/plugin.py": "from pkl.plugins import auth\n",
    "acme_audit/plugin.toml": 'name = "audit"\nrequires = ["auth"]\n',
}


def test_a_sound_wheel_has_no_findings(pkl: Pkl, work: Path) -> None:
    assert codes(pkl, wheel(work, SOUND), status=0) == []
    assert codes(pkl, ".", status=0) == []


def test_what_an_installation_would_refuse_is_found_before_it_is_published(
    pkl: Pkl, work: Path
) -> None:
    made = wheel(work, {**SOUND, "audit.pth": "import acme_audit\n"})
    (found,) = findings(pkl, made)
    assert (found["severity"], found["code"], found["file"]) == (
        "error",
        "wheel",
        f"{made}/audit.pth",
    )
    assert "pkl install refuses such a wheel" in found["hint"]
    sound = work / wheel(work, SOUND)
    (found,) = findings(pkl, sound.rename(work / "audit.whl").name)
    assert found["code"] == "wheel" and "is not the name of a wheel" in found["message"]


def test_a_wheel_without_its_manifest_is_found(pkl: Pkl, work: Path) -> None:
    files = {name: text for name, text in SOUND.items() if not name.endswith(".toml")}
    files["acme_audit/plugin.py"] = ""
    (found,) = findings(pkl, wheel(work, files))
    assert found["code"] == "package-data"
    assert "package-data" in found["hint"]


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("acme_audit/plugin.toml", 'name = "audit"\nzap = 1\n', "manifest"),
        ("acme_audit/plugin.toml", 'version = "2"\nrequires = ["auth"]\n', "disagreement"),
        ("acme_audit/plugin.toml", "", "undeclared-import"),
        ("acme_audit/plugin.py", "x = (", "syntax"),
    ],
)
def test_the_rules_hold_inside_a_wheel(
    pkl: Pkl, work: Path, name: str, text: str, code: str
) -> None:
    (found,) = findings(pkl, wheel(work, {**SOUND, name: text}))
    assert found["code"] == code
    assert found["file"].partition("any.whl/acme_audit/plugin.")[1]


def test_a_wheel_that_requires_a_plugin_it_does_not_depend_on(pkl: Pkl, work: Path) -> None:
    plugin(pkl.site, "store", entry_points={"pkl.plugins": {"storage": "store"}})
    text = 'name = "audit"\nrequires = ["auth", "storage"]\n'
    (found,) = findings(pkl, wheel(work, {**SOUND, "acme_audit/plugin.toml": text}))
    assert (found["code"], found["line"]) == ("requires-dist", 2)


@pytest.mark.parametrize(
    ("points", "code"),
    [
        ("[pkl.plugins]\naudit = nowhere\n", "entry-point-target"),
        ("[pkl.plugins]\naudit nowhere\n", "entry-point-syntax"),
        ("[console_scripts]\na = acme_audit:main\n", "no-entry-point"),
    ],
)
def test_a_wheels_entry_points_are_held_to_the_rules(
    pkl: Pkl, work: Path, points: str, code: str
) -> None:
    (found,) = findings(pkl, wheel(work, SOUND, points))
    assert found["code"] == code


# Other forms.


def test_sarif_has_a_result_for_each_finding(pkl: Pkl, work: Path) -> None:
    write(work / "b d" / "plugin.toml", 'name = "x"\nzap = 1\n')
    write(work / "b d" / "plugin.py", "from pkl.plugins import y")
    assert pkl("check", "b d", "--sarif", "out.sarif").status == 1
    found = json.loads((work / "out.sarif").read_text(encoding="utf-8"))
    assert found["version"] == "2.1.0"
    (run,) = found["runs"]
    assert run["tool"]["driver"]["name"] == "pkl"
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("manifest", "error")
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "manifest"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "b%20d/plugin.toml"
    assert place["region"]["startLine"] == 2


def test_sarif_that_cannot_be_written_is_a_usage_error(pkl: Pkl, work: Path) -> None:
    directory_plugin(work, "a", code="")
    assert pkl("check", "a", "--sarif", "no/where.sarif").status == 2


def test_hostile_text_in_a_manifest_or_a_name_cannot_control_the_terminal(
    pkl: Pkl, work: Path
) -> None:
    write(work / "a\x1b[2J" / "plugin.toml", 'name = "a"\n"k\\u001b[2J" = 1\n')
    write(work / "a\x1b[2J" / "plugin.py", "")
    ran = pkl("check", "a\x1b[2J")
    assert ran.status == 1
    assert "\x1b" not in ran.out + ran.err


def test_a_wheel_that_setuptools_built_without_the_manifest_is_found(pkl: Pkl, work: Path) -> None:
    """The real thing, in the project and in the wheel; with package data both are sound."""
    text = SETUPTOOLS + PROJECT
    for told, wanted in (
        ("", ["package-data", "package-data"]),
        ('[tool.setuptools.package-data]\nacme_audit = ["plugin.toml"]\n', []),
    ):
        acme = project(work, text + told)
        shutil.rmtree(acme / "build", ignore_errors=True)
        subprocess.run(
            [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "made"],
            cwd=str(acme),
            check=True,
            capture_output=True,
        )
        status = 1 if wanted else 0
        assert codes(pkl, "acme", "acme/made", status=status) == wanted
