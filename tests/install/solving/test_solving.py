"""One solve over plugins and libraries: what is found, what is refused, and in what words."""

from __future__ import annotations

from typing import List

import pytest

from pkl.errors import BackendFailed, NoSolution, WheelRefused
from pkl.install.backends.backend import Resolved
from pkl.install.wanted import RootKind
from pkl.model.state import Desired, Reason
from tests.install.solving.world import AGE, World, found, root, versions


def refusal(world: World, *roots: str, **more: object) -> NoSolution:
    with pytest.raises(NoSolution) as caught:
        world.solve(*roots, **more)
    return caught.value


def diamond() -> World:
    """Plugin a in 1.9 and 2.0, plugin b in 2.0; only the older a goes with b's library."""
    world = World()
    world.library("liby==1.0")
    world.library("liby==2.0")
    world.plugin("a==1.9", "liby")
    world.plugin("a==2.0", "liby>=2")
    world.plugin("b==2.0", "liby<2")
    return world


# The two layers.


@pytest.mark.parametrize("blind", [False, True])
def test_an_older_version_is_taken_where_the_libraries_of_the_newest_do_not_go_together(
    blind: bool,
) -> None:
    world = diamond()
    world.blind = blind
    solution = world.solve("a", "b")
    assert versions(solution) == {"acme-a": "1.9", "acme-b": "2.0", "liby": "1.0"}
    assert (solution.rounds, len(world.asked)) == (1, 1)
    assert [each.name for each in solution.plan.steps] == ["a", "b"]


def test_the_installer_gets_the_ranges_that_the_plugins_put_on_their_distributions() -> None:
    world = World()
    for version in ("1.0", "1.1", "1.2", "2.0"):
        world.plugin(f"auth=={version}")
    world.plugin("audit==1.0", requires=["auth>=1.1,<2"])
    world.pin("liby==1.0")
    world.problems["auth", "1.1"] = Reason("revoked", "auth 1.1 was revoked", "", "")
    assert versions(world.solve("audit")) == {"acme-audit": "1.0", "acme-auth": "1.2"}
    (query,) = world.asked
    assert query.requirements == ("acme-audit==1.0", "acme-auth==1.2")
    assert query.constraints == ("acme-auth>=1.0,<=2.0,!=1.1",)
    assert query.installed == tuple(world.pins)
    world.plugin("auth==1.3")
    world.solve("audit")
    assert world.asked[-1].requirements[1] == "acme-auth>=1.2,<=1.3"


def test_only_what_can_be_in_the_solution_is_asked_for() -> None:
    world = diamond()
    world.plugin("elsewhere==1.0", "liby<1")
    world.solve("a")
    (query,) = world.asked
    assert query.requirements == ("acme-a>=1.9,<=2.0",)


def test_fifty_plugins_take_one_question() -> None:
    world = World()
    world.library("liby==1.0")
    for i in range(50):
        requires = [f"p{i - 1}>=2"] if i else []
        for version in range(1, 5):
            world.plugin(f"p{i}=={version}.0", "liby", requires=requires)
    solution = world.solve("p49")
    assert len(solution.chosen) == 51
    assert solution.rounds == 1
    assert [each.version for each in solution.plan.steps] == ["4.0"] * 50


@pytest.mark.parametrize("blind", [False, True])
def test_what_an_older_version_requires_comes_along(blind: bool) -> None:
    world = World()
    world.blind = blind
    world.library("liby==1.0")
    world.library("liby==2.0")
    world.plugin("a==2.0", "liby>=2")
    world.plugin("a==1.9", "liby", requires=["c"])
    world.plugin("b==2.0", "liby<2")
    world.plugin("c==1.0")
    solution = world.solve("a", "b")
    assert versions(solution) == {
        "acme-a": "1.9",
        "acme-b": "2.0",
        "acme-c": "1.0",
        "liby": "1.0",
    }
    assert len(world.asked) == solution.rounds > 0


