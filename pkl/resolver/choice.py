"""Which candidate is taken where several would do, always in the same order.

Locked, then already running, then configured precedence, then a final release before a
pre-release, then the highest version, then the name. Among the providers of a capability one
that is here already comes before one that a registry would have to send.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Tuple

from ..model.candidate import Origin
from ..model.requirement import version_key
from .problem import Demand, Problem, is_prerelease, positions

__all__ = ["Choice"]


class Choice:
    """The order of preference among the candidates of a problem, worked out as it is asked for."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._ordered: Dict[int, List[int]] = {}

    def best(self, package: int, mask: int) -> int:
        """The position of the preferred candidate of a set that is not empty."""
        if not mask & (mask - 1):
            return mask.bit_length() - 2
        ordered = self._ordered.get(package)
        if ordered is None:
            ordered = sorted(positions(self._problem.everyone[package]), reverse=True)
            ordered.sort(key=lambda position: self._key(package, position))
            self._ordered[package] = ordered
        return next(position for position in ordered if mask & (2 << position))

    def _key(self, package: int, position: int) -> Tuple[Any, ...]:
        problem = self._problem
        version = problem.candidates[package][position].version
        early = problem.terms.prereleases is not True and is_prerelease(version)
        return (*problem.standing(package, position), early)

    def provider(self, demand: Demand, offers: Iterable[Tuple[int, int]]) -> Tuple[int, int]:
        """The best of those that serve a demand, given as (package, position)."""
        ranked = sorted(offers)
        ranked.sort(key=lambda offer: self._offered(demand.name, *offer), reverse=True)
        return min(ranked, key=lambda offer: self._rank(*offer))

    def _rank(self, package: int, position: int) -> Tuple[Any, ...]:
        problem = self._problem
        locked, running, precedence = problem.standing(package, position)
        away = problem.candidates[package][position].origin is Origin.REGISTRY
        return (locked, running, away, precedence)

    def _offered(self, name: str, package: int, position: int) -> Tuple[Any, ...]:
        """The key of the version in which a candidate offers the name."""
        problem = self._problem
        candidate = problem.candidates[package][position]
        if problem.names[package] != name:
            for offered in candidate.metadata.provides:
                if offered.name == name:
                    return version_key(offered.version)
        return version_key(candidate.version)
