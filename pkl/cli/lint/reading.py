"""Turns a path into what is to be checked: a wheel, a project, or plugin directories."""

from __future__ import annotations

import os
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ...discovery.entry_points import MalformedEntryPoints, check_value, parse_entry_points
from ...discovery.headers import read_headers
from ...discovery.lines import line_of_key
from ...errors import ManifestError, PathError
from ...model.manifest import MANIFEST_FILES, parse_manifest_text
from .files import Files, Folder, Wheel
from .finding import ERROR, WARNING, Finding
from .subject import Point, Subject, nested_plugins

__all__ = ["subjects_at"]

_MARKS = (*MANIFEST_FILES, "plugin.py")
_LAYOUTS = ("src", "", "lib", "python")
_NOT_PLUGINS = frozenset(("console_scripts", "gui_scripts"))
Read = Tuple[Subject, List[Finding]]


def subjects_at(path: str, groups: Sequence[str]) -> List[Read]:
    """What there is to check at a path, each with what was wrong already in reading it.

    Args:
        path: A wheel, a project, a plugin directory, a manifest, or a folder of any of these.
        groups: The entry-point groups whose members are plugins whatever they look like.

    Raises:
        PathError: There is nothing to check.
    """
    if os.path.isdir(path):
        found = list(_in_directory(path, groups))
        if found:
            return found
        raise PathError(
            f"there is nothing to check in {path}: no wheel, no pyproject.toml with an entry"
            f" point of {' or '.join(groups)}, no plugin directory",
            file=path,
            hint="give a plugin directory, a project, or a wheel",
        )
    if not os.path.exists(path):
        raise PathError(f"{path} does not exist", file=path, hint="pkl check --help")
    name = os.path.basename(path)
    if name.endswith((".whl", ".zip")):
        return [_wheel(path, groups)]
    if name == "pyproject.toml":
        return subjects_at(os.path.dirname(path) or ".", groups)
    if name in _MARKS:
        return [(Subject(Folder(os.path.dirname(path) or "."), "directory"), [])]
    raise PathError(
        f"{path} is neither a wheel nor a manifest nor a directory",
        file=path,
        hint="build a wheel of the project, or give its directory",
    )


def _in_directory(path: str, groups: Sequence[str]) -> Iterator[Read]:
    if os.path.isfile(os.path.join(path, "pyproject.toml")):
        found = _project(path, groups)
        if found is not None:
            yield found
            return
    names = sorted(os.listdir(path))
    if any(name in _MARKS for name in names):
        yield Subject(Folder(path), "directory"), []
        return
    for name in names:
        inner = os.path.join(path, name)
        if name.endswith(".whl"):
            yield _wheel(inner, groups)
        elif os.path.isdir(inner) and any(os.path.isfile(f"{inner}/{mark}") for mark in _MARKS):
            yield Subject(Folder(inner), "directory"), []


# Wheels.


def _wheel(path: str, groups: Sequence[str]) -> Read:
    files = Wheel(path)
    subject = Subject(files, "wheel")
    info = [n for n in files.names() if n.endswith(".dist-info/METADATA") and n.count("/") == 1]
    if not info:
        raise PathError(
            f"{path} is not a wheel: it holds no .dist-info/METADATA",
            file=path,
            hint="build it again",
        )
    headers = read_headers(files.read(info[0]) or b"")
    subject.name, subject.version = headers.name, headers.version
    subject.dependencies = list(headers.requires_dist)
    subject.metadata_file = files.shown(info[0])
    name = info[0].replace("METADATA", "entry_points.txt")
    subject.points_file = files.shown(name)
    findings: List[Finding] = []
    try:
        stated = parse_entry_points(files.read(name) or b"")
    except MalformedEntryPoints as e:
        findings.append(Finding(ERROR, e.code, e.message, subject.points_file, e.line))
        stated = {}
    for group, points in stated.items():
        listed = [Point(each.name, each.value, group, each.line) for each in points]
        subject.points += _plugins(subject, group, listed, groups)
    if not subject.points and not findings:
        findings.append(_offers_nothing(subject, groups))
    return subject, findings


def _plugins(
    subject: Subject, group: str, points: List[Point], groups: Sequence[str]
) -> List[Point]:
    """The points, if they are plugins of pkl: by their group, or because one has a manifest."""
    if group in groups:
        return points
    if group in _NOT_PLUGINS:
        return []
    for each in points:
        target = check_value(each.value)
        where = subject.locate(target.module) if target is not None else None
        if where is not None and where.package and subject.manifest_in(where.name):
            return points
    return []


def _offers_nothing(subject: Subject, groups: Sequence[str]) -> Finding:
    return Finding(
        ERROR,
        "no-entry-point",
        f"it offers no plugin: there is no entry point in {' or '.join(groups)}, nor one in another"
        " group whose package holds a manifest",
        subject.points_file or subject.metadata_file,
        hint='[project.entry-points."pkl.plugins"] names the package of each plugin',
    )


