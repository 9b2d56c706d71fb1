"""The problem: which candidates there are for each name, and which are out from the start.

Every name that can be chosen is a *package*, numbered in the order of the names. Its candidates
stand in ascending order of version, and a set of them is an integer: bit ``i + 1`` is the
candidate at position ``i``, bit 0 means that none is chosen.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ..model.candidate import Candidate, Origin
from ..model.requirement import (
    Requirement,
    is_version,
    specifier_admits,
    specifier_contains,
    version_key,
)
from ..model.state import Desired, Reason
from ..names import canonical

__all__ = ["Demand", "Link", "Out", "Problem", "Terms", "is_prerelease", "positions"]

Link = Tuple[Tuple[int, int], ...]
"""What can serve a demand: packages, each with the set of its candidates that fit."""


class Terms(NamedTuple):
    """What the caller of ``resolve`` lays down beside the candidates."""

    python_version: str
    host_version: Optional[str] = None
    desired: Mapping[str, Desired] = {}
    locked: Mapping[str, str] = {}
    running: Mapping[str, str] = {}
    precedence: Mapping[str, int] = {}
    """Rank by canonical distribution name or by location; lower is better."""
    foreign: bool = False
    prereleases: Optional[bool] = None
    environment: Optional[Mapping[str, str]] = None
    distributions: Optional[Mapping[str, Sequence[str]]] = None


class Demand:
    """One requirement and what can serve it; shared by all who state it in the same words."""

    __slots__ = (
        "learned",
        "link",
        "name",
        "of_distribution",
        "requirement",
        "text",
        "toward",
        "via",
    )

    def __init__(
        self,
        requirement: Requirement,
        link: Link,
        *,
        text: str = "",
        toward: Optional[int] = None,
        via: Tuple[str, ...] = (),
        of_distribution: bool = False,
        learned: bool = False,
    ) -> None:
        self.requirement = requirement
        self.name = requirement.name
        self.text = text or requirement.text
        self.link = link
        self.toward = toward
        """For what a distribution asks: the package it is about, fitting or not."""
        self.via = via
        self.of_distribution = of_distribution
        """Whether a distribution asks it, of another: its name is then no plugin's."""
        self.learned = learned
        """Whether no manifest states it; it was found out otherwise (``nogoods``)."""


class Out(NamedTuple):
    """Why one candidate cannot be chosen.

    ``code`` is ``unmet`` or ``blocked`` for a demand that nothing serves, or that only packages
    serve which are out themselves; ``refused`` for what does not go with the rest; else the
    code of the reason.
    """

    code: str
    demand: Optional[Demand] = None
    """The demand of the candidate that cannot be met."""
    others: Tuple[int, ...] = ()
    """The packages that are at fault, such as those of a cycle."""
    reason: Optional[Reason] = None
    """The reason, where it is known already."""


def positions(mask: int) -> Iterable[int]:
    """The positions of the candidates in a set, ascending."""
    mask >>= 1
    position = 0
    while mask:
        if mask & 1:
            yield position
        mask >>= 1
        position += 1


def is_prerelease(version: str) -> bool:
    """Whether the version is a pre-release or a development release (PEP 440)."""
    return not version.replace(".", "").isdigit() and not specifier_contains("", version, False)


