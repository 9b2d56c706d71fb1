"""Groups of other ecosystems: edges from what distributions require of each other."""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence, Set, Tuple

from pkl.model.candidate import Candidate, Origin
from pkl.model.manifest import PluginMetadata
from pkl.model.plan import Plan
from pkl.resolver import resolve


def carried(
    distribution: str, *names: str, requires: Sequence[str] = (), python: str = ""
) -> List[Candidate]:
    """The plugins of a distribution ``name==version``."""
    carrier, _, version = distribution.partition("==")
    version = version or "1.0"
    data = {"version": version, **({"requires-python": python} if python else {})}
    return [
        Candidate(
            name,
            PluginMetadata({"name": name, **data}, fold=False),
            Origin.ENTRY_POINT,
            target=f"{name}:plugin",
            distribution=carrier,
            distribution_version=version,
            group="pytest11",
            requires_dist=tuple(requires),
        )
        for name in names
    ]


def edges(plan: Plan) -> Set[Tuple[str, str]]:
    return {(edge.from_, edge.to) for edge in plan.graph.edges}


def plan_of(*groups: List[Candidate], distributions: Optional[Dict[str, List[str]]] = None) -> Plan:
    candidates = [candidate for group in groups for candidate in group]
    return resolve(candidates, foreign=True, distributions=distributions)


def test_edges_go_between_the_plugins_of_distributions_that_require_each_other() -> None:
    plan = plan_of(
        carried("pytest-html==4.1", "html", requires=["pytest>=7", "Pytest_Metadata>=2,<4"]),
        carried("pytest-metadata==3.1", "metadata"),
    )
    (edge,) = plan.graph.edges
    assert (edge.from_, edge.to) == ("pytest-html:html", "pytest-metadata:metadata")
    assert (edge.kind, edge.requirement, edge.satisfied) == (
        "requires",
        "Pytest_Metadata>=2,<4",
        True,
    )
    assert [node.id for node in plan.graph.nodes] == [
        "pytest-html:html",
        "pytest-metadata:metadata",
    ]
    assert plan.graph.layers == (("pytest-metadata:metadata",), ("pytest-html:html",))


def test_names_are_kept_as_they_are() -> None:
    plan = plan_of(carried("one", "Windows (alt)", "xdist.looponfail"))
    assert {step.name for step in plan.steps} == {"Windows (alt)", "xdist.looponfail"}


def test_a_requirement_of_an_extra_is_none() -> None:
    plan = plan_of(
        carried(
            "one", "a", requires=['two; extra == "test"', 'two[x]>=1; extra == "a" or extra == "b"']
        ),
        carried("two", "b"),
    )
    assert plan.graph.edges == ()


def test_an_unsatisfied_bound_is_shown_on_the_edge_and_blocks_the_one_that_states_it() -> None:
    plan = plan_of(carried("one", "a", requires=["two>=2"]), carried("two==1.5", "b"))
    assert [(edge.from_, edge.satisfied) for edge in plan.graph.edges] == [("one:a", False)]
    assert plan.blocked["a"].code == "unsatisfied"
    assert plan.blocked["a"].message == "a 1.0 requires two>=2, but two is 1.5"
    assert plan.blocked["a"].remedy == 'pip install "two>=2"'
    assert [step.name for step in plan.steps] == ["b"]


def test_one_plugin_requires_every_plugin_of_the_other_distribution() -> None:
    plan = plan_of(carried("one", "a", requires=["two"]), carried("two", "b", "c", "d"))
    assert edges(plan) == {("one:a", "two:b"), ("one:a", "two:c"), ("one:a", "two:d")}
    plan = plan_of(carried("one", "a", "b", "c", requires=["two"]), carried("two", "d"))
    assert edges(plan) == {("one:a", "two:d"), ("one:b", "two:d"), ("one:c", "two:d")}


def test_between_many_and_many_the_edges_grow_no_faster_than_the_plugins() -> None:
    many = carried("lexers", *(f"l{i:03d}" for i in range(300)), requires=["styles"])
    plan = plan_of(many, carried("styles", *(f"s{i:03d}" for i in range(300))))
    assert len(plan.graph.edges) == 599
    assert {edge.from_ for edge in plan.graph.edges} == {f"lexers:l{i:03d}" for i in range(300)}
    assert {edge.to for edge in plan.graph.edges} == {f"styles:s{i:03d}" for i in range(300)}


def test_the_namesake_of_its_distribution_stands_for_it() -> None:
    plan = plan_of(carried("one", "a", "b", requires=["Two.X"]), carried("two-x", "aa", "two_x"))
    assert edges(plan) == {
        ("one:a", "two-x:aa"),
        ("one:a", "two-x:two_x"),
        ("one:b", "two-x:two_x"),
    }


