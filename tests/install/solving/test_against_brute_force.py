"""Random worlds of two layers, small enough that every choice of versions can be tried."""

from __future__ import annotations

import itertools
import os
import random
from typing import Dict, Iterator, List, Mapping, Optional, Set

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from pkl.errors import NoSolution
from pkl.install.solution import Chosen, Solution
from pkl.resolver import resolve
from tests.install.solving.world import World, found, root, versions

EXAMPLES = int(os.environ.get("PKL_EXAMPLES", "60"))
BOUND = 400


class Case:
    """One random world, and what is asked for in it."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(seed)
        self.world = World()
        self.world.blind = draw.random() < 0.5
        self.libraries = [f"lib{i}" for i in range(draw.randint(1, 3))]
        for i, name in enumerate(self.libraries):
            for version in range(1, draw.randint(1, 3) + 1):
                lower = self.libraries[:i]
                self.world.library(f"{name}=={version}", *_needs(draw, lower, 1))
            if draw.random() < 0.2:
                self.world.pin(f"{name}=={draw.randint(1, 3)}")
        if draw.random() < 0.3:
            self.world.found.append(found("there==1.0", conflicts=_needs(draw, ["p0"], 1)))
        plugins = [f"p{i}" for i in range(draw.randint(1, 4))]
        together = len(plugins) > 1 and draw.random() < 0.3
        for i, name in enumerate(plugins):
            for version in range(1, draw.randint(1, 3) + 1):
                lower = plugins[:i]
                requires = _needs(draw, lower, 2)
                mirrored = [f"acme-{each}" for each in requires if draw.random() < 0.8]
                if together and i < 2:
                    mirrored = []
                self.world.plugin(
                    f"{name}=={version}",
                    *mirrored,
                    *_needs(draw, self.libraries, 2),
                    distribution=f"acme-both=={version}" if together and i < 2 else "",
                    requires=requires,
                    conflicts=_needs(draw, plugins[:i], 1) if draw.random() < 0.3 else [],
                )
        if together:
            self._rename_mirrored()
        names = draw.sample(plugins, draw.randint(1, len(plugins)))
        self.roots = [name + _bounds(draw) for name in sorted(names)]

    def _rename_mirrored(self) -> None:
        """Two plugins are in one distribution; what needs either needs that."""
        for by_version in self.world.distributions.values():
            for version, each in by_version.items():
                needs = tuple(
                    r
                    if not r.startswith(("acme-p0", "acme-p1"))
                    else "acme-both" + r[len("acme-p0") :]
                    for r in each.requires
                    if each.name != "acme-both" or not r.startswith("acme-p")
                )
                by_version[version] = Chosen(
                    each.name,
                    each.version,
                    each.wheel,
                    each.wheels,
                    needs,
                    each.registry,
                    plugins=each.plugins,
                )

    def solutions(self) -> Iterator[Dict[str, str]]:
        """Every choice with which everything holds."""
        world = self.world
        pins = {each.name: each.version for each in world.pins}
        names = [name for name in world.distributions if name not in pins]
        options: List[List[Optional[str]]] = [[None, *world.distributions[n]] for n in names]
        for picked in itertools.product(*options):
            chosen = {n: v for n, v in zip(names, picked) if v is not None}
            if _closed(world, chosen, pins) and self.starts(chosen):
                yield chosen

    def starts(self, chosen: Mapping[str, str]) -> bool:
        """Whether what was asked for, and what was there, starts with that."""
        world = self.world
        candidates = list(world.found)
        for name, version in chosen.items():
            each = world.distributions[name][version]
            candidates += [
                found(f"{p.name}=={p.version}", **dict(_keys(p.data))) for p in each.plugins
            ]
        plan = resolve(candidates)
        started = {step.name: step.version for step in plan.steps}
        before = {each.name for each in world.found}
        return before <= set(started) and all(
            (r := Requirement(text)).name in started and r.specifier.contains(started[r.name])
            for text in self.roots
        )


def _keys(data: Mapping[str, object]) -> Iterator["tuple[str, object]"]:
    return ((k, v) for k, v in data.items() if k not in ("name", "version"))


def _closed(world: World, chosen: Mapping[str, str], pins: Mapping[str, str]) -> bool:
    there = {**chosen, **pins}
    for name, version in chosen.items():
        for text in world.distributions[name][version].requires:
            needed = Requirement(text)
            held = there.get(needed.name)
            if held is None or not needed.specifier.contains(held):
                return False
    return True


def _bounds(draw: random.Random) -> str:
    version = draw.randint(1, 3)
    return draw.choice(["", "", f">={version}", f"<={version}", f"!={version}"])


def _needs(draw: random.Random, names: List[str], most: int) -> List[str]:
    picked = draw.sample(names, min(len(names), draw.randint(0, most)))
    return [name + _bounds(draw) for name in picked]


def _check(case: Case, solution: Solution) -> None:
    chosen = versions(solution)
    pins = {each.name: each.version for each in case.world.pins}
    assert _closed(case.world, chosen, pins), "a distribution lacks what it needs"
    assert case.starts(chosen), "what was asked for would not start"
    assert not set(chosen) & set(pins), "something of the host is moved"
    assert solution.rounds == len(case.world.asked)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.integers(0, 2**32))
def test_a_solution_is_found_exactly_where_there_is_one(seed: int) -> None:
    case = Case(seed)
    exists = next(case.solutions(), None)
    try:
        solution = case.world.solve(*map(root, case.roots), bound=BOUND)
    except NoSolution as e:
        assert exists is None, f"there is one: {exists}, and it says {e}"
        assert e.proof, "a refusal has a proof"
        return
    assert exists is not None, f"there is none, and it found {versions(solution)}"
    _check(case, solution)


@settings(max_examples=EXAMPLES // 4, deadline=None)
@given(st.integers(0, 2**32))
def test_what_is_locked_stays_where_it_can(seed: int) -> None:
    case = Case(seed)
    every = [each for each, _ in zip(case.solutions(), range(200))]
    if not every:
        return
    locked = min(every, key=lambda each: (len(each), sorted(each.items())))
    solution = case.world.solve(*map(root, case.roots), locked=locked, bound=BOUND)
    chosen = versions(solution)
    assert {n: v for n, v in chosen.items() if n in locked} == {
        n: v for n, v in locked.items() if n in chosen
    }


def test_the_same_inputs_give_the_same_solution() -> None:
    def answers() -> List[object]:
        found_: List[object] = []
        for seed in range(20):
            case = Case(seed)
            try:
                found_.append(versions(case.world.solve(*map(root, case.roots), bound=BOUND)))
            except NoSolution as e:
                found_.append((str(e), e.proof))
        return found_

    assert answers() == answers()
    seen: Set[str] = {str(each) for each in answers()}
    assert len(seen) > 5