@pytest.mark.parametrize("blind", [False, True])
def test_eight_plugins_of_which_only_old_ones_go_together_are_found_within_the_bound(
    blind: bool,
) -> None:
    world = World()
    world.blind = blind
    for version in range(1, 13):
        world.library(f"liby=={version}")
    names = [f"p{i}" for i in range(8)]
    for i, name in enumerate(names):
        for version in range(1, 13):
            # Each in its newest versions wants a library of its own, and beside it something
            # that the installer knows nothing of.
            bound = f"liby=={(version + i) % 12 + 1}" if version > 3 else "liby==1"
            requires = [f"q{version}"] if version <= 3 else []
            world.plugin(f"{name}=={version}", bound, requires=requires)
    for version in range(1, 4):
        world.plugin(f"q{version}==1.0")
    solution = world.solve(*names)
    assert len({each.version for each in solution.chosen if each.name == "liby"}) == 1
    assert {step.name for step in solution.plan.steps} >= set(names)
    assert solution.rounds <= 50


def test_a_capability_is_served_by_a_plugin_that_the_registry_says_provides_it() -> None:
    world = World()
    world.plugin("s3==1.0", provides=["storage==2.1"])
    world.plugin("s3==0.9", provides=["storage==1.0"])
    world.plugin("disk==1.0", provides=["storage==1.5"])
    world.plugin("audit==1.0", requires=["storage>=2"])
    solution = world.solve("audit")
    assert versions(solution) == {"acme-audit": "1.0", "acme-s3": "1.0"}
    assert world.asked[-1].requirements == ("acme-audit==1.0", "acme-s3==1.0")


def test_two_plugins_of_one_distribution_come_in_one_version_of_it() -> None:
    world = World()
    for carrier, one, two in (("1.0", "5.0", "7.0"), ("2.0", "6.0", "7.5"), ("3.0", "6.5", "8.0")):
        world.plugin(f"one=={one}", distribution=f"suite=={carrier}")
        world.plugin(f"two=={two}", distribution=f"suite=={carrier}")
    solution = world.solve("one>=6", "two<8")
    assert versions(solution) == {"suite": "2.0"}
    assert world.asked[-1].requirements == ("suite==2.0",)
    assert {p.name: p.version for p in solution.chosen[0].plugins} == {"one": "6.0", "two": "7.5"}
    error = refusal(world, "one>=6.5", "two<8")
    assert "both are in the distribution suite" in str(error)


def test_a_plugin_that_comes_along_in_a_distribution_and_cannot_start_is_noted() -> None:
    world = World()
    world.plugin("one==1.0", distribution="suite==1.0")
    world.plugin("two==1.0", distribution="suite==1.0", requires=["nowhere"])
    solution = world.solve("one")
    (note,) = solution.notes
    assert note.startswith("two comes along in suite 1.0 and will not start: two 1.0 requires")


def test_plugins_that_require_each_other_are_refused_with_the_circle() -> None:
    world = World()
    world.plugin("a==1.0", requires=["b>=1"])
    world.plugin("b==1.0", requires=["a>=1"])
    error = refusal(world, "a")
    assert "a -> b -> a require each other in a circle" in str(error)
    assert "  b 1.0 requires a>=1 (registry)" in error.proof
    assert world.asked == []


def test_what_an_installer_brings_of_plugins_that_do_not_go_is_had_in_another_version() -> None:
    world = World()
    # Their distribution needs the other one's; their manifests say only that some do not go.
    world.plugin("a==1.0", "acme-b", conflicts=["b>=2"])
    world.plugin("b==1.0")
    world.plugin("b==2.0")
    world.plugin("b==3.0")
    solution = world.solve("a")
    assert versions(solution) == {"acme-a": "1.0", "acme-b": "1.0"}
    assert solution.rounds == len(world.asked)


