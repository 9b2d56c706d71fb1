"""The layout: columns are waves, boxes do not overlap, parts are packed, long chains are fine."""

from __future__ import annotations

from itertools import combinations
from typing import Dict, List

from hypothesis import given
from hypothesis import strategies as st

from pkl.model.graph import Edge, Graph, Missing, Node
from pkl.render.layout import Drawing, lay_out
from pkl.render.ordering import crossings, order
from pkl.render.placing import isotonic, pack
from pkl.render.ranks import rank
from pkl.render.routes import Box
from pkl.render.view import View

from .graphs import ANY_GRAPH, EXAMPLES, SHOP, acyclic


def _overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def _check(drawing: Drawing) -> None:
    assert list(drawing.boxes) == list(drawing.view.nodes)
    assert [route.edge for route in drawing.routes] == list(drawing.view.edges)
    for one, other in combinations(drawing.boxes.values(), 2):
        assert not _overlap(one, other), (one, other)
    for box in drawing.boxes.values():
        assert box.x >= 0 and box.x + box.width <= drawing.width
        assert box.y >= 0 and box.y + box.height <= drawing.height


@EXAMPLES
@given(ANY_GRAPH)
def test_any_graph_is_drawn_with_each_node_once_and_no_two_boxes_overlapping(
    graph: Graph,
) -> None:
    _check(lay_out(View(graph)))


@EXAMPLES
@given(acyclic())
def test_a_plugin_stands_right_of_everything_it_waits_for(graph: Graph) -> None:
    drawing = lay_out(View(graph))
    for edge in drawing.view.edges:
        early, late = drawing.boxes[edge.early], drawing.boxes[edge.late]
        assert early.x + early.width < late.x
        assert drawing.view.waves[edge.early] < drawing.view.waves[edge.late]


