"""Clauses over small sets, and what a solver says when they cannot all hold.

Each variable holds a set of values as an integer; bit 0 is "none". A *term* says that the value
lies in a set, a *clause* is a list of terms that must not all hold. A requirement, a conflict,
an optional dependency with bounds and an any-of are all one clause:

    p 1 requires q in {2, 3}             not (p in {1} and q in {none, 1})
    p 1 conflicts with q 1               not (p in {1} and q in {1})
    if q is there, then in {2, 3}        not (p in {1} and q in {1})
    p 1 requires one of q, r             not (p in {1} and q in {none} and r in {none})
"""

from __future__ import annotations

from typing import NamedTuple, Tuple

__all__ = ["BudgetSpent", "Clause", "Conflict", "Proof", "Term"]

Term = Tuple[int, int]
"""A variable and the set its value lies in."""
Clause = Tuple[Term, ...]
"""Terms of different variables; none that always holds and none that never does."""


class Proof(NamedTuple):
    """Why a term cannot hold."""

    given: Tuple[int, ...]
    """The given clauses it follows from, ascending."""
    lemmas: Tuple[Tuple[int, Clause, Tuple[int, ...]], ...]
    """What was concluded on the way: number, clause, and the clauses it follows from."""
    last: Tuple[int, ...]
    """The clauses of the last conclusion, given ones and lemmas."""
    assumed: Tuple[Term, ...]
    """The decisions it rests on."""


class BudgetSpent(Exception):
    """More narrowings would be needed than were granted."""


class Conflict(Exception):
    """The clauses cannot all hold; ``proof`` says which."""

    def __init__(self, proof: Proof) -> None:
        super().__init__("no solution")
        self.proof = proof
