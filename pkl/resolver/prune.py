"""Rules out every candidate that cannot start whatever is chosen, each with its own reason.

What is left is arc consistent: each demand of a remaining candidate has a remaining candidate
that serves it. Where every name has one candidate and nothing conflicts, that is the answer.
"""

from __future__ import annotations

from typing import Dict, List, Sequence, Tuple

from .demands import Demands
from .problem import Demand, Out

__all__ = ["prune"]


def prune(demands: Demands, packages: Sequence[int]) -> None:
    """Rules out what has an unmet demand, then what needs it, until nothing changes.

    A fault of a candidate's own comes before one it inherits, so that its reason names the
    nearer of the two. The cost is one visit of each demand and, where something fell, one more
    for each candidate that relied on it.
    """
    problem = demands.problem
    alive, requires = problem.alive, demands.requires
    fallen: List[int] = []
    for package in packages:
        if alive[package] != problem.everyone[package]:
            fallen.append(package)
        for position, row in enumerate(requires[package]):
            for demand in row:
                if not demand.link and alive[package] & (2 << position):
                    problem.rule_out(package, position, Out("unmet", demand))
                    fallen.append(package)
    if not fallen:
        return
    users: Dict[int, List[Tuple[int, int, Demand]]] = {}
    for package in packages:
        for position, row in enumerate(requires[package]):
            for demand in row:
                for other, _mask in demand.link:
                    users.setdefault(other, []).append((package, position, demand))
    for other in fallen:
        for package, position, demand in users.get(other, ()):
            if alive[package] & (2 << position) and not any(
                alive[each] & mask for each, mask in demand.link
            ):
                problem.rule_out(package, position, Out("blocked", demand))
                fallen.append(package)