def test_two_whose_libraries_do_not_go_together_are_refused_with_what_each_needs() -> None:
    world = diamond()
    error = refusal(world, "a>=2", "b")
    assert str(error) == (
        "nothing that goes together was found for a>=2, b: a 2.0 does not go with b 2.0: acme-a "
        "needs liby>=2, acme-b needs liby<2, and of liby there is 1.0, 2.0\n"
        "hint: leave one of them out (pkl uninstall NAME), or ask for other versions of them"
    )
    assert error.proof == (
        "what you ask for cannot be had (conflict)",
        "  you ask for a>=2 (the request)",
        "  you ask for b (the request)",
        "  a 2.0 does not go with b 2.0: acme-a needs liby>=2, acme-b needs liby<2, and of liby "
        "there is 1.0, 2.0 (registry)",
    )


# What is out from the start.


@pytest.mark.parametrize("code", ["yanked", "revoked", "platform"])
def test_a_version_that_the_registry_rules_out_is_never_taken(code: str) -> None:
    world = World()
    world.plugin("auth==1.0")
    world.plugin("auth==2.0")
    why = f"auth 2.0 is {code}"
    world.problems["auth", "2.0"] = Reason(code, why, why, "take another")
    assert versions(world.solve("auth")) == {"acme-auth": "1.0"}
    error = refusal(world, "auth>=2")
    assert error.exit_status == 5
    assert why in str(error)
    assert f"  auth 2.0 (registry): {code}" in error.proof


def test_a_withdrawn_version_is_kept_if_it_is_locked_or_named_exactly() -> None:
    world = World()
    world.plugin("auth==1.0")
    world.plugin("auth==2.0")
    why = "auth 1.0 was withdrawn: broken"
    world.problems["auth", "1.0"] = Reason("yanked", why, why, "")
    named = world.solve("auth==1.0")
    assert (versions(named), named.notes) == ({"acme-auth": "1.0"}, (why,))
    assert versions(world.solve("auth", locked={"acme-auth": "1.0"})) == {"acme-auth": "1.0"}
    assert versions(world.solve("auth")) == {"acme-auth": "2.0"}


def test_versions_for_another_host_or_python_are_left_out() -> None:
    world = World()
    world.plugin("auth==1.0", requires_host=">=1,<3")
    world.plugin("auth==2.0", requires_host=">=3")
    world.plugin("auth==2.1", requires_python=">=3.12")
    assert versions(world.solve("auth")) == {"acme-auth": "1.0"}
    assert world.asked[-1].requirements == ("acme-auth==1.0",)
    error = refusal(world, "auth>=2")
    assert "  auth 2.0 (registry): needs host >=3" in error.proof
    assert "  auth 2.1 (registry): needs Python >=3.12" in error.proof


def test_nothing_younger_than_asked_for_is_taken() -> None:
    world = World()
    world.plugin("auth==1.0", uploaded=AGE)
    world.plugin("auth==2.0", uploaded=AGE + 10)
    world.plugin("auth==0.9", uploaded=None)
    assert versions(world.solve("auth", uploaded_before=AGE)) == {"acme-auth": "1.0"}
    assert world.asked[-1].uploaded_before == AGE
    error = refusal(world, "auth>=2", uploaded_before=AGE)
    assert "auth 2.0 is left out: it was uploaded on 2023-11-14T22:13:30Z" in str(error)
    assert error.hint == "wait, or ask for a lower --min-age"
    error = refusal(world, "auth<1", uploaded_before=AGE)
    assert "auth 0.9 is left out: its registry does not say when" in str(error)


def test_what_is_in_place_is_never_too_young() -> None:
    world = World()
    world.plugin("auth==1.0", uploaded=AGE + 10)
    world.plugin("auth==2.0", uploaded=AGE + 20)
    found = world.solve("auth", uploaded_before=AGE, locked={"acme-auth": "1.0"}, upgrade=["auth"])
    assert versions(found) == {"acme-auth": "1.0"}
    assert world.asked[-1].standing == ("acme-auth==1.0",)


