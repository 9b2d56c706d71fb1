"""What is wrong with the plugins of a host or group, as they are found and planned."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Iterator, List, Optional, Tuple

from ...discovery.lines import line_of_key, line_of_requirement
from ...model.candidate import Candidate, Failure
from ...model.state import Reason
from .code import check_code, modules_of
from .contributions import unknown_points
from .files import Folder
from .finding import ERROR, WARNING, Finding, in_order, split_place
from .known import Known
from .rules import children_of
from .subject import Subject

if TYPE_CHECKING:
    from ..scope import Scope

__all__ = ["check_scope", "of_failure"]

_WISHES = ("disabled", "masked")
"""Reasons that are what somebody wanted."""

_CONSEQUENCES = ("requirement-blocked",)
"""Reasons whose cause is another plugin's, where it is a finding already."""

_FAULT = re.compile(r"\s+(?P<path>[^\s=]+|\(the whole file\)) = ")


def check_scope(scope: "Scope", *, code: bool = True) -> List[Finding]:
    """What is wrong with the plugins that a verb is about; nothing is imported.

    Args:
        scope: The host or group.
        code: Whether to read the plugins' code, too, for imports that nothing declares.
    """
    found = scope.found
    findings = [of_failure(each) for each in found.failures]
    known = Known(lambda: found.candidates)
    for candidate in found.candidates:
        findings += _of_candidate(candidate)
        findings += _of_points(candidate, scope)
        if code and not scope.foreign:
            findings += _of_code(candidate, known)
    faulty = {c.name for c in found.candidates if c.fault is not None}
    by_key = {key: c for c in found.candidates for key in (c.name, c.id)}
    for key, reason in scope.plan.blocked.items():
        each = by_key.get(key)
        if reason.code not in _WISHES and each is not None and each.name not in faulty:
            findings.append(_of_reason(each, reason))
    for shadowed in found.shadowed:
        text = (
            f"{shadowed.distribution} {shadowed.version} is installed twice; this copy is hidden"
            f" by {shadowed.by}"
        )
        findings.append(Finding(WARNING, "shadowed", text, shadowed.location))
    return in_order(findings)


def of_failure(failure: Failure) -> Finding:
    """A failure of discovery as a finding."""
    file, line = split_place(failure.file)
    return Finding(ERROR, failure.code, failure.message, file, line)


def _of_candidate(candidate: Candidate) -> Iterator[Finding]:
    fault = candidate.fault
    file = candidate.manifest_file or candidate.location
    if fault is not None and fault.code == "manifest":
        yield from _of_manifest(candidate, fault)
    elif fault is not None:
        yield Finding(ERROR, fault.code, fault.message, file, hint=fault.remedy)
    for note in candidate.notes:
        text = f"{candidate.name} of {candidate.source}: {note}"
        yield Finding(WARNING, "remark", text, file)


def _of_points(candidate: Candidate, scope: "Scope") -> Iterator[Finding]:
    """Keys of ``[contributes]`` that are no points of the host, if its points are known."""
    file = candidate.manifest_file
    if candidate.metadata.contributes and scope.points is not None:
        yield from unknown_points(scope.points, candidate.metadata, file, _text(file))


def _of_manifest(candidate: Candidate, fault: Reason) -> Iterator[Finding]:
    """One finding for each fault of a manifest."""
    headline, *lines = fault.message.split("\n")
    file = candidate.manifest_file or candidate.location
    if not lines:
        yield Finding(ERROR, "manifest", headline, file, hint=fault.remedy)
    for line in lines:
        match = _FAULT.match(line)
        path = match["path"] if match is not None else ""
        path = "" if path.startswith("(") else path
        at = _line(file, path, line)
        yield Finding(ERROR, "manifest", line.strip(), file, at, path)


def _line(file: Optional[str], path: str, rule: str) -> Optional[int]:
    return line_of_key(_text(file), path, None if path else rule)


def _text(file: Optional[str]) -> str:
    """The content of a manifest; empty where it is none of its own file."""
    if file is None or not os.path.isfile(file):
        return ""
    with open(file, encoding="utf-8", errors="replace") as opened:
        return opened.read()


_REQUIREMENT = re.compile(r" requires (?P<text>.+?)(?:, (?:but|and|which) |: cannot start|$)")


def _of_reason(candidate: Candidate, reason: Reason) -> Finding:
    severity = WARNING if reason.code in _CONSEQUENCES else ERROR
    text = reason.message
    if reason.cause and reason.cause not in text:
        text += f" (because {reason.cause})"
    file, line = _declared(candidate, reason)
    return Finding(severity, reason.code, text, file, line, None, reason.remedy)


def _declared(candidate: Candidate, reason: Reason) -> Tuple[Optional[str], Optional[int]]:
    """Where the requirement stands that a reason is about."""
    file = candidate.manifest_file
    if file is None:
        return candidate.location, None
    match = _REQUIREMENT.search(reason.message)
    return file, line_of_requirement(file, match["text"]) if match is not None else None


def _of_code(candidate: Candidate, known: Known) -> Iterator[Finding]:
    """Imports that nothing declares, of plugins with a sound manifest in a directory."""
    location = candidate.location
    if candidate.fault is not None or candidate.manifest_file is None or location is None:
        return
    if os.path.isdir(location):
        subject = Subject(Folder(location), "directory")
        modules = modules_of(subject.files, "")
        family = children_of(subject)
        yield from check_code(subject.files, modules, candidate.metadata, known, family)
