"""Which candidates are started: everything that is asked for, and what that pulls in.

Most of a real host needs no search: one candidate a name, one provider a capability, nothing in
conflict. That part is taken by following the edges. Only the connected parts in which there is
something to choose go to the solver, each by itself.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, NamedTuple, Sequence, Set, Tuple

from ..model.state import Desired
from .choice import Choice
from .demands import Demands, Rows
from .order import circles
from .problem import Demand, Out, positions
from .prune import prune
from .search import Refusal, search

__all__ = ["Bound", "Selection", "select"]

SHARE = 20
"""What part of the budget each part of the problem has at least, whatever the others took."""

Bound = List[Tuple[Demand, int]]
"""Demands, each with the package that serves it."""


class Selection(NamedTuple):
    """What is started and what it is bound to.

    Attributes:
        chosen: Position of the chosen candidate, by package, in the order of packages.
        requires: For each chosen package its demands with the package that serves each.
        wants: Likewise for what it wants, as far as it is there.
        cycles: Components of packages that require each other; all of them are ruled out.
        refusals: Why roots are not started that have a candidate left.
        undecided: Roots of which the budget left nothing known.
        spent: The narrowings of the solver in all.
    """

    chosen: Dict[int, int]
    requires: Dict[int, Bound]
    wants: Dict[int, Bound]
    cycles: List[List[int]]
    refusals: Dict[int, Refusal]
    undecided: Set[int]
    spent: int


def select(
    demands: Demands, choice: Choice, packages: Sequence[int], roots: Sequence[int], steps: int
) -> Selection:
    """Chooses, binds, and rules out hard cycles until there is none left."""
    cycles: List[List[int]] = []
    wanted = set(roots)
    spent = 0
    while True:
        prune(demands, packages)
        parts = _parts(demands, packages)
        searched = {package for part in parts for package in part}
        chosen = _closure(demands, choice, [root for root in roots if root not in searched])
        refusals: Dict[int, Refusal] = {}
        undecided: Set[int] = set()
        for part in sorted(parts, key=lambda each: (len(each), each)):
            asked = [p for p in part if p in wanted and demands.problem.alive[p]]
            if not asked:
                continue
            answer = search(demands, choice, part, asked, max(steps - spent, steps // SHARE))
            chosen.update(answer.chosen)
            refusals.update(answer.refusals)
            undecided.update(answer.undecided)
            spent += answer.spent
        chosen = {package: chosen[package] for package in sorted(chosen)}
        requires = {p: _bound(choice, chosen, p, demands.requires[p]) for p in chosen}
        found = _cycles(chosen, requires)
        if not found:
            wants = {p: _bound(choice, chosen, p, demands.wants[p]) for p in chosen}
            return Selection(chosen, requires, wants, sorted(cycles), refusals, undecided, spent)
        turned = [members for members in found if _turned_outward(demands, chosen, members)]
        if not turned:
            cycles.extend(found)
            for members in found:
                out = Out("cycle", others=tuple(members))
                for package in members:
                    demands.problem.rule_out_all(package, out)


def _parts(demands: Demands, packages: Sequence[int]) -> List[List[int]]:
    """The connected parts in which a choice has to be made."""
    alive = demands.problem.alive
    seeds: Set[int] = set()
    inside = set(packages)
    for package in packages:
        left = alive[package]
        if left & (left - 1):
            seeds.add(package)
        if not left:
            continue
        for rows in (demands.requires[package], demands.wants[package]):
            for row in rows:
                for demand in row:
                    if len(demand.link) > 1 and sum(1 for p, m in demand.link if alive[p] & m) > 1:
                        seeds.add(package)
        for row in demands.conflicts[package]:
            if any(alive[p] & m and p in inside for demand in row for p, m in demand.link):
                seeds.add(package)
    excluded = [
        [package for package, _mask in each.terms]
        for each in demands.exclusions
        if all(p in inside and alive[p] & mask for p, mask in each.terms)
    ]
    seeds.update(package for each in excluded for package in each)
    if not seeds:
        return []
    beside: Dict[int, Set[int]] = {package: set() for package in packages if alive[package]}
    for package, neighbours in beside.items():
        for other in _linked(demands, package):
            if other in inside:
                neighbours.add(other)
                beside[other].add(package)
    for first, *others in excluded:
        beside[first].update(others)
        for other in others:
            beside[other].add(first)
    parts: List[List[int]] = []
    seen: Set[int] = set()
    for seed in sorted(seeds):
        if seed not in seen:
            seen.add(seed)
            part = [seed]
            for package in part:
                fresh = beside[package] - seen
                seen |= fresh
                part.extend(fresh)
            parts.append(sorted(part))
    return parts


def _linked(demands: Demands, package: int) -> Iterable[int]:
    alive = demands.problem.alive
    for table in (demands.requires, demands.wants, demands.conflicts):
        rows = table[package]
        for position in positions(alive[package]) if rows else ():
            for demand in rows[position]:
                for other, mask in demand.link:
                    if alive[other] & mask:
                        yield other


def _closure(demands: Demands, choice: Choice, roots: Iterable[int]) -> Dict[int, int]:
    """The roots that are left, what they require, and what is wanted and may be pulled in."""
    problem = demands.problem
    alive, desired = problem.alive, problem.terms.desired
    chosen: Dict[int, int] = {}
    pending = [package for package in roots if alive[package]]
    for package in pending:
        if package in chosen:
            continue
        position = choice.best(package, alive[package])
        chosen[package] = position
        rows = demands.requires[package]
        for demand in rows[position] if rows else ():
            pending.extend(other for other, mask in demand.link if alive[other] & mask)
        rows = demands.wants[package]
        for demand in rows[position] if rows else ():
            for other, mask in demand.link:
                if (
                    alive[other] & mask & problem.here(other)
                    and desired.get(problem.names[other]) is not Desired.DISABLED
                ):
                    pending.append(other)
    return chosen


def _bound(choice: Choice, chosen: Dict[int, int], package: int, rows: Rows) -> Bound:
    """The demands of a chosen candidate with the chosen package that serves each best."""
    bound: Bound = []
    for demand in rows[chosen[package]] if rows else ():
        link = demand.link
        if len(link) == 1:
            other, mask = link[0]
            if other in chosen and mask & (2 << chosen[other]):
                bound.append((demand, other))
        else:
            offers = [(p, chosen[p]) for p, m in link if p in chosen and m & (2 << chosen[p])]
            if offers:
                bound.append((demand, choice.provider(demand, offers)[0]))
    return bound


def _cycles(chosen: Dict[int, int], requires: Dict[int, Bound]) -> List[List[int]]:
    packages = list(chosen)
    number = {package: i for i, package in enumerate(packages)}
    needs = [{number[other] for _, other in requires[package]} for package in packages]
    return [[packages[i] for i in members] for members in circles(needs)]


def _turned_outward(demands: Demands, chosen: Dict[int, int], members: Sequence[int]) -> bool:
    """Takes providers out of a circle where others would do; whether there were any."""
    alive = demands.problem.alive
    inside = set(members)
    turned = False
    for package in members:
        rows = list(demands.requires[package])
        row: List[Demand] = []
        for demand in rows[chosen[package]]:
            rest = tuple((p, m) for p, m in demand.link if p not in inside and alive[p] & m)
            if rest and len(rest) < sum(1 for p, m in demand.link if alive[p] & m):
                demand = Demand(demand.requirement, rest, text=demand.text)
                turned = True
            row.append(demand)
        rows[chosen[package]] = tuple(row)
        demands.requires[package] = rows
    return turned
