"""Candidates to plan: the one function that puts the steps of resolution together."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Dict, List, Mapping, Optional, Sequence, Set, Tuple

from ..model.activation import waiting_steps
from ..model.candidate import Candidate
from ..model.plan import Plan, Step
from ..model.state import Desired, Reason
from ..names import canonical, did_you_mean, printable
from .choice import Choice
from .demands import Demands
from .edges import graph_of
from .explain import Explainer
from .nogoods import Nogood, exclusions, rule_out_single
from .problem import Out, Problem, Terms, is_prerelease, positions
from .reasons import Reasons
from .schedule import schedule
from .selection import Selection, select
from .words import LineOf, Words

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
    distributions: Optional[Mapping[str, Sequence[str]]] = None,
    line_of: Optional[LineOf] = None,
    nogoods: Sequence[Nogood] = (),
) -> Plan:
    """Chooses what is started, in which order, and why the rest is not.

    The same arguments give the same plan, whatever the order of the candidates, and however
    fast the machine is. Nothing is raised for what a plugin states; every fault is the reason
    of the plugins it holds up, and all others start.

    Args:
        candidates: Everything that was found, of any source.
        roots: The names to start; None for every plugin that is here and desired ``enabled``.
            Named roots are started even if disabled, but not if masked.
        host_version: What ``requires-host`` is held against; None leaves it unchecked.
        python_version: What ``requires-python`` is held against; None for the running Python.
        desired: What people want, by name; a name that is not there is ``enabled``.
        locked: Versions to be preferred to any other, by name.
        running: Versions to be preferred next, by name.
        precedence: Distributions or locations, the best first: they decide collisions, and
            come before the version where several candidates would do.
        foreign: Whether the candidates are of a group that is not pkl's: its names may be held
            by two distributions, nodes are called ``distribution:name``.
        steps: The narrowings of the solver that are granted for all that is searched.
        environment: Marker values that replace those of the running Python (PEP 508).
        prereleases: None takes pre-releases that are asked for or that alone would do; False
            refuses all but those locked or running; True treats them like any release.
        distributions: ``Requires-Dist`` of every distribution in the environment, by canonical
            name; with it, requirements are followed through distributions outside the group,
            and those on distributions that are not installed are ``missing``.
        line_of: Given a manifest's file and a requirement, the line it stands in or None; only
            explanations use it.
        nogoods: Candidates that may not all be chosen together, whatever their manifests say.

    Returns:
        The plan; ``Plan.explain`` words the proof of a refusal when it is asked.
    """
    terms = Terms(
        python_version or ".".join(map(str, sys.version_info[:3])),
        host_version,
        desired or {},
        locked or {},
        running or {},
        _ranks(precedence),
        foreign,
        prereleases,
        _environment(python_version, environment),
        distributions,
    )
    problem = Problem(candidates, terms)
    choice = Choice(problem)
    rule_out_single(problem, nogoods)
    demands = Demands(problem, exclusions(problem, nogoods))
    wanted, unknown = _roots(problem, roots)
    packages = _looked_at(demands, wanted)
    demands.read(packages)
    demands.withhold_prereleases(packages)
    selection = select(demands, choice, packages, wanted, steps)
    _rule_out_refused(demands, selection)
    layers, notes = schedule(demands, selection)
    words = Words(demands, line_of)
    reasons = Reasons(demands, choice, selection.refusals, words, steps)
    blocked = _blocked(demands, reasons, packages, selection, wanted, roots is None)
    for name in unknown:
        blocked[name] = _unknown(name, problem)
    notes = [*problem.notes, *_remarks(demands, selection), *notes]
    starting = [p for p in selection.chosen if problem.names[p] not in blocked]
    waves = _waves(layers, starting)
    planned = tuple(
        _step(problem, selection, package, layer)
        for layer, wave in enumerate(waves)
        for package in wave
    )
    names = [problem.names[package] for package in wanted]
    waiting = waiting_steps(planned, names, terms.running, roots is not None)
    plan = Plan(
        steps=planned,
        waiting=waiting,
        blocked={name: blocked[name] for name in sorted(blocked)},
        graph=graph_of(demands, choice, packages, selection, blocked, waves, waiting),
        notes=tuple(dict.fromkeys(printable(note) for note in notes)),
    )
    explainer = Explainer(demands, reasons, words, selection, plan)
    return replace(plan, explainer=explainer.explain)


def _ranks(precedence: Sequence[str]) -> Dict[str, int]:
    ranks: Dict[str, int] = {}
    for rank, each in enumerate(precedence):
        ranks.setdefault(each, rank)
        ranks.setdefault(canonical(each), rank)
    return ranks


def _environment(
    python_version: Optional[str], environment: Optional[Mapping[str, str]]
) -> Optional[Mapping[str, str]]:
    """The marker values, those of another Python where one was named."""
    if python_version is None:
        return environment
    release = ".".join(python_version.split(".")[:2])
    named = {"python_version": release, "python_full_version": python_version}
    return {**named, **(environment or {})}


def _roots(problem: Problem, roots: Optional[Sequence[str]]) -> Tuple[List[int], List[str]]:
    """The packages to start, and the names among the roots that nothing has."""
    desired = problem.terms.desired
    if roots is None:
        return [
            package
            for package, name in enumerate(problem.names)
            if desired.get(name, Desired.ENABLED) is Desired.ENABLED
            and (problem.here(package) or name in desired)
        ], []
    found: Set[int] = set()
    unknown: Set[str] = set()
    for name in roots:
        packages = problem.find(name)
        found.update(packages)
        if not packages:
            unknown.add(name)
    return sorted(found), sorted(unknown)


def _looked_at(demands: Demands, roots: Sequence[int]) -> Sequence[int]:
    """All that is here, and of a registry what the roots can reach."""
    problem = demands.problem
    local = [package for package in range(len(problem.names)) if problem.here(package)]
    if len(local) == len(problem.names):
        return local
    return demands.within([*local, *roots])


def _rule_out_refused(demands: Demands, selection: Selection) -> None:
    """Gives what the search left out its reason: another that is out, or the proof.

    The refusals stand in the order in which they were decided, so that what a package needs has
    its reason before the package.
    """
    problem = demands.problem
    for package in selection.refusals:
        rows = demands.requires[package]
        for position in list(positions(problem.alive[package])):
            out = Out("refused")
            for demand in rows[position] if rows else ():
                if not any(problem.alive[p] & mask for p, mask in demand.link):
                    out = Out("blocked", demand)
                    break
            problem.outs.setdefault((package, position), out)
        problem.rule_out_all(package, Out("refused"))
    for package in selection.undecided:
        problem.rule_out_all(package, Out("budget"))


def _blocked(
    demands: Demands,
    reasons: Reasons,
    packages: Sequence[int],
    selection: Selection,
    roots: Sequence[int],
    everything: bool,
) -> Dict[str, Reason]:
    """The reason of everything that was asked for, required or here, and does not start."""
    problem = demands.problem
    demanded = _demanded(demands, roots)
    blocked: Dict[str, Reason] = {}
    for package in packages:
        name = problem.names[package]
        if package in problem.colliding:
            other = problem.candidates[package][0].name
            alike = [
                (p, 0) for p in sorted(problem.colliding) if problem.candidates[p][0].name == other
            ]
            blocked[name] = reasons.collision(other, alike)
        elif package in selection.chosen:
            continue
        elif package in demanded:
            if not problem.alive[package]:
                blocked[name] = reasons.of(package)
        elif everything and problem.here(package):
            out = problem.outs.get((package, 0))
            if out is not None and (out.reason is not None or out.code in ("masked", "collision")):
                blocked[name] = reasons.of(package)
            else:
                text = f"{name} is disabled"
                message = f"{text}, and nothing that starts requires it"
                blocked[name] = Reason("disabled", message, text, f"pkl enable {name}")
    return blocked


def _demanded(demands: Demands, roots: Sequence[int]) -> Set[int]:
    """The roots and all that could serve what any of them requires, down to the last."""
    found = set(roots)
    pending = list(roots)
    for package in pending:
        for row in demands.requires[package]:
            for demand in row:
                for other, _mask in demand.link:
                    if other not in found:
                        found.add(other)
                        pending.append(other)
    return found


def _unknown(name: str, problem: Problem) -> Reason:
    text = f"there is no plugin {name}"
    guess = did_you_mean(name, problem.names)
    message = f"{text}; did you mean {guess}?" if guess else text
    return Reason("missing", printable(message), printable(text), printable(f"pkl install {name}"))


def _remarks(demands: Demands, selection: Selection) -> List[str]:
    """Notes on what is wanted but out of bounds, and on pre-releases that were taken."""
    problem, chosen = demands.problem, selection.chosen
    early = {p for p, i in chosen.items() if is_prerelease(problem.candidates[p][i].version)}
    notes: List[str] = []
    for package, position in chosen.items():
        rows = demands.wants[package]
        for demand in rows[position] if rows else ():
            other = problem.index.get(demand.name)
            if other is None or any(other == served for _, served in selection.wants[package]):
                continue
            there = problem.candidates[other][chosen.get(other, -1)].version
            fits = any(p == other and m & (2 << chosen.get(other, 0)) for p, m in demand.link)
            if not demand.link or (other in chosen and not fits):
                notes.append(
                    f"{problem.names[package]}: wants {demand.text}, and {demand.name} {there} "
                    "is out of bounds; it goes without"
                )
        for demand, served in selection.requires[package] if early else ():
            if served in early and not demand.requirement.asks_for_prereleases:
                version = problem.candidates[served][chosen[served]].version
                notes.append(
                    f"{problem.names[package]}: requires {demand.text}, and of what there is "
                    f"only a pre-release fits, {problem.names[served]} {version}"
                )
    return notes


def _waves(layers: Mapping[int, int], packages: Sequence[int]) -> List[List[int]]:
    waves: List[List[int]] = [[] for _ in range(max(layers.values(), default=-1) + 1)]
    for package in packages:
        waves[layers[package]].append(package)
    return [wave for wave in waves if wave]


def _step(problem: Problem, selection: Selection, package: int, layer: int) -> Step:
    bindings = {demand.name: problem.names[p] for demand, p in selection.requires[package]}
    for demand, p in selection.wants[package]:
        bindings.setdefault(demand.name, problem.names[p])
    candidate = problem.candidates[package][selection.chosen[package]]
    return Step(problem.names[package], candidate, layer, bindings)
