"""Wheels and projects of this machine, as what a solve chooses from; nothing of them is run.

Of a project, the ``[project]`` table of its ``pyproject.toml`` is read as it stands (PEP 621),
and what it would have in a wheel of its own is written as one: name, version, dependencies, entry
points and manifests, and no code. An installer takes such a wheel for the project's, and the
plugins are read from it as from any other.
"""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Mapping, NoReturn, Sequence, Tuple
from zipfile import ZipFile, ZipInfo

from ...discovery.headers import read_headers
from ...discovery.wheel import read_wheel
from ...errors import DiscoveryError, UsageError
from ...model.manifest import MANIFEST_FILES, PluginMetadata, parse_manifest_text
from ...model.requirement import is_version
from ...names import canonical, is_valid
from ...registry.folder import digest
from ..solution import Chosen, WheelRef

__all__ = ["project_as_chosen", "project_paths", "project_wheel", "wheel_as_chosen"]

_WHEEL = "Wheel-Version: 1.0\nGenerator: pkl\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_MARKS = (*MANIFEST_FILES, "plugin.py", "__init__.py")


def wheel_as_chosen(path: str, group: str) -> Chosen:
    """A wheel file as a solve chooses it.

    Args:
        path: The wheel.
        group: The entry-point group of the host's plugins.

    Raises:
        DiscoveryError: It is damaged, carries no plugin of that group, or one that could never
            start.
    """
    path = os.path.abspath(path)
    facts = read_wheel(path, (group,))
    file = os.path.basename(path)
    if not facts.plugins:
        raise DiscoveryError(
            f"{file} cannot be installed: it carries no plugin of the group {group}",
            file=path,
            distribution=facts.distribution,
            version=facts.version,
            hint="libraries come along with the plugins that need them; for another group: --group",
        )
    sha256, size = digest(path)
    wheel = WheelRef(file, Path(path).as_uri(), sha256, size)
    return Chosen(
        canonical(facts.distribution),
        facts.version,
        wheel=wheel,
        wheels=(wheel,),
        requires=read_headers(facts.metadata).requires_dist,
        plugins=facts.plugins,
    )


def project_as_chosen(directory: str, group: str) -> Chosen:
    """A project directory as a solve chooses it, to be used in place.

    Args:
        directory: The directory of its ``pyproject.toml``.
        group: The entry-point group of the host's plugins.

    Raises:
        UsageError: There is no ``pyproject.toml``, or name or version are not stated in it.
        DiscoveryError: It carries no plugin of that group, or one that could never start.
        ManifestError: Its ``pyproject.toml`` or a manifest is faulty.
    """
    directory = os.path.abspath(directory)
    project = _project(directory)
    name, version = str(project["name"]), str(project["version"])
    requires = tuple(str(each) for each in project.get("dependencies", ()))
    files, places = _carried(directory, project, group)
    file, data = project_wheel(name, version, requires, files)
    with tempfile.TemporaryDirectory(prefix="pkl-") as folder:
        path = os.path.join(folder, file)
        Path(path).write_bytes(data)
        try:
            facts = read_wheel(path, (group,))
        except DiscoveryError as e:
            why = str(e.details.get("why") or e.message).replace(path, directory)
            _refuse(directory, why)
    if not facts.plugins:
        _refuse(directory, f"its pyproject.toml states no plugin of the group {group}")
    return Chosen(
        canonical(name),
        version,
        requires=requires,
        plugins=tuple(_in_place(each, places) for each in facts.plugins),
        editable=directory,
    )


def project_paths(directory: str) -> Tuple[str, ...]:
    """What a project that is used in place adds to ``sys.path``.

    Args:
        directory: The directory of its ``pyproject.toml``.
    """
    source = os.path.join(directory, "src")
    return (source,) if os.path.isdir(source) else (directory,)


