"""Waves, circles, and where a soft circle is cut."""

from __future__ import annotations

import os
import random
from typing import Dict, List, Set, Tuple

from pkl.resolver.order import arrange, circles, waves

EXAMPLES = int(os.environ.get("PKL_EXAMPLES", "300"))


def drawn(draw: random.Random, count: int, edges: int) -> List[Set[int]]:
    """Random edges, those of a node to itself left out."""
    needs: List[Set[int]] = [set() for _ in range(count)]
    for _ in range(edges):
        node, target = draw.randrange(count), draw.randrange(count)
        if node != target:
            needs[node].add(target)
    return needs


def reached(needs: List[Set[int]], start: int) -> Set[int]:
    """Everything that a node needs, directly or not."""
    seen: Set[int] = set()
    pending = list(needs[start])
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            pending.extend(needs[node])
    return seen


def test_a_layer_is_the_longest_path_and_a_node_on_or_behind_a_circle_has_none() -> None:
    assert waves([set(), {0}, {0, 1}, {0}]) == [0, 1, 2, 1]
    assert waves([{1}, {0}, {0}, set()]) == [-1, -1, -1, 0]


def test_circles_are_the_sets_of_nodes_that_reach_each_other() -> None:
    for seed in range(EXAMPLES):
        draw = random.Random(seed)
        needs = drawn(draw, draw.randint(1, 9), draw.randint(0, 14))
        below = [reached(needs, node) for node in range(len(needs))]
        expected: Dict[int, Tuple[int, ...]] = {}
        for node in range(len(needs)):
            if node in below[node]:
                alike = [o for o in range(len(needs)) if o in below[node] and node in below[o]]
                expected[alike[0]] = tuple(alike)
        assert [tuple(each) for each in circles(needs)] == sorted(expected.values()), seed


def test_only_soft_edges_of_a_circle_are_cut_and_the_softest_on_it() -> None:
    for seed in range(EXAMPLES):
        draw = random.Random(seed)
        count = draw.randint(2, 9)
        hard = [{t for t in targets if t < n} for n, targets in enumerate(drawn(draw, count, 8))]
        wants, after = drawn(draw, count, 6), drawn(draw, count, 8)
        layer, cuts = arrange((hard, wants, after))
        gone = {(cut.node, cut.target) for cut in cuts}
        for node in range(count):
            assert all(layer[target] < layer[node] for target in hard[node])
            for target in wants[node] | after[node]:
                assert layer[target] < layer[node] or (node, target) in gone, seed
        strong = [hard[n] | wants[n] for n in range(count)]
        every = [strong[n] | after[n] for n in range(count)]
        for cut in cuts:
            graph = strong if cut.strength == 1 else every
            assert cut.node in reached(graph, cut.target), f"{seed}: {cut} is on no circle"
            assert cut.target not in hard[cut.node]


def test_a_want_is_kept_where_cutting_an_ordering_is_enough() -> None:
    layer, cuts = arrange(([set(), set()], [{1}, set()], [set(), {0}]))
    assert layer == [1, 0]
    assert [(cut.node, cut.target, cut.strength) for cut in cuts] == [(1, 0, 2)]


def test_ten_thousand_in_a_chain_or_a_circle_need_no_recursion() -> None:
    count = 10_000
    chain = [set() if n == 0 else {n - 1} for n in range(count)]
    assert waves(chain)[-1] == count - 1
    ring = [{(n - 1) % count} for n in range(count)]
    assert circles(ring) == [list(range(count))]
    layer, cuts = arrange(([set() for _ in ring], [set() for _ in ring], ring))
    assert len(cuts) == 1
    assert max(layer) == count - 1
