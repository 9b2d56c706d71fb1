"""Our own layered layout: a graph as boxes, routes and bands, with coordinates in pixels.

The column of a plugin is the wave in which it starts, so the drawing is the start order from left
to right. All users of one plugin share one bus of lines. Nothing recurses and everything is
deterministic; 10,000 plugins take seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Dict, List, Optional, Tuple

from .parts import Part, part_of
from .placing import pack
from .ranks import Ranks, rank
from .routes import Box, Route, label_of, port_gaps, routes
from .text_size import text_width
from .view import View, ViewNode

__all__ = ["Band", "Drawing", "Frame", "lay_out", "second_line"]

BOX_HEIGHT = 40
NAME_SIZE = 13
NOTE_SIZE = 11
LABEL_SIZE = 10.5
_PADDING = 34
_LEAST, _MOST = 104, 236
_TOP = 112
_MARGIN = 24
_BETWEEN = 30
_CELL_GAP = 12
_SECTION = 56


@dataclass(frozen=True)
class Band:
    """The strip of a wave.

    Attributes:
        wave: Its number in the whole graph, from 0; -1 is for stand-ins before the first.
        x: Its left edge.
        width: Its width.
        starts: How many of its plugins start in this wave.
        others: How many of its plugins do not start.
        absent: How many names in it are not there.
    """

    wave: int
    x: int
    width: int
    starts: int
    others: int
    absent: int


@dataclass(frozen=True)
class Frame:
    """The outline around a cycle."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Drawing:
    """A graph with coordinates.

    Attributes:
        view: What is drawn.
        width: Of the whole drawing, in pixels.
        height: Of the whole drawing, without a legend.
        boxes: One for each node, by id.
        routes: One for each edge, in the order of ``view.edges``.
        bands: The waves from left to right.
        frames: Outlines around cycles.
        floor: Where the bands end.
        loose: The plugins without any connection, by id; drawn in rows below the bands.
        grid: The y of the heading above the unconnected plugins, or None if there are none.
    """

    view: View
    width: int
    height: int
    boxes: Dict[str, Box]
    routes: Tuple[Route, ...]
    bands: Tuple[Band, ...]
    frames: Tuple[Frame, ...]
    floor: int
    loose: Tuple[str, ...]
    grid: Optional[int]


def second_line(node: ViewNode) -> str:
    """What stands under a name: version and words, without glyphs."""
    return " · ".join(part for part in (node.version, ", ".join(node.words)) if part)


def lay_out(view: View) -> Drawing:
    """Give every node and edge of the view its place."""
    ranks = rank(view)
    heights = _heights(view)
    widths = {key: _width(view.nodes[key]) for key in view.nodes}
    parts = [part_of(view, ranks, members, heights) for members in ranks.parts]
    moves = pack([part.extents for part in parts], _BETWEEN)
    xs, columns, run_in = _columns(view, ranks, widths)
    boxes: Dict[str, Box] = {}
    for part, move in zip(parts, moves):
        for key, middle in part.middles.items():
            column = ranks.rank[key]
            top = round(_TOP + middle + move - heights[key] / 2)
            boxes[key] = Box(key, xs[column], top, columns[column], heights[key])
    bottom = max((box.y + box.height for box in boxes.values()), default=_SECTION - 16)
    for part, move in zip(parts, moves):
        bottom = max([bottom, *(round(_TOP + each[1] + move) for each in part.extents.values())])
    width = max((xs[-1] + columns[-1] + 2 * _MARGIN) if xs else 0, 640)
    drawn = routes(view, ranks, boxes, _buses(parts, moves), run_in)
    bands = _bands(view, ranks, xs, columns, run_in)
    grid, floor = None, bottom + 16
    if ranks.loose:
        grid = bottom + _SECTION
        width, bottom = _grid(ranks.loose, widths, boxes, width, grid + 20)
    return Drawing(
        view=view,
        width=width,
        height=bottom + _MARGIN,
        boxes={key: boxes[key] for key in view.nodes},
        routes=drawn,
        bands=bands,
        frames=tuple(_frame(members, boxes) for members in ranks.stacks),
        floor=floor,
        loose=tuple(ranks.loose),
        grid=grid,
    )


