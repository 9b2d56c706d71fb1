"""What may not be chosen together beside what manifests say."""

from __future__ import annotations

import random
from typing import Dict, FrozenSet, List, Tuple

import pytest

from pkl.model.plan import Plan
from pkl.resolver import Nogood, resolve

from .making import listed, made
from .test_against_brute_force import Case, check_order, sound


def nogood(why: str = "their libraries differ", **terms: str) -> Nogood:
    named = tuple((name, frozenset(versions.split())) for name, versions in terms.items())
    return Nogood(named, why)


def chosen(plan: Plan) -> Dict[str, str]:
    return {step.name: step.version for step in plan.steps}


def test_of_two_that_may_not_be_chosen_together_one_is_taken_in_another_version() -> None:
    candidates = [listed(f"{name}=={version}") for name in "ab" for version in "12"]
    plan = resolve(candidates, roots=["a", "b"], nogoods=[nogood(a="2", b="2")])
    assert sorted(chosen(plan).values()) == ["1", "2"]
    assert not plan.blocked


def test_a_nogood_of_three_leaves_any_two_of_them() -> None:
    candidates = [made(name) for name in "abc"]
    plan = resolve(candidates, nogoods=[nogood(a="1.0", b="1.0", c="1.0")])
    assert chosen(plan) == {"a": "1.0", "b": "1.0"}
    assert plan.blocked["c"].message == (
        "c 1.0 cannot start: a 1.0 does not go with b 1.0 and c 1.0 together: "
        "their libraries differ"
    )
    assert "a 1.0 does not go with b 1.0 and c 1.0 together" in plan.explain("c")
    assert plan.explain("c", full=True)


def test_a_nogood_of_one_rules_its_versions_out_with_the_reason() -> None:
    candidates = [listed("a==1"), listed("a==2")]
    found = resolve(candidates, roots=["a"], nogoods=[nogood("liby is gone", a="2.0")])
    assert chosen(found) == {"a": "1"}
    found = resolve(candidates, roots=["a"], nogoods=[nogood("liby is gone", a="1 2")])
    assert found.blocked["a"].message == "a 2 cannot be had: liby is gone"


def test_a_nogood_about_what_is_not_there_says_nothing() -> None:
    candidates = [made("a"), made("b")]
    wrong = [nogood(a="1.0", x="1.0"), nogood(a="1.0", b="7")]
    assert chosen(resolve(candidates, nogoods=wrong)) == {"a": "1.0", "b": "1.0"}


@pytest.mark.parametrize("start", range(0, 150, 50))
def test_no_plan_holds_a_nogood_and_all_that_can_start_does(start: int) -> None:
    for seed in range(start, start + 50):
        case, draw = Case(seed), random.Random(seed)
        every = sorted({(c.name, c.version) for c in case.candidates})
        nogoods: List[Nogood] = []
        for _ in range(draw.randint(1, 4)):
            picked = dict(draw.sample(every, min(len(every), draw.randint(1, 3))))
            nogoods.append(Nogood(tuple((n, frozenset((v,))) for n, v in picked.items()), "so"))
        plan = resolve(case.candidates, roots=case.named, desired=case.desired, nogoods=nogoods)
        started = {step.name: step.candidate for step in plan.steps}
        assert sound(started), seed
        assert not any(_holds(each.terms, chosen(plan)) for each in nogoods), seed
        check_order(plan)
        for name in plan.blocked:
            assert plan.explain(name) and plan.explain(name, full=True)
        possible = any(
            set(each) >= set(case.roots)
            and not any(_holds(n.terms, {k: c.version for k, c in each.items()}) for n in nogoods)
            for each in case.assignments()
        )
        if possible:
            assert set(case.roots) <= set(started), seed


def _holds(terms: Tuple[Tuple[str, FrozenSet[str]], ...], there: Dict[str, str]) -> bool:
    return all(there.get(name) in versions for name, versions in terms)
