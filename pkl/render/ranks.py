"""Which column of the drawing each node stands in, and which nodes are drawn apart."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Dict, Iterable, List, Mapping, Sequence, Set, Tuple

from ..model.graph import strongly_connected
from .view import View, ViewEdge

__all__ = ["Ranks", "columns_of", "rank"]

_FEWEST_ROWS = 20
"""A wave with at most so many boxes is one column, however small the graph is."""

_FARTHEST = 50
"""A line that passes more columns goes straight across: each line repeats the path of its bus."""

_ROWS_PER_ROOT = 2.4
"""A wave may be so many times the square root of the number of boxes high: pages are wide."""


@dataclass
class Ranks:
    """Where nodes stand from left to right.

    Attributes:
        rank: The column of each connected node, from 0. A crowded wave takes several.
        waves: The wave that each column belongs to; -1 is the column of stand-ins before wave 0.
        stacks: The members of each cycle that is drawn as one pile of boxes, top to bottom.
        parts: The connected parts, the largest first.
        loose: The nodes without any edge, sorted.
    """

    rank: Dict[str, int]
    waves: List[int]
    stacks: List[Tuple[str, ...]]
    parts: List[List[str]]
    loose: List[str]

    def on_bus(self, edge: ViewEdge) -> bool:
        """Whether the edge runs from left to right, and not so far that it goes straight across."""
        return edge.orders and 0 < self.rank[edge.late] - self.rank[edge.early] <= _FARTHEST


def rank(view: View) -> Ranks:
    """Put the nodes into columns: the wave decides, a crowded wave is spread over several."""
    parts, loose = _parts(view)
    columns = columns_of(view)
    stacks = _stacks(view, columns)
    connected = sum(map(len, parts))
    most = max(_FEWEST_ROWS, ceil(_ROWS_PER_ROOT * sqrt(connected)))
    crowds: Dict[int, int] = {}
    for part in parts:
        sizes: Dict[int, int] = {}
        for key in part:
            sizes[columns[key]] = sizes.get(columns[key], 0) + 1
        for wave, size in sizes.items():
            crowds[wave] = max(crowds.get(wave, 1), ceil(size / most))
    first: Dict[int, int] = {}
    waves: List[int] = []
    for wave in sorted(crowds):
        first[wave] = len(waves)
        waves.extend([wave] * crowds[wave])
    found: Dict[str, int] = {}
    pile = {key: members for members in stacks for key in members}
    for part in parts:
        for wave, units in _units(view, part, columns, pile).items():
            for offset, members in _spread(view, columns, units, crowds[wave]):
                found.update((key, first[wave] + offset) for key in members)
    return Ranks(found, waves, stacks, parts, loose)


def _parts(view: View) -> Tuple[List[List[str]], List[str]]:
    """The connected parts, and the nodes that nothing connects; an edge to itself counts."""
    head = {key: key for key in view.nodes}

    def find(key: str) -> str:
        while head[key] != key:
            head[key] = key = head[head[key]]
        return key

    touched: Set[str] = set()
    for edge in view.edges:
        touched.update((edge.from_, edge.to))
        one, other = find(edge.from_), find(edge.to)
        head[max(one, other)] = min(one, other)
    groups: Dict[str, List[str]] = {}
    for key in view.nodes:
        if key in touched:
            groups.setdefault(find(key), []).append(key)
    parts = sorted(groups.values(), key=lambda part: (-len(part), part[0]))
    return parts, [key for key in view.nodes if key not in touched]


def columns_of(view: View) -> Dict[str, int]:
    """The wave of every node, where the drawing puts it.

    A plugin that will not start stands where it would, a stand-in just before its first user.
    """
    columns = view.columns(view.waves)
    for key, node in view.nodes.items():
        if node.ghost:
            ends = [edge.from_ for edge in view.users_of(key)]
            ends += [edge.to for edge in view.needs_of(key)]
            users = [columns[each] for each in ends if not view.nodes[each].ghost]
            columns[key] = min(users, default=0) - 1
    return columns


def _stacks(view: View, columns: Mapping[str, int]) -> List[Tuple[str, ...]]:
    """The cycles that share a column, each in the order in which its edges lead round."""
    needs: Dict[str, List[str]] = {}
    for edge in view.edges:
        if edge.orders and columns[edge.early] == columns[edge.late]:
            needs.setdefault(edge.late, []).append(edge.early)
    found: List[Tuple[str, ...]] = []
    for members in strongly_connected(sorted(needs), needs):
        if len(members) == 1:
            continue
        own, order = set(members), []
        pending = [members[0]]
        while pending:
            key = pending.pop()
            if key in own:
                own.remove(key)
                order.append(key)
                pending.extend(reversed(needs.get(key, ())))
        found.append(tuple(order))
    return sorted(found)


def _units(
    view: View,
    part: Iterable[str],
    columns: Mapping[str, int],
    pile: Mapping[str, Tuple[str, ...]],
) -> Dict[int, List[Tuple[str, ...]]]:
    """By wave, what has to stay together: a pile, or one node."""
    units: Dict[int, List[Tuple[str, ...]]] = {}
    for key in part:
        members = pile.get(key, (key,))
        if members[0] == key:
            units.setdefault(columns[key], []).append(members)
    return units


def _spread(
    view: View,
    columns: Mapping[str, int],
    units: Sequence[Tuple[str, ...]],
    count: int,
) -> List[Tuple[int, Tuple[str, ...]]]:
    """Spread one part's units of one wave over its columns.

    What nothing needs stands left, near what it needs; what others need stands right, near them.
    Neighbours in the order share their needs, so that few lines have to pass.
    """
    if count == 1:
        return [(0, members) for members in units]

    def needs(members: Tuple[str, ...]) -> List[Tuple[int, str]]:
        ends = {
            edge.early for key in members for edge in view.needs_of(key) if edge.late == key
        } - set(members)
        return sorted((-columns[key], key) for key in ends)

    def is_needed(members: Tuple[str, ...]) -> bool:
        wave = columns[members[0]]
        return any(columns[edge.late] > wave for key in members for edge in view.users_of(key))

    ordered = sorted(units, key=lambda members: (is_needed(members), needs(members), members))
    size = sum(map(len, ordered))
    room = ceil(size / count)
    if size <= room * (count - 1) and size <= _FEWEST_ROWS:
        return [(count - 1 if is_needed(members) else 0, members) for members in ordered]
    found: List[Tuple[int, Tuple[str, ...]]] = []
    taken = 0
    for members in ordered:
        found.append((min(count - 1, taken // room), members))
        taken += len(members)
    return found
