"""How high each item of a column stands, and how the parts of a drawing are packed."""

from __future__ import annotations

from typing import Callable, Dict, List, Sequence, Tuple

__all__ = ["isotonic", "pack", "place"]

_ROUNDS = 4

_Pulls = Sequence[Sequence[Tuple[int, float]]]


def isotonic(wanted: Sequence[float], weights: Sequence[float]) -> List[float]:
    """The non-decreasing values nearest to ``wanted``, by weighted least squares.

    Pool adjacent violators (Ayer and others 1955), in linear time.
    """
    means: List[float] = []
    masses: List[float] = []
    sizes: List[int] = []
    for value, weight in zip(wanted, weights):
        mean, mass, size = value, weight, 1
        while means and means[-1] > mean:
            total = masses[-1] + mass
            mean = (means.pop() * masses[-1] + mean * mass) / total
            masses.pop()
            mass = total
            size += sizes.pop()
        means.append(mean)
        masses.append(mass)
        sizes.append(size)
    found: List[float] = []
    for mean, size in zip(means, sizes):
        found.extend([mean] * size)
    return found


def place(
    layers: Sequence[Sequence[int]],
    left: _Pulls,
    right: _Pulls,
    distance: Callable[[int, int], float],
) -> List[float]:
    """The height of each item's centre: near its neighbours, in its layer's order, apart enough.

    Args:
        layers: The items of each layer from top to bottom.
        left: For each item its neighbours in the layer before and how strongly they pull.
        right: The same in the layer after.
        distance: The least distance between the centres of two neighbours in a layer.
    """
    heights = [0.0] * len(left)
    steps: List[List[float]] = []
    for layer in layers:
        total, sums = 0.0, []
        for i, item in enumerate(layer):
            if i:
                total += distance(layer[i - 1], item)
            sums.append(total)
        steps.append(sums)
        for item, below in zip(layer, sums):
            heights[item] = below - total / 2
    numbers = range(len(layers))
    both = [tuple(one) + tuple(other) for one, other in zip(left, right)]
    for turn in range(_ROUNDS):
        last = turn == _ROUNDS - 1
        for i in numbers:
            _settle(layers[i], steps[i], both if last else left, heights)
        for i in reversed(numbers):
            _settle(layers[i], steps[i], both if last else right, heights)
    return heights


def _settle(
    layer: Sequence[int], below: Sequence[float], pulls: _Pulls, heights: List[float]
) -> None:
    """Move one layer as near to its neighbours as its order and distances allow."""
    wanted: List[float] = []
    weights: List[float] = []
    for item, offset in zip(layer, below):
        mass = total = 0.0
        for end, weight in pulls[item]:
            mass += weight
            total += weight * heights[end]
        wanted.append((total / mass if mass else heights[item]) - offset)
        weights.append(mass or 0.05)
    for item, value, offset in zip(layer, isotonic(wanted, weights), below):
        heights[item] = value + offset


def pack(extents: Sequence[Dict[int, Tuple[float, float]]], gap: float) -> List[float]:
    """How far down to move each part so that no two overlap in any column.

    Args:
        extents: For each part the (top, bottom) of what it has in each column.
        gap: The least distance between two parts.
    """
    floor: Dict[int, float] = {}
    moves: List[float] = []
    for part in extents:
        between = range(min(part), max(part) + 1) if part else ()
        top = min((each[0] for each in part.values()), default=0.0)
        move = -top
        for column in between:
            if column in floor:
                move = max(move, floor[column] + gap - part.get(column, (top, top))[0])
        for column in between:
            if column in part:
                floor[column] = part[column][1] + move
        moves.append(move)
    return moves