def test_pre_releases_are_taken_if_asked_for_or_if_there_is_nothing_else() -> None:
    world = World()
    world.plugin("auth==1.0")
    world.plugin("auth==2.0rc1")
    world.plugin("early==1.0a1")
    assert versions(world.solve("auth")) == {"acme-auth": "1.0"}
    assert versions(world.solve("auth>=2.0rc1")) == {"acme-auth": "2.0rc1"}
    assert versions(world.solve("auth", prereleases=True)) == {"acme-auth": "2.0rc1"}
    assert world.asked[-1].prereleases
    assert versions(world.solve("early")) == {"acme-early": "1.0a1"}
    note = "acme-early 1.0a1 is a pre-release; nothing else fits"
    assert world.solve("early").notes == (note,)
    assert world.solve("early>=1.0a1").notes == ()
    assert world.solve("early", prereleases=True).notes == ()


# What the host has.


def test_a_library_that_the_host_has_otherwise_is_refused_with_the_proof() -> None:
    world = diamond()
    world.pin("liby==1.0")
    assert versions(world.solve("a")) == {"acme-a": "1.9"}
    error = refusal(world, "a>=2")
    assert str(error) == (
        "nothing that goes together was found for a>=2: a 2.0 (acme-a 2.0) needs liby>=2, and "
        "the host has liby 1.0 in /host/liby-1.0.dist-info, which no plugin may move\n"
        'hint: change the environment of the host: pip install "liby>=2"'
    )
    assert len(world.asked) == 1, "the contradiction is seen without asking"


@pytest.mark.parametrize("blind", [False, True])
def test_a_library_of_a_library_that_the_host_has_otherwise_is_named_with_its_place(
    blind: bool,
) -> None:
    world = World()
    world.blind = blind
    world.pin("liby==1.0")
    world.library("libz==1.0", "liby>=2")
    world.plugin("a==1.0", "libz")
    world.plugin("a==2.0", "libz")
    error = refusal(world, "a")
    assert "the host has liby 1.0, in /host/liby-1.0.dist-info" in str(error)
    assert "a 2.0 (acme-a 2.0) cannot be had" in str(error)
    text = "\n".join(error.proof)
    assert "  you ask for a (the request)" in text
    assert "fake says of the libraries:\n  because acme-a" in text


def test_a_plugin_that_is_there_without_pkl_is_used_and_not_installed() -> None:
    world = World()
    world.found.append(found("auth==1.2"))
    world.plugin("auth==2.0")
    world.plugin("audit==1.0", requires=["auth>=1"])
    assert versions(world.solve("audit")) == {"acme-audit": "1.0"}
    assert versions(world.solve("auth")) == {}
    world.plugin("audit==2.0", requires=["auth>=2"])
    assert versions(world.solve("audit")) == {"acme-audit": "1.0"}
    error = refusal(world, "audit>=2")
    assert "audit 2.0 requires auth>=2, but auth is 1.2" in str(error)


def test_a_distribution_that_also_carries_what_is_there_is_refused() -> None:
    world = World()
    world.found.append(found("two==1.0"))
    world.plugin("one==1.0", distribution="suite==1.0")
    world.plugin("two==1.0", distribution="suite==1.0")
    error = refusal(world, "one")
    assert "also carries two, and that is there already (acme-two 1.0)" in str(error)


@pytest.mark.parametrize("theirs", [False, True])
def test_nothing_is_installed_that_keeps_a_plugin_from_starting_that_is_there(
    theirs: bool,
) -> None:
    world = World()
    world.found.append(found("old==1.0", conflicts=["new"] if theirs else []))
    world.plugin("new==1.0", conflicts=[] if theirs else ["old"])
    error = refusal(world, "new")
    assert "  the host has old (the host)" in error.proof or "conflicts with" in str(error)
    assert versions(world.solve("new", desired={"old": Desired.DISABLED})) == {"acme-new": "1.0"}


def test_a_masked_plugin_is_not_installed() -> None:
    world = World()
    world.plugin("auth==1.0")
    error = refusal(world, "auth", desired={"auth": Desired.MASKED})
    assert "auth is masked" in str(error)
    assert error.hint == "pkl enable auth"


def test_a_plugin_that_no_registry_has_is_refused() -> None:
    error = refusal(World(), "nothing")
    assert "you ask for nothing" in "\n".join(error.proof)
    assert error.proof[0] == "what you ask for cannot be had (missing)"
    assert error.hint == (
        "pkl search nothing, or add the registry that has it: pkl registry add NAME URL"
    )