# Projects.


def _project(path: str, groups: Sequence[str]) -> Optional[Read]:
    """The project at a directory; None if it is none that makes plugins."""
    files = Folder(path)
    file = files.shown("pyproject.toml")
    data = files.read("pyproject.toml") or b""
    try:
        text = data.decode()
        whole = parse_manifest_text(text, "toml", file)
    except (UnicodeDecodeError, ManifestError) as e:
        said = e.faults[0].rule if isinstance(e, ManifestError) else "is not UTF-8"
        line = line_of_key("", "", said)
        broken = Finding(ERROR, "pyproject", f"pyproject.toml {said}", file, line)
        return Subject(files, "project", metadata_file=file), [broken]
    subject = Subject(files, "project", metadata_file=file, points_file=file, build=whole)
    subject.roots = _roots(whole, files)
    project = _table(whole, "project")
    poetry = _table(whole, "tool", "poetry")
    _name(subject, project, poetry)
    stated = _table(project, "entry-points") or _table(poetry, "plugins")
    for group, points in stated.items():
        listed = [
            Point(name, value, group, line_of_key(text, f"project.entry-points.{group}.{name}"))
            for name, value in (points.items() if isinstance(points, dict) else ())
            if isinstance(value, str)
        ]
        listed = [p._replace(line=_line_of_point(text, p) or p.line) for p in listed]
        subject.points += _plugins(subject, group, listed, groups)
    if subject.points:
        return subject, []
    if "entry-points" in (project.get("dynamic") or ()) or _has_other_config(files):
        unread = Finding(
            WARNING,
            "entry-points-unread",
            "its entry points are not stated in pyproject.toml, and were not looked at",
            file,
            hint="build a wheel and run: pkl check dist/*.whl",
        )
        return subject, [unread]
    if any(_below_a_root(subject, folder) for folder in nested_plugins(files, "")):
        return (subject, [_offers_nothing(subject, groups)]) if project or poetry else None
    return None


def _below_a_root(subject: Subject, folder: str) -> bool:
    """Whether a folder is a package of the project, and no test data or the like."""
    return any(
        subject.locate(folder[len(root) :].strip("/").replace("/", ".")) is not None
        and folder.startswith(root)
        and not folder.split("/")[0].startswith(("test", "doc", "example"))
        for root in subject.roots
    )


def _has_other_config(files: Files) -> bool:
    for name in ("setup.cfg", "setup.py"):
        data = files.read(name)
        if data is not None and b"entry_points" in data:
            return True
    return False


def _line_of_point(text: str, point: Point) -> Optional[int]:
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = line.partition("=")
        if equals and name.strip().strip("\"'") == point.name and point.value in value:
            return number
    return None


def _name(subject: Subject, project: Mapping[str, Any], poetry: Mapping[str, Any]) -> None:
    for table in (project, poetry):
        subject.name = subject.name or _text(table.get("name"))
        subject.version = subject.version or _text(table.get("version"))
    dynamic = project.get("dynamic") or ()
    listed = project.get("dependencies", None if "dependencies" in dynamic else [])
    if project and isinstance(listed, list):
        subject.dependencies = [each for each in listed if isinstance(each, str)]
    wanted = poetry.get("dependencies")
    if not project.get("dependencies") and isinstance(wanted, dict):
        subject.dependencies = [each for each in wanted if each != "python"]


def _roots(whole: Mapping[str, Any], files: Files) -> List[str]:
    """The folders in which the project's top-level packages lie, by what its backend is told."""
    found: List[Any] = []
    tool = _table(whole, "tool")
    setuptools = _table(tool, "setuptools")
    where = _table(setuptools, "packages", "find").get("where")
    found += where if isinstance(where, list) else []
    found += _table(setuptools, "package-dir").values()
    packages = _table(tool, "hatch", "build", "targets", "wheel").get("packages")
    found += [os.path.dirname(p) for p in packages or () if isinstance(p, str)]
    listed = _table(tool, "poetry").get("packages")
    found += [p.get("from", "") for p in listed or () if isinstance(p, dict)]
    found.append(_table(tool, "uv", "build-backend").get("module-root"))
    found.append(_table(tool, "pdm", "build").get("package-dir"))
    cleaned = [p.strip("./").replace("\\", "/") for p in found if isinstance(p, str)]
    folders = {name.split("/")[0] for name in files.names() if "/" in name}
    layouts = [layout for layout in _LAYOUTS if not layout or layout in folders]
    return list(dict.fromkeys([*cleaned, *layouts]))


def _table(table: Mapping[str, Any], *keys: str) -> Dict[str, Any]:
    """The table under nested keys; empty where there is none."""
    found: Any = table
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> Optional[str]:
    return value if isinstance(value, str) and value else None
