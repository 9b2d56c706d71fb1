"""A part of a graph: what a plugin needs, what needs it, within a depth, without implied edges."""

from __future__ import annotations

from typing import Dict, Iterable, List, Optional, Sequence, Set, Tuple, Union

from ..model.graph import Edge, Graph, strongly_connected, transitive_reduction
from .view import View

__all__ = ["DIRECTIONS", "part", "reduce", "select"]

DIRECTIONS = ("needs", "users", "both")
"""Which way to follow the edges: what a plugin needs, what needs it, or both ways."""


def select(
    graph: Graph,
    *,
    focus: Union[str, Sequence[str], None] = None,
    depth: Optional[int] = None,
    direction: str = "needs",
) -> Graph:
    """The part of the graph around some plugins; its layers keep the numbers of the whole.

    Only ``requires`` and ``wants`` are followed; of the other edges those stay that lie between
    plugins that were reached.

    Args:
        graph: The graph.
        focus: The plugins (ids or names) to start at; unknown ones are left out. By default
            those where that direction begins: that nobody needs, or that need nobody.
        depth: How many edges to follow; all by default.
        direction: One of ``DIRECTIONS``.

    Raises:
        ValueError: The direction is not known.
    """
    if direction not in DIRECTIONS:
        raise ValueError(f"direction is {direction!r}, not one of {', '.join(DIRECTIONS)}")
    view = View(graph)
    if focus is None:
        if depth is None:
            return graph
        starts: Iterable[str] = _sources(view, upwards=direction == "users")
    else:
        names = [focus] if isinstance(focus, str) else focus
        starts = {name if name in view.nodes else view.id_of(name) or "" for name in names}
    kept: Set[str] = set()
    for way in ("needs", "users") if direction == "both" else (direction,):
        kept |= _within(view, starts, depth, upwards=way == "users")
    return part(graph, kept)


def _sources(view: View, *, upwards: bool) -> List[str]:
    """Where following all edges one way has to begin to reach every node."""
    ways = {key: _next(view, key, upwards) for key in view.nodes}
    components = strongly_connected(list(view.nodes), ways)
    home = {key: number for number, members in enumerate(components) for key in members}
    inner = {home[to] for key, ends in ways.items() for to in ends if home[to] != home[key]}
    return [members[0] for number, members in enumerate(components) if number not in inner]


def _next(view: View, key: str, upwards: bool) -> List[str]:
    if upwards:
        return [edge.from_ for edge in view.users_of(key) if edge.pulls]
    return [edge.to for edge in view.needs_of(key) if edge.pulls]


def _within(view: View, starts: Iterable[str], depth: Optional[int], *, upwards: bool) -> Set[str]:
    found = set(starts)
    ring = sorted(found)
    distance = 0
    while ring and (depth is None or distance < depth):
        distance += 1
        ring = sorted({to for key in ring for to in _next(view, key, upwards)} - found)
        found.update(ring)
    return found


def part(graph: Graph, kept: Set[str]) -> Graph:
    """The nodes of the graph whose ids are among ``kept`` and what lies between them.

    Layers keep their numbers. What is missing is kept if its name is, and who requires it.
    """
    view = View(graph)
    layers = graph.layers
    if not layers:
        count = max(view.waves.values(), default=-1) + 1
        rows: List[List[str]] = [[] for _ in range(count)]
        for key, wave in view.waves.items():
            rows[wave].append(key)
        layers = tuple(map(tuple, rows))
    return Graph(
        nodes=tuple(node for node in graph.nodes if node.id in kept),
        edges=tuple(edge for edge in graph.edges if edge.from_ in kept and edge.to in kept),
        layers=tuple(tuple(key for key in layer if view.id_of(key) in kept) for layer in layers),
        cycles=tuple(cycle for cycle in view.cycles if kept.issuperset(cycle)),
        missing=tuple(
            each
            for each in graph.missing
            if each.name in kept and view.id_of(each.required_by) in kept
        ),
    )


def reduce(graph: Graph) -> Graph:
    """The graph without the edges that longer ways imply; what waits for what stays the same.

    A hard requirement is dropped only if hard requirements imply it. Edges that are unsatisfied,
    that pass through other distributions, or that lie on a cycle stay, and so do conflicts.
    """
    nodes = sorted({node.id for node in graph.nodes})
    hard: Dict[str, List[str]] = {}
    order: Dict[str, List[str]] = {}
    for edge in graph.edges:
        if edge.kind == "conflicts":
            continue
        late, early = _late_early(edge)
        order.setdefault(late, []).append(early)
        if edge.kind == "requires":
            hard.setdefault(late, []).append(early)
    kept_hard = _pairs(transitive_reduction(nodes, hard))
    kept = _pairs(transitive_reduction(nodes, order))
    known = set(nodes)

    def stays(edge: Edge) -> bool:
        ends = _late_early(edge)
        if edge.kind == "conflicts" or not edge.satisfied or edge.via or not known.issuperset(ends):
            return True
        return ends in (kept_hard if edge.kind == "requires" else kept)

    return Graph(
        nodes=graph.nodes,
        edges=tuple(edge for edge in graph.edges if stays(edge)),
        layers=graph.layers,
        cycles=graph.cycles,
        missing=graph.missing,
    )


def _late_early(edge: Edge) -> Tuple[str, str]:
    return (edge.to, edge.from_) if edge.kind == "before" else (edge.from_, edge.to)


def _pairs(edges: Dict[str, Tuple[str, ...]]) -> Set[Tuple[str, str]]:
    return {(late, early) for late, ends in edges.items() for early in ends}
