"""How plugins, versions, requirements and places are called in every text of the resolver."""

from __future__ import annotations

from typing import Callable, List, Optional, Sequence, Tuple

from ..model.candidate import Candidate, Origin
from ..model.requirement import version_key
from ..names import printable
from .demands import Demands
from .problem import Demand, positions
from .search import Fact

__all__ = ["SHOWN", "LineOf", "Place", "Words", "cleaned", "listed", "quoted"]

SHOWN = 6
"""How many names or versions one line lists."""

Place = Tuple[int, int]
"""A candidate: its package and its position there."""

LineOf = Callable[[str, str], Optional[int]]
"""Finds the line of a manifest file in which a requirement stands, if it can."""


def listed(words: Sequence[str], last: str = "and") -> str:
    """The words with commas and a conjunction; what would be too many is counted."""
    if len(words) > SHOWN + 1:
        return f"{', '.join(words[:SHOWN])} {last} {len(words) - SHOWN} more"
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def cleaned(text: str) -> str:
    """The text with what a plugin may have hidden in it made visible, line by line."""
    return "\n".join(printable(line) for line in text.split("\n"))


def quoted(name: str, specifier: str = "") -> str:
    """A requirement as an argument of a command line."""
    return f'"{name}{specifier}"' if specifier else name


class Words:
    """The names of things in one problem.

    Args:
        demands: The problem and what its candidates ask.
        line_of: Finds the line of a requirement in a manifest; none are given without it.
    """

    def __init__(self, demands: Demands, line_of: Optional[LineOf] = None) -> None:
        self.problem = demands.problem
        self._line_of = line_of

    def candidate(self, place: Place) -> Candidate:
        """The candidate at a place."""
        return self.problem.candidates[place[0]][place[1]]

    def called(self, place: Place) -> str:
        """A candidate with its version, as in ``audit 1.4.0``."""
        return f"{self.problem.names[place[0]]} {self.candidate(place).version}"

    def source(self, place: Place) -> str:
        """Where a candidate comes from."""
        candidate = self.candidate(place)
        if candidate.origin is Origin.REGISTRY:
            return "registry"
        return candidate.source or str(candidate.origin)

    def there(self, package: int) -> List[str]:
        """The versions there are of a package, the highest first."""
        versions = {c.version for c in self.problem.candidates[package]}
        return sorted(versions, key=version_key, reverse=True)

    def spanned(self, package: int, mask: int) -> str:
        """Candidates of a package, neighbours among those that are left as one span."""
        group = self.problem.candidates[package]
        left = list(positions(self.problem.everyone[package]))
        chosen = set(positions(mask))
        spans: List[List[int]] = []
        for before, position in zip([-1, *left], left):
            if position in chosen:
                if before in chosen:
                    spans[-1].append(position)
                else:
                    spans.append([position])
        texts = [
            group[span[0]].version
            if len(span) == 1
            else f"{group[span[0]].version} to {group[span[-1]].version}"
            for span in spans
        ]
        return f"{self.problem.names[package]} {listed(texts)}"

    def told(self, fact: Fact) -> str:
        """What a fact says, as in ``audit 1.4.0 requires auth>=1.2,<2``."""
        verb = "conflicts with" if fact.conflict else "requires"
        if fact.demand.learned:
            verb = "does not go with"
        who = self.spanned(fact.package, fact.mask)
        return f"{who} {verb} {fact.demand.text}{self.through(fact.demand)}"

    def through(self, demand: Demand) -> str:
        """The distributions that a demand passes through, where there are any."""
        return f" through {listed(demand.via)}" if demand.via else ""

    def where(self, place: Place, text: str) -> str:
        """The file and, where it can be known, the line in which a candidate states something."""
        candidate = self.candidate(place)
        file = candidate.manifest_file
        if file is None:
            return self.source(place)
        line = self._line_of(file, text) if self._line_of is not None else None
        return file if line is None else f"{file}:{line}"
