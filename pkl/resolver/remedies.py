"""The cheapest repair of each fault, as something to type or to edit."""

from __future__ import annotations

import re
from typing import List, Sequence

from ..model.candidate import Candidate
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
        if too_low(specifier, self._words.there(package)[0]):
            return install
        return f"pkl upgrade {self._problem.names[place[0]]}, or {install}"

    def other_host(self, place: Place, specifier: str, version: str, what: str) -> str:
        """For a plugin that is not made for this host or this Python."""
        name = self._problem.names[place[0]]
        if too_low(specifier, version):
            older = quoted(name, f"<{self._words.candidate(place).version}")
            return f"run it with {what} {specifier}, or try an older one: pkl install {older}"
        return f"pkl upgrade {name}"

    def removal(self, places: Sequence[Place]) -> str:
        """For a name that several sources offer."""
        words: List[str] = []
        for place in places:
            candidate = self._words.candidate(place)
            if candidate.distribution:
                words.append(f"pip uninstall {candidate.distribution}")
            else:
                words.append(f"remove {candidate.location or candidate.target}")
        first = self._words.candidate(places[0])
        preferred = first.distribution or first.location or first.target
        return f"{listed(words, 'or')}; or set precedence = [{preferred!r}]"

    def conflict(self, other: int) -> str:
        """For a plugin that conflicts with one that starts."""
        return f"pkl disable {self._problem.names[other]}"

    def clash(self, older: Fact, newer: Fact) -> str:
        """For two plugins that want different versions of a third."""
        first, second = self._problem.names[older.package], self._problem.names[newer.package]
        if first == second:
            return f"pkl upgrade {first}"
        return f"pkl upgrade {first}, or pkl disable {first}"
