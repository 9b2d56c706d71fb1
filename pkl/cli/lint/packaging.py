"""Whether a build backend takes a file along that is not Python, as a manifest is."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Any, List, Mapping, Optional

from .subject import Subject

__all__ = ["left_behind"]


def left_behind(subject: Subject, name: str) -> Optional[str]:
    """Why a file of a project will not be in its wheel; None if it will, or nobody can say.

    Only setuptools leaves data files of packages out unless it is told otherwise; what it is
    told in ``setup.py`` or ``setup.cfg`` cannot be known here.

    Args:
        subject: A project.
        name: The file, relative to the project.
    """
    system = subject.build.get("build-system")
    table: Mapping[str, Any] = system if isinstance(system, dict) else {}
    backend = table.get("build-backend", "setuptools.build_meta:__legacy__")
    if not isinstance(backend, str) or not backend.startswith("setuptools"):
        return None
    if any(subject.files.read(each) is not None for each in ("setup.py", "setup.cfg")):
        return None
    requires = [each for each in table.get("requires") or () if isinstance(each, str)]
    if any(each.replace("_", "-").startswith("setuptools-scm") for each in requires):
        return None
    tool = subject.build.get("tool")
    told = tool.get("setuptools") if isinstance(tool, dict) else None
    setuptools: Mapping[str, Any] = told if isinstance(told, dict) else {}
    if _is_package_data(subject, setuptools.get("package-data"), name):
        return None
    if setuptools.get("include-package-data", True) is True and _in_manifest_in(subject, name):
        return None
    package = _package(subject, name)
    file = name.rpartition("/")[2]
    return f'[tool.setuptools.package-data] with "{package}" = ["{file}"]'


def _package(subject: Subject, name: str) -> str:
    """The dotted package that a file lies in."""
    folder = name.rpartition("/")[0]
    for root in subject.roots:
        if root and (folder == root or folder.startswith(f"{root}/")):
            folder = folder[len(root) + 1 :]
            break
    return folder.replace("/", ".")


def _is_package_data(subject: Subject, data: Any, name: str) -> bool:
    package = _package(subject, name)
    for key, patterns in data.items() if isinstance(data, dict) else ():
        if key not in ("*", "") and key != package and not package.startswith(f"{key}."):
            continue
        inner = package[len(key) + 1 :] if key not in ("*", "", package) else ""
        path = "/".join(filter(None, (inner.replace(".", "/"), name.rpartition("/")[2])))
        if any(isinstance(each, str) and _matches(path, each) for each in patterns or ()):
            return True
    return False


def _matches(path: str, pattern: str) -> bool:
    flat = pattern.replace("**/", "")
    return fnmatch(path, pattern) or (flat != pattern and fnmatch(path, flat))


def _in_manifest_in(subject: Subject, name: str) -> bool:
    """Whether MANIFEST.in includes the file, by its including commands alone."""
    text = (subject.files.read("MANIFEST.in") or b"").decode("utf-8", "replace")
    for line in text.splitlines():
        words: List[str] = line.split()
        if not words or words[0].startswith("#"):
            continue
        command, arguments = words[0], words[1:]
        file = name.rpartition("/")[2]
        if command == "include" and any(fnmatch(name, each) for each in arguments):
            return True
        if command == "global-include" and any(fnmatch(file, each) for each in arguments):
            return True
        if command in ("graft", "recursive-include") and arguments:
            folder = arguments[0].strip("/")
            below = folder in ("", ".") or name.startswith(f"{folder}/")
            fits = command == "graft" or any(fnmatch(file, each) for each in arguments[1:])
            if below and fits:
                return True
    return False
