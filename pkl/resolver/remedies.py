"""The cheapest repair of each fault, as something to type or to edit."""

from __future__ import annotations

import re
from typing import List, Sequence, Tuple

from ..model.candidate import Candidate, Origin
from ..model.requirement import specifier_contains, version_key
from .problem import Demand
from .search import Fact
from .words import Place, Words, listed, quoted

__all__ = ["Remedies", "too_low"]

_CLAUSE = re.compile(r"(~=|===?|!=|<=|>=|<|>)\s*([^,*]+?)(\.\*)?\s*(?:,|$)")


def too_low(specifier: str, version: str) -> bool:
    """Whether a version is out of bounds because it is below one of them."""
    return any(
        match.group(1) in (">=", ">", "~=", "==", "===")
        and version_key(version) <= version_key(match.group(2))
        and not specifier_contains(match.group(0).rstrip(", "), version, True)
        for match in _CLAUSE.finditer(specifier)
    )


class Remedies:
    """What to do about each kind of fault in one problem."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._problem = words.problem

    def file(self, candidate: Candidate) -> str:
        """The file to edit, or where to look for it."""
        return candidate.manifest_file or candidate.source

    def fitting(self, place: Place, demand: Demand, package: int) -> str:
        """For a requirement that no version of a plugin fits."""
        specifier = demand.requirement.specifier
        install = f"pkl install {quoted(demand.name, specifier)}"
        group = self._problem.candidates[package]
        here = [c.version for c in group if c.origin is not Origin.REGISTRY]
        if too_low(specifier, (here or [c.version for c in group])[-1]):
            return install
        return f"pkl upgrade {self._problem.names[place[0]]}, or {install}"

    def capability(
        self, place: Place, demand: Demand, providers: Sequence[Tuple[int, int, str]]
    ) -> str:
        """For a capability that is provided in the wrong version."""
        specifier = demand.requirement.specifier
        low = [package for package, _i, version in providers if too_low(specifier, version)]
        return f"pkl upgrade {self._problem.names[low[0] if low else place[0]]}"

    def other_host(self, place: Place, specifier: str, version: str, what: str) -> str:
        """For a plugin that is not made for this host or this Python."""
        name, candidate = self._problem.names[place[0]], self._words.candidate(place)
        if not too_low(specifier, version):
            return f"pkl upgrade {name}"
        run = f"run it with {what} {specifier}"
        if any(c.origin is Origin.REGISTRY for c in self._problem.candidates[place[0]]):
            return run
        return f"{run}, or try an older one: pkl install {quoted(name, f'<{candidate.version}')}"

    def removal(self, places: Sequence[Place]) -> str:
        """For a name that is taken."""
        words: List[str] = []
        for place in places:
            candidate = self._words.candidate(place)
            if candidate.distribution:
                words.append(f"pip uninstall {candidate.distribution}")
            else:
                words.append(f"remove {candidate.location or candidate.target}")
        return listed(words, "or")

    def conflict(self, fact: Fact, other: int, package: int, facts: Sequence[Fact]) -> str:
        """For a package that does not start because of a conflict, its own or another's."""
        for each in (other, fact.package):
            if self._dispensable(each, package, facts):
                return f"pkl disable {self._problem.names[each]}"
        return f"pkl upgrade {self._problem.names[fact.package]}"

    def clash(self, older: Fact, newer: Fact, package: int, facts: Sequence[Fact]) -> str:
        """For a package held up by two that want different versions of a third."""
        upgrade = f"pkl upgrade {self._problem.names[older.package]}"
        for each in (older.package, newer.package):
            if self._dispensable(each, package, facts):
                return f"{upgrade}, or pkl disable {self._problem.names[each]}"
        return upgrade

    def _dispensable(self, other: int, package: int, facts: Sequence[Fact]) -> bool:
        """Whether a plugin is not the one in question and nothing in the proof requires it."""
        required = (p for fact in facts if not fact.conflict for p, _mask in fact.demand.link)
        return other != package and other not in required