def _width(node: ViewNode) -> int:
    """How wide a box has to be for its two lines; long names are cut when drawn."""
    name = text_width(node.label, NAME_SIZE, True)
    note = text_width(second_line(node), NOTE_SIZE)
    return round(min(_MOST, max(_LEAST, _PADDING + max(name, note))))


def _heights(view: View) -> Dict[str, int]:
    """A box is higher where many labelled lines arrive, so that the labels do not overlap."""
    labelled: Dict[str, List[bool]] = {}
    for edge in view.edges:
        if edge.orders:
            labelled.setdefault(edge.late, []).append(bool(label_of(view, edge)))
    return {
        key: max(
            BOX_HEIGHT, 16 + sum(port_gaps(labelled[key])) if any(labelled.get(key, ())) else 0
        )
        for key in view.nodes
    }


def _columns(
    view: View, ranks: Ranks, widths: Dict[str, int]
) -> Tuple[List[int], List[int], List[int]]:
    """Left edge and width of each column, and the straight run before it, where labels stand."""
    columns = [_LEAST] * len(ranks.waves)
    run_in = [0] * len(ranks.waves)
    lines = [0] * len(ranks.waves)
    for key, column in ranks.rank.items():
        columns[column] = max(columns[column], widths[key])
    for edge in view.edges:
        if edge.orders:
            column = ranks.rank[edge.late]
            lines[column] += 1
            label = label_of(view, edge)
            if label:
                room = round(text_width(label, LABEL_SIZE)) + 16
                run_in[column] = max(run_in[column], room)
    xs: List[int] = []
    x = 2 * _MARGIN
    for column in range(len(columns)):
        gap = 56 + min(64, lines[column]) if column else 0
        x += gap + run_in[column]
        xs.append(x)
        x += columns[column]
    return xs, columns, run_in


def _buses(parts: List[Part], moves: List[float]) -> Dict[Tuple[str, int], float]:
    """The height of each bus in each column that it passes."""
    return {
        place: _TOP + middle + move
        for part, move in zip(parts, moves)
        for place, middle in part.buses.items()
    }


def _bands(
    view: View, ranks: Ranks, xs: List[int], columns: List[int], run_in: List[int]
) -> Tuple[Band, ...]:
    starts: Dict[int, int] = {}
    others: Dict[int, int] = {}
    absent: Dict[int, int] = {}
    for key, column in ranks.rank.items():
        wave = ranks.waves[column]
        counter = starts if view.waves.get(key) == wave else others
        if view.nodes[key].ghost:
            counter = absent
        counter[wave] = counter.get(wave, 0) + 1
    found: List[Band] = []
    for wave in sorted(set(ranks.waves)):
        own = [i for i, each in enumerate(ranks.waves) if each == wave]
        left = xs[own[0]] - 14
        right = xs[own[-1]] + columns[own[-1]] + 14
        counts = (each.get(wave, 0) for each in (starts, others, absent))
        found.append(Band(wave, left, right - left, *counts))
    return tuple(found)


def _frame(members: Tuple[str, ...], boxes: Dict[str, Box]) -> Frame:
    own = [boxes[key] for key in members]
    top, bottom = min(box.y for box in own), max(box.y + box.height for box in own)
    return Frame(own[0].x - 8, top - 8, own[0].width + 16, bottom - top + 16)


def _grid(
    loose: List[str], widths: Dict[str, int], boxes: Dict[str, Box], width: int, top: int
) -> Tuple[int, int]:
    """Put the unconnected plugins into rows; returns the width and the bottom of the drawing."""
    cell = max(widths[key] for key in loose)
    area = len(loose) * (cell + _CELL_GAP) * (BOX_HEIGHT + _CELL_GAP)
    width = max(width, min(ceil(sqrt(area * 1.6)), 2400) + 4 * _MARGIN)
    across = max(1, (width - 4 * _MARGIN + _CELL_GAP) // (cell + _CELL_GAP))
    for i, key in enumerate(loose):
        row, column = divmod(i, across)
        x = 2 * _MARGIN + column * (cell + _CELL_GAP)
        boxes[key] = Box(key, x, top + row * (BOX_HEIGHT + _CELL_GAP), cell, BOX_HEIGHT)
    return width, top + ceil(len(loose) / across) * (BOX_HEIGHT + _CELL_GAP)
