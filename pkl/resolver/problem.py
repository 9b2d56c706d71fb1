"""The problem: which candidates there are for each name, and what each of them asks of others.

Every name that can be chosen is a *package*, numbered in the order of the names. Its candidates
stand in ascending order of version, and a set of them is an integer: bit ``i + 1`` is the
candidate at position ``i``, bit 0 means that none is chosen.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ..model.candidate import Candidate, Origin
from ..model.requirement import Requirement, is_version, specifier_contains, version_key
from ..model.state import Desired, Reason
from ..names import canonical

__all__ = ["ABSENT", "Demand", "Link", "Out", "Problem", "Terms", "positions"]

ABSENT = 1
"""The set that holds only "none is chosen"."""

Link = Tuple[Tuple[int, int], ...]
"""What can serve a demand: packages, each with the set of its candidates that fit."""


class Terms(NamedTuple):
    """What the caller of ``resolve`` lays down beside the candidates."""

    host_version: Optional[str]
    python_version: str
    desired: Mapping[str, Desired]
    locked: Mapping[str, str]
    running: Mapping[str, str]
    precedence: Mapping[str, int]
    """Rank by canonical distribution name or by location; lower is better."""
    foreign: bool
    prereleases: Optional[bool]
    environment: Optional[Mapping[str, str]]


class Demand:
    """One requirement and what can serve it; shared by all who state it in the same words."""

    __slots__ = ("link", "name", "of_distribution", "requirement", "text", "withheld")

    def __init__(
        self,
        requirement: Requirement,
        link: Link,
        *,
        text: str = "",
        of_distribution: bool = False,
        withheld: bool = False,
    ) -> None:
        self.requirement = requirement
        self.name = requirement.name
        self.text = text or requirement.text
        self.link = link
        self.of_distribution = of_distribution
        self.withheld = withheld
        """Whether pre-releases that would fit were refused."""


class Out(NamedTuple):
    """Why one candidate cannot be chosen, whatever else is."""

    code: str
    demand: Optional[Demand] = None
    """The demand of the candidate that cannot be met."""
    others: Tuple[int, ...] = ()
    """The packages that are at fault, such as those of a cycle; the first stands for all."""
    reason: Optional[Reason] = None
    """What discovery had found already."""


def positions(mask: int) -> Iterable[int]:
    """The positions of the candidates in a set, ascending."""
    mask >>= 1
    position = 0
    while mask:
        if mask & 1:
            yield position
        mask >>= 1
        position += 1


class Problem:
    """Candidates by package, what is left of them, and what they ask of each other.

    Attributes:
        names: The packages in order: names, or ``distribution:name`` where a foreign group has
            a name twice.
        index: Package by name.
        candidates: The candidates of each package, in ascending order of version.
        everyone: The set of all candidates of each package.
        alive: The candidates of each package that have not been ruled out.
        outs: Why a candidate was ruled out, by package and position.
        providers: By capability: package, position and version of each candidate with it.
        requires: What each candidate requires, by package and position, once ``read``.
        wants: What each candidate wants, likewise.
        notes: Remarks that the reading gave rise to.
    """

    def __init__(self, candidates: Sequence[Candidate], terms: Terms) -> None:
        self.terms = terms
        self.names: List[str] = []
        self.index: Dict[str, int] = {}
        self.candidates: List[Tuple[Candidate, ...]] = []
        self.everyone: List[int] = []
        self.alive: List[int] = []
        self.outs: Dict[Tuple[int, int], Out] = {}
        self.providers: Dict[str, List[Tuple[int, int, str]]] = {}
        self.notes: List[str] = []
        self._demands: Dict[str, Optional[Demand]] = {}
        self._releases: Dict[int, int] = {}
        groups = _grouped(candidates, terms.foreign)
        for name in sorted(groups):
            self._add(name, groups[name])
        count = len(self.names)
        self.requires: List[Sequence[Tuple[Demand, ...]]] = [()] * count
        self.wants: List[Sequence[Tuple[Demand, ...]]] = [()] * count
        self._exclude()

    # The candidates of one name.

    def _add(self, name: str, group: List[Candidate]) -> None:
        package = len(self.names)
        self.names.append(name)
        self.index[name] = package
        if len(group) > 1:
            group = self._one_source(name, package, group)
        self.candidates.append(tuple(group))
        everyone = (2 << len(group)) - 2
        self.everyone.append(everyone)
        self.alive.append(everyone)
        for position, each in enumerate(group):
            for offered in each.metadata.provides:
                self.providers.setdefault(offered.name, []).append(
                    (package, position, offered.version)
                )

    def _one_source(self, name: str, package: int, group: List[Candidate]) -> List[Candidate]:
        """The candidates in order of version, after precedence; a collision rules all out."""
        local = [c for c in group if c.origin is not Origin.REGISTRY]
        named = [c for c in local if c.origin is Origin.PATH]
        chosen = named or local
        if len(chosen) > 1:
            ranked = sorted((self.rank(c), i) for i, c in enumerate(chosen))
            if ranked[0][0] < ranked[1][0]:
                chosen = [chosen[ranked[0][1]]]
        kept = {id(c) for c in chosen}
        for each in local:
            if id(each) not in kept:
                why = "named by path" if named else "configured precedence"
                self.notes.append(
                    f"{name}: {each.version} of {each.source} is set aside for "
                    f"{chosen[0].version} of {chosen[0].source} ({why})"
                )
        seen: Set[Tuple[object, ...]] = {version_key(c.version) for c in chosen}
        offered = list(chosen)
        for each in group:
            if each.origin is Origin.REGISTRY and version_key(each.version) not in seen:
                seen.add(version_key(each.version))
                offered.append(each)
        offered.sort(key=lambda c: version_key(c.version))
        if len(chosen) > 1:
            for position in range(len(offered)):
                self.outs[package, position] = Out("collision")
        return offered

    def rank(self, candidate: Candidate) -> int:
        """Its place in the configured precedence; a high number if it has none."""
        ranks = self.terms.precedence
        if not ranks:
            return 0
        last = len(ranks)
        distribution = canonical(candidate.distribution or "")
        return min(ranks.get(distribution, last), ranks.get(candidate.location or "", last))

    # What rules a candidate out before anything is asked of others.

    def _exclude(self) -> None:
        terms = self.terms
        for package, group in enumerate(self.candidates):
            masked = terms.desired.get(self.names[package]) is Desired.MASKED
            for position, each in enumerate(group):
                out = self.outs.get((package, position))
                if out is None:
                    out = Out("masked") if masked else self._fault(package, each)
                if out is not None:
                    self.rule_out(package, position, out)

    def _fault(self, package: int, candidate: Candidate) -> Optional[Out]:
        metadata, terms = candidate.metadata, self.terms
        if candidate.fault is not None:
            return Out(candidate.fault.code, reason=candidate.fault)
        if not is_version(candidate.version):
            return Out("version")
        if not _within(metadata.requires_host, terms.host_version):
            return Out("host-version")
        if not _within(metadata.requires_python, terms.python_version):
            return Out("python-version")
        for offered in metadata.provides:
            other = self.index.get(offered.name)
            if other is not None and other != package and self._collides(candidate, other):
                return Out("collision", others=(other,))
        return None

    def _collides(self, candidate: Candidate, other: int) -> bool:
        """Whether a capability may not have that plugin's name.

        What a registry lists under the name cannot rule out a plugin that is installed here.
        """
        return candidate.origin is Origin.REGISTRY or any(
            c.origin is not Origin.REGISTRY for c in self.candidates[other]
        )

    def rule_out(self, package: int, position: int, out: Out) -> None:
        """Takes a candidate out, for good; the first reason stands."""
        self.outs.setdefault((package, position), out)
        self.alive[package] &= ~(2 << position)

    # What candidates ask of others.

    def read(self, packages: Iterable[int]) -> None:
        """Works out what the candidates of these packages require and want."""
        for package in packages:
            group = self.candidates[package]
            self.requires[package] = [
                self._demands_of(package, i, c, c.metadata.requires) if c.metadata.requires else ()
                for i, c in enumerate(group)
            ]
            self.wants[package] = [
                self._demands_of(package, i, c, c.metadata.wants) if c.metadata.wants else ()
                for i, c in enumerate(group)
            ]

    def _demands_of(
        self,
        package: int,
        position: int,
        candidate: Candidate,
        requirements: Sequence[Requirement],
    ) -> Tuple[Demand, ...]:
        found: List[Demand] = []
        for requirement in requirements:
            if requirement.extras:
                self.notes.append(
                    f"{candidate.name} {candidate.version}: the extras of {requirement.text} "
                    "are ignored; plugins have none"
                )
            demand = self.demand(requirement)
            if demand is None:
                continue
            for other, mask in demand.link:
                if other == package:
                    if not mask & (2 << position):
                        rest = tuple(pair for pair in demand.link if pair[0] != package)
                        found.append(Demand(requirement, rest))
                    break
            else:
                found.append(demand)
        return tuple(found)

    def demand(self, requirement: Requirement) -> Optional[Demand]:
        """What can serve the requirement, or None if its marker does not hold here."""
        text = requirement.text
        try:
            return self._demands[text]
        except KeyError:
            demand = None
            if requirement.marker is None or requirement.applies(self.terms.environment):
                demand = Demand(requirement, self.link(requirement))
            self._demands[text] = demand
            return demand

    def link(self, requirement: Requirement) -> Link:
        """The packages, and of each the candidates, that fit a requirement."""
        name, specifier = requirement.name, requirement.specifier
        found: Dict[int, int] = {}
        package = self.index.get(name)
        if package is not None:
            mask = self._fitting(package, specifier)
            if mask:
                found[package] = mask
        for other, position, version in self.providers.get(name, ()):
            if other != package and specifier_contains(specifier, version, True):
                found[other] = found.get(other, 0) | (2 << position)
        return tuple(found.items())

    def _fitting(self, package: int, specifier: str) -> int:
        if not specifier:
            return self.everyone[package]
        mask = 0
        for position, each in enumerate(self.candidates[package]):
            if specifier_contains(specifier, each.version, True):
                mask |= 2 << position
        return mask


def _within(specifier: str, version: Optional[str]) -> bool:
    return not specifier or version is None or specifier_contains(specifier, version, True)


def _grouped(candidates: Sequence[Candidate], foreign: bool) -> Dict[str, List[Candidate]]:
    """The candidates by key, each group in an order that does not depend on the input's."""
    groups: Dict[str, List[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(candidate.name, []).append(candidate)
    for name in list(groups):
        group = groups[name]
        if len(group) == 1:
            continue
        group.sort(key=_source_key)
        if foreign and len({c.id for c in group}) > 1:
            del groups[name]
            for each in group:
                groups.setdefault(each.id, []).append(each)
    return groups


def _source_key(candidate: Candidate) -> Tuple[str, ...]:
    return (
        candidate.origin.value,
        candidate.distribution or "",
        candidate.location or "",
        candidate.target,
        candidate.version,
    )
