"""Drawing graphs of many plugins: ``python -m tests.benchmarks.bench_layout [N...]``.

Three kinds of graph: ``plugins``, where a few plugins are needed by very many, as real sets are;
``random``, edges between any two plugins of 28 layers, harder than real sets; and ``chain``, each
requiring the one before and all of them the first. The target is 10 s for 10,000 plugins to SVG.
"""

from __future__ import annotations

import random
import sys
from time import perf_counter, process_time
from typing import Callable, Dict, List, Sequence, Set, Tuple

from pkl.model.graph import Edge, Graph, Node
from pkl.render.html import html
from pkl.render.layout import lay_out
from pkl.render.svg import draw, svg
from pkl.render.tree import tree
from pkl.render.view import View

COUNTS = (50, 500, 5_000, 10_000)
TARGET = 10.0
"""Seconds for the largest graph to SVG."""

LAYERS = 28


def plugins(count: int) -> Graph:
    """One plugin in seven needs none; the rest need one to four, the earliest most likely."""
    draw_ = random.Random(1)
    weights = [1 / (1 + i) + 0.02 for i in range(count)]
    pairs: Set[Tuple[int, int]] = set()
    for i in range(1, count):
        if draw_.random() < 0.15:
            continue
        many = draw_.choices((1, 2, 3, 4), (50, 30, 15, 5))[0]
        pairs.update((i, end) for end in draw_.choices(range(i), weights[:i], k=many))
    return _graph(count, pairs)


def random_layers(count: int) -> Graph:
    """1.63 edges a plugin, between any two of different layers."""
    draw_ = random.Random(2)
    layer = [draw_.randrange(LAYERS) for _ in range(count)]
    pairs: Set[Tuple[int, int]] = set()
    while len(pairs) < count * 1.63:
        one, other = draw_.randrange(count), draw_.randrange(count)
        if layer[one] > layer[other]:
            pairs.add((one, other))
    return _graph(count, pairs)


def chain(count: int) -> Graph:
    """As deep as can be."""
    return _graph(count, {(i, i - 1) for i in range(1, count)} | {(i, 0) for i in range(2, count)})


def _graph(count: int, pairs: Set[Tuple[int, int]]) -> Graph:
    names = [f"plugin-{i:05}" for i in range(count)]
    return Graph(
        tuple(Node(name, name, f"1.{i}", None, "enabled") for i, name in enumerate(names)),
        tuple(
            Edge(names[one], names[other], "requires", f"{names[other]}>=1")
            for one, other in sorted(pairs)
        ),
    )


KINDS: Dict[str, Callable[[int], Graph]] = {
    "plugins": plugins,
    "random": random_layers,
    "chain": chain,
}


def main(counts: Sequence[int]) -> None:
    """Print what each step takes, best of three by CPU time (of one for the largest)."""
    print(f"drawing, seconds of CPU (wall), Python {sys.version.split()[0]}")
    print(
        f"{'':16}{'edges':>8}{'layout':>16}{'to SVG, whole':>18}{'MB':>7}{'HTML':>16}{'tree':>16}"
    )
    for kind, make in KINDS.items():
        for count in counts:
            graph = make(count)
            rounds = 1 if count > 5_000 else 3
            layout = _best(lambda: lay_out(View(graph)), rounds)  # noqa: B023
            whole = _best(lambda: svg(graph), rounds)  # noqa: B023
            page = _best(lambda: html(graph), rounds)  # noqa: B023
            text = _best(lambda: tree(graph), rounds)  # noqa: B023
            size = len(draw(lay_out(View(graph)))) / 1e6
            late = "  over the target" if whole[0] > TARGET else ""
            print(
                f"{kind:8}{count:>8,}{len(graph.edges):>8,}"
                f"{_shown(layout):>16}{_shown(whole):>18}{size:>7.1f}"
                f"{_shown(page):>16}{_shown(text):>16}{late}"
            )


def _best(case: Callable[[], object], rounds: int) -> Tuple[float, float]:
    """The least CPU time, and the wall time of that round."""
    found: List[Tuple[float, float]] = []
    for _ in range(rounds):
        cpu, wall = process_time(), perf_counter()
        case()
        found.append((process_time() - cpu, perf_counter() - wall))
    return min(found)


def _shown(times: Tuple[float, float]) -> str:
    return f"{times[0]:.2f} ({times[1]:.2f})"


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or COUNTS)
