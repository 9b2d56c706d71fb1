"""Conflicts, wants, capabilities, hosts, Pythons, markers, collisions, masks and the budget."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from typing import List, Optional, Set

import pytest

import pkl
from pkl.model.candidate import Candidate, Origin
from pkl.model.plan import Plan
from pkl.model.state import Desired, Reason
from pkl.resolver import resolve

from .making import listed, made


def names(plan: Plan) -> Set[str]:
    return {step.name for step in plan.steps}


def codes(plan: Plan) -> "dict[str, str]":
    return {name: reason.code for name, reason in plan.blocked.items()}


# Conflicts


@pytest.mark.parametrize(("stating", "other"), [("a", "b"), ("b", "a")])
def test_of_two_in_conflict_the_one_that_says_so_stays_out(stating: str, other: str) -> None:
    plan = resolve([made(stating, conflicts=[other]), made(other)])
    assert names(plan) == {other}
    assert codes(plan) == {stating: "conflict"}


def test_what_pulls_in_a_conflict_stays_out_too_and_not_the_one_it_is_about() -> None:
    """Although its name comes first, and nothing is wrong with what it states itself."""
    plan = resolve([made("a", requires=["z"]), made("m"), made("z", conflicts=["m"])])
    assert names(plan) == {"m"}
    assert codes(plan) == {"a": "requirement-blocked", "z": "conflict"}
    assert plan.blocked["a"].cause == plan.blocked["z"].cause == "z 1.0 conflicts with m"


def test_of_two_that_conflict_with_each_other_the_running_one_starts_else_the_first() -> None:
    both = [made("a", conflicts=["b"]), made("b", conflicts=["a"])]
    assert names(resolve(both)) == {"a"}
    assert names(resolve(both, running={"b": "1.0"})) == {"b"}


def test_a_conflict_with_what_cannot_start_is_none() -> None:
    plan = resolve([made("a", conflicts=["b"]), made("b", conflicts=["c"]), made("c")])
    assert names(plan) == {"a", "c"}


def test_a_conflict_may_have_bounds_and_is_avoided_by_another_version() -> None:
    plan = resolve(
        [
            made("a", conflicts=["auth<2"], requires=["auth"]),
            listed("auth==1.0"),
            listed("auth==2.0"),
        ],
        locked={"auth": "1.0"},
    )
    assert plan.step("auth").version == "2.0"  # type: ignore[union-attr]


def test_a_plugin_never_conflicts_with_itself() -> None:
    plan = resolve([made("a", conflicts=["a", "cap"], provides=["cap"])])
    assert names(plan) == {"a"}
    assert plan.graph.edges == ()


def test_a_conflict_with_a_capability_is_one_with_every_provider() -> None:
    plan = resolve([made("a", conflicts=["cap>=2"]), made("p", provides=["cap==2"])])
    assert codes(plan) == {"a": "conflict"}
    assert resolve([made("a", conflicts=["cap>=2"]), made("p", provides=["cap==1"])]).blocked == {}


def test_a_plugin_that_needs_what_conflicts_with_it_is_the_one_that_cannot_start() -> None:
    plan = resolve([made("a", requires=["b"]), made("b", conflicts=["a"])])
    assert names(plan) == {"b"}
    assert codes(plan) == {"a": "conflict"}


# Wants


def test_what_is_wanted_is_pulled_in_for_a_named_root_and_starts_before() -> None:
    plan = resolve([made("a", wants=["b>=1"]), made("b", requires=["c"]), made("c")], roots=["a"])
    assert plan.layers == (("c",), ("b",), ("a",))


def test_the_failure_of_what_is_wanted_changes_nothing() -> None:
    plan = resolve([made("a", wants=["b"]), made("b", requires=["nope"])])
    assert names(plan) == {"a"}
    assert plan.step("a").bindings == {}  # type: ignore[union-attr]


@pytest.mark.parametrize("desired", [Desired.DISABLED, Desired.MASKED])
def test_what_is_disabled_or_masked_is_not_pulled_in_by_a_want(desired: Desired) -> None:
    plan = resolve([made("a", wants=["b"]), made("b")], roots=["a"], desired={"b": desired})
    assert names(plan) == {"a"}


def test_a_want_out_of_bounds_pulls_nothing_in_orders_nothing_and_is_noted() -> None:
    plan = resolve([made("a", wants=["b>=2"]), made("b")], roots=["a"])
    assert names(plan) == {"a"}
    assert plan.notes == ("a: wants b>=2, and b 1.0 is out of bounds; it goes without",)
    (edge,) = plan.graph.edges
    assert (edge.kind, edge.satisfied) == ("wants", False)
    assert resolve([made("a", wants=["b>=2"]), made("b")]).layers == (("a", "b"),)


def test_what_is_wanted_never_displaces_what_is_asked_for() -> None:
    plan = resolve(
        [made("a", wants=["w"]), made("w", conflicts=["z"]), made("z")], roots=["a", "z"]
    )
    assert names(plan) == {"a", "z"}
    assert not plan.blocked


def test_a_registry_is_not_asked_for_what_is_only_wanted() -> None:
    assert names(resolve([made("a", wants=["b"]), listed("b")])) == {"a"}


# Orders


def test_after_and_before_order_only_what_is_planned_anyway() -> None:
    cache, web, app = made("cache"), made("web"), made("app", after=["cache"], before=["web"])
    assert resolve([cache, web, app]).layers == (("cache",), ("app",), ("web",))
    assert names(resolve([cache, web, app], roots=["app"])) == {"app"}


def test_an_ordering_out_of_bounds_does_not_order() -> None:
    assert resolve([made("a", after=["b>=2"]), made("b")]).layers == (("a", "b"),)


# Capabilities


def test_a_capability_has_its_own_version() -> None:
    provider = made("p==4.0", provides=["log==1.1"])
    assert names(resolve([made("a", requires=["log<2"]), provider])) == {"a", "p"}
    plan = resolve([made("a", requires=["log>=2"]), provider])
    assert codes(plan) == {"a": "capability"}
    assert plan.blocked["a"].remedy == "pkl upgrade p"


def test_a_capability_with_the_name_of_a_plugin_here_is_a_collision_of_whoever_states_it() -> None:
    plan = resolve([made("a", provides=["auth"]), made("auth"), made("b", requires=["auth"])])
    assert names(plan) == {"auth", "b"}
    assert codes(plan) == {"a": "collision"}
    assert "acme-auth" in plan.blocked["a"].message


def test_a_name_that_only_a_registry_lists_does_not_rule_out_a_provider_here() -> None:
    plan = resolve([made("a", provides=["auth"]), listed("auth"), made("b", requires=["auth"])])
    assert names(plan) == {"a", "b"}


# Collisions


def test_a_name_from_two_distributions_is_blocked_at_any_versions_and_names_both() -> None:
    plan = resolve(
        [made("a", distribution="one"), made("a==2.0", distribution="two"), listed("a==3.0")]
    )
    assert not plan.steps
    assert codes(plan) == {"a": "collision"}
    assert "one 1.0" in plan.blocked["a"].message
    assert "two 2.0" in plan.blocked["a"].message


def test_precedence_decides_a_collision_and_says_what_is_set_aside() -> None:
    twice = [made("a", distribution="One_Dist"), made("a==2.0", distribution="two")]
    plan = resolve(twice, precedence=["one-dist"])
    assert plan.step("a").version == "1.0"  # type: ignore[union-attr]
    assert plan.notes == (
        "a: 2.0 of two 2.0 is set aside for 1.0 of One_Dist 1.0; precedence is configured",
    )


def test_precedence_by_location_decides_between_directories() -> None:
    twice = [
        made("a", origin=Origin.DIRECTORY, distribution=None, location=f"/plugins/{place}")
        for place in ("x", "y")
    ]
    assert codes(resolve(twice)) == {"a": "collision"}
    plan = resolve(twice, precedence=["/plugins/y"])
    assert plan.step("a").candidate.location == "/plugins/y"  # type: ignore[union-attr]


def test_what_is_named_by_path_outranks_all_others_of_its_name() -> None:
    path = made("a", origin=Origin.PATH, distribution=None, location="/plugins/a")
    plan = resolve([made("a==5.0", distribution="one"), path, listed("a==9.0")])
    assert plan.step("a").candidate is path  # type: ignore[union-attr]
    assert any("named by path" in note for note in plan.notes)


# This host, this Python, this environment


def test_what_is_not_for_this_host_is_blocked_and_an_unknown_host_is_not_checked() -> None:
    candidates = [made("a", requires_host=">=2,<3"), made("b", requires=["a"])]
    assert names(resolve(candidates, host_version="2.5")) == {"a", "b"}
    assert names(resolve(candidates)) == {"a", "b"}
    plan = resolve(candidates, host_version="3.0")
    assert codes(plan) == {"a": "host-version", "b": "requirement-blocked"}
    assert plan.blocked["a"].remedy == "pkl upgrade a"


def test_a_version_for_this_python_is_taken_even_if_an_older_one() -> None:
    candidates = [
        made("b", requires=["a"]),
        listed("a==2.0", requires_python=">=3.12"),
        listed("a==1.0", requires_python=">=3.9"),
    ]
    assert resolve(candidates, python_version="3.11").step("a").version == "1.0"  # type: ignore[union-attr]
    assert resolve(candidates, python_version="3.12").step("a").version == "2.0"  # type: ignore[union-attr]
    assert codes(resolve(candidates, python_version="3.8"))["b"] == "requirement-blocked"


def test_a_requirement_holds_only_where_its_marker_does() -> None:
    candidates = [made("a", requires=['b; python_version >= "3.12"'])]
    assert names(resolve(candidates, python_version="3.11.2")) == {"a"}
    assert codes(resolve(candidates, python_version="3.12.1")) == {"a": "missing"}
    marked = [made("a", requires=['b; sys_platform == "win32"'])]
    assert codes(resolve(marked, environment={"sys_platform": "win32"})) == {"a": "missing"}


def test_extras_are_ignored_with_a_note() -> None:
    plan = resolve([made("a", requires=["b[fast]>=1"]), made("b")])
    assert names(plan) == {"a", "b"}
    assert plan.notes == ("a 1.0: the extras of 'b[fast]>=1' are ignored; plugins have none",)


# Faults


def test_a_fault_found_earlier_is_the_reason_and_the_cause_of_all_that_need_it() -> None:
    fault = Reason("manifest", "2 faults:\n  name", "a faulty manifest", "correct it")
    plan = resolve([made("a", fault=fault), made("b", requires=["a"])])
    assert plan.blocked["a"] == fault
    assert plan.blocked["b"].cause == "a faulty manifest"
    assert {node.id: node.state for node in plan.graph.nodes} == {"a": "error", "b": "blocked"}


def test_a_version_that_is_none_is_the_plugins_own_fault() -> None:
    bad = Candidate(
        "a", made("a").metadata.bare("a", "not.a.version"), Origin.ENTRY_POINT, distribution="one"
    )
    plan = resolve([bad, made("b", requires=["a"])])
    assert codes(plan) == {"a": "version", "b": "requirement-blocked"}


def test_states_predict_what_a_start_would_do() -> None:
    plan = resolve(
        [made("a"), made("b"), made("c"), made("d", requires=["x"])],
        desired={"b": Desired.DISABLED, "c": Desired.MASKED},
    )
    assert {node.id: node.state for node in plan.graph.nodes} == {
        "a": "enabled",
        "b": "disabled",
        "c": "blocked",
        "d": "blocked",
    }


def test_a_named_root_starts_even_if_disabled_but_not_if_masked() -> None:
    plan = resolve(
        [made("a"), made("b"), made("c")],
        roots=["a", "B"],
        desired={"a": Desired.DISABLED, "b": Desired.MASKED},
    )
    assert names(plan) == {"a"}
    assert codes(plan) == {"b": "masked"}


def test_the_bound_of_a_distribution_narrows_the_edge_that_the_manifest_declares() -> None:
    auth = made("auth==2.5")
    bounded = made("a", requires=["auth"], requires_dist=("acme-auth<2", "acme-other>=9"))
    plan = resolve([bounded, auth, made("other", distribution="acme-other")])
    assert codes(plan) == {"a": "unsatisfied"}
    assert "Requires-Dist: acme-auth<2" in plan.blocked["a"].message
    undeclared = made("a", requires_dist=("acme-auth<2",))
    assert names(resolve([undeclared, auth])) == {"a", "auth"}


# The budget


def hard(seed: int) -> List[Candidate]:
    """Three-way choices that do not go together easily."""
    draw = random.Random(seed)
    found = [listed(f"x{i}=={v}") for i in range(12) for v in (1, 2)]
    for i in range(60):
        picked = draw.sample(range(12), 3)
        for version, variable in enumerate(picked, 1):
            keys = {"requires": [f"x{variable}=={draw.randint(1, 2)}"]}
            found.append(listed(f"c{i:02d}=={version}", **keys))
    return found


def test_a_search_over_budget_says_so_and_what_it_starts_is_right() -> None:
    candidates = [*hard(3), made("other", requires=["that"]), made("that")]
    roots = [f"c{i:02d}" for i in range(60)] + ["other"]
    full = resolve(candidates, roots=roots)
    assert "budget" not in codes(full).values()
    short = resolve(candidates, roots=roots, steps=20)
    assert set(codes(short).values()) == {"budget"}
    assert {"other", "that"} <= names(short)
    assert "20 steps" in short.blocked["c00"].message
    assert names(short) | set(short.blocked) >= set(roots)


@pytest.mark.parametrize("steps", [100, 300, 1000, None])
def test_the_same_budget_gives_the_same_plan(steps: Optional[int]) -> None:
    candidates, roots = hard(5), [f"c{i:02d}" for i in range(60)]
    budget = {} if steps is None else {"steps": steps}
    first = resolve(candidates, roots=roots, **budget)  # type: ignore[arg-type]
    random.Random(1).shuffle(candidates)
    assert resolve(candidates, roots=roots, **budget) == first  # type: ignore[arg-type]


# Size


def test_ten_thousand_in_a_chain_are_planned_without_recursion() -> None:
    count = 10_000
    chain = [made(f"p{i:05d}", requires=[f"p{i - 1:05d}"] if i else []) for i in range(count)]
    assert len(resolve(chain).layers) == count
    broken = [made("p00000", requires=["nope"]), *chain[1:]]
    plan = resolve(broken)
    assert len(plan.blocked) == count
    assert len({reason.cause for reason in plan.blocked.values()}) == 1
    assert "9989 more before these" in plan.explain(f"p{count - 1:05d}")


def test_plain_requirements_are_resolved_without_importing_packaging() -> None:
    code = """
import sys
from tests.resolver.making import made
from pkl.resolver import resolve
plan = resolve([made("a", requires=["b>=1.0,<2"]), made("b==1.5"), made("c", requires=["x"])])
assert len(plan.steps) == 2, plan
assert plan.blocked["c"].code == "missing"
print(sorted(m for m in ("packaging", "asyncio", "platform") if m in sys.modules))
"""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    paths = os.pathsep.join([os.path.dirname(os.path.dirname(pkl.__file__)), os.path.dirname(root)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
