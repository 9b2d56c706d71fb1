"""What was learned elsewhere: candidates that may not all be chosen together, as clauses.

An installer finds out that the libraries of two plugins do not fit together; the plugins' own
manifests say nothing of it. Such a set is a clause like any other, over as many packages as it
takes.
"""

from __future__ import annotations

from typing import FrozenSet, Iterable, List, NamedTuple, Optional, Tuple

from ..model.requirement import Requirement, version_key
from ..model.state import Reason
from .clauses import Clause
from .problem import Demand, Out, Problem

__all__ = ["Exclusion", "Nogood", "exclusions", "rule_out_single"]


class Nogood(NamedTuple):
    """Candidates that may not all be chosen together.

    Attributes:
        terms: Names, each with the versions of it that are meant; of different names.
        why: What speaks against it, in a few words.
    """

    terms: Tuple[Tuple[str, FrozenSet[str]], ...]
    why: str = ""


class Exclusion(NamedTuple):
    """A nogood of several names over the packages of a problem.

    Attributes:
        terms: Packages, each with the set of its candidates.
        demand: The same as what the first conflicts with, for explanations.
    """

    terms: Clause
    demand: Demand


def exclusions(problem: Problem, nogoods: Iterable[Nogood]) -> Tuple[Exclusion, ...]:
    """The nogoods of several names; those about candidates that are not there hold anyway."""
    found: List[Exclusion] = []
    for nogood in nogoods:
        terms = _terms(problem, nogood)
        if terms is not None and len(terms) > 1:
            found.append(Exclusion(terms, _as_demand(problem, nogood, terms)))
    return tuple(found)


def rule_out_single(problem: Problem, nogoods: Iterable[Nogood]) -> None:
    """Takes out the candidates that a nogood of one name is about."""
    for nogood in nogoods:
        terms = _terms(problem, nogood)
        if terms is None or len(terms) != 1:
            continue
        ((package, mask),) = terms
        for position, each in enumerate(problem.candidates[package]):
            if mask & (2 << position):
                text = f"{each.name} {each.version} cannot be had: {nogood.why}"
                reason = Reason("unsatisfied", text, text, "pkl upgrade")
                problem.rule_out(package, position, Out("unsatisfied", reason=reason))


def _terms(problem: Problem, nogood: Nogood) -> Optional[Clause]:
    """Its terms as sets of candidates; None if one of them can never hold."""
    terms: List[Tuple[int, int]] = []
    for name, versions in nogood.terms:
        package = problem.index.get(name)
        if package is None:
            return None
        keys = {version_key(each) for each in versions}
        mask = 0
        for position, each in enumerate(problem.candidates[package]):
            if version_key(each.version) in keys:
                mask |= 2 << position
        if not mask:
            return None
        terms.append((package, mask))
    return tuple(terms)


def _as_demand(problem: Problem, nogood: Nogood, terms: Clause) -> Demand:
    others = nogood.terms[1:]
    text = " and ".join(_spanned(name, versions) for name, versions in others)
    if len(others) > 1:
        text += " together"
    if nogood.why:
        text = f"{text}: {nogood.why}"
    name = others[0][0]
    requirement = Requirement(text, name, name, "", None, ())
    return Demand(requirement, terms[1:], learned=True)


def _spanned(name: str, versions: FrozenSet[str]) -> str:
    ordered = sorted(versions, key=version_key)
    if len(ordered) == 1:
        return f"{name} {ordered[0]}"
    return f"{name} {ordered[0]} to {ordered[-1]}"
