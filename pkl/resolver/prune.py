"""Rules out every candidate that cannot start whatever is chosen, each with its own reason.

What is left is arc consistent: each demand of a remaining candidate has a remaining candidate
that serves it. Where every name has one candidate and nothing conflicts, that is the answer.
"""

from __future__ import annotations

from typing import Dict, List, Sequence, Tuple

from .problem import Demand, Link, Out, Problem

__all__ = ["met", "prune"]


def met(problem: Problem, link: Link) -> bool:
    """Whether a candidate that is left can serve the link."""
    alive = problem.alive
    return any(alive[package] & mask for package, mask in link)


def prune(problem: Problem, packages: Sequence[int]) -> None:
    """Rules out what has an unmet demand, then what needs it, until nothing changes.

    A fault of a candidate's own comes before one it inherits, so that its reason names the
    nearer of the two. The cost is one visit of each demand and, where something fell, one more
    for each candidate that relied on it.
    """
    alive = problem.alive
    fallen: List[int] = []
    for package in packages:
        if alive[package] != problem.everyone[package]:
            fallen.append(package)
        for position, demands in enumerate(problem.requires[package]):
            for demand in demands:
                if not demand.link and alive[package] & (2 << position):
                    problem.rule_out(package, position, Out("unmet", demand))
                    fallen.append(package)
    if not fallen:
        return
    users: Dict[int, List[Tuple[int, int, Demand]]] = {}
    for package in packages:
        for position, demands in enumerate(problem.requires[package]):
            for demand in demands:
                for other, _mask in demand.link:
                    users.setdefault(other, []).append((package, position, demand))
    for other in fallen:
        for package, position, demand in users.get(other, ()):
            if alive[package] & (2 << position) and not met(problem, demand.link):
                others = tuple(pair[0] for pair in demand.link)
                problem.rule_out(package, position, Out("blocked", demand, others))
                fallen.append(package)
