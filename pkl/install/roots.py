"""What somebody types after ``pkl install``, as roots: names, wheels and directories."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence, Tuple

from ..errors import DiscoveryError, ManifestError, PklError, UsageError
from ..model.manifest import MANIFEST_FILES
from ..model.requirement import parse_requirement
from .building import build_wheel
from .environment.generation import GenerationRecord
from .environment.places import Places
from .local_wheels import keep_wheel
from .packing import pack_directory
from .solution import Chosen
from .solve.project import project_as_chosen, wheel_as_chosen
from .wanted import Root, RootKind

__all__ = ["Asked", "asked_before", "asked_for", "merged"]


class Asked(NamedTuple):
    """Roots, and what of them is on this machine.

    Attributes:
        roots: What was asked for.
        given: What was given by path, as a solve chooses it.
    """

    roots: Tuple[Root, ...] = ()
    given: Tuple[Chosen, ...] = ()


def asked_for(
    words: Sequence[str],
    *,
    editable: Sequence[str] = (),
    group: str,
    places: Places,
    registry: str = "",
    keep: bool = True,
    allow_build: bool = False,
    offline: bool = False,
) -> Asked:
    """What was asked for; what was given by path is read, and none of it is run.

    Args:
        words: Names with bounds (``auth>=1.2``), wheels and plugin directories.
        editable: Project directories to use in place.
        group: The entry-point group of the host's plugins.
        places: Where wheels of this machine are kept.
        registry: The registry that the names must come from; empty for the one that has each.
        keep: Whether wheels are kept; False where nothing is to be written.
        allow_build: Whether a wheel of a project may be built, which runs its code.
        offline: Whether the network may not be used for that.

    Raises:
        UsageError: A word is neither, or what it names is not there.
        RequirementError: A name or its bounds cannot be read.
        DiscoveryError: A wheel or project carries no plugin, or one that could never start.
        ManifestError: A manifest is faulty.
        BackendFailed: A project could not be built.
    """
    roots: List[Root] = []
    given: List[Chosen] = []
    for word in words:
        if _is_path(word):
            path = os.path.abspath(os.path.expanduser(word))
            if allow_build and os.path.isfile(os.path.join(path, "pyproject.toml")):
                wheel = build_wheel(path, places, offline=offline)
            else:
                wheel = _wheel_of(path, group, places)
            if keep:
                wheel = keep_wheel(wheel, places)
            given.append(wheel_as_chosen(wheel, group))
            roots += _roots_of(given[-1], RootKind.WHEEL, wheel)
        else:
            asked = parse_requirement(word)
            roots.append(Root(asked.name, asked.text, RootKind.REGISTRY, "", registry))
    for word in editable:
        path = os.path.abspath(os.path.expanduser(word))
        given.append(_project(path, group))
        roots += _roots_of(given[-1], RootKind.EDITABLE, path)
    _refuse_twice(roots)
    return Asked(tuple(roots), tuple(given))


def _is_path(word: str) -> bool:
    separators = [each for each in (os.sep, os.altsep) if each]
    if "://" in word:
        raise UsageError(
            f"{word} is an address; plugins come from registries, or from files of this machine",
            hint="pkl registry add NAME URL, or download the wheel and give its path",
        )
    return (
        word.startswith((".", "~")) or word.endswith(".whl") or any(s in word for s in separators)
    )


def _wheel_of(path: str, group: str, places: Places) -> str:
    """The wheel that a path names, or that is made of the plugin directory there."""
    if not os.path.exists(path):
        raise UsageError(f"there is nothing at {path}", file=path, hint="correct the path")
    if not os.path.isdir(path):
        return path
    if os.path.isfile(os.path.join(path, "pyproject.toml")):
        raise UsageError(
            f"{path} is a project, and installing it would mean to build it, which runs its code",
            file=path,
            hint=f"pkl install -e {path} uses it in place and runs nothing of it; --allow-build "
            "builds it",
        )
    if not any(os.path.isfile(os.path.join(path, n)) for n in (*MANIFEST_FILES, "plugin.py")):
        raise UsageError(
            f"{path} is neither a plugin directory nor a project",
            file=path,
            hint="a plugin directory has a plugin.py, and beside it a plugin.toml",
        )
    return pack_directory(path, group, places)


def _project(path: str, group: str) -> Chosen:
    if not os.path.isdir(path):
        raise UsageError(f"there is no directory {path}", file=path, hint="correct the path")
    if not os.path.isfile(os.path.join(path, "pyproject.toml")):
        raise UsageError(
            f"{path} has no pyproject.toml, so it cannot be installed in place",
            file=path,
            hint=f'paths = ["{path}"] under [tool.pkl] finds a plugin directory in place; '
            f"pkl install {path} takes a copy of it",
        )
    return project_as_chosen(path, group)


def _roots_of(chosen: Chosen, kind: RootKind, path: str) -> List[Root]:
    return [
        Root(
            each.name, f"{each.name}=={each.version}" if kind is RootKind.WHEEL else each.name
        )._replace(kind=kind, path=path)
        for each in chosen.plugins
    ]


def _refuse_twice(roots: Sequence[Root]) -> None:
    seen: Dict[str, Root] = {}
    for each in roots:
        other = seen.setdefault(each.name, each)
        if other is not each and other != each:
            raise UsageError(
                f"{each.name} is asked for twice: as {_said(other)} and as {_said(each)}",
                hint="leave one of them out",
            )


def _said(root: Root) -> str:
    return root.path or root.requirement


def merged(before: Sequence[Root], asked: Sequence[Root]) -> Tuple[Root, ...]:
    """What was asked for from now on: the new words take the place of earlier ones of a name.

    A name without bounds asks for no more than an earlier word of the same plugin.

    Args:
        before: What was asked for so far.
        asked: What is asked for now.
    """
    found = {each.name: each for each in before}
    for each in asked:
        known = found.get(each.name)
        bare = each.kind is RootKind.REGISTRY and not parse_requirement(each.requirement).specifier
        if known is None or not bare or (each.registry and each.registry != known.registry):
            found[each.name] = each
    return tuple(found[name] for name in sorted(found))


def asked_before(record: GenerationRecord, group: str, without: Sequence[str] = ()) -> Asked:
    """What a generation was asked for; what is gone from this machine is as it was then.

    Args:
        record: The generation.
        group: The entry-point group of the host's plugins.
        without: Plugins that are asked for anew.
    """
    roots = tuple(each for each in record.roots if each.name not in without)
    given: Dict[str, Chosen] = {}
    for root in roots:
        if root.kind is RootKind.REGISTRY:
            continue
        known = record.plugins.get(root.name)
        try:
            if root.kind is RootKind.EDITABLE:
                found = project_as_chosen(root.path, group)
            else:
                found = wheel_as_chosen(root.path, group)
        except (DiscoveryError, ManifestError, UsageError, OSError) as problem:
            if known is None:
                raise _gone(root, problem) from problem
            found = known
        if known is not None and root.kind is RootKind.WHEEL and known.wheel is not None:
            found = replace(found, wheel=known.wheel, wheels=known.wheels)
        given[found.name] = found
    return Asked(roots, tuple(given.values()))


def _gone(root: Root, problem: Exception) -> PklError:
    why = problem.message if isinstance(problem, PklError) else str(problem)
    return UsageError(
        f"{root.name} was installed from {root.path}, which cannot be read any more\n{why}",
        file=root.path,
        plugin=root.name,
        hint=f"pkl uninstall {root.name}, or bring {Path(root.path).name} back",
    )
