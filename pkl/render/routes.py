"""The lines of a drawing: the path of each edge along its bus, its label and its ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Mapping, Sequence, Tuple

from .ranks import Ranks
from .view import View, ViewEdge, bound

__all__ = ["Box", "Route", "label_of", "port_gaps", "routes"]

_LANES = {"requires": 0, "wants": 5, "after": -5, "before": -5}
_LANE_OF_VIA = 10
_PORT_GAP = 8
_LABELLED_GAP = 13
_LABEL_CHARACTERS = 26


@dataclass(frozen=True)
class Box:
    """Where a node is drawn; ``x`` and ``y`` are its upper left corner."""

    key: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Route:
    """An edge with its path.

    Attributes:
        edge: The edge.
        path: The path in the notation of SVG's ``d``; it runs from the earlier end to the later.
        label: What stands beside it; empty for nothing.
        label_at: Where the label ends (right-aligned) or, for ``centred``, its middle.
        centred: Whether the label stands across the line instead of before its later end.
    """

    edge: ViewEdge
    path: str
    label: str = ""
    label_at: Tuple[int, int] = (0, 0)
    centred: bool = False


def label_of(view: View, edge: ViewEdge) -> str:
    """What a drawing says beside an edge: what it passes through, and what is not met."""
    asked = bound(edge, view.nodes[edge.to])
    parts: List[str] = []
    if edge.via:
        parts.append(f"via {', '.join(edge.via)}")
    if edge.word == "unsatisfied":
        parts.append(f"✕ unsatisfied {asked}".strip())
    elif edge.word == "conflict":
        parts.append(f"✕ conflicts {asked}".strip())
    elif edge.word in ("missing", "absent") and asked:
        parts.append(asked)
    text = " · ".join(parts)
    return text if len(text) <= _LABEL_CHARACTERS else f"{text[: _LABEL_CHARACTERS - 1]}…"


def routes(
    view: View,
    ranks: Ranks,
    boxes: Mapping[str, Box],
    buses: Mapping[Tuple[str, int], float],
    run_in: Sequence[int],
) -> Tuple[Route, ...]:
    """A route for every edge, in the order of ``view.edges``.

    Args:
        view: The graph.
        ranks: The columns.
        boxes: Where the nodes stand.
        buses: The height at which the bus of a node passes a column.
        run_in: For each column the length of the straight run before it.
    """
    edges_left: Dict[int, Tuple[int, int]] = {}
    for key, column in ranks.rank.items():
        box = boxes[key]
        edges_left[column] = (box.x - run_in[column], box.x + box.width)
    bends = {i: _bends(edge, ranks, boxes, buses) for i, edge in enumerate(view.edges)}
    ports = _ports(view, boxes, bends)
    found: List[Route] = []
    for i, edge in enumerate(view.edges):
        label = label_of(view, edge)
        if i not in ports:
            found.append(_special(edge, ranks, boxes, label))
            continue
        late = boxes[edge.late]
        x, y = late.x, ports[i]
        start = ranks.rank[edge.early]
        path = _Path(boxes[edge.early].x + boxes[edge.early].width, bends[i][0])
        for number, bend in enumerate(bends[i][1:], start + 1):
            left, right = edges_left[number]
            path.curve(left, bend)
            path.line(right, bend)
        path.curve(x - run_in[ranks.rank[edge.late]], y)
        path.line(x, y)
        found.append(Route(edge, path.text(), label, (x - 9, y - 4)))
    return tuple(found)


def _bends(
    edge: ViewEdge,
    ranks: Ranks,
    boxes: Mapping[str, Box],
    buses: Mapping[Tuple[str, int], float],
) -> List[int]:
    """The heights of an edge: where it leaves, and in each column that it passes.

    Empty for one that runs on no bus.
    """
    if not ranks.on_bus(edge):
        return []
    lane = _LANE_OF_VIA if edge.via else _LANES.get(edge.kind, 0)
    box = boxes[edge.early]
    start = ranks.rank[edge.early] + 1
    found = [box.y + box.height // 2 + lane]
    for column in range(start, ranks.rank[edge.late]):
        passing = buses.get((edge.early, column))
        if passing is None:
            return found[:1]
        found.append(round(passing) + lane)
    return found


def port_gaps(labelled: Sequence[bool]) -> List[int]:
    """The distances between lines that arrive at one box, given which of them have labels."""
    return [_LABELLED_GAP if here else _PORT_GAP for here in labelled[1:]]


def _ports(view: View, boxes: Mapping[str, Box], bends: Mapping[int, List[int]]) -> Dict[int, int]:
    """Where each edge arrives: spread over the box in the order in which the lines come in."""
    arriving: Dict[str, List[Tuple[int, int]]] = {}
    for i, edge in enumerate(view.edges):
        if bends[i]:
            arriving.setdefault(edge.late, []).append((bends[i][-1], i))
    found: Dict[int, int] = {}
    for key, lines in arriving.items():
        lines.sort()
        box = boxes[key]
        gaps = port_gaps([bool(label_of(view, view.edges[i])) for _, i in lines])
        total = sum(gaps)
        scale = min(1.0, (box.height - 14) / total) if total else 1.0
        height = box.y + (box.height - total * scale) / 2
        for (_, i), gap in zip(lines, [*gaps, 0]):
            found[i] = round(height)
            height += gap * scale
    return found


def _special(edge: ViewEdge, ranks: Ranks, boxes: Mapping[str, Box], label: str) -> Route:
    """A line that does not run with the order: in a cycle, backwards, to itself, a conflict."""
    early, late = boxes[edge.early], boxes[edge.late]
    one, other = early.y + early.height // 2, late.y + late.height // 2
    if edge.from_ == edge.to:
        x = early.x + early.width
        path = f"M{x},{one - 9}C{x + 26},{one - 20} {x + 26},{one + 20} {x},{one + 9}"
        return Route(edge, path, label, (x + 20, one - 12), True)
    columns = ranks.rank[edge.early], ranks.rank[edge.late]
    if columns[0] == columns[1]:
        bulge = min(46, 16 + abs(one - other) // 8)
        right = one > other or not edge.orders
        x = early.x + early.width if right else early.x
        reach = x + bulge if right else x - bulge
        path = f"M{x},{one}C{reach},{one} {reach},{other} {x},{other}"
        return Route(edge, path, label, ((x + 3 * reach) // 4, (one + other) // 2 - 4), True)
    forward = columns[0] < columns[1]
    x = early.x + early.width if forward else early.x
    end = late.x if forward else late.x + late.width
    middle = (x + end) // 2
    path = f"M{x},{one}C{middle},{one} {middle},{other} {end},{other}"
    return Route(edge, path, label, (middle, (one + other) // 2 - 4), True)


class _Path:
    """A path of straight lines and curves that leave and arrive horizontally."""

    def __init__(self, x: int, y: int) -> None:
        self.x = x
        self.y = y
        self.parts = [f"M{x},{y}"]

    def line(self, x: int, y: int) -> None:
        if x != self.x:
            self.parts.append(f"H{x}")
            self.x, self.y = x, y

    def curve(self, x: int, y: int) -> None:
        if y == self.y:
            self.line(x, y)
            return
        middle = (self.x + x) // 2
        self.parts.append(f"C{middle},{self.y} {middle},{y} {x},{y}")
        self.x, self.y = x, y

    def text(self) -> str:
        return "".join(self.parts)
