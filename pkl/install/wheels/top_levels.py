"""What is taken of the names that can be imported: by Python, by pkl, by the host's environment."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from functools import lru_cache
from importlib.machinery import all_suffixes
from typing import Dict, FrozenSet, List, Optional, Sequence, Set, Tuple

from ...discovery.environment import absolute, search_path
from ...names import canonical

__all__ = ["module_of", "names_of_environment", "owner_of", "rule_against_module"]

_EDITABLE = re.compile(r"_*editable_", re.IGNORECASE)
_STARTED = ("sitecustomize", "usercustomize")
_DEPTH = 4
"""How deep directories without an ``__init__`` are looked into: ``google/cloud/storage``."""


def module_of(file: str) -> str:
    """The module that a file or directory beside others is imported as; empty if it is none.

    Args:
        file: Its name: ``six.py``, ``_speedups.cpython-311-x86_64-linux-gnu.so``, ``requests``.
    """
    for suffix in sorted(all_suffixes(), key=len, reverse=True):
        if file.endswith(suffix):
            stem = file[: -len(suffix)]
            return stem if stem.isidentifier() else ""
    return file if file.isidentifier() else ""


def rule_against_module(module: str) -> str:
    """The rule that a wheel breaks that has a module of this name; empty if it breaks none."""
    lower = module.lower()
    if lower in _STARTED:
        return "must not be there: Python would run it at every start"
    if lower == "pkl":
        return "must not be there: it would stand in for pkl itself"
    if _EDITABLE.match(module):
        return "must not be there: it stands for code that lies elsewhere"
    if module in _of_python():
        return "must not be there: it would stand in for a module of Python"
    return ""


@lru_cache(maxsize=1)
def _of_python() -> FrozenSet[str]:
    """The modules of the standard library."""
    if sys.version_info >= (3, 10):
        return frozenset(sys.stdlib_module_names)
    found: Set[str] = set(sys.builtin_module_names)
    library = sysconfig.get_path("stdlib")
    for directory in (library, os.path.join(library, "lib-dynload")):
        try:
            found.update(map(module_of, os.listdir(directory)))
        except OSError:
            continue
    return frozenset(found - {"", "test"})


def names_of_environment(
    sys_path: Optional[Sequence[str]] = None, *, exclude_dirs: Sequence[str] = ()
) -> Dict[str, str]:
    """What can be imported from where distributions are installed: each path, and where it is.

    The paths are relative, as those of the files of a wheel: of a package its directory, of a
    module its file; of a package without an ``__init__``, which many distributions may share,
    what is in it.

    Args:
        sys_path: Where to look; by default the interpreter's ``sys.path``.
        exclude_dirs: Entries, and what lies below them, that do not count: pkl's generations.
    """
    found: Dict[str, str] = {}
    left_out = tuple(os.path.join(os.path.realpath(each), "") for each in exclude_dirs)
    here = os.path.realpath(absolute(""))
    for path, stamp in search_path(sys_path):
        real = os.path.join(os.path.realpath(path), "")
        if stamp is None or real == os.path.join(here, "") or real.startswith(left_out or ("\0",)):
            continue
        try:
            if any(name.endswith((".dist-info", ".egg-info")) for name in os.listdir(path)):
                _add(found, path, "", _DEPTH)
        except OSError:
            continue
    return found


def _add(found: Dict[str, str], root: str, below: str, depth: int) -> None:
    """Adds what can be imported from a directory."""
    shared: List[str] = []
    with os.scandir(os.path.join(root, below)) as entries:
        for entry in entries:
            if not module_of(entry.name) or entry.name == "__pycache__":
                continue
            name = f"{below}{entry.name}"
            if not entry.is_dir() or _is_regular(entry.path):
                found.setdefault(name, os.path.join(root, name))
            elif depth:
                shared.append(f"{name}/")
    for each in shared:
        # With one, it would hide what the others have in it.
        found.setdefault(f"{each}__init__.py", os.path.join(root, each))
        try:
            _add(found, root, each, depth - 1)
        except OSError:
            continue


def _is_regular(directory: str) -> bool:
    return any(os.path.exists(f"{directory}/__init__{suffix}") for suffix in all_suffixes())


def owner_of(path: str) -> str:
    """Whose file or directory that is: ``requests 2.31.0``; empty if nobody says that it is his.

    Args:
        path: An absolute path in a directory where distributions are installed.
    """
    site, parts = os.path.dirname(path), [os.path.basename(path)]
    for _ in range(_DEPTH + 1):
        relative = "/".join(parts)
        for info in _infos(site):
            if _lists(os.path.join(site, info, "RECORD"), relative):
                name, _, version = info[: -len(".dist-info")].partition("-")
                return f"{canonical(name)} {version}"
        site, last = os.path.split(site)
        parts.insert(0, last)
    return ""


def _infos(site: str) -> List[str]:
    try:
        return sorted(name for name in os.listdir(site) if name.endswith(".dist-info"))
    except OSError:
        return []


def _lists(record: str, relative: str) -> bool:
    starts: Tuple[str, ...] = (f"{relative}/", f"{relative},", f'"{relative}/')
    try:
        with open(record, encoding="utf-8", errors="replace") as file:
            return any(line.startswith(starts) for line in file)
    except OSError:
        return False
