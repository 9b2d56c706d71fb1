"""One connected part of the problem put to the solver, and why it refused what it refused."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Sequence, Set, Tuple

from ..model.state import Desired
from .choice import Choice
from .clauses import BudgetSpent, Clause, Proof, Term
from .demands import Demands, Rows
from .nogoods import Exclusion
from .order import circles, waves
from .problem import Demand, positions
from .solve import Solver

__all__ = ["Answer", "Fact", "Refusal", "search"]


class Fact(NamedTuple):
    """What some candidates of a package demand, or conflict with."""

    package: int
    mask: int
    demand: Demand
    conflict: bool


class Refusal(NamedTuple):
    """Why a root is not started although a candidate of it is left.

    Attributes:
        variable: The variable that stands for the root.
        facts: What it follows from, in the order of the clauses.
        clauses: The clause of each fact.
        full: All values of each variable.
        assumed: What was decided before it and that it does not go with; may be empty.
        proof: How it follows.
        packages: The package that each variable stands for.
    """

    variable: int
    facts: Tuple[Fact, ...]
    clauses: Tuple[Clause, ...]
    full: Tuple[int, ...]
    assumed: Tuple[Term, ...]
    proof: Proof
    packages: Tuple[int, ...]


class Answer(NamedTuple):
    """What was chosen in one part of the problem.

    Attributes:
        chosen: Position of the chosen candidate, by package.
        refusals: Why the other roots are not among them.
        undecided: Roots of which nothing is known, because the budget was spent.
        spent: The narrowings it took.
    """

    chosen: Dict[int, int]
    refusals: Dict[int, Refusal]
    undecided: Tuple[int, ...]
    spent: int


def search(
    demands: Demands, choice: Choice, packages: Sequence[int], roots: Sequence[int], steps: int
) -> Answer:
    """Starts as many of the roots as possible, an earlier one before all later ones.

    A root comes later than everything it requires or conflicts with, whatever candidates are
    taken, so that of two that do not go together the one that says so stays out.

    Where the budget is spent, the same is asked once more with only the preferred candidate of
    each package and as many steps; what that starts is right, what it refuses is undecided.
    """
    ordered = _by_blame(demands, choice, packages, roots)
    domains = [demands.problem.alive[package] for package in packages]
    spent = 0
    for domain in (domains, _preferred(choice, packages, domains)):
        part = _Part(demands, choice, packages, domain, steps)
        try:
            chosen = part.run(ordered)
        except BudgetSpent:
            spent += part.solver.spent
            continue
        spent += part.solver.spent
        refused = [package for package in ordered if package not in chosen]
        if domain is domains:
            refusals = {package: part.refusal(package) for package in refused}
            return Answer(chosen, refusals, (), spent)
        return Answer(chosen, {}, tuple(refused), spent)
    return Answer({}, {}, tuple(ordered), spent)


def _preferred(choice: Choice, packages: Sequence[int], domains: Sequence[int]) -> List[int]:
    return [2 << choice.best(p, mask) if mask else 0 for p, mask in zip(packages, domains)]


def _by_blame(
    demands: Demands, choice: Choice, packages: Sequence[int], roots: Sequence[int]
) -> List[int]:
    problem = demands.problem
    number = {package: i for i, package in enumerate(packages)}
    needs = [
        {
            number[other]
            for rows in (demands.requires[package], demands.conflicts[package])
            for position in (positions(problem.alive[package]) if rows else ())
            for demand in rows[position]
            for other, mask in demand.link
            if other in number and problem.alive[other] & mask and other != package
        }
        for package in packages
    ]
    group = list(range(len(packages)))
    for members in circles(needs):
        for member in members:
            group[member] = members[0]
    # One node for each component: its first member, which needs what any of them needs.
    merged: List[Set[int]] = [set() for _ in group]
    for i, first in enumerate(group):
        merged[first] |= {group[j] for j in needs[i]} - {first}
    layer = waves(merged)

    def key(package: int) -> Tuple[int, bool, bool, int, int]:
        best = choice.best(package, problem.alive[package])
        return (layer[group[number[package]]], *problem.standing(package, best), package)

    return sorted(roots, key=key)


class _Part:
    """The solver over some packages, variable by variable in their order."""

    def __init__(
        self,
        demands: Demands,
        choice: Choice,
        packages: Sequence[int],
        domains: Sequence[int],
        steps: int,
    ) -> None:
        self._demands = demands
        self._choice = choice
        self._packages = packages
        self._variables = {package: i for i, package in enumerate(packages)}
        self._domains = domains
        self._facts: Dict[int, Tuple[Fact, Clause]] = {}
        self._wanted: Dict[int, List[Tuple[int, int, int]]] = {}
        self.solver = Solver([mask | 1 for mask in domains], self._best, self._prefer, steps)
        for variable in range(len(packages)):
            self._state(variable)
        for each in demands.exclusions:
            self._exclude_together(each)

    def run(self, roots: Sequence[int]) -> Dict[int, int]:
        """Decides the roots in order, then what is wanted; the candidates that were chosen."""
        solver = self.solver
        variables = [self._variables[package] for package in roots]
        solver.run([(v, self._domains[v]) for v in variables if self._domains[v]])
        self._attempt_wants()
        return {
            package: solver.state[variable].bit_length() - 2
            for variable, package in enumerate(self._packages)
            if not solver.state[variable] & 1
        }

    def refusal(self, package: int) -> Refusal:
        """Why a root could not be had."""
        variable = self._variables[package]
        proof = self.solver.proof(variable, self._domains[variable])
        return Refusal(
            variable,
            tuple(self._facts[number][0] for number in proof.given),
            tuple(self._facts[number][1] for number in proof.given),
            self.solver.full,
            proof.assumed,
            proof,
            tuple(self._packages),
        )

    # The clauses.

    def _state(self, variable: int) -> None:
        package = self._packages[variable]
        for kind, rows in (
            ("requires", self._demands.requires[package]),
            ("conflicts", self._demands.conflicts[package]),
            ("wants", self._demands.wants[package]),
        ):
            for mask, demand in self._merged(variable, rows):
                if kind == "requires":
                    self._require(variable, mask, demand)
                elif kind == "conflicts":
                    self._exclude(variable, mask, demand)
                else:
                    for other, fitting in self._terms(demand):
                        self._wanted.setdefault(other, []).append((variable, mask, fitting))

    def _merged(self, variable: int, rows: Rows) -> List[Tuple[int, Demand]]:
        """Each demand once, with all candidates that make it."""
        found: Dict[object, Tuple[int, Demand]] = {}
        domain = self._domains[variable]
        for position, row in enumerate(rows):
            if domain & (2 << position):
                for demand in row:
                    mask, first = found.get(demand.link, (0, demand))
                    found[demand.link] = (mask | (2 << position), first)
        return list(found.values())

    def _terms(self, demand: Demand) -> List[Term]:
        """The variables that can serve a demand, each with its fitting candidates."""
        found: List[Term] = []
        for package, mask in demand.link:
            other = self._variables.get(package)
            if other is not None and self._domains[other] & mask:
                found.append((other, self._domains[other] & mask))
        return found

    def _require(self, variable: int, mask: int, demand: Demand) -> None:
        full, terms = self.solver.full, self._terms(demand)
        several = variable if len(terms) > 1 else None
        made = ((variable, mask), *[(other, full[other] & ~m) for other, m in terms])
        fact = Fact(self._packages[variable], mask, demand, False)
        self._facts[self.solver.add(made, any_of=several)] = (fact, made)

    def _exclude(self, variable: int, mask: int, demand: Demand) -> None:
        fact = Fact(self._packages[variable], mask, demand, True)
        for term in self._terms(demand):
            made = ((variable, mask), term)
            self._facts[self.solver.add(made)] = (fact, made)

    def _exclude_together(self, exclusion: Exclusion) -> None:
        terms: List[Term] = []
        for package, mask in exclusion.terms:
            variable = self._variables.get(package)
            if variable is None or not self._domains[variable] & mask:
                return
            terms.append((variable, self._domains[variable] & mask))
        package, made = self._packages[terms[0][0]], tuple(terms)
        fact = Fact(package, terms[0][1], exclusion.demand, True)
        self._facts[self.solver.add(made)] = (fact, made)

    # Preferences.

    def _best(self, variable: int, mask: int) -> int:
        """The preferred candidate; one that somebody there wants comes first."""
        state = self.solver.state
        for wanting, who, fitting in self._wanted.get(variable, ()):
            if not state[wanting] & ~who and mask & fitting:
                mask &= fitting
        return 2 << self._choice.best(self._packages[variable], mask)

    def _prefer(self, number: int, options: Sequence[Term]) -> Term:
        offers = {}
        for variable, mask in options:
            package = self._packages[variable]
            offers[package, self._choice.best(package, mask)] = (variable, mask)
        return offers[self._choice.provider(self._facts[number][0].demand, offers)]

    # What is wanted.

    def _attempt_wants(self) -> None:
        """Pulls in what is wanted, is here, is not disabled, and goes with all that is decided."""
        solver = self.solver
        asked: Set[int] = set()
        found = True
        while found:
            found = False
            for variable, package in enumerate(self._packages):
                if variable in asked or solver.state[variable] & 1:
                    continue
                asked.add(variable)
                rows = self._demands.wants[package]
                for demand in rows[solver.state[variable].bit_length() - 2] if rows else ():
                    found = self._attempt(demand) or found

    def _attempt(self, demand: Demand) -> bool:
        solver, problem = self.solver, self._demands.problem
        options = {}
        for variable, mask in self._terms(demand):
            if not solver.state[variable] & ~mask:
                return False
            package = self._packages[variable]
            mask &= problem.here(package) & solver.state[variable]
            if mask and problem.terms.desired.get(problem.names[package]) is not Desired.DISABLED:
                options[package, self._choice.best(package, mask)] = (variable, mask)
        while options:
            offer = self._choice.provider(demand, options)
            if solver.attempt(*options.pop(offer)):
                return True
        return False
