"""Which candidate is taken where several would do, always in the same order.

Locked, then already running, then configured precedence, then a final release before a
pre-release, then the highest version, then the name.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Tuple

from ..model.requirement import specifier_contains, version_key
from .problem import Demand, Problem, positions

__all__ = ["Choice", "is_prerelease"]


def is_prerelease(version: str) -> bool:
    """Whether the version is a pre-release or a development release (PEP 440)."""
    return not specifier_contains("", version, False)


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
        terms = problem.terms
        candidate = problem.candidates[package][position]
        final_first = terms.prereleases is not True and is_prerelease(candidate.version)
        return (*self._standing(package, position), final_first)

    def _standing(self, package: int, position: int) -> Tuple[Any, ...]:
        problem = self._problem
        terms, name = problem.terms, problem.names[package]
        candidate = problem.candidates[package][position]
        key = version_key(candidate.version)
        locked, running = terms.locked.get(name), terms.running.get(name)
        return (
            locked is None or version_key(locked) != key,
            running is None or version_key(running) != key,
            problem.rank(candidate),
        )

    def provider(self, demand: Demand, offers: Iterable[Tuple[int, int]]) -> int:
        """The package that serves a demand best, of those offered as (package, position)."""
        ranked = sorted(offers)
        ranked.sort(key=lambda offer: self._offered(demand.name, *offer), reverse=True)
        return min(ranked, key=lambda offer: self._standing(*offer))[0]

    def _offered(self, name: str, package: int, position: int) -> Tuple[Any, ...]:
        """The key of the version in which a candidate offers the name."""
        problem = self._problem
        candidate = problem.candidates[package][position]
        if problem.names[package] != name:
            for offered in candidate.metadata.provides:
                if offered.name == name:
                    return version_key(offered.version)
        return version_key(candidate.version)
