"""The graph that a plan holds: a node for all that was looked at, and every edge."""

from __future__ import annotations

from typing import List, Tuple

from pkl.model.plan import Plan
from pkl.resolver import resolve

from .making import listed, made


def edges(plan: Plan) -> List[Tuple[str, str, str, str, bool]]:
    return [(e.from_, e.to, e.kind, e.requirement, e.satisfied) for e in plan.graph.edges]


def test_every_kind_of_edge_goes_from_the_plugin_that_declares_it() -> None:
    plan = resolve(
        [
            made(
                "a",
                requires=["b>=1"],
                wants=["c"],
                after=["d"],
                before=["e"],
                conflicts=["f<1"],
            ),
            *map(made, "bcdef"),
        ]
    )
    assert edges(plan) == [
        ("a", "b", "requires", "b>=1", True),
        ("a", "c", "wants", "c", True),
        ("a", "d", "after", "d", True),
        ("a", "e", "before", "e", True),
    ]
    assert {edge.file for edge in plan.graph.edges} == {"acme_a/plugin.toml"}


def test_a_conflict_is_satisfied_unless_the_other_end_starts() -> None:
    both = [made("a", conflicts=["b"]), made("b")]
    assert edges(resolve(both)) == [("a", "b", "conflicts", "b", False)]
    assert edges(resolve(both, roots=["a"])) == [("a", "b", "conflicts", "b", True)]


def test_an_edge_to_a_capability_goes_to_the_plugin_that_serves_it() -> None:
    plan = resolve(
        [made("a", requires=["cap"]), made("p", provides=["cap"]), made("q", provides=["cap==9"])]
    )
    assert edges(plan) == [("a", "q", "requires", "cap", True)]


def test_an_edge_out_of_bounds_is_unsatisfied_and_one_to_nothing_is_missing() -> None:
    plan = resolve([made("a", requires=["b>=2", "x>=1"], wants=["y"], after=["z"]), made("b")])
    assert edges(plan) == [("a", "b", "requires", "b>=2", False)]
    assert [(m.name, m.required_by, m.requirement) for m in plan.graph.missing] == [
        ("x", "a", "x>=1")
    ]


def test_an_edge_to_what_is_blocked_is_satisfied_as_far_as_versions_go() -> None:
    plan = resolve([made("a", requires=["b"]), made("b", requires=["x"])])
    assert edges(plan) == [("a", "b", "requires", "b", True)]
    assert {node.id: node.state for node in plan.graph.nodes} == {"a": "blocked", "b": "blocked"}


def test_nodes_show_the_chosen_version_and_what_is_not_asked_for_is_unloaded() -> None:
    plan = resolve(
        [made("a", requires=["b<2"]), listed("b==1.5"), listed("b==2.0"), made("c==3.0")],
        roots=["a"],
    )
    assert [(n.id, n.version, n.state) for n in plan.graph.nodes] == [
        ("a", "1.0", "enabled"),
        ("b", "1.5", "enabled"),
        ("c", "3.0", "unloaded"),
    ]
    assert plan.graph.layers == plan.layers == (("b",), ("a",))


def test_a_plan_finds_its_steps_by_name() -> None:
    plan = resolve([made("a"), made("b", requires=["x"])])
    assert plan.step("a") is plan.steps[0]
    assert plan.step("b") is None