class Problem:
    """The candidates by package, and what is left of them.

    Attributes:
        names: The packages in order: names, or ``distribution:name`` where a foreign group has
            a name twice.
        index: Package by name.
        candidates: The candidates of each package, in ascending order of version.
        everyone: The set of all candidates of each package.
        alive: The candidates of each package that have not been ruled out.
        outs: Why a candidate was ruled out, by package and position.
        providers: By capability: package, position and version of each candidate with it.
        colliding: Packages of a foreign group whose name another one has too.
        notes: Remarks that came up on the way.
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
        self.colliding: Set[int] = set()
        self.notes: List[str] = []
        self._here: List[int] = []
        groups, twice = _grouped(candidates, terms.foreign)
        for name in sorted(groups):
            if name in twice:
                self.colliding.add(len(self.names))
            self._add(name, groups[name])
        self._exclude()

    def find(self, name: str) -> List[int]:
        """The packages of a name, or of an id such as ``distribution:name``."""
        package = self.index.get(name)
        if package is not None:
            return [package]
        if not self.terms.foreign:
            package = self.index.get(canonical(name))
            return [] if package is None else [package]
        return [
            package
            for package, group in enumerate(self.candidates)
            if name in (group[0].name, group[0].id)
        ]

    def about(self, demand: Demand) -> Optional[int]:
        """The package that a demand names, fitting or not."""
        if demand.toward is not None or demand.of_distribution:
            return demand.toward
        return self.index.get(demand.name)

    def offers(self, demand: Demand) -> Sequence[Tuple[int, int, str]]:
        """What provides the name of a demand as a capability: package, position and version."""
        return () if demand.of_distribution else self.providers.get(demand.name, ())

    def standing(self, package: int, position: int) -> Tuple[bool, bool, int]:
        """Its rank by lock, by what is running, and by precedence; the lowest comes first."""
        terms, name = self.terms, self.names[package]
        candidate = self.candidates[package][position]
        if not (terms.locked or terms.running or terms.precedence):
            return (True, True, 0)
        return (
            not _same(terms.locked.get(name), candidate.version),
            not _same(terms.running.get(name), candidate.version),
            self._rank(candidate),
        )

    def here(self, package: int) -> int:
        """The candidates that need not be fetched from a registry."""
        return self._here[package]

    def rule_out(self, package: int, position: int, out: Out) -> None:
        """Takes a candidate out, for good; the first reason stands."""
        self.outs.setdefault((package, position), out)
        self.alive[package] &= ~(2 << position)

    def rule_out_all(self, package: int, out: Out) -> None:
        """Takes every candidate of a package out that is left."""
        for position in positions(self.alive[package]):
            self.rule_out(package, position, out)

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
        here = 0
        for position, each in enumerate(group):
            if each.origin is not Origin.REGISTRY:
                here |= 2 << position
            for offered in each.metadata.provides:
                self.providers.setdefault(offered.name, []).append(
                    (package, position, offered.version)
                )
        self._here.append(here)

    def _one_source(self, name: str, package: int, group: List[Candidate]) -> List[Candidate]:
        """The candidates in order of version, after precedence; a collision rules all out."""
        # The same source, found twice, is one.
        group = list({_source_key(c): c for c in reversed(group)}.values())[::-1]
        local = [c for c in group if c.origin is not Origin.REGISTRY]
        named = [c for c in local if c.origin is Origin.PATH]
        if named:
            # What was named by path is meant, and nothing else of that name.
            group = local
        chosen = named or local
        why = "it was named by path"
        if len(chosen) > 1:
            ranked = sorted((self._rank(c), i) for i, c in enumerate(chosen))
            if ranked[0][0] < ranked[1][0]:
                chosen = [chosen[ranked[0][1]]]
                why = "precedence is configured"
        kept = {id(c) for c in chosen}
        for each in local:
            if id(each) not in kept:
                self.notes.append(
                    f"{name}: {each.version} of {each.source} is set aside for "
                    f"{chosen[0].version} of {chosen[0].source}; {why}"
                )
        versions: Set[Tuple[object, ...]] = {version_key(c.version) for c in chosen}
        offered = list(chosen)
        for each in group:
            if each.origin is Origin.REGISTRY and version_key(each.version) not in versions:
                versions.add(version_key(each.version))
                offered.append(each)
        offered.sort(key=lambda c: version_key(c.version))
        if len(chosen) > 1:
            for position in range(len(offered)):
                self.outs[package, position] = Out("collision")
        return offered

    def _rank(self, candidate: Candidate) -> int:
        ranks = self.terms.precedence
        if not ranks:
            return 0
        last = len(ranks)
        distribution = canonical(candidate.distribution or "")
        return min(ranks.get(distribution, last), ranks.get(candidate.location or "", last))

    # What rules a candidate out before anything is asked of others.

    def _exclude(self) -> None:
        desired = self.terms.desired
        for package, group in enumerate(self.candidates):
            masked = desired.get(self.names[package]) is Desired.MASKED
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
        if not terms.foreign and not is_version(candidate.version):
            return Out("version")
        if not specifier_admits(metadata.requires_host, terms.host_version):
            return Out("host-version")
        if not specifier_admits(metadata.requires_python, terms.python_version):
            return Out("python-version")
        if metadata.tier not in ("", "in-process"):
            return Out("tier")
        for offered in metadata.provides:
            other = self.index.get(offered.name)
            if other is not None and other != package and self._collides(candidate, other):
                return Out("collision", others=(other,))
        return None

    def _collides(self, candidate: Candidate, other: int) -> bool:
        """Whether a capability may not have that plugin's name.

        What a registry lists under the name cannot rule out a plugin that is installed here.
        """
        return candidate.origin is Origin.REGISTRY or bool(self.here(other))


def _same(one: Optional[str], other: str) -> bool:
    return one is not None and version_key(one) == version_key(other)


def _grouped(
    candidates: Sequence[Candidate], foreign: bool
) -> Tuple[Dict[str, List[Candidate]], Set[str]]:
    """The candidates by package, each group in one order, and the packages that collide."""
    groups: Dict[str, List[Candidate]] = {}
    twice: Set[str] = set()
    for candidate in candidates:
        groups.setdefault(candidate.name, []).append(candidate)
    for name in [name for name, group in groups.items() if len(group) > 1]:
        group = sorted(groups[name], key=_source_key)
        groups[name] = group
        if foreign and len({c.id for c in group}) > 1:
            del groups[name]
            for each in group:
                groups.setdefault(each.id, [each])
                twice.add(each.id)
    return groups, twice


def _source_key(candidate: Candidate) -> Tuple[str, ...]:
    return (
        candidate.origin.value,
        candidate.distribution or "",
        candidate.location or "",
        candidate.target,
        candidate.version,
    )
