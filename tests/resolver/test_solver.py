"""The solver bare: clauses over small sets, held against trying everything."""

from __future__ import annotations

import itertools
import os
import random
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

import pytest

from pkl.resolver.clauses import BudgetSpent, Clause, Conflict
from pkl.resolver.solve import Solver

EXAMPLES = int(os.environ.get("PKL_EXAMPLES", "300"))


def highest(_variable: int, mask: int) -> int:
    return 1 << (mask.bit_length() - 1)


def first(_number: int, options: Sequence[Tuple[int, int]]) -> Tuple[int, int]:
    return min(options)


def solver(full: Sequence[int], clauses: Iterable[Clause] = (), steps: int = 100_000) -> Solver:
    made = Solver(full, highest, first, steps)
    for each in clauses:
        made.add(each)
    return made


def clause(terms: Iterable[Tuple[int, int]], full: Sequence[int]) -> Optional[Clause]:
    """The terms with those of one variable merged, without those that always hold, if any can."""
    merged: Dict[int, int] = {}
    for variable, mask in terms:
        merged[variable] = merged.get(variable, full[variable]) & mask
    if not all(merged.values()):
        return None
    return tuple((v, m) for v, m in merged.items() if m != full[v])


def best_by_trying(
    full: Sequence[int], clauses: Sequence[Clause], wishes: Sequence[Tuple[int, int]]
) -> Optional[Tuple[bool, ...]]:
    """The lexicographically greatest set of wishes that some assignment fulfils."""
    values = [[1 << i for i in range(mask.bit_length()) if mask >> i & 1] for mask in full]
    found: Optional[Tuple[bool, ...]] = None
    for each in itertools.product(*values):
        if not any(all(each[v] & m for v, m in terms) for terms in clauses):
            fulfilled = tuple(bool(each[v] & m) for v, m in wishes)
            found = fulfilled if found is None else max(found, fulfilled)
    return found


class Puzzle:
    """Random clauses of every kind that the resolver makes, over a few small variables."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(seed)
        count = draw.randint(2, 6)
        self.full = [(2 << draw.randint(1, 3)) - 1 for _ in range(count)]
        self.clauses: List[Clause] = []
        self.several: List[Optional[int]] = []
        for _ in range(draw.randint(1, 16)):
            one = draw.randrange(count)
            some = self._some(draw, one)
            others = draw.sample(range(count), min(count, draw.choice([1, 1, 2, 3])))
            if draw.random() < 0.3:
                terms = [(one, some), (others[0], self._some(draw, others[0]))]
                several = None
            else:
                terms = [(one, some)]
                terms += [(o, self.full[o] & ~self._some(draw, o)) for o in others]
                several = one if len(others) > 1 else None
            made = clause(terms, self.full)
            if made is not None:
                self.clauses.append(made)
                self.several.append(several)
        wished = draw.sample(range(count), draw.randint(1, count))
        self.wishes = [(variable, self.full[variable] & ~1) for variable in wished]

    def _some(self, draw: random.Random, variable: int) -> int:
        return draw.randint(1, self.full[variable] >> 1) << 1

    def solved(self) -> Solver:
        made = Solver(self.full, highest, first, 100_000)
        for terms, several in zip(self.clauses, self.several):
            made.add(terms, any_of=several)
        made.run(self.wishes)
        return made


def decided(made: Solver) -> List[int]:
    """What each variable came to; one that may be absent is."""
    return [1 if mask & 1 else mask for mask in made.state]


def test_it_fulfils_the_greatest_set_of_wishes_and_proves_the_rest_impossible() -> None:
    for seed in range(EXAMPLES):
        puzzle = Puzzle(seed)
        made = puzzle.solved()
        got = tuple(not made.state[v] & ~m for v, m in puzzle.wishes)
        assert got == best_by_trying(puzzle.full, puzzle.clauses, puzzle.wishes), f"seed {seed}"
        final = decided(made)
        assert not any(mask & (mask - 1) for mask in final), f"seed {seed}: undecided"
        for terms in puzzle.clauses:
            assert not all(final[v] & m for v, m in terms), f"seed {seed}: broken"
        for (variable, mask), fulfilled in zip(puzzle.wishes, got):
            if not fulfilled:
                proof = made.proof(variable, mask)
                needed = [puzzle.clauses[number] for number in proof.given]
                needed += [((v, puzzle.full[v] & ~m),) for v, m in proof.assumed]
                assert best_by_trying(puzzle.full, needed, [(variable, mask)]) == (False,), seed


def test_a_late_wish_changes_nothing_that_was_decided() -> None:
    for seed in range(EXAMPLES):
        puzzle = Puzzle(seed)
        made = puzzle.solved()
        for variable, mask in enumerate(puzzle.full):
            before = decided(made)
            if before[variable] != 1:
                continue
            got = made.attempt(variable, mask & ~1)
            after = decided(made)
            assert all(b in (1, a) for b, a in zip(before, after)), f"seed {seed}"
            fixed = [((v, puzzle.full[v] & ~b),) for v, b in enumerate(before) if b != 1]
            possible = best_by_trying(
                puzzle.full, [*puzzle.clauses, *fixed], [(variable, mask & ~1)]
            )
            assert possible == (got,), f"seed {seed}"


def test_clauses_that_cannot_all_hold_are_told_with_their_numbers() -> None:
    made = solver([7, 7], [((0, 1),), ((0, 2), (1, 1)), ((0, 4), (1, 1)), ((1, 6),)])
    with pytest.raises(Conflict) as caught:
        made.run([])
    assert set(caught.value.proof.given) == {0, 1, 2, 3}


def test_the_budget_is_counted_in_narrowings_and_never_overrun() -> None:
    puzzle = Puzzle(7)
    made = puzzle.solved()
    enough = made.spent
    again = Solver(puzzle.full, highest, first, enough - 1)
    for terms, several in zip(puzzle.clauses, puzzle.several):
        again.add(terms, any_of=several)
    with pytest.raises(BudgetSpent):
        again.run(puzzle.wishes)
    assert enough > 1


def test_a_wish_that_the_budget_does_not_reach_for_leaves_everything_as_it_was() -> None:
    made = solver([3, 3, 3], [((1, 2), (2, 1))], steps=2)
    made.run([(0, 2)])
    before = decided(made)
    assert made.attempt(1, 2) is False
    assert decided(made) == before == [2, 1, 1]
