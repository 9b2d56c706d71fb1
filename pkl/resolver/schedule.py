"""The waves in which the chosen plugins start, and the soft edges that were cut for that."""

from __future__ import annotations

from typing import Dict, List, Mapping, Sequence, Set, Tuple

from ..model.requirement import Requirement
from .demands import Demands
from .order import arrange
from .selection import Selection

__all__ = ["schedule"]

WANTS, ORDERING = 1, 2
"""How soft an edge is, as ``arrange`` counts it: ``requires`` is 0."""


def schedule(demands: Demands, selection: Selection) -> Tuple[Dict[int, int], List[str]]:
    """The layer of every chosen package, and a note for each soft edge that was cut.

    Of a circle closed by ``wants``, ``after`` and ``before`` an ordering is cut before a want.
    """
    problem = demands.problem
    packages = list(selection.chosen)
    number = {package: i for i, package in enumerate(packages)}
    requires = [{number[other] for _, other in selection.requires[p]} for p in packages]
    wants = [{number[other] for _, other in selection.wants[p]} for p in packages]
    after: List[Set[int]] = [set() for _ in packages]
    said: Dict[Tuple[int, int], str] = {}
    for i, package in enumerate(packages):
        metadata = problem.candidates[package][selection.chosen[package]].metadata
        name = problem.names[package]
        for requirement in metadata.after:
            for j in _planned(demands, selection, number, requirement):
                after[i].add(j)
                said.setdefault((i, j), f"{name}: after {requirement.text!r}")
        for requirement in metadata.before:
            for j in _planned(demands, selection, number, requirement):
                after[j].add(i)
                said.setdefault((j, i), f"{name}: before {requirement.text!r}")
    layer, cuts = arrange((requires, wants, after))
    notes: List[str] = []
    for cut in cuts:
        what = said.get((cut.node, cut.target), "")
        if cut.strength == WANTS:
            who, other = packages[cut.node], packages[cut.target]
            what = f"{problem.names[who]}: wants {_text(selection, who, other)!r}"
        notes.append(f"{what} does not order the start; it would close a circle")
    return {package: layer[i] for i, package in enumerate(packages)}, notes


def _planned(
    demands: Demands, selection: Selection, number: Mapping[int, int], requirement: Requirement
) -> Sequence[int]:
    demand = demands.demand(requirement)
    if demand is None:
        return ()
    chosen = selection.chosen
    return [number[p] for p, mask in demand.link if p in chosen and mask & (2 << chosen[p])]


def _text(selection: Selection, package: int, other: int) -> str:
    return next(demand.text for demand, served in selection.wants[package] if served == other)
