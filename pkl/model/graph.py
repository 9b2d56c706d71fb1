"""The dependency graph as a value, and the pure functions over graphs of names.

The functions take ``nodes``, whose order decides every tie, and ``edges`` from each node to those
it needs. Edges to what is not among the nodes are ignored, whatever order a node's edges come in
the result is the same, and none of the functions recurses.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple, Union

__all__ = [
    "Edge",
    "Graph",
    "Missing",
    "Node",
    "components",
    "cycles_of",
    "layers_of",
    "longest_path",
    "reachable",
    "strongly_connected",
    "topological_order",
    "transitive_reduction",
]


@dataclass(frozen=True)
class Node:
    """A plugin in the graph; ``id`` is its name, or ``distribution:name`` in a foreign group."""

    id: str
    name: str
    version: str
    distribution: Optional[str] = None
    state: str = ""


@dataclass(frozen=True)
class Edge:
    """``from_`` needs, wants or is ordered against ``to``; both are node ids.

    Attributes:
        kind: One of ``requires wants after before conflicts``.
        requirement: The text that declared it.
        satisfied: Whether the other end is there and fits.
        via: The distributions outside the group that the edge passes through; empty if direct.
        file: The file that declared it, or None.
    """

    from_: str
    to: str
    kind: str
    requirement: str = ""
    satisfied: bool = True
    via: Tuple[str, ...] = ()
    file: Optional[str] = None


@dataclass(frozen=True)
class Missing:
    """Something required that no candidate provides."""

    name: str
    required_by: str
    requirement: str


@dataclass(frozen=True)
class Graph:
    """Nodes, edges, the layers of the start order, cycles, and what is missing."""

    nodes: Tuple[Node, ...] = ()
    edges: Tuple[Edge, ...] = ()
    layers: Tuple[Tuple[str, ...], ...] = ()
    cycles: Tuple[Tuple[str, ...], ...] = field(default=())
    missing: Tuple[Missing, ...] = ()


_Edges = Mapping[str, Iterable[str]]


def _numbered(nodes: Sequence[str], edges: _Edges) -> List[List[int]]:
    """The edges by position of the nodes, sorted, without repetition."""
    position = {node: i for i, node in enumerate(nodes)}
    if len(position) != len(nodes):
        raise ValueError("a node is named twice")
    return [
        sorted({position[each] for each in edges.get(node, ()) if each in position})
        for node in nodes
    ]


def components(needs: Sequence[Iterable[int]]) -> List[List[int]]:
    """The strongly connected components over numbered nodes, each after all that it needs.

    ``needs`` lists the nodes that each node needs. Tarjan's algorithm (SIAM J. Comput. 1972)
    without recursion, so that depth costs no stack.
    """
    count = len(needs)
    order, low = [0] * count, [0] * count
    on_stack = bytearray(count)
    stack: List[int] = []
    found: List[List[int]] = []
    clock = 0
    for root in range(count):
        if order[root]:
            continue
        clock += 1
        order[root] = low[root] = clock
        stack.append(root)
        on_stack[root] = 1
        work = [(root, iter(needs[root]))]
        while work:
            node, rest = work[-1]
            for each in rest:
                if not order[each]:
                    clock += 1
                    order[each] = low[each] = clock
                    stack.append(each)
                    on_stack[each] = 1
                    work.append((each, iter(needs[each])))
                    break
                if on_stack[each] and order[each] < low[node]:
                    low[node] = order[each]
            else:
                work.pop()
                if work and low[node] < low[work[-1][0]]:
                    low[work[-1][0]] = low[node]
                if low[node] == order[node]:
                    members: List[int] = []
                    while not members or members[-1] != node:
                        members.append(stack.pop())
                        on_stack[members[-1]] = 0
                    found.append(sorted(members))
    return found


def strongly_connected(nodes: Sequence[str], edges: _Edges) -> List[Tuple[str, ...]]:
    """The strongly connected components, each after all those it needs (Tarjan 1972).

    A node on no cycle is a component of its own. Within a component the nodes keep the order
    they have in ``nodes``. Takes time in proportion to nodes and edges.
    """
    return [tuple(nodes[i] for i in each) for each in components(_numbered(nodes, edges))]


def cycles_of(nodes: Sequence[str], edges: _Edges) -> List[Tuple[str, ...]]:
    """The strongly connected components that hold a cycle, a node that needs itself included."""
    needs = _numbered(nodes, edges)
    return [
        tuple(nodes[i] for i in each)
        for each in components(needs)
        if len(each) > 1 or each[0] in needs[each[0]]
    ]


def layers_of(nodes: Sequence[str], edges: _Edges) -> List[Tuple[str, ...]]:
    """The waves in which nodes can start: each needs only nodes of earlier ones.

    A node stands in the earliest wave it can. The nodes of a cycle share one wave, for which
    their needs of each other do not count.
    """
    needs = _numbered(nodes, edges)
    layer = [0] * len(nodes)
    for members in components(needs):
        own = set(members)
        below = (layer[each] + 1 for i in members for each in needs[i] if each not in own)
        depth = max(below, default=0)
        for i in members:
            layer[i] = depth
    waves: List[List[str]] = [[] for _ in range(max(layer, default=-1) + 1)]
    for i, node in enumerate(nodes):
        waves[layer[i]].append(node)
    return [tuple(wave) for wave in waves]


def topological_order(nodes: Sequence[str], edges: _Edges) -> List[str]:
    """The nodes in an order in which each comes after all it needs.

    Of all such orders it is the one that comes first by the order of ``nodes`` (Kahn 1962, with
    a heap).

    Raises:
        ValueError: There is a cycle; ``cycles_of`` names it.
    """
    needs = _numbered(nodes, edges)
    dependants: List[List[int]] = [[] for _ in nodes]
    open_needs = [len(each) for each in needs]
    for i, each in enumerate(needs):
        for needed in each:
            dependants[needed].append(i)
    ready = [i for i, left in enumerate(open_needs) if not left]
    order: List[str] = []
    while ready:
        i = heapq.heappop(ready)
        order.append(nodes[i])
        for dependant in dependants[i]:
            open_needs[dependant] -= 1
            if not open_needs[dependant]:
                heapq.heappush(ready, dependant)
    if len(order) != len(nodes):
        raise ValueError(f"there is a cycle: {cycles_of(nodes, edges)[0]}")
    return order


def longest_path(
    nodes: Sequence[str], edges: _Edges, weights: Mapping[str, float]
) -> Tuple[str, ...]:
    """The chain of nodes, each after one that it needs, whose weights add up to the most.

    It bounds from below what all the nodes take together, however many run at once (the critical
    path of Kelley and Walker, 1959).

    Args:
        nodes: In an order in which each comes after all it needs; edges against it are ignored.
        edges: From each node to those it needs.
        weights: At least 0; a node without one weighs nothing.

    Returns:
        The chain, first what the others need; of equal ones the one found first. Empty without
        nodes.
    """
    total: Dict[str, float] = {}
    before: Dict[str, Optional[str]] = {}
    last: Optional[str] = None
    for node in nodes:
        known = (each for each in edges.get(node, ()) if each in total)
        before[node] = behind = max(known, key=total.__getitem__, default=None)
        total[node] = weights.get(node, 0.0) + (total[behind] if behind is not None else 0.0)
        if last is None or total[node] > total[last]:
            last = node
    chain: List[str] = []
    while last is not None:
        chain.append(last)
        last = before[last]
    return tuple(reversed(chain))


def reachable(starts: Union[str, Iterable[str]], edges: _Edges) -> Set[str]:
    """Every name that can be reached from ``starts``, themselves included."""
    found = {starts} if isinstance(starts, str) else set(starts)
    work = list(found)
    while work:
        for each in edges.get(work.pop(), ()):
            if each not in found:
                found.add(each)
                work.append(each)
    return found


def transitive_reduction(nodes: Sequence[str], edges: _Edges) -> Dict[str, Tuple[str, ...]]:
    """The edges without those that a longer way implies; what can be reached stays the same.

    A cycle counts as one node here: edges within it stay as they are, and an edge out of it goes
    only if a way through a third component leads there too.

    Returns:
        For every node those of its edges that stay, in the order of ``nodes``.
    """
    needs = _numbered(nodes, edges)
    groups = components(needs)
    home = [0] * len(nodes)
    for c, members in enumerate(groups):
        for i in members:
            home[i] = c
    # Sets of components as the bits of integers: 10,000 nodes take 12 MB instead of gigabytes.
    below = [0] * len(groups)
    direct = [0] * len(groups)
    for c, members in enumerate(groups):
        targets = sorted({home[each] for i in members for each in needs[i]} - {c}, reverse=True)
        # Needed components have lower numbers; the highest first, what it reaches is implied.
        for target in targets:
            if not below[c] >> target & 1:
                direct[c] |= 1 << target
                below[c] |= below[target] | 1 << target
    return {
        node: tuple(
            nodes[each]
            for each in needs[i]
            if home[each] == home[i] or direct[home[i]] >> home[each] & 1
        )
        for i, node in enumerate(nodes)
    }
