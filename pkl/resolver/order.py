"""The start order: waves, strongly connected components, and where a soft cycle is cut.

Everything here is over small integers. ``needs[n]`` lists what node ``n`` starts after, each
target once. The cost is that of one pass over the edges where nothing is cyclic, and of one
Tarjan pass per strength (and a heap inside the cyclic part) where something is.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Collection, Dict, List, NamedTuple, Sequence, Set, Tuple

from ..model.graph import components

__all__ = ["Cut", "arrange", "circles", "waves"]


class Cut(NamedTuple):
    """A soft edge that was dropped because it closed a cycle."""

    node: int
    """The node that would have started later."""
    target: int
    """The node that would have started first."""
    strength: int
    """Index of the list of edges it came from; a higher one is softer."""


def waves(needs: Sequence[Collection[int]]) -> List[int]:
    """The layer of each node, the length of its longest path down; -1 on or behind a cycle."""
    users: List[List[int]] = [[] for _ in needs]
    waiting = [len(targets) for targets in needs]
    for node, targets in enumerate(needs):
        for target in targets:
            users[target].append(node)
    layer = [0] * len(needs)
    ready = [node for node, count in enumerate(waiting) if not count]
    for node in ready:
        above = layer[node] + 1
        for user in users[node]:
            if layer[user] < above:
                layer[user] = above
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    if len(ready) < len(needs):
        layer = [-1 if waiting[node] else layer[node] for node in range(len(needs))]
    return layer


def circles(needs: Sequence[Collection[int]]) -> List[List[int]]:
    """The strongly connected components of two nodes or more, each sorted, by their first node."""
    if -1 not in waves(needs):
        return []
    return sorted(members for members in components(needs) if len(members) > 1)


def arrange(strengths: Sequence[Sequence[Collection[int]]]) -> Tuple[List[int], List[Cut]]:
    """The layer of each node once soft cycles are cut, and the edges that were cut.

    Args:
        strengths: Lists of edges, the hardest first. The first must be free of cycles; a cycle
            that a later one closes is cut at an edge of the softest strength on it.
    """
    kept = [set(targets) for targets in strengths[0]]
    union = [set(targets) for targets in kept]
    for edges in strengths[1:]:
        for node, targets in enumerate(edges):
            if targets:
                union[node].update(targets)
                union[node].discard(node)
    layer = waves(union)
    if -1 not in layer:
        return layer, []
    cuts: List[Cut] = []
    for strength, edges in enumerate(strengths[1:], 1):
        added = [set(targets) - kept[node] - {node} for node, targets in enumerate(edges)]
        both = [kept[node] | added[node] for node in range(len(kept))]
        against: Set[Tuple[int, int]] = set()
        for members in circles(both):
            against |= _against(members, kept, added)
        for node, targets in enumerate(added):
            for target in sorted(targets):
                if (node, target) in against:
                    cuts.append(Cut(node, target, strength))
                else:
                    kept[node].add(target)
    return waves(kept), cuts


def _against(
    members: Sequence[int], hard: Sequence[Collection[int]], soft: Sequence[Collection[int]]
) -> Set[Tuple[int, int]]:
    """The soft edges inside one component that go against a good order of its members.

    The order starts, among the nodes whose hard needs have started, the one with the fewest
    soft needs left; the lowest number breaks ties.
    """
    inside = set(members)
    hard_users: Dict[int, List[int]] = {node: [] for node in members}
    soft_users: Dict[int, List[int]] = {node: [] for node in members}
    hard_left = dict.fromkeys(members, 0)
    soft_left = dict.fromkeys(members, 0)
    for node in members:
        for target in hard[node]:
            if target in inside:
                hard_users[target].append(node)
                hard_left[node] += 1
        for target in soft[node]:
            if target in inside:
                soft_users[target].append(node)
                soft_left[node] += 1
    heap = [(soft_left[node], node) for node in members if not hard_left[node]]
    heapify(heap)
    started: Set[int] = set()
    against: Set[Tuple[int, int]] = set()
    while heap:
        left, node = heappop(heap)
        if node in started or left != soft_left[node]:
            continue
        started.add(node)
        against |= {(node, t) for t in soft[node] if t in inside and t not in started}
        for user in hard_users[node]:
            hard_left[user] -= 1
            if not hard_left[user]:
                heappush(heap, (soft_left[user], user))
        for user in soft_users[node]:
            soft_left[user] -= 1
            if not hard_left[user] and user not in started:
                heappush(heap, (soft_left[user], user))
    return against
