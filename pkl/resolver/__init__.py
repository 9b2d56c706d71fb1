"""Candidates to plan: what starts, in which order, and an explanation of every refusal.

``resolve`` is all that others need; ``docs/resolving.md`` says what it promises. Inside, in the
order in which a plan is made: ``problem`` (candidates by name, and which are out from the start),
``nogoods`` (what may not be chosen together beside that),
``demands`` and ``distributions`` (what they ask of each other), ``prune``, ``selection`` with
``search``, ``clauses`` and ``solve`` (where there is something to choose), ``choice`` (what is
preferred), ``order`` and ``schedule`` (the waves), ``edges`` (the graph as a value), ``words``,
``remedies``, ``proofs``, ``reasons`` and ``explain`` (why not), ``planning`` (all of it).
"""

from __future__ import annotations

from .nogoods import Nogood
from .planning import resolve

__all__ = ["Nogood", "resolve"]