def test_a_version_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    world = World()
    world.plugin("auth==1.0")
    error = refusal(world, "auth>=2")
    assert "auth>=2, but auth is 1.0" in str(error)
    assert error.hint == "pkl info auth shows which versions there are"


# What is locked.


def test_what_is_locked_stays_unless_it_is_to_be_upgraded() -> None:
    world = World()
    world.library("liby==1.0")
    world.library("liby==2.0")
    for version in ("1.0", "1.1"):
        world.plugin(f"a=={version}", "liby")
        world.plugin(f"b=={version}", "liby")
    locked = {"acme-a": "1.0", "liby": "1.0"}
    kept = world.solve("a", "b", locked=locked)
    assert versions(kept) == {"acme-a": "1.0", "acme-b": "1.1", "liby": "1.0"}
    assert kept.rounds == 1
    moved = world.solve("a", "b", locked=locked, upgrade=["a"])
    assert versions(moved) == {"acme-a": "1.1", "acme-b": "1.1", "liby": "1.0"}
    moved = world.solve("a", "b", locked=locked, upgrade=["liby", "a"])
    assert versions(moved) == {"acme-a": "1.1", "acme-b": "1.1", "liby": "2.0"}


def test_a_locked_version_moves_where_nothing_else_would_do() -> None:
    world = diamond()
    locked = {"acme-a": "2.0", "liby": "2.0"}
    assert versions(world.solve("a", locked=locked)) == {"acme-a": "2.0", "liby": "2.0"}
    both = world.solve("a", "b", locked=locked)
    assert versions(both) == {"acme-a": "1.9", "acme-b": "2.0", "liby": "1.0"}


@pytest.mark.parametrize("forgetful", [False, True])
def test_only_the_locked_versions_move_that_are_in_the_way(forgetful: bool) -> None:
    world = World()
    world.forgetful = forgetful
    for name in ("liby", "libz", "other"):
        world.library(f"{name}==1.0")
        world.library(f"{name}==2.0")
    world.plugin("a==1.0", "liby", "libz")
    world.plugin("a==1.1", "liby", "libz")
    world.plugin("b==1.0", "libz>=2")
    locked = {"acme-a": "1.0", "liby": "1.0", "libz": "1.0"}
    only_a = world.solve("a", locked={"acme-a": "1.0"})
    assert versions(only_a)["acme-a"] == "1.0"
    both = world.solve("a", "b", locked=locked)
    assert versions(both) == {"acme-a": "1.0", "acme-b": "1.0", "liby": "1.0", "libz": "2.0"}


# What was given by path.


def test_what_is_given_by_path_outranks_the_registry() -> None:
    world = World()
    world.plugin("auth==3.0")
    world.plugin("auth==1.0", registry="")
    world.plugin("audit==1.0", requires=["auth"])
    given = root("auth", kind=RootKind.WHEEL, path="/wheels/acme_auth-1.0-py3-none-any.whl")
    solution = world.solve(given, "audit")
    assert versions(solution) == {"acme-auth": "1.0", "acme-audit": "1.0"}
    assert world.asked[-1].wheels == ("/wheels/acme_auth-1.0-py3-none-any.whl",)
    assert solution.named("acme-auth") is not None
    error = refusal(world, "auth>=2")
    assert "auth 1.0" in "\n".join(error.proof)


def test_an_editable_project_takes_part_by_a_wheel_that_only_states_what_it_needs() -> None:
    world = World()
    world.library("liby==1.0")
    world.library("liby==2.0")
    world.plugin("auth==1.0", "liby<2", registry="", editable="/home/me/auth")
    given = root("auth", kind=RootKind.EDITABLE, path="/home/me/auth")
    solution = world.solve(given)
    assert versions(solution) == {"acme-auth": "1.0", "liby": "1.0"}
    chosen = solution.named("acme-auth")
    assert chosen is not None and chosen.editable == "/home/me/auth" and chosen.wheel is None
    (wheel,) = world.asked[-1].wheels
    assert wheel.endswith("acme_auth-1.0-py3-none-any.whl")