def project_wheel(
    name: str, version: str, requires: Sequence[str], files: Mapping[str, bytes] = {}
) -> Tuple[str, bytes]:
    """A wheel that states what a distribution needs; its name, and its content.

    The same arguments give the same bytes.

    Args:
        name: The distribution, in any spelling.
        version: Its version.
        requires: Its ``Requires-Dist``.
        files: What else it holds, by path.
    """
    stem = f"{canonical(name).replace('-', '_')}-{version}"
    head = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"]
    head += [f"Requires-Dist: {each}\n" for each in requires]
    info = f"{stem}.dist-info"
    whole = {
        **{path.replace("{info}", info): data for path, data in files.items()},
        f"{info}/METADATA": "".join(head).encode("utf-8"),
        f"{info}/WHEEL": _WHEEL.encode("ascii"),
    }
    record = [f"{path},," for path in (*whole, f"{info}/RECORD")]
    whole[f"{info}/RECORD"] = ("\n".join(record) + "\n").encode("utf-8")
    out = io.BytesIO()
    with ZipFile(out, "w") as archive:
        for path, data in whole.items():
            archive.writestr(ZipInfo(path), data)
    return f"{stem}-py3-none-any.whl", out.getvalue()


def _project(directory: str) -> Mapping[str, Any]:
    """The ``[project]`` table, with a name and a version."""
    file = os.path.join(directory, "pyproject.toml")
    try:
        text = Path(file).read_text("utf-8")
    except (OSError, ValueError) as e:
        _usage(file, f"{file} cannot be read ({e})", "give the directory of a Python project")
    project = parse_manifest_text(text, "toml", file).get("project")
    if not isinstance(project, dict) or not is_valid(str(project.get("name", ""))):
        _usage(file, f"{file} states no name in [project]", "write it there (PEP 621)")
    if not is_version(str(project.get("version", ""))):
        what = (
            "a version that is worked out when it is built"
            if "version" in _dynamic(project)
            else "no version"
        )
        _usage(
            file,
            f"{file} states {what} in [project], and nothing of a project is run to find it out",
            "write the version there, or build a wheel and install that",
        )
    if "dependencies" in _dynamic(project):
        _usage(
            file,
            f"{file} states dependencies that are worked out when it is built",
            "write them in [project], or build a wheel and install that",
        )
    return project


def _dynamic(project: Mapping[str, Any]) -> Sequence[str]:
    found = project.get("dynamic", ())
    return found if isinstance(found, list) else ()


def _carried(
    directory: str, project: Mapping[str, Any], group: str
) -> Tuple[Dict[str, bytes], Dict[str, str]]:
    """What a wheel would have of the plugins, without code; and where the manifests lie."""
    points = project.get("entry-points", {})
    rows = points.get(group, {}) if isinstance(points, dict) else {}
    files: Dict[str, bytes] = {}
    places: Dict[str, str] = {}
    lines: List[str] = [f"[{group}]"]
    for key, value in rows.items() if isinstance(rows, dict) else ():
        lines.append(f"{key} = {value}")
        module = str(value).partition(":")[0].strip().replace(".", "/")
        for root in project_paths(directory):
            package = Path(root, module)
            if package.is_dir():
                for mark in _MARKS:
                    path = package / mark
                    if path.is_file():
                        code = mark.endswith(".py")
                        files[f"{module}/{mark}"] = b"" if code else path.read_bytes()
                        places[f"{module}/{mark}"] = str(path)
            elif Path(f"{package}.py").is_file():
                files[f"{module}.py"] = b""
    files["{info}/entry_points.txt"] = ("\n".join(lines) + "\n").encode("utf-8")
    return files, places


def _in_place(said: PluginMetadata, places: Mapping[str, str]) -> PluginMetadata:
    """A manifest with the file that it really was read from."""
    file = next((p for path, p in places.items() if said.file and said.file.endswith(path)), None)
    return PluginMetadata(
        said.data,
        file=file or said.file,
        distribution=said.distribution,
        default_name=said.display_name,
        default_version=said.version,
        default_summary=said.summary,
    )


def _usage(file: str, text: str, hint: str) -> NoReturn:
    raise UsageError(text, file=file, hint=hint)


def _refuse(directory: str, why: str) -> NoReturn:
    raise DiscoveryError(
        f"{directory} cannot be installed: {why}", file=directory, hint=f"pkl check {directory}"
    )
