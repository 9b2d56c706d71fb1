"""Solving for plugins and their libraries: ``python -m tests.benchmarks.bench_solve``.

Fifty plugins with ten versions each, in a chain with a few branches, over ten libraries. The
installer is one of the tests, which starts no process; what it takes is shown by itself, and what
the resolver of plugins takes for the same candidates. The rest is what two layers cost.
"""

from __future__ import annotations

import random
import sys
from typing import Callable, Dict, Sequence

from pkl.install.backends.backend import Query, Resolved
from pkl.install.solution import Solution
from pkl.install.solve.universe import Universe
from pkl.resolver import resolve
from tests.benchmarks.pairing import minima, table
from tests.install.solving.world import World, root

COUNTS = (50,)
VERSIONS = 10
LIBRARIES = 10


def world_of(count: int) -> World:
    """Plugins that all fit together in their newest versions, as most do."""
    draw = random.Random(count)
    world = World()
    for number in range(LIBRARIES):
        for version in range(VERSIONS):
            world.library(f"lib{number}==1.{version}")
    for number in range(count):
        below = draw.sample(range(number), min(number, 2))
        for version in range(VERSIONS):
            requires = [f"p{other}>=1.{version // 2}" for other in below]
            libraries = [f"lib{other}>=1.{version // 3}" for other in draw.sample(range(10), 2)]
            world.plugin(f"p{number}==1.{version}", *libraries, requires=requires)
    return world


def measure(count: int) -> None:
    """Prints what a solve for that many plugins costs."""
    world = world_of(count)
    roots = [root(f"p{number}") for number in range(count)]

    def solved() -> Solution:
        world.asked.clear()
        return world.solve(*roots)

    found = solved()
    assert found.rounds == 1 and len(found.chosen) >= count
    query = world.asked[0]
    universe = Universe(roots, world, world.host, {}, None)
    candidates = universe.candidates({})
    names = [each.name for each in roots]

    def asked(question: Query = query) -> Sequence[Resolved]:
        return world.resolve(question)

    cases: Dict[str, Callable[[], object]] = {
        "the resolver of plugins": lambda: resolve(candidates, roots=names),
        "the installer of the tests": asked,
        "the pages as candidates": lambda: Universe(roots, world, world.host, {}, None),
        "solve": solved,
    }
    title = f"{count} plugins x {VERSIONS} versions, {LIBRARIES} libraries"
    table(title, minima(cases, rounds=5), "the resolver of plugins")


def main(arguments: Sequence[str]) -> None:
    """Measures the counts that are given, or fifty."""
    for count in map(int, arguments or COUNTS):
        measure(count)


if __name__ == "__main__":
    main(sys.argv[1:])
