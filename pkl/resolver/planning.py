"""Candidates to plan: the one function that puts the steps of resolution together."""

from __future__ import annotations

import platform
from typing import Dict, List, Mapping, Optional, Sequence, Set, Tuple

from ..model.candidate import Candidate, Origin
from ..model.plan import Plan, Step
from ..model.requirement import Requirement
from ..model.state import Desired, Reason
from ..names import canonical, did_you_mean
from .choice import Choice
from .edges import graph_of
from .order import arrange
from .problem import Problem, Terms
from .reasons import Reasons
from .selection import Selection, select

__all__ = ["resolve"]


def resolve(
    candidates: Sequence[Candidate],
    *,
    roots: Optional[Sequence[str]] = None,
    host_version: Optional[str] = None,
    python_version: Optional[str] = None,
    desired: Optional[Mapping[str, Desired]] = None,
    locked: Optional[Mapping[str, str]] = None,
    running: Optional[Mapping[str, str]] = None,
    precedence: Sequence[str] = (),
    foreign: bool = False,
    steps: int = 200_000,
    environment: Optional[Mapping[str, str]] = None,
    prereleases: Optional[bool] = None,
) -> Plan:
    terms = Terms(
        host_version,
        python_version or platform.python_version(),
        desired or {},
        locked or {},
        running or {},
        _ranks(precedence),
        foreign,
        prereleases,
        environment,
    )
    problem = Problem(candidates, terms)
    choice = Choice(problem)
    wanted, unknown = _roots(problem, roots)
    packages = list(range(len(problem.names)))
    problem.read(packages)
    selection = select(problem, choice, packages, wanted)
    layer, notes = _layers(problem, selection)
    reasons = Reasons(problem, choice)
    blocked = _blocked(problem, reasons, packages, selection, roots is None)
    for name in unknown:
        blocked[name] = _unknown(name, problem)
    ordered = sorted(selection.chosen, key=lambda package: (layer[package], package))
    waves: List[List[int]] = []
    for package in ordered:
        if layer[package] == len(waves):
            waves.append([])
        waves[-1].append(package)
    return Plan(
        steps=tuple(_step(problem, selection, package, layer[package]) for package in ordered),
        blocked={name: blocked[name] for name in sorted(blocked)},
        graph=graph_of(problem, choice, packages, selection, blocked, waves),
        notes=tuple(dict.fromkeys(problem.notes + notes)),
    )


def _ranks(precedence: Sequence[str]) -> Dict[str, int]:
    ranks: Dict[str, int] = {}
    for rank, each in enumerate(precedence):
        ranks.setdefault(each, rank)
        ranks.setdefault(canonical(each), rank)
    return ranks


def _roots(problem: Problem, roots: Optional[Sequence[str]]) -> Tuple[List[int], List[str]]:
    """The packages to start, and the names among the roots that nothing has."""
    if roots is None:
        desired = problem.terms.desired
        return [
            package
            for package, group in enumerate(problem.candidates)
            if desired.get(problem.names[package], Desired.ENABLED) is Desired.ENABLED
            and any(c.origin is not Origin.REGISTRY for c in group)
        ], []
    found: Set[int] = set()
    unknown: Set[str] = set()
    for name in roots:
        package = problem.index.get(name)
        if package is None and not problem.terms.foreign:
            package = problem.index.get(canonical(name))
        if package is None:
            unknown.add(name)
        else:
            found.add(package)
    return sorted(found), sorted(unknown)


def _layers(problem: Problem, selection: Selection) -> Tuple[Dict[int, int], List[str]]:
    """The layer of every chosen package, and a note for each soft edge that was cut."""
    packages = list(selection.chosen)
    number = {package: i for i, package in enumerate(packages)}
    requires = [{number[other] for _, other in selection.requires[p]} for p in packages]
    wants = [{number[other] for _, other in selection.wants[p]} for p in packages]
    after: List[Set[int]] = [set() for _ in packages]
    said: Dict[Tuple[int, int], Tuple[int, str, Requirement]] = {}
    for i, package in enumerate(packages):
        metadata = problem.candidates[package][selection.chosen[package]].metadata
        for requirement in metadata.after:
            for j in _planned(problem, selection, number, requirement):
                after[i].add(j)
                said.setdefault((i, j), (package, "after", requirement))
        for requirement in metadata.before:
            for j in _planned(problem, selection, number, requirement):
                after[j].add(i)
                said.setdefault((j, i), (package, "before", requirement))
    layer, cuts = arrange((requires, wants, after))
    notes: List[str] = []
    for cut in cuts:
        who, kind, text = packages[cut.node], "wants", problem.names[packages[cut.target]]
        if cut.strength == 2:
            who, kind, requirement = said[cut.node, cut.target]
            text = requirement.text
        notes.append(f"{problem.names[who]}: {kind} {text!r} is not kept; it would close a circle")
    return {package: layer[i] for i, package in enumerate(packages)}, notes


def _planned(
    problem: Problem, selection: Selection, number: Mapping[int, int], requirement: Requirement
) -> List[int]:
    demand = problem.demand(requirement)
    if demand is None:
        return []
    chosen = selection.chosen
    return [number[p] for p, mask in demand.link if p in chosen and mask & (2 << chosen[p])]


def _blocked(
    problem: Problem,
    reasons: Reasons,
    packages: Sequence[int],
    selection: Selection,
    everything: bool,
) -> Dict[str, Reason]:
    blocked: Dict[str, Reason] = {}
    for package in packages:
        if package in selection.chosen:
            continue
        if not problem.alive[package]:
            blocked[problem.names[package]] = reasons.of(package)
        elif everything:
            name = problem.names[package]
            text = f"{name} is disabled, and nothing that starts requires it"
            blocked[name] = Reason("disabled", text, f"{name} is disabled", f"pkl enable {name}")
    return blocked


def _unknown(name: str, problem: Problem) -> Reason:
    text = f"there is no plugin {name}"
    guess = did_you_mean(name, problem.names)
    message = f"{text}; did you mean {guess}?" if guess else text
    return Reason("missing", message, text, f"pkl install {name}")


def _step(problem: Problem, selection: Selection, package: int, layer: int) -> Step:
    bindings = {demand.name: problem.names[p] for demand, p in selection.requires[package]}
    for demand, p in selection.wants[package]:
        bindings.setdefault(demand.name, problem.names[p])
    candidate = problem.candidates[package][selection.chosen[package]]
    return Step(problem.names[package], candidate, layer, bindings)
