"""The graph functions agree with brute force, and do not depend on the order of the edges."""

from __future__ import annotations

import itertools
from typing import Dict, FrozenSet, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkl.model.graph import (
    cycles_of,
    layers_of,
    longest_path,
    reachable,
    strongly_connected,
    topological_order,
    transitive_reduction,
)

Edges = Dict[str, List[str]]
Case = Tuple[List[str], Edges]

NAMES = list("abcdefg")


@st.composite
def graphs(draw: st.DrawFn, acyclic: bool = False) -> Case:
    """Nodes in some order and edges between them, to strangers too."""
    nodes = draw(st.permutations(NAMES[: draw(st.integers(0, len(NAMES)))]))
    edges: Edges = {}
    for i, node in enumerate(nodes):
        targets = nodes[:i] if acyclic else nodes
        pool = [*targets, "stranger"]
        edges[node] = draw(st.lists(st.sampled_from(pool), max_size=4))
    # The order of the nodes must not give away the order of the needs.
    return draw(st.permutations(nodes)), edges


def closure(nodes: List[str], edges: Edges) -> Dict[str, FrozenSet[str]]:
    """What each node needs directly or not, by Warshall's algorithm."""
    reach = {a: {b for b in edges[a] if b in nodes} for a in nodes}
    for middle, start in itertools.product(nodes, nodes):
        if middle in reach[start]:
            reach[start] |= reach[middle]
    return {node: frozenset(found) for node, found in reach.items()}


@given(graphs())
def test_components_are_the_nodes_that_reach_each_other(case: Case) -> None:
    nodes, edges = case
    reach = closure(nodes, edges)
    alike = {
        node: tuple(n for n in nodes if n == node or (n in reach[node] and node in reach[n]))
        for node in nodes
    }
    found = strongly_connected(nodes, edges)
    assert sorted(found) == sorted(set(alike.values()))
    place = {node: i for i, members in enumerate(found) for node in members}
    for node in nodes:
        assert all(place[needed] <= place[node] for needed in reach[node])


@given(graphs())
def test_cycles_are_the_components_that_reach_themselves(case: Case) -> None:
    nodes, edges = case
    reach = closure(nodes, edges)
    on_cycles = {node for node in nodes if node in reach[node]}
    assert {node for members in cycles_of(nodes, edges) for node in members} == on_cycles
    assert set(cycles_of(nodes, edges)) <= set(strongly_connected(nodes, edges))


@given(graphs())
def test_a_layer_needs_only_earlier_ones_and_could_be_no_earlier(case: Case) -> None:
    nodes, edges = case
    reach = closure(nodes, edges)
    layers = layers_of(nodes, edges)
    assert sorted(itertools.chain(*layers)) == sorted(nodes)
    place = {node: i for i, layer in enumerate(layers) for node in layer}
    for node in nodes:
        own = {n for n in nodes if n == node or (n in reach[node] and node in reach[n])}
        needs = {each for member in own for each in edges[member] if each in place} - own
        assert place[node] == max((place[each] + 1 for each in needs), default=0)
    for layer in layers:
        assert list(layer) == sorted(layer, key=nodes.index)


@given(graphs(acyclic=True))
def test_the_order_is_the_first_of_all_that_respect_the_needs(case: Case) -> None:
    nodes, edges = case
    nodes, edges = nodes[:5], edges

    def respects(order: Tuple[str, ...]) -> bool:
        return all(
            order.index(needed) < order.index(node)
            for node in order
            for needed in edges[node]
            if needed in order
        )

    first = next(order for order in itertools.permutations(nodes) if respects(order))
    assert topological_order(nodes, edges) == list(first)


@given(graphs())
def test_there_is_an_order_exactly_where_there_is_no_cycle(case: Case) -> None:
    nodes, edges = case
    cycles = cycles_of(nodes, edges)
    if not cycles:
        assert sorted(topological_order(nodes, edges)) == sorted(nodes)
        return
    with pytest.raises(ValueError, match="there is a cycle") as caught:
        topological_order(nodes, edges)
    assert str(cycles[0]) in str(caught.value)


