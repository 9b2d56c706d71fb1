"""One connected part of the drawing: its buses, the order in its columns, and all heights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Mapping, Sequence, Tuple

from .ordering import order
from .placing import place
from .ranks import Ranks
from .view import View

__all__ = ["Part", "part_of"]

_MOST_PASSES = 150_000
"""How many columns all buses of a part may pass; the longest beyond that go straight across."""

_APART = 12.0
_BUS_APART = 11.0
_PILE_GAP = 10.0
_PILE_BORDER = 10.0


@dataclass(frozen=True)
class Part:
    """The heights in one connected part, from its own zero.

    Attributes:
        middles: The height of each node's middle.
        buses: The height at which the bus of a node passes a column.
        extents: The top and bottom of what stands in each column.
    """

    middles: Dict[str, float]
    buses: Dict[Tuple[str, int], float]
    extents: Dict[int, Tuple[float, float]]


class _Items:
    """The nodes, piles and passing buses of a part, as numbers, with their neighbours."""

    def __init__(self) -> None:
        self.column: List[int] = []
        self.height: List[float] = []
        self.left: List[List[Tuple[int, float]]] = []
        self.right: List[List[Tuple[int, float]]] = []

    def add(self, column: int, height: float) -> int:
        self.column.append(column)
        self.height.append(height)
        self.left.append([])
        self.right.append([])
        return len(self.column) - 1

    def join(self, before: int, after: int, weight: float) -> None:
        self.right[before].append((after, weight))
        self.left[after].append((before, weight))


def part_of(view: View, ranks: Ranks, members: Sequence[str], heights: Mapping[str, int]) -> Part:
    """Order and place the members of one part."""
    items = _Items()
    item_of, offset = _solid(items, ranks, members, heights)
    passes = _join(items, view, ranks, members, item_of)
    layers: Dict[int, List[int]] = {}
    for item, column in enumerate(items.column):
        layers.setdefault(column, []).append(item)
    columns = sorted(layers)
    left = [[end for end, _ in ends] for ends in items.left]
    right = [[end for end, _ in ends] for ends in items.right]
    ordered = order([layers[column] for column in columns], left, right)

    def distance(one: int, other: int) -> float:
        thick = items.height[one] and items.height[other]
        gap = _APART if thick else _BUS_APART
        return (items.height[one] + items.height[other]) / 2 + gap

    placed = place(ordered, items.left, items.right, distance)
    extents = {
        column: (
            placed[layer[0]] - items.height[layer[0]] / 2,
            placed[layer[-1]] + items.height[layer[-1]] / 2,
        )
        for column, layer in zip(columns, ordered)
    }
    return Part(
        middles={key: placed[item_of[key]] + offset.get(key, 0.0) for key in members},
        buses={where: placed[item] for where, item in passes.items()},
        extents=extents,
    )


def _solid(
    items: _Items, ranks: Ranks, members: Sequence[str], heights: Mapping[str, int]
) -> Tuple[Dict[str, int], Dict[str, float]]:
    """An item for each node, one for all nodes of a pile, and where a node is in its pile."""
    item_of: Dict[str, int] = {}
    offset: Dict[str, float] = {}
    own = set(members)
    for pile in ranks.stacks:
        if pile[0] not in own:
            continue
        total = sum(heights[key] + _PILE_GAP for key in pile) - _PILE_GAP
        item = items.add(ranks.rank[pile[0]], total + 2 * _PILE_BORDER)
        top = -total / 2
        for key in pile:
            item_of[key] = item
            offset[key] = top + heights[key] / 2
            top += heights[key] + _PILE_GAP
    for key in members:
        if key not in item_of:
            item_of[key] = items.add(ranks.rank[key], float(heights[key]))
    return item_of, offset


def _join(
    items: _Items,
    view: View,
    ranks: Ranks,
    members: Sequence[str],
    item_of: Mapping[str, int],
) -> Dict[Tuple[str, int], int]:
    """Join what edges join: all users of a node hang on one bus, an item in each column passed."""
    users: Dict[str, Dict[str, None]] = {}
    for key in members:
        for edge in (*view.needs_of(key), *view.users_of(key)):
            if edge.early == key and ranks.on_bus(edge):
                users.setdefault(key, {})[edge.late] = None
    spans = {
        key: max(ranks.rank[user] for user in found) - ranks.rank[key] - 1
        for key, found in users.items()
    }
    passes: Dict[Tuple[str, int], int] = {}
    left_over = _MOST_PASSES
    for key in sorted(users, key=lambda each: (spans[each], each)):
        start = ranks.rank[key]
        if spans[key] > left_over:
            continue
        left_over -= spans[key]
        here = item_of[key]
        for column in range(start + 1, start + 1 + spans[key]):
            passing = items.add(column, 0.0)
            passes[(key, column)] = passing
            items.join(here, passing, 2.0 if here == item_of[key] else 6.0)
            here = passing
        for user in sorted(users[key]):
            column = ranks.rank[user] - 1
            items.join(passes.get((key, column), item_of[key]), item_of[user], 1.0)
    return passes
