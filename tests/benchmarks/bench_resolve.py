"""Resolution against resolvelib on the same graphs: ``python -m tests.benchmarks.bench_resolve``.

Every graph but one has a solution, so that both have an answer to find. resolvelib gets its
requirements as ready sets of versions and a provider that turns first to what is in conflict, as
pip's does; pkl starts from candidates with requirement texts.
Each case of resolvelib runs in a process of its own that is ended after a minute of CPU time.
"""

from __future__ import annotations

import gc
import multiprocessing
import random
import resource
import sys
from functools import partial
from time import process_time
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
)

from resolvelib import AbstractProvider, BaseReporter, ResolutionError, Resolver

from pkl.model.candidate import Candidate, Origin
from pkl.model.manifest import PluginMetadata
from pkl.model.plan import Plan
from pkl.resolver import resolve

PATIENCE = 60
"""CPU seconds after which resolvelib is ended."""


class World(NamedTuple):
    """Plugins by name, each with its versions and what each version requires."""

    title: str
    versions: Dict[str, Dict[int, Dict[str, Set[int]]]]
    roots: List[str]


def planted(title: str, names: int, versions: int, wide: int, roots: int, seed: int) -> World:
    """A world in which one hidden version of each plugin goes with all the other hidden ones."""
    draw = random.Random(seed)
    hidden = [draw.randint(1, versions) for _ in range(names)]
    found: Dict[str, Dict[int, Dict[str, Set[int]]]] = {}
    for i in range(names):
        rows: Dict[int, Dict[str, Set[int]]] = {}
        others = draw.sample(range(i), min(i, draw.randint(1, 5)))
        for version in range(1, versions + 1):
            row: Dict[str, Set[int]] = {}
            for other in others:
                low = draw.randint(1, versions)
                fits = set(range(low, min(versions, low + draw.randint(wide // 2, wide)) + 1))
                if version == hidden[i] and hidden[other] not in fits:
                    fits = set(range(max(1, hidden[other] - wide // 2), hidden[other] + 1))
                row[f"p{other:05d}"] = fits
            rows[version] = row
        found[f"p{i:05d}"] = rows
    return World(title, found, sorted(draw.sample(sorted(found), roots)))


def growing(title: str, names: int, versions: int, roots: int, seed: int) -> World:
    """A world of lower bounds only: the newest of everything goes together."""
    draw = random.Random(seed)
    found: Dict[str, Dict[int, Dict[str, Set[int]]]] = {}
    for i in range(names):
        others = draw.sample(range(i), min(i, draw.randint(1, 5)))
        found[f"p{i:05d}"] = {
            version: {
                f"p{other:05d}": set(range(draw.randint(1, version), versions + 1))
                for other in others
            }
            for version in range(1, versions + 1)
        }
    return World(title, found, sorted(draw.sample(sorted(found), roots)))


def satisfiability(title: str, variables: int, clauses: int, seed: int) -> World:
    """Random 3-SAT: a plugin for each variable, true in version 1 and false in version 2.

    Each clause is a plugin with three versions, one for each way of satisfying it.
    """
    draw = random.Random(seed)
    found: Dict[str, Dict[int, Dict[str, Set[int]]]] = {
        f"x{i:03d}": {1: {}, 2: {}} for i in range(variables)
    }
    for i in range(clauses):
        picked = draw.sample(range(variables), 3)
        found[f"c{i:03d}"] = {
            n: {f"x{variable:03d}": {draw.randint(1, 2)}} for n, variable in enumerate(picked, 1)
        }
    return World(title, found, [name for name in sorted(found) if name.startswith("c")])


def oldest(title: str, names: int, versions: int) -> World:
    """Every version requires the others in its own; the first plugin is there in the oldest."""
    found: Dict[str, Dict[int, Dict[str, Set[int]]]] = {}
    for i in range(names):
        last = 1 if i == 0 else versions
        found[f"p{i:05d}"] = {v: {f"p{j:05d}": {v} for j in range(i)} for v in range(1, last + 1)}
    return World(title, found, sorted(found))


# pkl


def candidates(world: World) -> List[Candidate]:
    """The world as a registry would list it."""
    return [
        Candidate(
            name,
            PluginMetadata(
                {
                    "name": name,
                    "version": str(version),
                    "requires": [other + bounds(fits) for other, fits in row.items()],
                }
            ),
            Origin.REGISTRY,
        )
        for name, rows in world.versions.items()
        for version, row in rows.items()
    ]


def bounds(fits: Set[int]) -> str:
    """The specifier of a run of versions."""
    return f">={min(fits)},<{max(fits) + 1}"


# resolvelib


class Provider(AbstractProvider[Any, Any, str]):
    """Requirements are (name, versions), candidates are (name, version)."""

    def __init__(self, world: World) -> None:
        self.versions = world.versions

    def identify(self, requirement_or_candidate: Tuple[str, Any]) -> str:
        return requirement_or_candidate[0]

    def narrow_requirement_selection(
        self,
        identifiers: Iterable[str],
        resolutions: Mapping[str, Any],
        candidates: Mapping[str, Iterator[Any]],
        information: Mapping[str, Iterator[Any]],
        backtrack_causes: Sequence[Any],
    ) -> Iterable[str]:
        blamed = {cause.requirement[0] for cause in backtrack_causes}
        blamed |= {cause.parent[0] for cause in backtrack_causes if cause.parent is not None}
        among = [identifier for identifier in identifiers if identifier in blamed]
        return among or identifiers

    def get_preference(
        self,
        identifier: str,
        resolutions: Mapping[str, Any],
        candidates: Mapping[str, Iterator[Any]],
        information: Mapping[str, Iterator[Any]],
        backtrack_causes: Sequence[Any],
    ) -> Any:
        return identifier

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[Any]],
        incompatibilities: Mapping[str, Iterator[Any]],
    ) -> Iterable[Any]:
        left = set(self.versions[identifier])
        for _name, fits in requirements[identifier]:
            left &= fits
        left -= {version for _name, version in incompatibilities[identifier]}
        return [(identifier, version) for version in sorted(left, reverse=True)]

    def is_satisfied_by(self, requirement: Any, candidate: Any) -> bool:
        return candidate[1] in requirement[1]

    def get_dependencies(self, candidate: Any) -> Iterable[Any]:
        return list(self.versions[candidate[0]][candidate[1]].items())


def with_resolvelib(world: World) -> bool:
    """Whether resolvelib finds a solution."""
    roots = [(name, set(world.versions[name])) for name in world.roots]
    resolver: Resolver[Any, Any, str] = Resolver(Provider(world), BaseReporter())
    try:
        resolver.resolve(roots, max_rounds=10_000_000)
    except ResolutionError:
        return False
    return True


def _child(world: World, pipe: Any) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))
    gc.disable()
    began = process_time()
    solved = with_resolvelib(world)
    pipe.send((process_time() - began, solved))


def patiently(world: World) -> Optional[Tuple[float, bool]]:
    """The CPU seconds of resolvelib and whether it solved the world; None if it took too long."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_child, args=(world, there))
    process.start()
    there.close()
    try:
        found: Tuple[float, bool] = here.recv()
    except EOFError:
        return None
    finally:
        process.join()
    return found


def timed(work: Callable[[], Plan], rounds: int = 3) -> Tuple[float, Plan]:
    """The least CPU seconds of some rounds, and the plan."""
    best = float("inf")
    for _ in range(rounds):
        gc.collect()
        began = process_time()
        plan = work()
        best = min(best, process_time() - began)
    return best, plan


def compare(world: World) -> None:
    """Prints one line: pkl, resolvelib, and how they compare."""
    offered = candidates(world)
    seconds, plan = timed(partial(resolve, offered, roots=world.roots))
    started = sum(1 for name in world.roots if plan.step(name) is not None)
    codes = sorted({reason.code for reason in plan.blocked.values()})
    peer = patiently(world)
    if peer is None:
        other, ratio = f"> {PATIENCE} s", f"< 1/{PATIENCE / seconds:.0f}"
    else:
        other = f"{peer[0]:.3f} s{'' if peer[1] else ' (none)'}"
        ratio = f"1/{peer[0] / seconds:.1f}"
    all_started = "all" if started == len(world.roots) else f"{started}/{len(world.roots)}"
    print(
        f"  {world.title:<44} {seconds:>8.3f} s  {all_started:>9} {','.join(codes):<12} "
        f"resolvelib {other:>16}  {ratio}"
    )


def one_version(names: int) -> List[Candidate]:
    """A host's plugins: installed, one version each, two requirements each."""
    draw = random.Random(1)
    return [
        Candidate(
            f"p{i:05d}",
            PluginMetadata(
                {
                    "name": f"p{i:05d}",
                    "version": "1.2",
                    "requires": [f"p{draw.randrange(i):05d}>=1.0,<2" for _ in range(2)]
                    if i
                    else [],
                }
            ),
            Origin.ENTRY_POINT,
            distribution=f"d{i:05d}",
            distribution_version="1.2",
            manifest_file="plugin.toml",
        )
        for i in range(names)
    ]


def main() -> None:
    """Prints every comparison."""
    print(f"resolve (Python {sys.version.split()[0]}, CPU seconds, roots started of those asked)")
    for names in (1000, 10_000):
        offered = one_version(names)
        seconds, _plan = timed(partial(resolve, offered), 5)
        print(f"  {f'{names} installed, one version each':<44} {seconds:>8.3f} s")
    for world in (
        growing("1000 x 10, 1000 roots, lower bounds", 1000, 10, 1000, 1),
        planted("1000 x 10, 1000 roots, wide ranges", 1000, 10, 9, 1000, 1),
        planted("1000 x 10, 1000 roots, narrow ranges", 1000, 10, 6, 1000, 1),
        growing("1000 x 10, 50 roots, lower bounds", 1000, 10, 50, 1),
        planted("1000 x 10, 50 roots, wide ranges", 1000, 10, 9, 50, 1),
        planted("1000 x 10, 50 roots, narrow ranges", 1000, 10, 6, 50, 1),
        satisfiability("3-SAT, 30 variables, 120 clauses", 30, 120, 1),
        satisfiability("3-SAT, 30 variables, 180 clauses (none)", 30, 180, 1),
        satisfiability("3-SAT, 50 variables, 200 clauses", 50, 200, 1),
        oldest("12 x 20, only the oldest fits", 12, 20),
    ):
        compare(world)


if __name__ == "__main__":
    main()
