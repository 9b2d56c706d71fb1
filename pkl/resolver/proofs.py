"""What a refusal comes down to: a least set of facts that cannot go together."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from .clauses import BudgetSpent, Clause, Conflict
from .demands import Demands
from .search import Fact, Refusal
from .solve import Solver

__all__ = ["Clash", "clash", "core", "from_the_top"]

LARGEST = 200
"""Above so many facts a proof is not reduced."""
STEPS = 5_000
"""Narrowings that one attempt to do without a fact may take."""


class Clash(NamedTuple):
    """The two ends at which a refusal meets."""

    package: int
    """The package that both are about."""
    first: Fact
    """The conflict, or the demand for older versions."""
    second: Optional[Fact]
    """The demand for newer versions; None for a conflict."""


def core(refusal: Refusal) -> Tuple[Fact, ...]:
    """A set of facts of which none can be left out, by trying to do without each in turn.

    A proof of more than ``LARGEST`` facts is returned as it is.
    """
    kept = list(range(len(refusal.facts)))
    if len(kept) > LARGEST:
        return refusal.facts
    clauses, fixed, full = _renumbered(refusal)
    for number in reversed(range(len(refusal.facts))):
        without = [each for each in kept if each != number]
        if _impossible([clauses[each] for each in without], fixed, full):
            kept = without
    return tuple(refusal.facts[number] for number in kept)


def _renumbered(refusal: Refusal) -> Tuple[List[Clause], List[Clause], List[int]]:
    """The clauses of the facts, what is given beside them, and the domains, without gaps."""
    number: Dict[int, int] = {}
    full: List[int] = []

    def of(variable: int) -> int:
        if variable not in number:
            number[variable] = len(full)
            full.append(refusal.full[variable])
        return number[variable]

    clauses = [tuple((of(v), m) for v, m in terms) for terms in refusal.clauses]
    fixed: List[Clause] = [((of(v), refusal.full[v] & ~m),) for v, m in refusal.assumed]
    fixed.append(((of(refusal.variable), 1),))
    return clauses, fixed, full


def _impossible(clauses: Sequence[Clause], fixed: Sequence[Clause], full: Sequence[int]) -> bool:
    solver = Solver(full, _highest, _first, STEPS)
    for terms in (*clauses, *fixed):
        solver.add(terms)
    try:
        solver.run(())
    except Conflict:
        return True
    except BudgetSpent:
        pass
    return False


def _highest(_variable: int, mask: int) -> int:
    return 1 << (mask.bit_length() - 1)


def _first(_number: int, options: Sequence[Tuple[int, int]]) -> Tuple[int, int]:
    return min(options)


def clash(demands: Demands, facts: Sequence[Fact]) -> Optional[Clash]:
    """A conflict among the facts, or two demands on one package that no candidate meets."""
    alive = demands.problem.alive
    about: Dict[int, List[Fact]] = {}
    for fact in facts:
        link = [(p, mask & alive[p]) for p, mask in fact.demand.link if mask & alive[p]]
        if fact.conflict:
            return Clash(link[0][0] if link else fact.demand.link[0][0], fact, None)
        if len(link) == 1:
            about.setdefault(link[0][0], []).append(fact)
    for package in sorted(about):
        fits = [(_fitting(fact, package) & alive[package], fact) for fact in about[package]]
        for i, (one, first) in enumerate(fits):
            for other, second in fits[i + 1 :]:
                if not one & other:
                    older, newer = (first, second) if one < other else (second, first)
                    return Clash(package, older, newer)
    return None


def _fitting(fact: Fact, package: int) -> int:
    return next(mask for p, mask in fact.demand.link if p == package)


def from_the_top(package: int, facts: Sequence[Fact]) -> List[Fact]:
    """The facts in the order in which they are met from a package on, the others last."""
    by_package: Dict[int, List[Fact]] = {}
    for fact in facts:
        by_package.setdefault(fact.package, []).append(fact)
    ordered: List[Fact] = []
    seen: Set[int] = set()
    for start in [package, *sorted(by_package)]:
        pending = [start]
        for each in pending:
            if each in seen:
                continue
            seen.add(each)
            for fact in by_package.get(each, ()):
                ordered.append(fact)
                if not fact.conflict:
                    pending.extend(p for p, _mask in fact.demand.link)
    return ordered
