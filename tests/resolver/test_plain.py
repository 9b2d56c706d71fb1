"""One candidate a name: what starts, in which order, and why the rest does not."""

from __future__ import annotations

import random
from typing import List

from pkl.model.candidate import Candidate
from pkl.model.state import Desired
from pkl.resolver import resolve

from .making import made


def names(candidates: List[Candidate], **arguments: object) -> List[str]:
    """The names of the steps, in order."""
    return [step.name for step in resolve(candidates, **arguments).steps]  # type: ignore[arg-type]


def test_what_is_required_starts_first() -> None:
    plan = resolve([made("audit", requires=["auth>=1"]), made("auth==1.2")])
    assert plan.layers == (("auth",), ("audit",))
    assert plan.step("audit").bindings == {"auth": "auth"}  # type: ignore[union-attr]
    assert not plan.blocked


def test_a_missing_requirement_blocks_whoever_states_it_and_all_who_need_that() -> None:
    plan = resolve([made("a", requires=["nope>=1"]), made("b", requires=["a"]), made("c")])
    assert [step.name for step in plan.steps] == ["c"]
    assert plan.blocked["a"].code == "missing"
    assert plan.blocked["b"].code == "requirement-blocked"
    assert plan.blocked["a"].cause == plan.blocked["b"].cause
    assert "nope>=1" in plan.blocked["b"].cause
    assert [(m.name, m.required_by) for m in plan.graph.missing] == [("nope", "a")]


def test_an_unsatisfied_version_blocks_the_one_who_demands_it_never_the_one_it_is_about() -> None:
    plan = resolve([made("a", requires=["b>=2"]), made("b==1.5")])
    assert [step.name for step in plan.steps] == ["b"]
    assert plan.blocked["a"].code == "unsatisfied"
    assert "1.5" in plan.blocked["a"].message
    assert plan.blocked["a"].remedy == 'pkl install "b>=2"'


def test_a_hard_cycle_blocks_its_component_and_nothing_else() -> None:
    plan = resolve(
        [
            made("a", requires=["b"]),
            made("b", requires=["c"]),
            made("c", requires=["a", "d"]),
            made("d"),
            made("e", requires=["a"]),
        ]
    )
    assert [step.name for step in plan.steps] == ["d"]
    assert {name: plan.blocked[name].code for name in "abce"} == {
        "a": "cycle",
        "b": "cycle",
        "c": "cycle",
        "e": "requirement-blocked",
    }
    assert len({reason.cause for reason in plan.blocked.values()}) == 1
    assert plan.graph.cycles == (("a", "b", "c"),)


def test_a_soft_cycle_is_cut_at_its_softest_edge_and_the_plan_says_so() -> None:
    plan = resolve([made("a", requires=["b"]), made("b", wants=["c"]), made("c", after=["a"])])
    assert plan.layers == (("c",), ("b",), ("a",))
    assert any("after" in note and "c" in note for note in plan.notes)


def test_a_disabled_plugin_starts_only_if_required() -> None:
    off = {"b": Desired.DISABLED, "c": Desired.DISABLED}
    plan = resolve([made("a", requires=["b"], wants=["c"]), made("b"), made("c")], desired=off)
    assert [step.name for step in plan.steps] == ["b", "a"]
    assert plan.blocked["c"].code == "disabled"


def test_a_masked_plugin_is_never_pulled_in() -> None:
    plan = resolve([made("a", requires=["b"]), made("b")], desired={"b": Desired.MASKED})
    assert plan.blocked["b"].code == "masked"
    assert plan.blocked["a"].code == "requirement-blocked"
    assert plan.blocked["a"].cause == "b is masked"


def test_an_unknown_root_is_reported_with_a_guess() -> None:
    plan = resolve([made("storage")], roots=["storge"])
    assert plan.blocked["storge"].code == "missing"
    assert "did you mean storage?" in plan.blocked["storge"].message


def test_the_order_of_the_input_changes_nothing() -> None:
    candidates = [made(f"p{i}", requires=[f"p{j}" for j in range(0, i, 3)]) for i in range(12)]
    first = resolve(candidates)
    for seed in range(5):
        random.Random(seed).shuffle(candidates)
        assert resolve(candidates) == first
