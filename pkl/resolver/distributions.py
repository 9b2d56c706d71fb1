"""What distributions ask of each other (``Requires-Dist``), as demands between their plugins.

Where a plugin has no manifest, in a foreign group above all, these are its requirements. Where
it has one, they only narrow what the manifest requires.

Between two distributions of several plugins each, not every pair is an edge: the first plugin of
the one requires all of the other, and the rest of the one require the first of the other. With
one plugin on either side that is every pair, and it never grows faster than the plugins do.
"""

from __future__ import annotations

import re
from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from ..errors import RequirementError
from ..model.candidate import Candidate, Origin
from ..model.requirement import Requirement, parse_requirement, specifier_contains
from ..names import canonical
from .problem import Demand, Link, Problem

__all__ = ["Carriers"]

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_ONLY_AN_EXTRA = re.compile(r"""extra\s*==\s*(?:"[^"]+"|'[^']+')""")


class _Ask(NamedTuple):
    """A requirement of one distribution on another, through what stands between them."""

    requirement: Requirement
    target: str
    via: Tuple[str, ...]


class Carriers:
    """The distributions that carry the candidates, and what they require of each other."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._carried: Optional[Dict[str, List[int]]] = None
        self._asks: Dict[str, List[_Ask]] = {}
        self._parsed: Dict[str, List[Requirement]] = {}
        self._shared: Dict[Tuple[str, Optional[int], Tuple[str, ...]], Demand] = {}

    def demands(self, package: int, candidate: Candidate) -> Tuple[Demand, ...]:
        """What a plugin without a manifest requires, by the metadata of its distribution."""
        own = canonical(candidate.distribution or "")
        asks = self._asks.get(own)
        if asks is None:
            asks = self._asks[own] = self._asks_of(own, candidate.requires_dist)
        first = self._first(own) == package
        found: List[Demand] = []
        for ask in asks:
            targets: Sequence[Optional[int]] = self.carried().get(ask.target) or [None]
            if not first and len(targets) > 1:
                targets = [self._first(ask.target)]
            found.extend(self._demand(ask, target) for target in targets)
        return tuple(found)

    def bounded(self, demands: Sequence[Demand], candidate: Candidate) -> Tuple[Demand, ...]:
        """The demands of a manifest, narrowed by the bounds that its distribution states."""
        if not demands:
            return ()
        found = list(demands)
        own = canonical(candidate.distribution or "")
        for requirement in self._relevant(own, candidate.requires_dist):
            packages = self.carried().get(requirement.name)
            if packages is None or not requirement.specifier:
                continue
            for i, demand in enumerate(found):
                link = tuple(
                    (p, mask & ~self._outside(p, requirement) if p in packages else mask)
                    for p, mask in demand.link
                )
                if link != demand.link:
                    found[i] = Demand(
                        demand.requirement,
                        tuple(pair for pair in link if pair[1]),
                        text=f"{demand.text} (Requires-Dist: {requirement.text})",
                    )
        return tuple(found)

    def carried(self) -> Dict[str, List[int]]:
        """The packages that each distribution here carries, by its canonical name."""
        if self._carried is None:
            self._carried = {}
            for package, group in enumerate(self._problem.candidates):
                for each in group:
                    if each.distribution and each.origin is not Origin.REGISTRY:
                        packages = self._carried.setdefault(canonical(each.distribution), [])
                        if package not in packages[-1:]:
                            packages.append(package)
        return self._carried

    def _first(self, distribution: str) -> Optional[int]:
        """The plugin that stands for its distribution: its namesake, or the first by name."""
        packages = self.carried().get(distribution)
        if not packages:
            return None
        namesakes = [
            p for p in packages if canonical(self._problem.candidates[p][0].name) == distribution
        ]
        return (namesakes or packages)[0]

    def _outside(self, package: int, requirement: Requirement) -> int:
        """The candidates carried by that distribution in a version out of bounds."""
        mask = 0
        for position, each in enumerate(self._problem.candidates[package]):
            if canonical(each.distribution or "") == requirement.name:
                version = each.distribution_version
                if version and not specifier_contains(requirement.specifier, version, True):
                    mask |= 2 << position
        return mask

    def _demand(self, ask: _Ask, target: Optional[int]) -> Demand:
        key = (ask.requirement.text, target, ask.via)
        found = self._shared.get(key)
        if found is None:
            link: Link = ()
            if target is not None:
                everyone = self._problem.everyone[target]
                mask = everyone & ~self._outside(target, ask.requirement)
                link = ((target, mask),) if mask else ()
            found = Demand(ask.requirement, link, toward=target, via=ask.via, of_distribution=True)
            self._shared[key] = found
        return found

    def _asks_of(self, own: str, texts: Sequence[str]) -> List[_Ask]:
        """What a distribution asks, directly and through distributions outside the group."""
        outside = self._problem.terms.distributions
        carried = self.carried()
        found: List[_Ask] = []
        reached: Set[str] = {own}
        pending: List[Tuple[str, Tuple[str, ...]]] = []

        def look(requirements: Sequence[Requirement], via: Tuple[str, ...]) -> None:
            for requirement in requirements:
                target = requirement.name
                direct = not via and target != own
                if (target in reached and not direct) or target == own:
                    continue
                if target in carried:
                    reached.add(target)
                    found.append(_Ask(requirement, target, via))
                elif outside is not None and target in outside:
                    if target not in reached:
                        reached.add(target)
                        pending.append((target, via))
                elif outside is not None and not via:
                    found.append(_Ask(requirement, target, via))

        look(self._relevant(own, texts), ())
        for name, via in pending:
            assert outside is not None
            look(self._relevant(name, outside[name]), (*via, name))
        return found

    def _relevant(self, distribution: str, texts: Sequence[str]) -> List[Requirement]:
        """The requirements that hold here without extras, as far as they can matter."""
        known = self._parsed.get(distribution)
        if known is not None:
            return known
        terms, carried = self._problem.terms, self.carried()
        found: List[Requirement] = []
        environment = {**(terms.environment or {}), "extra": ""}
        for text in texts:
            head, _, marker = text.partition(";")
            name = _NAME.match(head)
            if name is None or (
                terms.distributions is None and canonical(name.group(1)) not in carried
            ):
                continue
            # Most markers only say which extra it is for; those need no evaluation.
            if _ONLY_AN_EXTRA.search(marker) and " or " not in marker:
                continue
            try:
                requirement = parse_requirement(text)
            except RequirementError:
                self._problem.notes.append(
                    f"{distribution}: Requires-Dist {text!r} is not looked at; it cannot be read"
                )
                continue
            if requirement.marker is None or requirement.applies(environment):
                found.append(requirement)
        self._parsed[distribution] = found
        return found
