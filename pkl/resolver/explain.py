"""The whole story of one name: who demands what, what there is, why each is out, what to do.

Short by default, with the last dozen steps of a proof; in full on request.
"""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence

from ..model.plan import Plan
from ..model.state import Reason
from ..names import did_you_mean
from .clauses import Clause
from .demands import Demands
from .problem import Demand, Out, positions
from .proofs import clash, from_the_top
from .reasons import Reasons
from .search import Fact, Refusal
from .selection import Selection
from .words import Place, Words, cleaned, listed

__all__ = ["Explainer"]

DOZEN = 12
"""How many steps of a proof are shown unless all are asked for."""
FEW = 5
"""How many of those who require a plugin are shown unless all are asked for."""


class Explainer:
    """Words the proof of every refusal of one plan."""

    def __init__(
        self,
        demands: Demands,
        reasons: Reasons,
        words: Words,
        selection: Selection,
        plan: Plan,
    ) -> None:
        self._demands = demands
        self._problem = demands.problem
        self._reasons = reasons
        self._words = words
        self._selection = selection
        self._plan = plan

    def explain(self, name: str, full: bool = False) -> str:
        """Why a plugin starts, or the proof of why it does not.

        Args:
            name: The plugin, as the plan names it.
            full: Everything instead of the last dozen steps.
        """
        packages = self._problem.find(name)
        lines = [] if packages else self._unknown(name)
        for package in packages:
            lines += self._about(package, full)
        return cleaned("\n".join(lines))

    def _about(self, package: int, full: bool) -> List[str]:
        name = self._problem.names[package]
        reason = self._plan.blocked.get(name)
        if reason is not None:
            return self._blocked(package, reason, full)
        if package in self._selection.chosen:
            return self._started(package, full)
        return [f"{name} is not asked for, and nothing that starts requires it"]

    def _unknown(self, name: str) -> List[str]:
        problem, reason = self._problem, self._plan.blocked.get(name)
        guess = did_you_mean(name, problem.names)
        lines = [f"{name} is not known" + (f"; did you mean {guess}?" if guess else "")]
        for package, position, version in problem.providers.get(name, ())[:FEW]:
            lines.append(f"  {self._words.called((package, position))} provides {name}=={version}")
        return lines if reason is None else [*lines, f"repair: {reason.remedy}"]

    # What starts.

    def _started(self, package: int, full: bool) -> List[str]:
        words, chosen = self._words, self._selection.chosen
        place = (package, chosen[package])
        name = self._problem.names[package]
        step = self._plan.step(name)
        layer = step.layer if step is not None else 0
        lines = [f"{words.called(place)} starts in layer {layer} ({words.source(place)})"]
        users = [
            self._stated((p, chosen[p]), kind, demand)
            for kind, table in (
                ("requires", self._selection.requires),
                ("wants", self._selection.wants),
            )
            for p, bound in table.items()
            for demand, other in bound
            if other == package
        ]
        lines += self._shortened(users, full, FEW)
        served = [
            f"{self._stated(place, kind, demand)}: {words.called((other, chosen[other]))}"
            for kind, table in (
                ("requires", self._selection.requires),
                ("wants", self._selection.wants),
            )
            for demand, other in table[package]
        ]
        lines += self._shortened(served, full, DOZEN)
        others = [i for i in range(len(self._problem.candidates[package])) if i != place[1]]
        for position in reversed(others):
            out = self._problem.outs.get((package, position))
            why = "not preferred" if out is None else self._why(package, position)
            lines.append(f"  {words.called((package, position))}: {why}")
        lines += [f"  note: {note}" for note in self._plan.notes if note.startswith(f"{name}: ")]
        return lines

    # What does not start.

    def _blocked(self, package: int, reason: Reason, full: bool) -> List[str]:
        problem, words = self._problem, self._words
        if reason.code == "disabled" or package in problem.colliding:
            return [reason.message, f"repair: {reason.remedy}"]
        place = self._reasons.representative(package, problem.everyone[package])
        chain = [place]
        following = self._reasons.following(place)
        while following is not None:
            chain.append(following)
            following = self._reasons.following(following)
        steps = [self._link(each) for each in chain[:-1]]
        last = chain[-1]
        ending = self._ending(last, full)
        called = words.called(place)
        if problem.outs[place].code == "collision" and not problem.outs[place].others:
            called = problem.names[package]
        head = f"{called} cannot start ({reason.code})"
        lines = [head, *self._shortened([*steps, *ending], full, DOZEN)]
        listed_already = problem.outs[last].demand is None and problem.outs[last].code != "refused"
        seen = {last[0]} if listed_already else set()
        for other, _position in chain if full else [chain[0], last]:
            if len(problem.candidates[other]) > 1 and other not in seen:
                seen.add(other)
                lines += self._candidates(other)
        lines.append(f"cause: {reason.cause}")
        if reason.remedy:
            lines.append(f"repair: {reason.remedy}")
        return lines

    def _link(self, place: Place) -> str:
        demand = self._problem.outs[place].demand
        assert demand is not None
        return self._stated(place, "requires", demand)

    def _ending(self, place: Place, full: bool) -> List[str]:
        """The fault at the end of the chain, with all that shows it."""
        out = self._problem.outs[place]
        if out.code == "refused":
            return self._refusal(place[0], full)
        if out.code == "cycle":
            return self._circle(out)
        if out.code == "collision":
            return self._collision(place, out)
        if out.demand is not None:
            lines = [self._stated(place, "requires", out.demand)]
            return lines + self._seen(out.demand)
        message = self._reasons.own(place).message.replace("\n", "\n  ")
        lines = [f"  {message} ({self._words.source(place)})"]
        if len(self._problem.candidates[place[0]]) > 1:
            lines += self._candidates(place[0])
        return lines

    def _seen(self, demand: Demand) -> List[str]:
        """The candidates that a demand could have meant, and why each is out."""
        problem = self._problem
        named = problem.about(demand)
        lines = [] if named is None else self._candidates(named, demand)
        for package, position, version in problem.offers(demand):
            fits = any(p == package and m & (2 << position) for p, m in demand.link)
            why = self._why(package, position) if fits else "out of bounds"
            called = self._words.called((package, position))
            lines.append(f"  {called} provides {demand.name}=={version}: {why}")
        if not lines:
            guess = did_you_mean(demand.name, [*problem.names, *problem.providers])
            meant = f"; did you mean {guess}?" if guess else ""
            lines.append(f"  nothing here is or provides {demand.name}{meant}")
        return lines

    def _candidates(self, package: int, demand: Optional[Demand] = None) -> List[str]:
        """The candidates of a package, the highest first, and why each is out."""
        lines: List[str] = []
        fits = self._problem.everyone[package]
        if demand is not None:
            fits = next((mask for p, mask in demand.link if p == package), 0)
        for position in reversed(range(len(self._problem.candidates[package]))):
            place = (package, position)
            why = self._why(package, position) if fits & (2 << position) else "out of bounds"
            lines.append(f"  {self._words.called(place)} ({self._words.source(place)}): {why}")
        return lines

    def _why(self, package: int, position: int) -> str:
        """Why one candidate is out, in a few words."""
        out = self._problem.outs.get((package, position))
        candidate = self._problem.candidates[package][position]
        if out is None:
            return "would do"
        if out.demand is not None:
            return f"requires {out.demand.text}"
        texts = {
            "host-version": f"needs host {candidate.metadata.requires_host}",
            "python-version": f"needs Python {candidate.metadata.requires_python}",
            "prerelease-only": "a pre-release, which is refused",
            "tier": f"asks for the tier {candidate.metadata.tier!r}",
            "cycle": "in a circle",
            "refused": "does not go with the rest",
            "budget": "not decided within the budget",
        }
        return texts.get(out.code, out.code)

    def _stated(self, place: Place, verb: str, demand: Demand) -> str:
        text = f"{self._words.called(place)} {verb} {demand.text}{self._words.through(demand)}"
        return f"  {text} ({self._words.where(place, demand.text)})"

    def _shortened(self, lines: Sequence[str], full: bool, count: int) -> List[str]:
        if full or len(lines) <= count:
            return list(lines)
        left = len(lines) - count
        return [f"  ... {left} more before these; --full shows them", *lines[left:]]

    # Faults of several.

    def _circle(self, out: Out) -> List[str]:
        members, inside = out.others, set(out.others)
        first = self._reasons.circle(members)
        lines: List[str] = []
        for package in [*first, *(p for p in members if p not in first)]:
            for demand, _other in self._reasons.within(package, members, inside):
                place = self._reasons.representative(package, self._problem.everyone[package])
                lines.append(self._stated(place, "requires", demand))
        return lines

    def _collision(self, place: Place, out: Out) -> List[str]:
        packages = [place[0], *out.others]
        lines: List[str] = []
        for package in packages:
            for position, candidate in enumerate(self._problem.candidates[package]):
                words = [self._words.called((package, position)), "from", candidate.source]
                if candidate.location and candidate.distribution:
                    words.append(f"({candidate.location})")
                lines.append("  " + " ".join(words))
        return lines

    def _refusal(self, package: int, full: bool) -> List[str]:
        refusal = self._reasons.refusals[package]
        facts = self._reasons.core(package, however_large=True)
        lines = [self._fact(fact) for fact in from_the_top(package, facts)]
        met = clash(self._demands, facts)
        if met is not None and met.second is not None:
            lines += self._against(met.package, facts)
        elif met is not None and met.package in self._selection.chosen:
            place = (met.package, self._selection.chosen[met.package])
            lines.append(f"  {self._words.called(place)} starts")
        if full:
            lines += self._proof(refusal)
        return lines

    def _fact(self, fact: Fact) -> str:
        position = max(positions(fact.mask))
        where = self._words.where((fact.package, position), fact.demand.text)
        return f"  {self._words.told(fact)} ({where})"

    def _against(self, package: int, facts: Sequence[Fact]) -> List[str]:
        """Each candidate of a package that several want, with whoever refuses it."""
        lines: List[str] = []
        for position in reversed(range(len(self._problem.candidates[package]))):
            refusing = [
                self._problem.names[fact.package]
                for fact in facts
                for p, mask in fact.demand.link
                if p == package and not fact.conflict and not mask & (2 << position)
            ]
            if self._problem.alive[package] & (2 << position):
                why = f"not for {listed(sorted(set(refusing)))}" if refusing else "fits them all"
            else:
                why = self._why(package, position)
            called = self._words.called((package, position))
            lines.append(f"  {called} ({self._words.source((package, position))}): {why}")
        return lines

    def _proof(self, refusal: Refusal) -> List[str]:
        """Every fact and every conclusion of the solver, numbered."""
        numbers: Dict[int, int] = {}
        lines = ["  the proof in full:"]
        for given, fact in zip(refusal.proof.given, refusal.facts):
            numbers[given] = len(numbers) + 1
            lines.append(f"    {numbers[given]}. {self._words.told(fact)}")
        for number, terms, follows in refusal.proof.lemmas:
            numbers[number] = len(numbers) + 1
            because = ", ".join(str(n) for n in sorted(numbers[each] for each in follows))
            text = self._lemma(terms, refusal)
            lines.append(f"    {numbers[number]}. so {text} (from {because})")
        because = ", ".join(str(n) for n in sorted(numbers[each] for each in refusal.proof.last))
        name = self._problem.names[refusal.packages[refusal.variable]]
        lines.append(f"    {len(numbers) + 1}. so {name} cannot start (from {because})")
        return lines

    def _lemma(self, terms: Clause, refusal: Refusal) -> str:
        """A conclusion in words: of which things at least one is not so."""
        words: List[str] = []
        for variable, mask in terms:
            package = refusal.packages[variable]
            if mask & 1:
                rest = refusal.full[variable] & ~mask
                words.append(f"no {self._words.spanned(package, rest)}")
            else:
                words.append(self._words.spanned(package, mask))
        return f"there cannot be {listed(words, 'with')}" if words else "nothing is left"
