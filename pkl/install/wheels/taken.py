"""What of a wheel would lie upon, or hide, what somebody else has already."""

from __future__ import annotations

import os
from typing import Dict, List, Mapping, Sequence

from ...errors import Fault
from ...names import printable
from .member_names import folded
from .top_levels import module_of, owner_of

__all__ = ["conflicts"]


def conflicts(files: Sequence[str], taken: Mapping[str, str], own: str) -> List[Fault]:
    """The files that must not be there because of what is.

    Directories without an ``__init__`` may be shared, files may not; and a module must not have
    the name of another's package, nor the other way round.

    Args:
        files: Where the files of a wheel go.
        taken: What is there, files and whole packages, each with whose it is or where it lies.
        own: The canonical name of the distribution.
    """
    if not taken:
        return []
    there = {folded(each): each for each in taken}
    modules = {module: each for each in taken if (module := _alone(each))}
    packages = {each.partition("/")[0]: each for each in taken if "/" in each}
    found: Dict[str, Fault] = {}
    for file in files:
        held = _held(file, there)
        top, slash, _ = file.partition("/")
        if not held and slash:
            held = modules.get(top, "")
        elif not held:
            module = module_of(top)
            held = modules.get(module, "") or packages.get(module, "")
        if held and held not in found:
            found[held] = Fault(file, held, _rule(held, taken[held]))
    return list(found.values())


def _alone(path: str) -> str:
    """The module that a file at the top is."""
    return module_of(path) if "/" not in path and module_of(path) != path else ""


def _held(file: str, there: Mapping[str, str]) -> str:
    """The path that is taken and that the file is, or lies in."""
    key = folded(file)
    stem, slash, last = key.rpartition("/")
    if slash and module_of(last) == "__init__":
        key = f"{stem}/__init__.py"
    end = len(key)
    while end > 0:
        if key[:end] in there:
            return there[key[:end]]
        end = key.rfind("/", 0, end)
    return ""


def _rule(held: str, whose: str) -> str:
    if not os.path.isabs(whose):
        return f"must not be there: {printable(held)} is {printable(whose)}'s"
    owner = owner_of(whose)
    by = f"{owner}'s, of the host's environment" if owner else "in the host's environment"
    return f"must not be there: {printable(held)} is {by} ({printable(whose)})"