def test_edges_pass_through_distributions_outside_the_group() -> None:
    plan = plan_of(
        carried("one", "a", requires=["Lib_A"]),
        carried("two==1.0", "b"),
        distributions={"lib-a": ["lib-b>=1"], "lib-b": ["two<2"], "one": [], "two": []},
    )
    (edge,) = plan.graph.edges
    assert (edge.from_, edge.to, edge.via) == ("one:a", "two:b", ("lib-a", "lib-b"))
    assert (edge.requirement, edge.satisfied) == ("two<2", True)


def test_a_bound_that_a_distribution_outside_states_can_be_unsatisfied_too() -> None:
    plan = plan_of(
        carried("one", "a", requires=["lib"]),
        carried("two==3.0", "b"),
        distributions={"lib": ["two<2"]},
    )
    (edge,) = plan.graph.edges
    assert not edge.satisfied
    assert plan.blocked["a"].message == "a 1.0 requires two<2 through lib, but two is 3.0"


def test_a_direct_edge_hides_a_longer_way_and_the_shortest_way_is_told() -> None:
    plan = plan_of(
        carried("one", "a", requires=["lib", "two"]),
        carried("two", "b"),
        carried("three", "c"),
        distributions={
            "lib": ["two", "far", "near"],
            "far": ["further"],
            "further": ["three"],
            "near": ["three"],
        },
    )
    assert {(edge.to, edge.via) for edge in plan.graph.edges} == {
        ("two:b", ()),
        ("three:c", ("lib", "near")),
    }


def test_a_way_ends_at_the_first_distribution_of_the_group() -> None:
    plan = plan_of(
        carried("one", "a", requires=["lib"]),
        carried("two", "b", requires=["three"]),
        carried("three", "c"),
        distributions={"lib": ["two", "one"], "one": [], "two": ["three"], "three": []},
    )
    assert {(e.from_, e.to, e.via) for e in plan.graph.edges} == {
        ("one:a", "two:b", ("lib",)),
        ("two:b", "three:c", ()),
    }


def test_a_distribution_that_is_not_installed_is_missing_where_that_can_be_known() -> None:
    one = carried("one", "a", requires=["nope>=1"])
    plan = plan_of(one, distributions={"one": ["nope>=1"]})
    assert [(m.name, m.required_by, m.requirement) for m in plan.graph.missing] == [
        ("nope", "one:a", "nope>=1")
    ]
    assert plan.blocked["a"].code == "missing"
    assert plan.blocked["a"].remedy == 'pip install "nope>=1"'
    assert not plan_of(one).blocked


def test_a_name_in_two_distributions_is_reported_and_blocks_nobody_else() -> None:
    plan = plan_of(
        carried("one", "a"), carried("two", "a"), carried("three", "b", requires=["one"])
    )
    assert {name: reason.code for name, reason in plan.blocked.items()} == {
        "one:a": "collision",
        "two:a": "collision",
    }
    assert "one 1.0" in plan.blocked["two:a"].message
    assert [step.name for step in plan.steps] == ["b"]
    assert edges(plan) == {("three:b", "one:a")}
    assert {node.id for node in plan.graph.nodes} == {"one:a", "two:a", "three:b"}


def test_a_root_may_be_called_by_its_id_and_an_ambiguous_name_means_all() -> None:
    groups = [*carried("one", "a"), *carried("two", "a"), *carried("three", "b")]
    plan = resolve(groups, foreign=True, roots=["three:b"])
    assert [step.name for step in plan.steps] == ["b"]
    assert resolve(groups, foreign=True, roots=["a"]).blocked.keys() == {"one:a", "two:a"}
    assert "collision" in plan.explain("one:a") or "offered by" in plan.explain("one:a")
    assert plan.explain("a").count("offered by") == 2


def test_a_python_that_is_too_old_is_told_and_a_broken_bound_says_nothing() -> None:
    plan = resolve(carried("one", "a", python=">=3.12"), foreign=True, python_version="3.11")
    assert plan.blocked["a"].code == "python-version"


def test_a_requirement_that_cannot_be_read_is_noted() -> None:
    plan = plan_of(carried("one", "a", requires=["two >= !", "two"]), carried("two", "b"))
    assert edges(plan) == {("one:a", "two:b")}
    assert any("two >= !" in note for note in plan.notes)


def test_a_plugin_without_a_manifest_in_our_own_group_has_the_edges_of_its_distribution() -> None:
    one, two = carried("one", "a", requires=["two"]), carried("two", "b")
    plan = resolve([*one, *two])
    assert edges(plan) == {("a", "b")}
    assert plan.layers == (("b",), ("a",))
