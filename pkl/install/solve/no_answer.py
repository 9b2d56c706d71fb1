"""What is said where a solve found nothing: the resolver's proof, and the installer's."""

from __future__ import annotations

from typing import List, Optional, Sequence

from ...errors import NoSolution, RequirementError
from ...model.candidate import Candidate
from ...model.requirement import parse_requirement
from ...model.state import Reason
from ..wanted import Root
from .contradictions import Contradictions
from .lessons import Lessons
from .proposals import Proposal

__all__ = ["gave_up", "refused"]

DOZEN = 12
"""How many lines of each proof are kept unless all are asked for."""
_INSTALL = "pkl install "
_APART = "leave one of them out (pkl uninstall NAME), or ask for other versions of them"


def refused(
    roots: Sequence[Root],
    proposal: Proposal,
    backend: str,
    said: Optional[NoSolution],
    contradictions: Contradictions,
    full: bool,
    found: Sequence[Candidate],
) -> NoSolution:
    """The error where there is nothing that holds.

    Args:
        roots: What was asked for.
        proposal: What the resolver says, which is blocked.
        backend: What the installer is called.
        said: What the installer said last; None if it was not asked, or refused nothing.
        contradictions: Knows what the host has.
        full: Whether the proofs are wanted in full.
        found: The plugins that others have installed.
    """
    assert proposal.blocked is not None
    told = [e for e in proposal.proof if e.strip() and not e.startswith(("cause: ", "repair: "))]
    lines = _capped(told, full)
    if said is not None:
        proof = [line for line in said.proof if line.strip()]
        proof += contradictions.pins_in(said.proof)
        lines.append(f"{backend} says of the libraries:")
        lines += [f"  {line}" for line in _capped(proof, full)]
    return NoSolution(
        f"nothing that goes together was found for {_wanted(roots)}: {proposal.blocked.cause}",
        proof=lines,
        hint=_hint(proposal.blocked, found),
    )


def gave_up(
    roots: Sequence[Root], backend: str, asked: int, lessons: Lessons, full: bool
) -> NoSolution:
    """The error where the installer was asked as often as it may be.

    Args:
        roots: What was asked for.
        backend: What the installer is called.
        asked: How often it was asked.
        lessons: What was learned so far.
        full: Whether all of that is wanted.
    """
    lines = [f"learned: {line}" for line in lessons.lines()]
    names = " ".join(f'"{each.name}==VERSION"' for each in roots[:2])
    return NoSolution(
        f"no answer for {_wanted(roots)} within {asked} questions to {backend}",
        proof=[f"{backend} was asked {asked} times", *_capped(lines, full)],
        hint=f"narrow the versions, as in: {_INSTALL}{names}",
    )


def _wanted(roots: Sequence[Root]) -> str:
    named = sorted({each.requirement for each in roots})
    return ", ".join(named[:5]) + (f" and {len(named) - 5} more" if len(named) > 5 else "")


def _hint(blocked: Reason, found: Sequence[Candidate]) -> str:
    """What to type; to install or upgrade what cannot be had is no advice."""
    if blocked.remedy.startswith(("pkl upgrade", "pkl disable")):
        return _APART
    if not blocked.remedy.startswith(_INSTALL):
        return blocked.remedy
    word = blocked.remedy[len(_INSTALL) :].strip('"')
    try:
        name = parse_requirement(word).name
    except RequirementError:
        return blocked.remedy
    if blocked.code == "missing":
        return f"pkl search {name}, or add the registry that has it: pkl registry add NAME URL"
    for each in found:
        if each.name == name and each.distribution is not None:
            return (
                f"{each.distribution} {each.version} is in the environment, where pkl changes "
                f"nothing: python -m pip install --upgrade {each.distribution}"
            )
    return f"pkl info {name} shows which versions there are"


def _capped(lines: Sequence[str], full: bool) -> List[str]:
    if full or len(lines) <= DOZEN:
        return list(lines)
    left = len(lines) - DOZEN
    return [f"... {left} more lines before these; --full shows them", *lines[left:]]
