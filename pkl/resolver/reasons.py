"""Why a plugin is left out: one line for itself, one for the root cause, and one to type."""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional, Sequence, Set, Tuple

from ..model.candidate import Origin
from ..model.state import Reason
from ..names import did_you_mean
from .choice import Choice
from .demands import Demands
from .problem import Demand, Out, positions
from .proofs import clash, core
from .remedies import Remedies
from .search import Fact, Refusal
from .words import SHOWN, Place, Words, cleaned, listed, quoted

__all__ = ["Reasons"]

GUESSES = 5
"""For how many missing names of one plan a did-you-mean is looked for; an explanation always
looks."""
REDUCED = 20
"""How many proofs of one plan are reduced for the sake of their reasons."""
SMALL = 40
"""A proof of more facts is reduced only when it is asked for."""
UNFIT = ("host-version", "python-version", "prerelease-only", "version")
"""Candidates out for these say little about a name of which there are others."""


class Reasons:
    """The reasons of one plan; all that one fault holds up get the same root cause.

    Args:
        demands: The problem and what its candidates ask.
        choice: The order of preference.
        refusals: Why the search refused packages.
        words: How things are called.
        steps: The budget of the search.
    """

    def __init__(
        self,
        demands: Demands,
        choice: Choice,
        refusals: Mapping[int, Refusal],
        words: Words,
        steps: int,
    ) -> None:
        self.demands = demands
        self.problem = demands.problem
        self.refusals = refusals
        self._choice = choice
        self._words = words
        self._remedies = Remedies(words)
        self._steps = steps
        self._own: Dict[Place, Reason] = {}
        self._roots: Dict[Place, Place] = {}
        self._guesses: Dict[str, Optional[str]] = {}
        self._cycles: Dict[int, Reason] = {}
        self._cores: Dict[int, Tuple[Fact, ...]] = {}

    def of(self, package: int) -> Reason:
        """The reason of a package of which no candidate is left."""
        place = self.representative(package, self.problem.everyone[package])
        if self.following(place) is None:
            return self.own(place)
        fault = self.own(self.root(place))
        demand = self.problem.outs[place].demand
        assert demand is not None
        everyone, names = self.problem.everyone, self.problem.names
        fitting = [
            names[other] if mask == everyone[other] else self._words.spanned(other, mask)
            for other, mask in demand.link
        ]
        through = f"{listed(fitting, 'or')} cannot start"
        text = f"{self._words.called(place)} requires {demand.text}, and {through}"
        return Reason("requirement-blocked", cleaned(text), fault.cause, fault.remedy)

    def representative(self, package: int, mask: int) -> Place:
        """The candidate that stands for a set.

        The preferred one of those made for this host; if there is none, of those that are here.
        """
        outs, fit = self.problem.outs, 0
        for position in positions(mask):
            if (package, position) not in outs or outs[package, position].code not in UNFIT:
                fit |= 2 << position
        return package, self._choice.best(package, fit or mask & self.problem.here(package) or mask)

    def following(self, place: Place) -> Optional[Place]:
        """The candidate that holds this one up, or None if the fault is its own."""
        out = self.problem.outs[place]
        if out.code != "blocked" or out.demand is None or self._only_early(out.demand):
            return None
        return self.representative(*out.demand.link[0])

    def root(self, place: Place) -> Place:
        """The candidate at the end of the chain, whose fault is its own."""
        trail: List[Place] = []
        while place not in self._roots:
            trail.append(place)
            following = self.following(place)
            if following is None:
                self._roots[place] = place
                break
            place = following
        found = self._roots[place]
        self._roots.update(dict.fromkeys(trail, found))
        return found

    def core(self, package: int, *, however_large: bool = False) -> Tuple[Fact, ...]:
        """The facts for which the search refused a package, reduced if that is cheap."""
        facts = self.refusals[package].facts
        if package in self._cores:
            return self._cores[package]
        if however_large or (len(facts) <= SMALL and len(self._cores) < REDUCED):
            self._cores[package] = core(self.refusals[package])
            return self._cores[package]
        return facts

    def own(self, place: Place) -> Reason:
        """The reason of a candidate that is at fault itself."""
        found = self._own.get(place)
        if found is None:
            reason = self._worked_out(place, self.problem.outs[place])
            found = self._own[place] = Reason(*map(cleaned, reason))
        return found

    def _only_early(self, demand: Demand) -> bool:
        """Whether what would serve a demand is out only for being a pre-release."""
        outs = self.problem.outs
        return all(
            (p, i) in outs and outs[p, i].code == "prerelease-only"
            for p, mask in demand.link
            for i in positions(mask)
        )

    # The faults.

    def _worked_out(self, place: Place, out: Out) -> Reason:
        if out.reason is not None:
            return out.reason
        if out.code == "refused":
            return self._refused(place)
        if out.code == "collision":
            return self._collision(place, out)
        if out.code == "cycle":
            return self._cycle(out.others)
        if out.demand is not None:
            return self._unmet(place, out.demand)
        return self._by_itself(place, out.code)

    def _by_itself(self, place: Place, code: str) -> Reason:
        who, name = self._words.called(place), self.problem.names[place[0]]
        candidate, terms = self._words.candidate(place), self.problem.terms
        if code == "masked":
            text, remedy = f"{name} is masked", f"pkl enable {name}"
        elif code == "host-version":
            asked, host = candidate.metadata.requires_host, str(terms.host_version)
            text = f"{who} needs host {asked}, and this host is {host}"
            remedy = self._remedies.other_host(place, asked, host, "host")
        elif code == "python-version":
            asked, python = candidate.metadata.requires_python, terms.python_version
            text = f"{who} needs Python {asked}, and this is {python}"
            remedy = self._remedies.other_host(place, asked, python, "Python")
        elif code == "tier":
            text = f"{who} asks for tier {candidate.metadata.tier!r}; plugins run in-process here"
            remedy = 'to run it unconfined all the same, set tier = "in-process" in its manifest'
        elif code == "prerelease-only":
            text = f"of {name} there are only pre-releases: {listed(self._words.there(place[0]))}"
            remedy = f"pkl install {quoted(name, f'=={candidate.version}')}"
        elif code == "budget":
            text = f"no answer for {name} within {self._steps} steps"
            remedy = "allow more steps, or pin versions: pkl lock"
        else:
            text = f"{candidate.version!r} is not a version (PEP 440), so {name} cannot be chosen"
            remedy = f"correct the version in {self._remedies.file(candidate)}"
        return Reason(code, text, text, remedy)

    def _unmet(self, place: Place, demand: Demand) -> Reason:
        problem, words, wanted = self.problem, self._words, demand.name
        asks = f"{words.called(place)} requires {demand.text}{words.through(demand)}"
        install = f"pkl install {quoted(wanted, demand.requirement.specifier)}"
        package, offering = problem.about(demand), problem.offers(demand)
        if demand.link:
            server, fits = demand.link[0]
            early = [words.candidate((server, i)).version for i in positions(fits)][::-1]
            text = f"{asks}, and only pre-releases fit: {listed(early)}"
            install = f"pkl install {quoted(wanted, f'=={early[0]}')}"
            return Reason("prerelease-only", text, text, install)
        if demand.toward is not None:
            candidate = problem.candidates[demand.toward][0]
            text = f"{asks}, but {candidate.distribution} is {candidate.distribution_version}"
            return Reason("unsatisfied", text, text, f"pip install {_argument(demand)}")
        if package is not None:
            text = f"{asks}, but {wanted} is {listed(words.there(package))}"
            return Reason("unsatisfied", text, text, self._remedies.fitting(place, demand, package))
        if offering:
            offers = sorted(
                {
                    f"{words.called((p, i))} provides {wanted}=={version}"
                    for p, i, version in offering
                }
            )
            text = f"{asks}, but {listed(offers)}"
            remedy = self._remedies.capability(place, demand, offering)
            return Reason("capability", text, text, remedy)
        if demand.of_distribution:
            text = f"{asks}, which is not installed"
            return Reason("missing", text, text, f"pip install {_argument(demand)}")
        text = f"{asks}, and no plugin or capability has that name"
        guess = self._guess(wanted)
        if guess is None:
            return Reason("missing", text, text, install)
        file = self._remedies.file(words.candidate(place))
        remedy = f"write {guess} in {file}, or {install}"
        return Reason("missing", f"{text}; did you mean {guess}?", text, remedy)

    def _guess(self, name: str) -> Optional[str]:
        if name not in self._guesses and len(self._guesses) < GUESSES:
            known = [*self.problem.names, *self.problem.providers]
            self._guesses[name] = did_you_mean(name, known)
        return self._guesses.get(name)

    def _collision(self, place: Place, out: Out) -> Reason:
        problem, words = self.problem, self._words
        if out.others:
            other = self.representative(out.others[0], problem.everyone[out.others[0]])
            text = (
                f"{words.called(place)} ({words.source(place)}) provides "
                f"{problem.names[other[0]]}, but that is the name of a plugin, "
                f"{words.called(other)} ({words.source(other)})"
            )
            return Reason("collision", text, text, self._remedies.removal([place]))
        places = [
            (place[0], i)
            for i, c in enumerate(problem.candidates[place[0]])
            if c.origin is not Origin.REGISTRY
        ]
        return self.collision(problem.names[place[0]], places)

    def collision(self, name: str, places: Sequence[Place]) -> Reason:
        """The reason of a name that several sources offer."""
        words = self._words
        sources = [f"{words.source(p)} (version {words.candidate(p).version})" for p in places]
        text = f"{name} is offered by {listed(sources)}"
        preferred = words.candidate(places[0])
        first = preferred.distribution or preferred.location or preferred.target
        remedy = f"{self._remedies.removal(places)}, or set precedence=[{first!r}]"
        return Reason("collision", cleaned(text), cleaned(text), cleaned(remedy))

    def _cycle(self, members: Tuple[int, ...]) -> Reason:
        known = self._cycles.get(members[0])
        if known is not None:
            return known
        path = self.circle(members)
        names = [self.problem.names[package] for package in path]
        rest = len(members) - len(path)
        more = f", and {rest} more with them" if rest else ""
        if len(names) > SHOWN:
            names = [*names[: SHOWN - 1], "..."]
        text = f"{' -> '.join([*names, names[0]])} require each other in a circle{more}"
        file = self._remedies.file(self.problem.candidates[path[0]][-1])
        remedy = f'make one "requires" of the circle a "wants" or an "after", as in {file}'
        self._cycles[members[0]] = Reason("cycle", text, text, remedy)
        return self._cycles[members[0]]

    def circle(self, members: Tuple[int, ...]) -> List[int]:
        """A shortest circle through the first of packages that require each other."""
        inside, first = set(members), members[0]
        came: Dict[int, int] = {}
        pending = [first]
        for package in pending:
            for _demand, other in self.within(package, members, inside):
                if other == first:
                    path = [package]
                    while path[-1] != first:
                        path.append(came[path[-1]])
                    return path[::-1]
                if other not in came:
                    came[other] = package
                    pending.append(other)
        return list(members)

    def within(
        self, package: int, members: Tuple[int, ...], inside: Set[int]
    ) -> List[Tuple[Demand, int]]:
        """What a package of a circle requires of the others in it."""
        _package, position = self.representative(package, self._circular(package, members))
        rows = self.demands.requires[package]
        return [
            (demand, other)
            for demand in (rows[position] if rows else ())
            for other, _mask in demand.link
            if other in inside
        ]

    def _circular(self, package: int, members: Tuple[int, ...]) -> int:
        """The candidates of a package that are out for being in that circle."""
        outs, mask = self.problem.outs, 0
        for position in positions(self.problem.everyone[package]):
            if outs[package, position].others is members:
                mask |= 2 << position
        return mask

    def _refused(self, place: Place) -> Reason:
        package = place[0]
        facts = self.core(package)
        who, words = self._words.called(place), self._words
        met = clash(self.demands, facts)
        if met is None:
            texts = [words.told(fact) for fact in facts[:SHOWN]]
            more = f" and {len(facts) - SHOWN} more" if len(facts) > SHOWN else ""
            text = f"there are no versions with which {'; '.join(texts)}{more} can all hold"
            return Reason("unsatisfied", f"{who} cannot start: {text}", text, "pkl upgrade")
        if met.second is None:
            text = words.told(met.first)
            message = text if met.first.package == package else f"{who} cannot start: {text}"
            remedy = self._remedies.conflict(met.first, met.package, package, facts)
            return Reason("conflict", message, text, remedy)
        text = f"{words.told(met.first)}, but {words.told(met.second)}"
        remedy = self._remedies.clash(met.first, met.second, package, facts)
        return Reason("unsatisfied", f"{who} cannot start: {text}", text, remedy)


def _argument(demand: Demand) -> str:
    return quoted(demand.requirement.display, demand.requirement.specifier)