@EXAMPLES
@given(acyclic(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(graph: Graph, random: object) -> None:
    nodes, edges = list(graph.nodes), list(graph.edges)
    random.shuffle(nodes)  # type: ignore[attr-defined]
    random.shuffle(edges)  # type: ignore[attr-defined]
    one, other = lay_out(View(graph)), lay_out(View(Graph(tuple(nodes), tuple(edges))))
    assert one.boxes == other.boxes
    assert one.routes == other.routes


def test_given_layers_decide_the_columns_and_empty_ones_keep_their_number() -> None:
    nodes = tuple(Node(n, n, "1") for n in "abc")
    graph = Graph(nodes, (Edge("c", "a", "requires"),), layers=(("a",), (), ("b", "c")))
    drawing = lay_out(View(graph))
    assert [(band.wave, band.starts) for band in drawing.bands] == [(0, 1), (2, 1)]
    assert drawing.loose == ("b",)


def test_what_does_not_start_stands_where_it_would_and_is_not_counted() -> None:
    drawing = lay_out(View(SHOP))
    bands = {band.wave: (band.starts, band.others, band.absent) for band in drawing.bands}
    assert bands == {0: (1, 4, 0), 1: (2, 0, 0), 2: (0, 1, 2), 3: (0, 1, 0)}
    boxes = drawing.boxes
    assert boxes["queue"].x == boxes["audit"].x < boxes["web"].x


def test_what_the_first_wave_misses_stands_in_a_column_before_it() -> None:
    graph = Graph((Node("a", "a", "1"),), missing=(Missing("gone", "a", "gone>=1"),))
    drawing = lay_out(View(graph))
    assert [band.wave for band in drawing.bands] == [-1, 0]
    assert drawing.boxes["gone"].x < drawing.boxes["a"].x


def test_a_cycle_is_one_pile_in_the_order_of_its_edges() -> None:
    drawing = lay_out(View(SHOP))
    ring = [drawing.boxes[name] for name in "abc"]
    assert len({box.x for box in ring}) == 1
    assert [box.y for box in ring] == sorted(box.y for box in ring)
    (frame,) = drawing.frames
    assert frame.y < ring[0].y and ring[2].y + ring[2].height < frame.y + frame.height


def test_unconnected_plugins_stand_in_rows_below_the_rest() -> None:
    lonely = tuple(Node(f"x{i:02}", f"x{i:02}", "1") for i in range(40))
    graph = Graph(
        (Node("a", "a", "1"), Node("b", "b", "1"), *lonely), (Edge("a", "b", "requires"),)
    )
    drawing = lay_out(View(graph))
    assert len(drawing.loose) == 40
    top = min(drawing.boxes[key].y for key in drawing.loose)
    assert top > drawing.boxes["a"].y + drawing.boxes["a"].height
    assert 1 < len({drawing.boxes[key].y for key in drawing.loose}) < 40
    _check(drawing)


def test_a_crowded_wave_takes_several_columns_and_nothing_needed_stands_left_of_its_users() -> None:
    nodes = tuple(Node(f"p{i:03}", f"p{i:03}", "1") for i in range(200))
    edges = tuple(Edge(f"p{i:03}", "p000", "requires") for i in range(1, 199))
    graph = Graph(nodes, (*edges, Edge("p199", "p007", "requires")))
    ranks = rank(View(graph))
    assert ranks.waves.count(1) > 3
    assert ranks.rank["p007"] == max(i for i, wave in enumerate(ranks.waves) if wave == 1)
    _check(lay_out(View(graph)))


def test_all_users_of_a_plugin_leave_on_one_bus() -> None:
    """Two users three waves further right share the path through the columns between."""
    edges = [Edge(b, a, "requires") for a, b in zip("abc", "bcd")]
    nodes = tuple(Node(n, n, "1") for n in "abcdxy")
    far = [Edge(n, "a", "requires") for n in "xy"] + [Edge(n, "c", "requires") for n in "xy"]
    drawing = lay_out(View(Graph(nodes, (*edges, *far))))
    paths = {
        route.edge.from_: route.path
        for route in drawing.routes
        if route.edge.to == "a" and route.edge.from_ in "xy"
    }
    shared = paths["x"][: paths["x"].rindex("C")]
    assert shared.count("C") >= 1 and paths["y"].startswith(shared)


def test_separate_parts_do_not_mix() -> None:
    nodes = tuple(Node(f"{p}{n}", f"{p}{n}", "1") for p in "uvw" for n in "abc")
    edges = tuple(Edge(f"{p}{n}", f"{p}a", "requires") for p in "uvw" for n in "bc")
    drawing = lay_out(View(Graph(nodes, edges)))
    spans: List[range] = []
    for part in "uvw":
        own = [drawing.boxes[f"{part}{n}"] for n in "bc"]
        spans.append(range(min(b.y for b in own), max(b.y + b.height for b in own)))
    for one, other in combinations(spans, 2):
        assert not set(one) & set(other)


def test_chains_rings_and_stars_of_ten_thousand_need_no_recursion() -> None:
    count = 10_000
    nodes = tuple(Node(f"p{i:05}", f"p{i:05}", "1") for i in range(count))
    chain = tuple(Edge(f"p{i:05}", f"p{i - 1:05}", "requires") for i in range(1, count))
    core = tuple(Edge(f"p{i:05}", "p00000", "requires") for i in range(2, count))
    ring = (*chain, Edge("p00000", f"p{count - 1:05}", "requires"))
    drawing = lay_out(View(Graph(nodes, (*chain, *core))))
    assert len(drawing.bands) == count
    assert sum(len(route.path) for route in drawing.routes) < 20_000_000
    assert len(lay_out(View(Graph(nodes, ring))).frames) == 1


def test_crossings_are_counted_and_removed() -> None:
    layers = [[0, 1, 2], [3, 4, 5]]
    right: List[List[int]] = [[5], [4], [3], [], [], []]
    left: List[List[int]] = [[], [], [], [2], [1], [0]]
    assert crossings(layers, right) == 3
    assert crossings(order([list(layer) for layer in layers], left, right), right) == 0


@EXAMPLES
@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(1, 4)), max_size=8))
def test_isotonic_values_are_the_nearest_that_do_not_decrease(pairs: List[List[int]]) -> None:
    """Nearer than any other order-keeping choice among shifts of each value by one."""
    wanted = [float(pair[0]) for pair in pairs]
    weights = [float(pair[1]) for pair in pairs]
    found = isotonic(wanted, weights)
    assert all(a <= b + 1e-9 for a, b in zip(found, found[1:]))

    def cost(values: List[float]) -> float:
        return sum(m * (v - w) ** 2 for v, w, m in zip(values, wanted, weights))

    for i in range(len(found)):
        for j in range(i, len(found)):
            for move in (-0.5, 0.5):
                other = [v + move if i <= k <= j else v for k, v in enumerate(found)]
                if all(a <= b for a, b in zip(other, other[1:])):
                    assert cost(found) <= cost(other) + 1e-6


@EXAMPLES
@given(
    st.lists(
        st.dictionaries(
            st.integers(0, 5),
            st.tuples(st.integers(-20, 20), st.integers(0, 20)).map(
                lambda pair: (float(pair[0]), float(pair[0] + pair[1]))
            ),
            min_size=1,
            max_size=4,
        ),
        max_size=6,
    )
)
def test_packed_parts_keep_their_distance_in_every_column(
    parts: List[Dict[int, "tuple[float, float]"]],
) -> None:
    moves = pack(parts, 3.0)
    for (one, by), (other, also) in combinations(list(zip(parts, moves)), 2):
        for column in set(one) & set(other):
            assert one[column][1] + by + 3.0 <= other[column][0] + also + 1e-9
