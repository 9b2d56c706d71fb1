"""Random graphs, small enough that every assignment can be tried.

``PKL_EXAMPLES`` says how many; every failure names the seed that repeats it.
"""

from __future__ import annotations

import itertools
import os
import random
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

import pytest
from packaging.specifiers import SpecifierSet

from pkl.model.candidate import Candidate
from pkl.model.plan import Plan
from pkl.model.requirement import Requirement
from pkl.resolver import resolve

from .making import listed, made

EXAMPLES = int(os.environ.get("PKL_EXAMPLES", "300"))
CHUNK = 100

Assignment = Mapping[str, Candidate]


class Case:
    """One random problem: some names in a few versions each, and some of them as roots."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        draw = random.Random(seed)
        self.cyclic = draw.random() < 0.25
        several = draw.random() < 0.8
        names = [f"p{i}" for i in range(draw.randint(2, 6))]
        self.candidates: List[Candidate] = []
        for i, name in enumerate(names):
            lower = names if self.cyclic else names[:i]
            for version in range(1, draw.randint(1, 3) + 1 if several else 2):
                keys: Dict[str, Any] = {
                    "requires": _requirements(draw, lower, name, 2),
                    "conflicts": _requirements(draw, names, name, 1) if _now(draw, 0.3) else [],
                    "provides": [],
                }
                if _now(draw, 0.3) and (self.cyclic or i < len(names) - 1):
                    keys["provides"] = [draw.choice(["cap", f"cap=={draw.randint(1, 3)}"])]
                if i and _now(draw, 0.35) and (self.cyclic or i == len(names) - 1):
                    keys["requires"].append(f"cap{_bounds(draw)}")
                build = listed if several else made
                self.candidates.append(build(f"{name}=={version}", **keys))
        self.roots = sorted(draw.sample(names, draw.randint(1, len(names))))
        draw.shuffle(self.candidates)

    def plan(self, candidates: Optional[Sequence[Candidate]] = None) -> Plan:
        return resolve(self.candidates if candidates is None else candidates, roots=self.roots)

    def groups(self) -> Dict[str, List[Candidate]]:
        found: Dict[str, List[Candidate]] = {}
        for candidate in self.candidates:
            found.setdefault(candidate.name, []).append(candidate)
        return found

    def assignments(self) -> Iterator[Assignment]:
        """Every choice of at most one candidate a name that breaks nothing."""
        groups = self.groups()
        options: List[Sequence[Optional[Candidate]]] = [[None, *g] for g in groups.values()]
        for choice in itertools.product(*options):
            chosen = {each.name: each for each in choice if each is not None}
            if sound(chosen):
                yield chosen


def _now(draw: random.Random, share: float) -> bool:
    return draw.random() < share


def _bounds(draw: random.Random) -> str:
    version = draw.randint(1, 3)
    return draw.choice(["", f">={version}", f"<={version}", f"=={version}", f"!={version}"])


def _requirements(draw: random.Random, names: Sequence[str], own: str, most: int) -> List[str]:
    others = [name for name in names if name != own]
    picked = draw.sample(others, min(len(others), draw.randint(0, most)))
    return [name + _bounds(draw) for name in picked]


def offers(candidate: Candidate, name: str) -> Optional[str]:
    """The version in which a candidate offers a name."""
    if candidate.name == name:
        return candidate.version
    return next((p.version for p in candidate.metadata.provides if p.name == name), None)


def serves(candidate: Candidate, requirement: Requirement) -> bool:
    version = offers(candidate, requirement.name)
    bounds = SpecifierSet(requirement.specifier)
    return version is not None and bounds.contains(version, prereleases=True)


def sound(chosen: Assignment) -> bool:
    """Whether everything chosen has what it requires and nothing it conflicts with."""
    for candidate in chosen.values():
        for requirement in candidate.metadata.requires:
            if not any(serves(other, requirement) for other in chosen.values()):
                return False
        for requirement in candidate.metadata.conflicts:
            if any(serves(o, requirement) for o in chosen.values() if o is not candidate):
                return False
    return True


def chunks() -> List[Tuple[int, int]]:
    return [(start, min(start + CHUNK, EXAMPLES)) for start in range(0, EXAMPLES, CHUNK)]


def check(case: Case) -> None:
    plan = case.plan()
    chosen = {step.name: step.candidate for step in plan.steps}
    assert sound(chosen), "something chosen lacks what it requires, or conflicts"
    for root in case.roots:
        assert (root in chosen) != (root in plan.blocked), f"{root}: neither started nor blocked"
    for name, reason in plan.blocked.items():
        assert reason.code and reason.message and reason.cause and reason.remedy, name
        assert plan.explain(name) and plan.explain(name, full=True)
    started: Set[str] = set()
    for step in plan.steps:
        # What a plugin provides itself is not bound to anything.
        bound = [
            step.bindings.get(r.name, step.name if serves(step.candidate, r) else "nothing")
            for r in step.candidate.metadata.requires
        ]
        assert started | {step.name} >= set(bound), f"{step.name} starts before what it requires"
        started.add(step.name)
        assert plan.explain(step.name)
    needed = set(case.roots) & set(chosen)
    pending = sorted(needed)
    for name in pending:
        found = plan.step(name)
        assert found is not None
        for other in found.bindings.values():
            if other not in needed:
                needed.add(other)
                pending.append(other)
    assert needed == set(chosen), "something is started that nobody asked for"
    if not plan.graph.cycles:
        started_roots = [root for root in case.roots if root in chosen]
        stopped = [root for root in case.roots if root not in chosen]
        for assignment in case.assignments():
            if all(root in assignment for root in started_roots):
                more = [root for root in stopped if root in assignment]
                assert not more, f"{more} could be started too"


@pytest.mark.parametrize(("first", "end"), chunks())
def test_a_plan_is_sound_ordered_and_starts_all_that_can_be_started(first: int, end: int) -> None:
    for seed in range(first, end):
        case = Case(seed)
        try:
            check(case)
        except AssertionError as e:
            raise AssertionError(f"seed {seed}: {e}") from e


@pytest.mark.parametrize("start", range(0, max(1, EXAMPLES // 4), CHUNK))
def test_the_order_of_the_candidates_changes_nothing(start: int) -> None:
    for seed in range(start, min(start + CHUNK, EXAMPLES // 4)):
        case = Case(seed)
        first = case.plan()
        texts = [first.explain(name, full=True) for name in first.blocked]
        again = list(case.candidates)
        random.Random(seed + 1).shuffle(again)
        second = case.plan(again)
        assert second == first, f"seed {seed}"
        assert [second.explain(name, full=True) for name in second.blocked] == texts
