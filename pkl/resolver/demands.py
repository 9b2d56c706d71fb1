"""What each candidate asks of others: requirements linked to the candidates that fit them."""

from __future__ import annotations

from typing import Dict, Iterable, List, Optional, Sequence, Set, Tuple

from ..model.candidate import Candidate, Origin
from ..model.requirement import Requirement, specifier_contains
from .distributions import Carriers
from .nogoods import Exclusion
from .problem import Demand, Link, Out, Problem, is_prerelease

__all__ = ["Demands", "Rows"]

Rows = Sequence[Tuple[Demand, ...]]
"""The demands of each candidate of a package, by position; empty if there are none at all."""


class Demands:
    """The demands of every package that was read.

    Attributes:
        requires: By package and position, what each candidate requires.
        wants: Likewise what it wants.
        conflicts: Likewise what it conflicts with.
        exclusions: What may not be chosen together beside that.
    """

    def __init__(self, problem: Problem, exclusions: Sequence[Exclusion] = ()) -> None:
        count = len(problem.names)
        self.problem = problem
        self.exclusions = exclusions
        self.requires: List[Rows] = [()] * count
        self.wants: List[Rows] = [()] * count
        self.conflicts: List[Rows] = [()] * count
        self._shared: Dict[str, Optional[Demand]] = {}
        self._carriers = Carriers(problem)

    def read(self, packages: Iterable[int]) -> None:
        """Works out what the candidates of these packages ask for."""
        candidates = self.problem.candidates
        for package in packages:
            group = candidates[package]
            for each in group:
                metadata = each.metadata
                if metadata.requires or each.requires_dist:
                    self.requires[package] = [
                        self._required(package, i, c) for i, c in enumerate(group)
                    ]
                    break
            for each in group:
                if each.metadata.wants:
                    self.wants[package] = [
                        self._all(package, i, c, c.metadata.wants) for i, c in enumerate(group)
                    ]
                    break
            for each in group:
                if each.metadata.conflicts:
                    self.conflicts[package] = [self._conflicting(package, c) for c in group]
                    break

    def within(self, roots: Iterable[int]) -> List[int]:
        """The packages that the roots can reach by what any candidate of any version asks for."""
        problem = self.problem
        seen: Set[int] = set(roots)
        pending = sorted(seen)
        for package in pending:
            for candidate in problem.candidates[package]:
                metadata = candidate.metadata
                for asked in (metadata.requires, metadata.wants):
                    for requirement in asked:
                        for other in self._named(requirement.name):
                            if other not in seen:
                                seen.add(other)
                                pending.append(other)
        return sorted(seen)

    def _named(self, name: str) -> List[int]:
        problem = self.problem
        found = [p for p, _position, _version in problem.providers.get(name, ())]
        package = problem.index.get(name)
        return found if package is None else [package, *found]

    def demand(self, requirement: Requirement) -> Optional[Demand]:
        """What can serve the requirement, or None if its marker does not hold here."""
        text = requirement.text
        try:
            return self._shared[text]
        except KeyError:
            demand = None
            environment = self.problem.terms.environment
            if requirement.marker is None or requirement.applies(environment):
                demand = Demand(requirement, self.link(requirement))
            self._shared[text] = demand
            return demand

    def link(self, requirement: Requirement) -> Link:
        """The packages, and of each the candidates, that fit a requirement."""
        problem, name, specifier = self.problem, requirement.name, requirement.specifier
        package = problem.index.get(name)
        offers = problem.providers.get(name)
        mask = 0
        if package is not None:
            mask = self._fitting(package, specifier)
            if not offers:
                return ((package, mask),) if mask else ()
        found: Dict[int, int] = {package: mask} if package is not None and mask else {}
        for other, position, version in offers or ():
            if other != package and specifier_contains(specifier, version, True):
                found[other] = found.get(other, 0) | (2 << position)
        return tuple(found.items())

    def _fitting(self, package: int, specifier: str) -> int:
        if not specifier:
            return self.problem.everyone[package]
        mask = 0
        for position, each in enumerate(self.problem.candidates[package]):
            if specifier_contains(specifier, each.metadata.version, True):
                mask |= 2 << position
        return mask

    def _required(self, package: int, position: int, candidate: Candidate) -> Tuple[Demand, ...]:
        found: Tuple[Demand, ...] = ()
        if candidate.metadata.requires:
            found = self._all(package, position, candidate, candidate.metadata.requires)
        if candidate.requires_dist:
            if candidate.manifest_file is None and candidate.origin is Origin.ENTRY_POINT:
                return found + self._carriers.demands(package, candidate)
            return self._carriers.bounded(found, candidate)
        return found

    def _all(
        self,
        package: int,
        position: int,
        candidate: Candidate,
        requirements: Sequence[Requirement],
    ) -> Tuple[Demand, ...]:
        found: List[Demand] = []
        for requirement in requirements:
            if requirement.extras:
                self.problem.notes.append(
                    f"{candidate.name} {candidate.version}: the extras of {requirement.text!r} "
                    "are ignored; plugins have none"
                )
            demand = self.demand(requirement)
            if demand is None:
                continue
            for other, mask in demand.link:
                if other == package:
                    # What it provides itself it need not be given, and another version of
                    # itself cannot give it.
                    if not mask & (2 << position):
                        found.append(Demand(requirement, _without(demand.link, package)))
                    break
            else:
                found.append(demand)
        return tuple(found)

    def _conflicting(self, package: int, candidate: Candidate) -> Tuple[Demand, ...]:
        """What it conflicts with, itself never being a part of that."""
        found: List[Demand] = []
        for requirement in candidate.metadata.conflicts:
            demand = self.demand(requirement)
            if demand is None:
                continue
            link = _without(demand.link, package)
            if link:
                found.append(demand if link == demand.link else Demand(requirement, link))
        return tuple(found)

    def withhold_prereleases(self, packages: Sequence[int]) -> None:
        """Rules out the pre-releases that nobody asks for, where something else would do.

        Of one name they are taken if a requirement on it asks for one (its bound is one), if
        some requirement on it has nothing else that fits, or if there is nothing else. One that
        is locked, running or not from a registry is there already and is taken too, unless
        pre-releases are refused altogether.
        """
        problem = self.problem
        allowed = problem.terms.prereleases
        if allowed:
            return
        early: Dict[int, int] = {}
        for package in packages:
            mask = 0
            for position, each in enumerate(problem.candidates[package]):
                if is_prerelease(each.version) and not self._there(package, position):
                    mask |= 2 << position
            if mask & problem.alive[package]:
                early[package] = mask
        if not early:
            return
        asked = self._asked_for(packages, early) if allowed is None else set()
        for package, mask in early.items():
            if package not in asked and (allowed is False or problem.alive[package] & ~mask):
                for position in range(len(problem.candidates[package])):
                    if mask & (2 << position):
                        problem.rule_out(package, position, Out("prerelease-only"))

    def _there(self, package: int, position: int) -> bool:
        problem = self.problem
        locked, running, _rank = problem.standing(package, position)
        if not locked or not running:
            return True
        local = problem.candidates[package][position].origin is not Origin.REGISTRY
        return local and problem.terms.prereleases is None

    def _asked_for(self, packages: Sequence[int], early: Dict[int, int]) -> Set[int]:
        """The packages of which some requirement asks for, or only fits, a pre-release."""
        alive = self.problem.alive
        asked: Set[int] = set()
        seen: Set[int] = set()
        for package in packages:
            for rows in (self.requires[package], self.wants[package]):
                for row in rows:
                    for demand in row:
                        if id(demand) in seen:
                            continue
                        seen.add(id(demand))
                        early_only = not any(
                            alive[p] & mask & ~early.get(p, 0) for p, mask in demand.link
                        )
                        for other, mask in demand.link:
                            if mask & early.get(other, 0) and (
                                early_only or demand.requirement.asks_for_prereleases
                            ):
                                asked.add(other)
        return asked


def _without(link: Link, package: int) -> Link:
    return tuple(pair for pair in link if pair[0] != package)
