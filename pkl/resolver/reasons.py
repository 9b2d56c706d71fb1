"""Why a plugin is left out, in one line for itself, one for the root cause, and one to type."""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence, Tuple

from ..model.candidate import Candidate, Origin
from ..model.requirement import version_key
from ..model.state import Reason
from ..names import did_you_mean
from .choice import Choice
from .problem import Demand, Out, Problem, positions

__all__ = ["Reasons", "quoted"]

GUESSES = 20
"""For how many missing names of one plan a did-you-mean is looked for."""
SHOWN = 6
"""How many names or versions a single line lists."""


def quoted(name: str, specifier: str = "") -> str:
    """A requirement as an argument of a command line."""
    return f'"{name}{specifier}"' if specifier else name


def listed(words: Sequence[str], shown: int = SHOWN) -> str:
    """The words with commas, the last joined by "and", and what is too many counted."""
    if len(words) > shown + 1:
        return f"{', '.join(words[:shown])} and {len(words) - shown} more"
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else list(words))


class Reasons:
    """The reasons of one plan; every package a fault holds up gets the same root cause."""

    def __init__(self, problem: Problem, choice: Choice) -> None:
        self._problem = problem
        self._choice = choice
        self._known: Dict[int, Reason] = {}
        self._roots: Dict[int, Reason] = {}
        self._guesses = 0

    def of(self, package: int) -> Reason:
        """The reason of a package of which no candidate is left."""
        found = self._known.get(package)
        if found is None:
            position, out = self.representative(package)
            found = self._reason(package, position, out)
            self._known[package] = found
        return found

    def representative(self, package: int) -> Tuple[int, Out]:
        """The preferred candidate, which stands for the package, and why it is out."""
        position = self._choice.best(package, self._problem.everyone[package])
        return position, self._problem.outs[package, position]

    def root(self, package: int) -> Reason:
        """The reason at the end of the chain of which a package's own reason is the start."""
        trail: List[int] = []
        while package not in self._roots:
            trail.append(package)
            position, out = self.representative(package)
            if out.code != "blocked":
                self._roots[package] = self._own(package, position, out)
                break
            package = out.others[0]
        found = self._roots[package]
        for each in trail:
            self._roots[each] = found
        return found

    def called(self, package: int, position: Optional[int] = None) -> str:
        """The package with its version, as in ``audit 1.4.0``."""
        if position is None:
            position = self._choice.best(package, self._problem.everyone[package])
        candidate = self._problem.candidates[package][position]
        return f"{self._problem.names[package]} {candidate.version}"

    def _reason(self, package: int, position: int, out: Out) -> Reason:
        if out.code != "blocked":
            return self._own(package, position, out)
        root = self.root(package)
        demand = out.demand
        assert demand is not None
        served = listed([self._problem.names[other] for other in out.others])
        through = "" if served == demand.name else f", which {served} would serve"
        return Reason(
            "requirement-blocked",
            f"{self.called(package, position)} requires {demand.text}{through}: cannot start",
            root.cause,
            root.remedy,
        )

    def _own(self, package: int, position: int, out: Out) -> Reason:
        name, who = self._problem.names[package], self.called(package, position)
        candidate = self._problem.candidates[package][position]
        metadata = candidate.metadata
        if out.reason is not None:
            return out.reason
        if out.code == "unmet":
            assert out.demand is not None
            return self._unmet(who, name, candidate, out.demand)
        if out.code == "collision":
            return self._collision(package, position, out)
        if out.code == "cycle":
            return self._cycle(package, out)
        if out.code == "masked":
            text = f"{name} is masked"
            return Reason("masked", text, text, f"pkl enable {name}")
        if out.code == "host-version":
            host = self._problem.terms.host_version
            text = f"{who} needs host {metadata.requires_host}; this host is {host}"
            return Reason("host-version", text, text, f"pkl upgrade {name}")
        if out.code == "python-version":
            python = self._problem.terms.python_version
            text = f"{who} needs Python {metadata.requires_python}; this is {python}"
            remedy = f"run the host with Python {metadata.requires_python}"
            return Reason("python-version", text, text, remedy)
        text = f"the version of {who} is not one (PEP 440)"
        return Reason(out.code, text, text, f"correct the version in {_file(candidate)}")

    def _unmet(self, who: str, name: str, candidate: Candidate, demand: Demand) -> Reason:
        problem, wanted = self._problem, demand.name
        requirement = demand.requirement
        asked = quoted(wanted, requirement.specifier)
        package = problem.index.get(wanted)
        if package is not None:
            there = sorted({c.version for c in problem.candidates[package]}, key=version_key)
            text = f"{who} requires {demand.text}, but {wanted} is {listed(there[::-1])}"
            return Reason("unsatisfied", text, text, f"pkl install {asked}")
        if wanted in problem.providers:
            offers = sorted(
                {
                    f"{self.called(p, i)} provides {wanted}=={v}"
                    for p, i, v in problem.providers[wanted]
                }
            )
            text = f"{who} requires {demand.text}, but {listed(offers)}"
            return Reason("capability", text, text, f"pkl search {wanted}")
        text = f"{who} requires {demand.text}, and there is no plugin or capability of that name"
        guess = self._guess(wanted)
        if guess is None:
            return Reason("missing", text, text, f"pkl install {asked}")
        remedy = f"pkl install {asked}, or write {guess} in {_file(candidate)}"
        return Reason("missing", f"{text}; did you mean {guess}?", f"{text}", remedy)

    def _guess(self, name: str) -> Optional[str]:
        self._guesses += 1
        if self._guesses > GUESSES:
            return None
        return did_you_mean(name, [*self._problem.names, *self._problem.providers])

    def _collision(self, package: int, position: int, out: Out) -> Reason:
        problem, name = self._problem, self._problem.names[package]
        if out.others:
            other = problem.names[out.others[0]]
            text = (
                f"{self.called(package, position)} provides {other}, "
                f"which is the name of a plugin, {self.called(out.others[0])}"
            )
            return Reason("collision", text, text, f"pkl uninstall {name} or {other}")
        group = [c for c in problem.candidates[package] if c.origin is not Origin.REGISTRY]
        sources = [f"{c.source} ({c.version})" for c in group]
        text = f"{name} is offered by {listed(sources)}"
        return Reason("collision", text, text, "uninstall all but one of them, or set precedence")

    def _cycle(self, package: int, out: Out) -> Reason:
        names = [self._problem.names[other] for other in out.others]
        shown = names if len(names) <= SHOWN else [*names[: SHOWN - 1], "..."]
        text = f"{' -> '.join([*shown, names[0]])} require each other in a circle"
        file = _file(self._problem.candidates[package][0])
        remedy = f'turn one "requires" of the circle into "wants" or "after", such as in {file}'
        return Reason("cycle", text, text, remedy)


def _file(candidate: Candidate) -> str:
    return candidate.manifest_file or candidate.source


def remaining(problem: Problem, package: int) -> List[Candidate]:
    """The candidates that have not been ruled out."""
    group = problem.candidates[package]
    return [group[i] for i in positions(problem.alive[package])]
