"""A finite-domain PubGrub: propagation, decisions, and a learned clause for each dead end.

The method is that of PubGrub (Weizenbaum, "PubGrub: Next-Generation Version Solving", 2018) in
the shape of a CDCL solver: two watched terms in each clause, variables decided by how few values
they have left and how often they stood in the way (dom/wdeg, Boussemart et al. 2004), and a
learned clause that knows the clauses it follows from, which is the proof.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Callable, Dict, List, Optional, Sequence, Set, Tuple

from .clauses import BudgetSpent, Clause, Conflict, Proof, Term

__all__ = ["Solver"]

DECISION = -1
"""The cause of a narrowing that was chosen, not concluded."""

NEAR = 30
"""How many levels a dead end may undo at once. From farther up only one is taken back, so that
what has nothing to do with it stays decided (chronological backtracking, Nadel 2018)."""


class Solver:
    """Narrows variables by propagation and by decisions until all that is asked for is decided.

    Attributes:
        full: The set of all values of each variable.
        state: The set of values that each variable can still have.
        spent: Narrowings so far, those undone included: the measure of effort.
    """

    def __init__(
        self,
        full: Sequence[int],
        best: Callable[[int, int], int],
        prefer: Callable[[int, Sequence[Term]], Term],
        steps: int,
    ) -> None:
        """Starts with every value possible.

        Args:
            full: The set of all values of each variable.
            best: The preferred value, as a set of one, from a set of values of a variable.
            prefer: The preferred term of an any-of, given its clause and the terms that can
                still hold. Both must always answer alike.
            steps: How many narrowings are granted.
        """
        self.full = tuple(full)
        self.state = list(full)
        self.spent = 0
        self._best = best
        self._prefer = prefer
        self._steps = steps
        self._clauses: List[List[Term]] = []
        self._follows: List[Tuple[int, ...]] = []
        # By variable: the watched terms, each with the number of its clause.
        self._watches: List[List[Term]] = [[] for _ in full]
        self._any_of: Dict[int, List[int]] = {}
        self._units: List[int] = []
        # The trail: variable, set before, cause and level of each narrowing, in order.
        self._variable: List[int] = []
        self._before: List[int] = []
        self._cause: List[int] = []
        self._level: List[int] = []
        self._history: List[List[int]] = [[] for _ in full]
        self._visited = 0
        # For each level: length of the trail, next wish and next any-of when it began.
        self._levels: List[Tuple[int, int, int]] = []
        self._floor = 0
        self._wishes: List[Term] = []
        self._wish = 0
        self._offered = 0
        self._open: List[Tuple[float, int, int]] = []
        self._weight = [1] * len(self.full)

    def add(self, terms: Clause, *, any_of: Optional[int] = None) -> int:
        """Adds a clause and gives its number.

        Args:
            terms: The clause.
            any_of: The variable that demands one of the others, if several would do.
        """
        number = self._attach(list(terms), ())
        if len(terms) < 2:
            self._units.append(number)
        if any_of is not None:
            self._any_of.setdefault(any_of, []).append(number)
        return number

    def run(self, wishes: Sequence[Term]) -> None:
        """Decides everything, with as many wishes fulfilled as the clauses allow.

        An earlier wish comes before all later ones together: the set of those fulfilled is the
        greatest in lexicographic order.

        Raises:
            BudgetSpent: It would take more narrowings than were granted.
            Conflict: The clauses cannot all hold, whatever is wished.
        """
        self._wishes = list(wishes)
        for number in self._units:
            self._settle(number)
        self._search()
        self._floor = len(self._levels)

    def attempt(self, variable: int, mask: int) -> bool:
        """Adds one more wish that may change nothing already decided; whether it is fulfilled.

        It is not where that would take more narrowings than were granted.
        """
        self._wishes.append((variable, mask))
        try:
            self._search()
        except BudgetSpent:
            self._back_to(self._floor)
            self._wish = len(self._wishes)
            return False
        self._floor = len(self._levels)
        return not self.state[variable] & ~mask

    def _search(self) -> None:
        while True:
            broken = self._propagate()
            if broken is not None:
                self._learn(broken)
                continue
            decision = self._decision()
            if decision is None:
                return
            self._levels.append((len(self._variable), self._wish, self._offered))
            self._narrow(decision[0], decision[1], DECISION)

    # Decisions: wishes first, then what is there but in several versions, then any-of.

    def _decision(self) -> Optional[Term]:
        state = self.state
        while self._wish < len(self._wishes):
            variable, mask = self._wishes[self._wish]
            left = state[variable] & mask
            if left and left != state[variable]:
                return variable, left
            self._wish += 1
        while self._open:
            _key, count, variable = self._open[0]
            left = state[variable]
            if not left & 1 and left & (left - 1) and bin(left).count("1") == count:
                return variable, self._best(variable, left)
            heappop(self._open)
        while self._offered < len(self._variable):
            variable = self._variable[self._offered]
            for number in self._any_of.get(variable, ()):
                options = self._unserved(number, variable)
                if options:
                    return self._prefer(number, options)
            self._offered += 1
        return None

    def _unserved(self, number: int, demander: int) -> List[Term]:
        """The terms that would serve an any-of; none if it is served or not demanded."""
        state = self.state
        options: List[Term] = []
        for variable, mask in self._clauses[number]:
            left = state[variable]
            if variable == demander:
                if left & ~mask:
                    return []
            elif not left & mask:
                return []
            elif left & ~mask:
                options.append((variable, left & ~mask))
        return options

    # Narrowing and its consequences.

    def _narrow(self, variable: int, left: int, cause: int) -> None:
        self.spent += 1
        if self.spent > self._steps:
            raise BudgetSpent
        self._history[variable].append(len(self._variable))
        self._variable.append(variable)
        self._before.append(self.state[variable])
        self._cause.append(cause)
        self._level.append(len(self._levels))
        self.state[variable] = left
        self._reopen(variable, left)

    def _reopen(self, variable: int, left: int) -> None:
        if not left & 1 and left & (left - 1):
            count = bin(left).count("1")
            heappush(self._open, (count / self._weight[variable], count, variable))

    def _settle(self, number: int) -> None:
        """Draws the conclusion from a clause of which at most the first term is open."""
        terms = self._clauses[number]
        if not terms:
            raise Conflict(self._proof([], [number]))
        variable, mask = terms[0]
        left = self.state[variable] & ~mask
        if not left:
            raise Conflict(self._proof(terms, [number]))
        if left != self.state[variable]:
            self._narrow(variable, left, number)

    def _propagate(self) -> Optional[int]:
        """Follows every conclusion; returns a clause that is broken, or None."""
        state, clauses, watches = self.state, self._clauses, self._watches
        while self._visited < len(self._variable):
            place = self._visited
            variable = self._variable[place]
            self._visited += 1
            if self._history[variable][-1] != place:
                continue  # It was narrowed again since; that visit sees all that this one would.
            inverse = ~state[variable]
            holding = [each for each in watches[variable] if each[0] | inverse == -1]
            moved: Set[int] = set()
            broken: Optional[int] = None
            for _mask, number in holding:
                terms = clauses[number]
                own = 0 if terms[0][0] == variable else 1
                for k in range(2, len(terms)):
                    other, mask = terms[k]
                    if state[other] & ~mask:
                        terms[own], terms[k] = terms[k], terms[own]
                        watches[other].append((mask, number))
                        moved.add(number)
                        break
                else:
                    other, mask = terms[1 - own] if len(terms) > 1 else terms[0]
                    left = state[other] & ~mask
                    if not left:
                        broken = number
                        break
                    if left != state[other]:
                        self._narrow(other, left, number)
            if moved:
                watches[variable] = [each for each in watches[variable] if each[1] not in moved]
            if broken is not None:
                return broken
        return None

    def _attach(self, terms: List[Term], follows: Tuple[int, ...]) -> int:
        number = len(self._clauses)
        self._clauses.append(terms)
        self._follows.append(follows)
        for variable, mask in terms[:2]:
            self._watches[variable].append((mask, number))
        return number

    # Dead ends.

    def _since(self, variable: int, mask: int) -> int:
        """The place on the trail from which a term held."""
        history, before = self._history[variable], self._before
        i = len(history) - 1
        while not before[history[i]] & ~mask:
            i -= 1
        return history[i]

    def _learn(self, broken: int) -> None:
        """Learns why a clause is broken, and goes back to where that says something new."""
        held = {v: (self._since(v, m), m) for v, m in self._clauses[broken]}
        used = [broken]
        while True:
            variable, place, second = self._latest(held)
            if self._level[place] <= self._floor:
                raise Conflict(self._proof([(v, m) for v, (_, m) in held.items()], used))
            runner_up = self._level[second] if second >= 0 else 0
            if self._cause[place] == DECISION or runner_up < self._level[place]:
                break
            self._resolve(held, variable, place, used)
        for each in held:
            self._weight[each] += 1
        mask = held[variable][1]
        terms = [(variable, mask)]
        terms += sorted(
            ((v, m) for v, (_, m) in held.items() if v != variable),
            key=lambda term: -held[term[0]][0],
        )
        if len(self._levels) - runner_up > NEAR:
            runner_up = len(self._levels) - 1
        self._back_to(max(runner_up, self._floor))
        number = self._attach(terms, tuple(used))
        self._narrow(variable, self.state[variable] & ~mask, number)

    def _latest(self, held: Dict[int, Tuple[int, int]]) -> Tuple[int, int, int]:
        """The variable whose term held last, since when, and since when the one before it."""
        variable, place, second = -1, -1, -1
        for each, (since, _mask) in held.items():
            if since > place:
                variable, place, second = each, since, place
            elif since > second:
                second = since
        return variable, place, second

    def _resolve(
        self, held: Dict[int, Tuple[int, int]], variable: int, place: int, used: List[int]
    ) -> None:
        """Replaces a term by those that its narrowing followed from."""
        cause = self._cause[place]
        used.append(cause)
        own = held.pop(variable)[1]
        for other, mask in self._clauses[cause]:
            if other == variable:
                mask |= own
                if mask != self.full[other]:
                    held[other] = (self._since(other, mask), mask)
            elif other in held:
                mask &= held[other][1]
                held[other] = (self._since(other, mask), mask)
            else:
                held[other] = (self._since(other, mask), mask)

    def _back_to(self, level: int) -> None:
        if level == len(self._levels):
            return
        length, self._wish, self._offered = self._levels[level]
        del self._levels[level:]
        for place in range(len(self._variable) - 1, length - 1, -1):
            variable = self._variable[place]
            self._history[variable].pop()
            self.state[variable] = self._before[place]
        for variable in self._variable[length:]:
            self._reopen(variable, self.state[variable])
        del self._variable[length:]
        del self._before[length:]
        del self._cause[length:]
        del self._level[length:]
        self._visited = length

    # Proofs.

    def proof(self, variable: int, mask: int) -> Proof:
        """Why the variable cannot have a value of the set, as things were decided.

        Only to be asked after ``run``, of a term that does not hold.
        """
        return self._proof([(variable, self.full[variable] & ~mask)], [])

    def _proof(self, terms: Sequence[Term], used: List[int]) -> Proof:
        held = {v: (self._since(v, m), m) for v, m in terms}
        assumed: List[Term] = []
        while held:
            variable, place, _ = self._latest(held)
            if self._cause[place] == DECISION:
                assumed.append((variable, held.pop(variable)[1]))
            else:
                self._resolve(held, variable, place, used)
        needed: Set[int] = set()
        pending = list(used)
        while pending:
            number = pending.pop()
            if number not in needed:
                needed.add(number)
                pending.extend(self._follows[number])
        return Proof(
            tuple(sorted(n for n in needed if not self._follows[n])),
            tuple(
                (n, tuple(sorted(self._clauses[n])), self._follows[n])
                for n in sorted(needed)
                if self._follows[n]
            ),
            tuple(dict.fromkeys(used)),
            tuple(sorted(assumed)),
        )