@given(graphs())
def test_what_is_reachable_is_what_some_way_leads_to(case: Case) -> None:
    nodes, edges = case
    reach = closure(nodes, edges)
    inside = {node: [each for each in edges[node] if each in nodes] for node in nodes}
    for node in nodes:
        assert reachable(node, inside) == reachable([node], inside) == reach[node] | {node}


@given(graphs())
def test_a_reduction_reaches_the_same(case: Case) -> None:
    nodes, edges = case
    reduced = transitive_reduction(nodes, edges)
    assert {node: frozenset(each) for node, each in closure(nodes, as_lists(reduced)).items()} == (
        closure(nodes, edges)
    )
    assert all(set(reduced[node]) <= set(edges[node]) for node in nodes)


@given(graphs(acyclic=True))
def test_no_edge_of_a_reduction_can_be_spared(case: Case) -> None:
    nodes, edges = case
    reduced = as_lists(transitive_reduction(nodes, edges))
    reach = closure(nodes, edges)
    for node in nodes:
        for spared in reduced[node]:
            fewer = {**reduced, node: [each for each in reduced[node] if each != spared]}
            assert closure(nodes, fewer) != reach


def as_lists(edges: "Dict[str, Tuple[str, ...]]") -> Edges:
    """The edges as the other functions here take them."""
    return {node: list(targets) for node, targets in edges.items()}


@given(graphs())
def test_the_order_of_a_nodes_edges_makes_no_difference(case: Case) -> None:
    nodes, edges = case
    turned = {node: [*reversed(targets), *targets] for node, targets in reversed(edges.items())}
    for function in (strongly_connected, cycles_of, layers_of, transitive_reduction):
        assert function(nodes, turned) == function(nodes, edges)


def test_a_chain_and_a_ring_of_many_nodes_need_no_recursion() -> None:
    nodes = [f"n{i}" for i in range(20_000)]
    chain = {a: [b] for a, b in zip(nodes, nodes[1:])}
    ring = {**chain, nodes[-1]: [nodes[0]]}
    assert topological_order(nodes, chain) == nodes[::-1]
    assert len(layers_of(nodes, chain)) == len(nodes)
    assert strongly_connected(nodes, ring) == [tuple(nodes)]
    assert reachable(nodes[0], ring) == set(nodes)


def test_a_node_named_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="named twice"):
        strongly_connected(["a", "a"], {})


def test_the_functions_have_these_answers() -> None:
    nodes = ["web", "auth", "audit", "store", "left", "right"]
    edges = {
        "web": ["auth", "store"],
        "auth": ["store"],
        "audit": ["auth"],
        "left": ["right"],
        "right": ["left"],
    }
    assert cycles_of(nodes, edges) == [("left", "right")]
    assert layers_of(nodes, edges) == [("store", "left", "right"), ("auth",), ("web", "audit")]
    assert transitive_reduction(nodes, edges)["web"] == ("auth",)
    assert reachable(["web"], edges) == {"web", "auth", "store"}


@given(graphs(acyclic=True), st.lists(st.integers(0, 9), min_size=7, max_size=7))
def test_the_longest_path_is_a_chain_and_no_chain_weighs_more(
    case: Case, numbers: List[int]
) -> None:
    nodes, edges = case
    order = topological_order(nodes, edges)
    weights = {node: float(number) for node, number in zip(NAMES, numbers)}
    path = longest_path(order, edges, weights)
    assert all(a in edges[b] for a, b in zip(path, path[1:]))
    chains: Dict[str, float] = {}
    for node in order:
        below = [chains[each] for each in edges[node] if each in chains]
        chains[node] = weights[node] + max(below, default=0.0)
    assert sum(weights[node] for node in path) == max(chains.values(), default=0.0)


def test_the_longest_path_ignores_what_is_not_among_the_nodes_and_goes_by_weight() -> None:
    edges = {"app": ["slow", "quick", "stranger"], "quick": ["base"], "slow": []}
    weights = {"base": 1.0, "quick": 1.0, "slow": 5.0, "app": 1.0}
    order = ["base", "quick", "slow", "app"]
    assert longest_path(order, edges, weights) == ("slow", "app")
    assert longest_path((), {}, {}) == ()
