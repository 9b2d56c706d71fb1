"""A part of a graph: around a plugin, to a depth, without what is implied."""

from __future__ import annotations

from typing import Set, Tuple

import pytest
from hypothesis import given

from pkl.model.graph import Edge, Graph, Missing, Node, reachable
from pkl.render.select import DIRECTIONS, reduce, select
from pkl.render.waves import waves

from .graphs import ANY_GRAPH, EXAMPLES, SHOP, acyclic


def _line(names: str) -> Graph:
    """Each letter requires the one before."""
    return Graph(
        tuple(Node(n, n, "1") for n in names),
        tuple(Edge(b, a, "requires", a) for a, b in zip(names, names[1:])),
    )


def _ids(graph: Graph) -> str:
    return "".join(node.id for node in graph.nodes)


def test_a_plugin_comes_with_what_it_needs_or_what_needs_it_or_both() -> None:
    line = _line("abcdefg")
    assert _ids(select(line, focus="d")) == "abcd"
    assert _ids(select(line, focus="d", direction="users")) == "defg"
    assert _ids(select(line, focus="d", direction="both")) == "abcdefg"
    assert _ids(select(line, focus="d", direction="both", depth=1)) == "cde"
    assert _ids(select(line, focus=["a", "g"], depth=1)) == "afg"


def test_depth_without_focus_counts_from_where_the_direction_begins() -> None:
    line = _line("abcd")
    assert _ids(select(line, depth=1)) == "cd"
    assert _ids(select(line, depth=1, direction="users")) == "ab"
    assert select(line) is line


def test_the_waves_of_a_part_keep_the_numbers_of_the_whole() -> None:
    part = select(_line("abcd"), focus="d", depth=1)
    assert part.layers == ((), (), ("c",), ("d",))
    assert waves(part) == "wave 3: 1 plugin\n  c 1\nwave 4: 1 plugin\n  d 1 after c\n"


def test_a_part_keeps_what_is_missing_for_it_and_its_cycles() -> None:
    part = select(SHOP, focus="web", depth=1)
    assert part.missing == (Missing("queue", "web", "queue>=1"),)
    assert part.cycles == ()
    assert {edge.to for edge in part.edges} == {"audit", "queue", "auth", "theme"}
    assert select(SHOP, focus="a").cycles == (("a", "b", "c"),)


def test_order_and_conflicts_pull_nothing_in() -> None:
    assert _ids(select(SHOP, focus="storage")) == "storage"


def test_an_unknown_name_selects_nothing_and_an_unknown_direction_is_refused() -> None:
    assert select(SHOP, focus="nobody").nodes == ()
    with pytest.raises(ValueError, match="sideways"):
        select(SHOP, direction="sideways")


def test_an_edge_that_a_longer_way_implies_is_left_out() -> None:
    graph = Graph(
        _line("abc").nodes,
        (*_line("abc").edges, Edge("c", "a", "requires", "a"), Edge("c", "a", "after", "a")),
    )
    assert reduce(graph).edges == _line("abc").edges


def test_a_hard_requirement_is_not_implied_by_soft_ones() -> None:
    nodes = _line("abc").nodes
    hard = Edge("c", "a", "requires", "a")
    graph = Graph(nodes, (Edge("c", "b", "wants", "b"), Edge("b", "a", "requires", "a"), hard))
    assert hard in reduce(graph).edges


def test_what_is_wrong_or_passes_elsewhere_is_never_left_out() -> None:
    base = _line("abc")
    for kept in (
        Edge("c", "a", "requires", "a>=9", False),
        Edge("c", "a", "requires", "a", True, ("lib",)),
        Edge("c", "a", "conflicts", "a"),
        Edge("c", "gone", "requires", "gone", False),
    ):
        assert kept in reduce(Graph(base.nodes, (*base.edges, kept))).edges


@EXAMPLES
@given(acyclic())
def test_reduction_leaves_what_waits_for_what(graph: Graph) -> None:
    def order(one: Graph) -> Set[Tuple[str, str]]:
        needs = {node.id: [] for node in one.nodes}  # type: ignore[var-annotated]
        for edge in one.edges:
            late, early = (edge.to, edge.from_) if edge.kind == "before" else (edge.from_, edge.to)
            needs[late].append(early)
        return {(key, end) for key in needs for end in reachable(key, needs)}

    assert order(reduce(graph)) == order(graph)
    assert set(reduce(graph).edges) <= set(graph.edges)


@EXAMPLES
@given(ANY_GRAPH)
def test_selecting_never_fails_and_invents_nothing(graph: Graph) -> None:
    reduce(graph)
    for direction in DIRECTIONS:
        for depth in (None, 0, 1):
            for focus in (None, "p1"):
                part = select(graph, focus=focus, depth=depth, direction=direction)
                assert set(part.nodes) <= set(graph.nodes)
                assert set(part.edges) <= set(graph.edges)
