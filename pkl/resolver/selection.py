"""Which candidates are started: everything that is asked for and what that pulls in."""

from __future__ import annotations

from typing import Dict, Iterable, List, NamedTuple, Sequence, Tuple

from ..model.state import Desired
from .choice import Choice
from .order import components
from .problem import Demand, Out, Problem, positions
from .prune import prune

__all__ = ["Selection", "select"]


class Selection(NamedTuple):
    """What is started and what it is bound to.

    Attributes:
        chosen: Position of the chosen candidate, by package, in the order of packages.
        requires: For each chosen package its demands with the package that serves each.
        wants: Likewise for what it wants, as far as it is there.
        cycles: Components of packages that require each other; all of them are ruled out.
    """

    chosen: Dict[int, int]
    requires: Dict[int, List[Tuple[Demand, int]]]
    wants: Dict[int, List[Tuple[Demand, int]]]
    cycles: List[List[int]]


def select(
    problem: Problem, choice: Choice, packages: Sequence[int], roots: Sequence[int]
) -> Selection:
    """Chooses, binds, and rules out hard cycles until there is none left."""
    cycles: List[List[int]] = []
    prune(problem, packages)
    while True:
        chosen = _closure(problem, choice, roots)
        requires = {p: _bound(problem, choice, chosen, p, problem.requires) for p in chosen}
        circles = _cycles(chosen, requires)
        if not circles:
            wants = {
                p: _bound(problem, choice, chosen, p, problem.wants) if problem.wants[p] else []
                for p in chosen
            }
            return Selection(chosen, requires, wants, sorted(cycles))
        for members in circles:
            cycles.append(members)
            for package in members:
                for position in positions(problem.alive[package]):
                    problem.rule_out(package, position, Out("cycle", others=tuple(members)))
        prune(problem, packages)


def _closure(problem: Problem, choice: Choice, roots: Iterable[int]) -> Dict[int, int]:
    """The roots that are left, what they require, and what is wanted and may be pulled in."""
    alive, desired = problem.alive, problem.terms.desired
    chosen: Dict[int, int] = {}
    pending = [package for package in roots if alive[package]]
    for package in pending:
        if package in chosen:
            continue
        position = choice.best(package, alive[package])
        chosen[package] = position
        for demand in problem.requires[package][position] if problem.requires[package] else ():
            pending.extend(other for other, mask in demand.link if alive[other] & mask)
        for demand in problem.wants[package][position] if problem.wants[package] else ():
            for other, mask in demand.link:
                if alive[other] & mask and (
                    desired.get(problem.names[other]) is not Desired.DISABLED
                ):
                    pending.append(other)
    return {package: chosen[package] for package in sorted(chosen)}


def _bound(
    problem: Problem,
    choice: Choice,
    chosen: Dict[int, int],
    package: int,
    table: Sequence[Sequence[Tuple[Demand, ...]]],
) -> List[Tuple[Demand, int]]:
    bound: List[Tuple[Demand, int]] = []
    for demand in table[package][chosen[package]]:
        link = demand.link
        if len(link) == 1:
            other, mask = link[0]
            if other in chosen and mask & (2 << chosen[other]):
                bound.append((demand, other))
            continue
        offers = [(p, chosen[p]) for p, m in link if p in chosen and m & (2 << chosen[p])]
        if offers:
            bound.append((demand, choice.provider(demand, offers)))
    return bound


def _cycles(
    chosen: Dict[int, int], requires: Dict[int, List[Tuple[Demand, int]]]
) -> List[List[int]]:
    packages = list(chosen)
    number = {package: i for i, package in enumerate(packages)}
    needs = [{number[other] for _, other in requires[package]} for package in packages]
    return [[packages[i] for i in members] for members in components(needs)]