def test_what_is_installed_from_a_registry_that_is_gone_is_kept_as_it_is() -> None:
    world = World()
    world.library("liby==1.0")
    world.library("liby==2.0")
    kept = world.plugin("auth==1.0", "liby<2", registry="gone")
    world.plugin("audit==1.0", requires=["auth"])
    solution = world.solve("audit")
    assert versions(solution) == {"acme-audit": "1.0", "acme-auth": "1.0", "liby": "1.0"}
    assert solution.named("acme-auth") == kept
    (wheel,) = world.asked[-1].wheels
    assert wheel.endswith("acme_auth-1.0-py3-none-any.whl")


# What the installer says is believed only as far as the registry says so.


def test_a_wheel_that_the_registry_of_its_plugin_does_not_list_is_refused() -> None:
    world = World()
    made = world.plugin("auth==1.0")
    assert made.wheel is not None
    world.lies["acme-auth"] = Resolved("acme-auth", "1.0", made.wheel.url, "f" * 64)
    with pytest.raises(WheelRefused) as caught:
        world.solve("auth")
    error = caught.value
    assert error.exit_status == 8
    assert "acme-auth 1.0 is not taken: fake found acme_auth-1.0-py3-none-any.whl" in str(error)
    (fault,) = error.faults
    assert fault.value == "f" * 64 and made.wheel.sha256 in fault.rule


def test_a_library_that_no_registry_lists_is_refused() -> None:
    world = World()
    world.library("liby==1.0")
    world.plugin("auth==1.0", "liby")
    elsewhere = "https://elsewhere.example/liby-99.0-py3-none-any.whl"
    world.lies["liby"] = Resolved("liby", "99.0", elsewhere, "a" * 64)
    with pytest.raises(WheelRefused, match=r"and no registry that is known here lists such"):
        world.solve("auth")
    world.lies["liby"] = Resolved("liby", "1.0", elsewhere, "a" * 64)
    with pytest.raises(WheelRefused, match=r"liby 1\.0 is not taken"):
        world.solve("auth")


def test_an_answer_that_moves_what_the_host_has_is_refused() -> None:
    world = World()
    world.pin("liby==1.0")
    world.plugin("auth==1.0", "liby")
    world.lies["liby"] = Resolved("liby", "2.0", "https://x.example/liby-2.0-py3-none-any.whl")
    with pytest.raises(BackendFailed, match=r"fake chose liby 2\.0, and the host has 1\.0"):
        world.solve("auth")


# Effort, and what is said of it.


def hard() -> World:
    """Twelve versions of five plugins, none of which go together, and only the installer knows."""
    world = World()
    world.blind = True
    for version in range(1, 100):
        world.library(f"liby=={version}")
    for i in range(5):
        for version in range(1, 13):
            world.plugin(f"p{i}=={version}", f"liby=={12 * i + version}")
    return world


def test_more_questions_than_the_bound_are_not_asked() -> None:
    world = hard()
    error = refusal(world, *(f"p{i}" for i in range(5)), bound=3)
    assert len(world.asked) == 3
    assert str(error).startswith("no answer for p0, p1, p2, p3, p4 within 3 questions to fake")
    assert error.proof[0] == "fake was asked 3 times"
    assert "pkl install" in error.hint


def test_what_goes_together_in_no_version_is_learned_at_once() -> None:
    world = hard()
    error = refusal(world, "p0", "p1", "p2")
    assert len(world.asked) < 10
    assert "does not go with" in str(error)


def test_a_proof_is_short_unless_it_is_wanted_in_full() -> None:
    def chain(length: int) -> World:
        world = World()
        for i in range(length):
            world.plugin(f"p{i}==1.0", requires=[f"p{i + 1}"])
        return world

    def proof(**more: object) -> List[str]:
        return list(refusal(chain(40), "p0", **more).proof)

    short, full = proof(), proof(full=True)
    assert len(short) <= 16 < len(full)
    assert proof() == short
    assert any("more" in line and "--full" in line for line in short)
