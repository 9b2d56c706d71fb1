"""The check of ``pkl doctor`` that looks at what pkl has installed for the host."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Iterator, Mapping, Optional

from ..discovery import Installation, installed
from ..errors import LockReentered, LockTimeout, MissingTool, RequirementError
from ..files import FileLock
from ..install.backends.choose_backend import find_backend
from ..install.environment.generation import GenerationRecord
from ..install.environment.generations import Generations
from ..install.operation import base_of
from ..model.requirement import parse_requirement
from .lint.finding import ERROR, NOTE, WARNING, Finding
from .scope import Scope

__all__ = ["delete_leftover", "installed_well", "what_is_installed"]

_NOT_CURRENT = (
    "it does not count now; pkl rollback passes it over, and later installations delete it"
)


def installed_well(scope: Scope) -> str:
    """What to say of what is installed if nothing is wrong with it."""
    try:
        backend = find_backend()
        tool = f"installing uses {backend.name} {backend.version}"
    except MissingTool as e:
        tool = e.message
    if scope.host is None:
        return tool
    generations = Generations(scope.host)
    record = base_of(generations).record
    if record is None:
        return f"nothing is installed for {scope.host}; {tool}"
    count = len(record.plugins)
    plugins = "1 plugin" if count == 1 else f"{count} plugins"
    return f"generation {record.number} of {scope.host} with {plugins} is sound; {tool}"


def what_is_installed(scope: Scope) -> Iterator[Finding]:
    """Damaged generations, leftovers, who runs with which, and what does not fit any more."""
    try:
        find_backend()
    except MissingTool as e:
        yield Finding(WARNING, "no-installer", e.message, None, hint=e.hint)
    if scope.host is None:
        return
    generations = Generations(scope.host)
    base = base_of(generations)
    for problem in generations.problems():
        counts = base.problem is not None and problem.file == base.problem.file
        severity = ERROR if counts else WARNING
        hint = problem.hint if counts else _NOT_CURRENT
        yield Finding(severity, "generation-damaged", problem.message, problem.file, hint=hint)
    for left in generations.leftovers() if not generations.busy() else ():
        message = f"{left.path} was left by {left.what}"
        hint = "pkl doctor --fix deletes it, and so does the next installation"
        yield Finding(WARNING, "generation-leftover", message, left.path, hint=hint)
    for number, pids in generations.in_use().items():
        if number != base.number:
            who = ", ".join(map(str, pids))
            message = f"process {who} runs with generation {number}, and {base.number} counts"
            hint = f"start it again when what has changed is to take effect in {scope.host}"
            yield Finding(NOTE, "generation-in-use", message, None, hint=hint)
    if base.record is not None and base.problem is None:
        yield from _drifted(base.record, generations.places.site(base.record.number))


def _drifted(record: GenerationRecord, site: str) -> Iterator[Finding]:
    """What the environment has changed under a generation since that was made."""
    outside = installed([each for each in sys.path if each not in (site, *record.paths)])
    for each in record.distributions:
        hidden = outside.get(each.name)
        if hidden is not None:
            message = (
                f"{each.name} {each.version} of generation {record.number} is hidden by "
                f"{hidden.name} {hidden.version}, which is in the environment by now"
            )
            hint = "pkl upgrade plans anew with what is there"
            yield Finding(WARNING, "generation-hidden", message, hidden.location, hint=hint)
        for text in each.requires:
            problem = _unmet(text, record, outside)
            if problem is not None:
                message = f"{each.name} {each.version}, which pkl installed, {problem}"
                hint = "pkl upgrade plans anew with what is there"
                yield Finding(ERROR, "generation-drift", message, site, hint=hint)


def _unmet(
    text: str, record: GenerationRecord, outside: Mapping[str, Installation]
) -> Optional[str]:
    """What is wrong with a ``Requires-Dist`` by now, or None."""
    try:
        asked = parse_requirement(text.partition("@")[0] if "@" in text else text)
        if not asked.applies({"extra": ""}):
            return None
    except (RequirementError, ValueError):
        return None
    known = record.named(asked.name)
    there = outside.get(asked.name)
    version = there.version if there is not None else known.version if known is not None else None
    if version is None:
        return f"requires {asked.text}, which is not there any more"
    if not asked.contains(version):
        return f"requires {asked.text}, but {version} is there by now"
    return None


def delete_leftover(path: str) -> bool:
    """Deletes what an interrupted installation left, as the next one would."""
    name = os.path.basename(path)
    root = os.path.dirname(path if name.startswith(".current.") else os.path.dirname(path))
    try:
        with FileLock(os.path.join(root, "lock"), 0):
            return _delete(path, name)
    except (LockTimeout, LockReentered):
        return False  # Somebody is installing, and it may be theirs.


def _delete(path: str, name: str) -> bool:
    if name.startswith((".staging-", ".outdated-")) and os.path.isdir(path):
        shutil.rmtree(path)
        return True
    if ".inuse-" in name or name.startswith(".current."):
        os.unlink(path)
        return True
    return False
