"""The order of the items within each column: few crossings, found by barycentre sweeps."""

from __future__ import annotations

from typing import Dict, List, Sequence

__all__ = ["crossings", "order"]

_SWEEPS = 8
_COUNTED = 4_000
"""With more lines than this the crossings are not counted and the last sweep is taken."""

_SWAPPED = 1_500
"""Up to so many lines neighbours are also swapped while that removes crossings."""

_Neighbours = Sequence[Sequence[int]]


def order(layers: List[List[int]], left: _Neighbours, right: _Neighbours) -> List[List[int]]:
    """The layers with their items in an order that lets few lines cross.

    The method is that of Sugiyama, Tagawa and Toda (1981): each layer in turn is sorted by the
    mean position of the neighbours in the one before, to and fro; the best order seen is kept.

    Args:
        layers: The items of each layer, as numbers; their first order decides ties.
        left: For each item its neighbours in the layer before.
        right: For each item its neighbours in the layer after.
    """
    position = [0] * len(left)
    for layer in layers:
        for i, item in enumerate(layer):
            position[item] = i
    lines = sum(map(len, right))
    best = [list(layer) for layer in layers]
    fewest = crossings(best, right) if lines <= _COUNTED else -1
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        near = left if forward else right
        for layer in layers if forward else reversed(layers):
            _sort(layer, near, position)
        if fewest < 0:
            best = layers
            continue
        now = crossings(layers, right)
        if now < fewest:
            best, fewest = [list(layer) for layer in layers], now
        if not fewest:
            break
    if fewest > 0 and lines <= _SWAPPED:
        _swap(best, left, right)
    return best


def _sort(layer: List[int], near: _Neighbours, position: List[int]) -> None:
    """Sort one layer by the mean position of its neighbours; an item without keeps its own."""
    weight: Dict[int, float] = {}
    for item in layer:
        ends = near[item]
        weight[item] = (
            sum([position[end] for end in ends]) / len(ends) if ends else float(position[item])
        )
    layer.sort(key=weight.__getitem__)
    for i, item in enumerate(layer):
        position[item] = i


def crossings(layers: Sequence[Sequence[int]], right: _Neighbours) -> int:
    """How many pairs of lines cross between neighbouring layers.

    Counted as inversions in a Fenwick tree (Barth, Jünger and Mutzel 2004).
    """
    total = 0
    for before, after in zip(layers, layers[1:]):
        place = {item: i for i, item in enumerate(after)}
        size = len(after)
        counts = [0] * (size + 1)
        seen = 0
        for item in before:
            ends = sorted([place[end] for end in right[item]])
            for end in ends:
                i, lower = end + 1, 0
                while i:
                    lower += counts[i]
                    i &= i - 1
                total += seen - lower
            for end in ends:
                i = end + 1
                while i <= size:
                    counts[i] += 1
                    i += i & -i
            seen += len(ends)
    return total


def _swap(layers: List[List[int]], left: _Neighbours, right: _Neighbours) -> None:
    """Swap neighbours while that lets fewer lines cross, a bounded number of rounds."""
    position = [0] * len(left)
    for layer in layers:
        for i, item in enumerate(layer):
            position[item] = i
    for _ in range(_SWEEPS):
        better = False
        for layer in layers:
            for i in range(len(layer) - 1):
                one, other = layer[i], layer[i + 1]
                gain = 0
                for near in (left, right):
                    ends = [position[end] for end in near[one]]
                    others = [position[end] for end in near[other]]
                    gain += sum([a > b for a in ends for b in others])
                    gain -= sum([a < b for a in ends for b in others])
                if gain > 0:
                    layer[i], layer[i + 1] = other, one
                    position[one], position[other] = i + 1, i
                    better = True
        if not better:
            return
