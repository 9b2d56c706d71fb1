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
from pkl.model.state import Desired
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
        self.several = draw.random() < 0.7
        names = [f"p{i}" for i in range(draw.randint(2, 6))]
        self.candidates: List[Candidate] = []
        for i, name in enumerate(names):
            lower = names if self.cyclic else names[:i]
            for version in range(1, draw.randint(1, 3) + 1 if self.several else 2):
                keys: Dict[str, Any] = {
                    "requires": _requirements(draw, lower, name, 2),
                    "wants": _requirements(draw, names, name, 1) if _now(draw, 0.2) else [],
                    "conflicts": _requirements(draw, names, name, 1) if _now(draw, 0.3) else [],
                    "provides": [],
                }
                if _now(draw, 0.3) and (self.cyclic or i < len(names) - 1):
                    keys["provides"] = [draw.choice(["cap", f"cap=={draw.randint(1, 3)}"])]
                if i and _now(draw, 0.35) and (self.cyclic or i == len(names) - 1):
                    keys["requires"].append(f"cap{_bounds(draw)}")
                here = not self.several or (version == 1 and _now(draw, 0.3))
                self.candidates.append((made if here else listed)(f"{name}=={version}", **keys))
        self.desired = {
            name: draw.choice([Desired.DISABLED, Desired.MASKED])
            for name in names
            if _now(draw, 0.1)
        }
        named = self.several or _now(draw, 0.5)
        self.named = sorted(draw.sample(names, draw.randint(1, len(names)))) if named else None
        self.roots = self.named or [name for name in names if name not in self.desired]
        draw.shuffle(self.candidates)

    def plan(self, candidates: Optional[Sequence[Candidate]] = None) -> Plan:
        offered = self.candidates if candidates is None else candidates
        return resolve(offered, roots=self.named, desired=self.desired)

    def groups(self) -> Dict[str, List[Candidate]]:
        found: Dict[str, List[Candidate]] = {}
        for candidate in self.candidates:
            found.setdefault(candidate.name, []).append(candidate)
        return found

    def assignments(self) -> Iterator[Assignment]:
        """Every choice of at most one candidate a name that breaks nothing."""
        groups = {
            name: group
            for name, group in self.groups().items()
            if self.desired.get(name) is not Desired.MASKED
        }
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
    """Whether all of them can be started one after the other, and none conflicts with another."""
    for candidate in chosen.values():
        for requirement in candidate.metadata.conflicts:
            if any(serves(o, requirement) for o in chosen.values() if o is not candidate):
                return False
    started: List[Candidate] = []
    left = list(chosen.values())
    while left:
        ready = [
            candidate
            for candidate in left
            if all(
                any(serves(other, requirement) for other in [candidate, *started])
                for requirement in candidate.metadata.requires
            )
        ]
        if not ready:
            return False
        started += ready
        left = [candidate for candidate in left if candidate not in ready]
    return True


def chunks() -> List[Tuple[int, int]]:
    return [(start, min(start + CHUNK, EXAMPLES)) for start in range(0, EXAMPLES, CHUNK)]


def check(case: Case) -> None:
    """Everything that is true of every plan."""
    plan = case.plan()
    chosen = {step.name: step.candidate for step in plan.steps}
    assert sound(chosen), "something chosen lacks what it requires, or conflicts, or is in a circle"
    masked = {name for name, desired in case.desired.items() if desired is Desired.MASKED}
    assert not masked & set(chosen), "something masked starts"
    check_order(plan)
    check_reasons(case, plan)
    assert needed(case, plan) == set(chosen), "something is started that nobody asked for"
    for name, group in case.groups().items():
        if name in case.roots and name not in masked:
            free = not any(c.metadata.requires or c.metadata.conflicts for c in group)
            assert name in chosen or not free, f"{name} states nothing and is blocked"
    if not plan.graph.cycles:
        check_greatest(case, set(chosen))


def check_order(plan: Plan) -> None:
    """Each step is bound to earlier ones only."""
    started: Set[str] = set()
    for step in plan.steps:
        # What a plugin provides itself is not bound to anything.
        bound = [
            step.bindings.get(r.name, step.name if serves(step.candidate, r) else "nothing")
            for r in step.candidate.metadata.requires
        ]
        assert started | {step.name} >= set(bound), f"{step.name} starts before what it requires"
        started.add(step.name)
    assert tuple(name for wave in plan.layers for name in wave) == tuple(s.name for s in plan.steps)


def check_reasons(case: Case, plan: Plan) -> None:
    """Everything asked for starts or has a reason, whose root cause is that of a fault."""
    started = {step.name for step in plan.steps}
    for root in case.roots:
        assert (root in started) != (root in plan.blocked), f"{root}: neither started nor blocked"
    faults = {r.cause for r in plan.blocked.values() if r.code != "requirement-blocked"}
    for name, reason in plan.blocked.items():
        assert reason.code and reason.message and reason.remedy, name
        # Of several versions one may be at fault whose name starts in another.
        assert case.several or reason.cause in faults, f"{name}: {reason.cause} is nobody's fault"
    for name in [*started, *plan.blocked]:
        assert plan.explain(name) and plan.explain(name, full=True)


def needed(case: Case, plan: Plan) -> Set[str]:
    """The roots that start and all that these are bound to."""
    found = {step.name for step in plan.steps} & set(case.roots)
    pending = sorted(found)
    for name in pending:
        step = plan.step(name)
        assert step is not None
        for other in step.bindings.values():
            if other not in found:
                found.add(other)
                pending.append(other)
    return found


def check_greatest(case: Case, started: Set[str]) -> None:
    """No other assignment starts the same roots and one more."""
    kept = [root for root in case.roots if root in started]
    stopped = [root for root in case.roots if root not in started]
    for assignment in case.assignments():
        if all(root in assignment for root in kept):
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
