"""Which candidate is taken where several would do: the same one always."""

from __future__ import annotations

from typing import Dict

from pkl.model.candidate import Origin
from pkl.model.plan import Plan
from pkl.resolver import resolve

from .making import listed, made


def versions(plan: Plan) -> Dict[str, str]:
    return {step.name: step.version for step in plan.steps}


AUTH = [listed(f"auth=={version}") for version in ("0.9", "1.0", "1.10", "1.9", "2.0")]


def test_the_highest_version_within_the_bounds_is_taken() -> None:
    plan = resolve([made("a", requires=["auth>=1,<2"]), *AUTH])
    assert versions(plan) == {"auth": "1.10", "a": "1.0"}


def test_a_locked_version_comes_before_a_running_one_and_that_before_a_higher() -> None:
    candidates = [made("a", requires=["auth"]), *AUTH]
    assert versions(resolve(candidates))["auth"] == "2.0"
    assert versions(resolve(candidates, running={"auth": "1.9"}))["auth"] == "1.9"
    both = resolve(candidates, running={"auth": "1.9"}, locked={"auth": "1.0.0"})
    assert versions(both)["auth"] == "1.0"


def test_a_locked_version_that_does_not_fit_gives_way() -> None:
    plan = resolve([made("a", requires=["auth>=2"]), *AUTH], locked={"auth": "1.0"})
    assert versions(plan)["auth"] == "2.0"


def test_precedence_comes_before_the_version() -> None:
    providers = [made("p", provides=["cap==1"]), made("q", provides=["cap==2"])]
    user = made("a", requires=["cap"])
    plan = resolve([user, *providers])
    assert plan.step("a").bindings == {"cap": "q"}  # type: ignore[union-attr]
    plan = resolve([user, *providers], precedence=["acme-p"])
    assert plan.step("a").bindings == {"cap": "p"}  # type: ignore[union-attr]


def test_of_equal_providers_the_first_by_name_serves() -> None:
    plan = resolve(
        [made("q", provides=["cap"]), made("p", provides=["cap"]), made("a", requires=["cap"])]
    )
    assert plan.step("a").bindings == {"cap": "p"}  # type: ignore[union-attr]
    assert versions(plan) == {"a": "1.0", "p": "1.0", "q": "1.0"}


def test_only_the_provider_that_serves_is_pulled_in() -> None:
    plan = resolve(
        [
            listed("q", provides=["cap==2"]),
            listed("p", provides=["cap==1"]),
            made("a", requires=["cap"]),
        ]
    )
    assert versions(plan) == {"a": "1.0", "q": "1.0"}


def test_a_provider_that_is_here_comes_before_one_to_be_fetched() -> None:
    candidates = [
        made("p", provides=["cap==1"]),
        listed("q", provides=["cap==2"]),
        made("a", requires=["cap"]),
    ]
    assert versions(resolve(candidates, roots=["a"])) == {"a": "1.0", "p": "1.0"}


def test_a_provider_that_cannot_start_is_passed_over() -> None:
    plan = resolve(
        [
            made("p", provides=["cap==2"], requires=["nope"]),
            made("q", provides=["cap==1"]),
            made("a", requires=["cap"]),
        ]
    )
    assert plan.step("a").bindings == {"cap": "q"}  # type: ignore[union-attr]
    assert set(plan.blocked) == {"p"}


def test_a_provider_that_would_close_a_circle_is_passed_over() -> None:
    plan = resolve(
        [
            made("a", requires=["cap"]),
            made("p", provides=["cap==2"], requires=["a"]),
            made("q", provides=["cap==1"]),
        ]
    )
    assert plan.step("a").bindings == {"cap": "q"}  # type: ignore[union-attr]
    assert not plan.blocked


def test_what_a_plugin_provides_itself_it_need_not_be_given() -> None:
    plan = resolve([made("a==2.0", provides=["cap==1"], requires=["cap"])])
    assert versions(plan) == {"a": "2.0"}
    assert plan.graph.edges == ()


def test_an_older_version_is_taken_where_the_newest_cannot_be_had() -> None:
    plan = resolve(
        [listed("a==2.0", requires=["nope"]), listed("a==1.0"), made("b", requires=["a"])]
    )
    assert versions(plan) == {"a": "1.0", "b": "1.0"}


def test_a_pre_release_is_not_taken_where_a_release_would_do() -> None:
    candidates = [made("a", requires=["b>=1"]), listed("b==1.0"), listed("b==2.0a1")]
    assert versions(resolve(candidates))["b"] == "1.0"
    assert versions(resolve(candidates, prereleases=True))["b"] == "2.0a1"


def test_a_pre_release_is_taken_where_it_is_asked_for() -> None:
    candidates = [made("a", requires=["b>=2.0a1"]), listed("b==1.0"), listed("b==2.0a2")]
    plan = resolve(candidates)
    assert versions(plan)["b"] == "2.0a2"
    assert not plan.notes


def test_a_pre_release_that_alone_fits_is_taken_with_a_note_unless_refused() -> None:
    candidates = [made("a", requires=["b>=2"]), listed("b==1.0"), listed("b==2.1rc1")]
    plan = resolve(candidates)
    assert versions(plan)["b"] == "2.1rc1"
    assert any("only a pre-release fits" in note for note in plan.notes)
    refused = resolve(candidates, prereleases=False)
    assert refused.blocked["a"].code == "prerelease-only"


def test_an_installed_pre_release_serves_but_not_where_pre_releases_are_refused() -> None:
    candidates = [made("a", requires=["b>=1"]), made("b==2.0.dev1")]
    assert versions(resolve(candidates))["b"] == "2.0.dev1"
    assert resolve(candidates, prereleases=False).blocked["a"].code == "prerelease-only"
    running = resolve(candidates, prereleases=False, running={"b": "2.0.dev1"})
    assert versions(running)["b"] == "2.0.dev1"


def test_what_a_registry_lists_is_started_only_if_something_needs_it() -> None:
    plan = resolve(
        [made("a", requires=["b"]), listed("b"), listed("c"), listed("d", requires=["x"])]
    )
    assert versions(plan) == {"b": "1.0", "a": "1.0"}
    assert not plan.blocked
    assert {node.id for node in plan.graph.nodes} == {"a", "b"}


def test_a_wanted_version_is_preferred_but_not_enforced() -> None:
    candidates = [made("a", wants=["auth<2"]), made("b", requires=["auth"]), *AUTH]
    assert versions(resolve(candidates))["auth"] == "1.10"
    stricter = [made("a", wants=["auth<2"]), made("b", requires=["auth>=2"]), *AUTH]
    plan = resolve(stricter)
    assert versions(plan)["auth"] == "2.0"
    assert any("wants auth<2" in note and "out of bounds" in note for note in plan.notes)


def test_one_version_from_two_registries_or_already_here_is_one_candidate() -> None:
    plan = resolve(
        [
            made("a", requires=["b"]),
            listed("b==1.0", distribution="one"),
            listed("b==1.0.0", distribution="two"),
            made("b==1.0", origin=Origin.DIRECTORY, distribution=None, location="/plugins/b"),
        ]
    )
    assert plan.step("b").candidate.origin is Origin.DIRECTORY  # type: ignore[union-attr]
