"""``pkl resolve``, ``pkl why`` and ``pkl info``: the plan, and what it says of one plugin."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkl.cli.why import paths_to
from pkl.model.graph import Edge, Graph
from tests.cli.running import Pkl, directory_plugin
from tests.discovery.fakes import install, write


@pytest.fixture(autouse=True)
def plugins(work: Path) -> None:
    """``web`` needs ``auth`` needs ``db``; ``old`` needs more than there is."""
    directory_plugin(work / "p", "db")
    directory_plugin(work / "p", "auth", 'summary = "Who is who"\n', requires=["db>=1"])
    directory_plugin(work / "p", "web", 'wants = ["auth"]\n', requires=["auth<9"])
    directory_plugin(work / "p", "old", requires=["db>=2"])
    directory_plugin(work / "p", "older", requires=["old"])
    write(work / "pkl.toml", 'name = "shop"\nversion = "2"\npaths = ["p"]\n')


def test_all_that_is_wanted_is_ordered_and_what_is_blocked_is_no_failure(pkl: Pkl) -> None:
    found = pkl.json("resolve")
    assert list(found)[:1] == ["schema"]
    assert found["schema"] == "pkl.resolve/1"
    assert found["steps"] == [
        {"name": "db", "version": "1.0", "layer": 0},
        {"name": "auth", "version": "1.0", "layer": 1},
        {"name": "web", "version": "1.0", "layer": 2},
    ]
    blocked = {each["name"]: each for each in found["blocked"]}
    assert list(blocked) == ["old", "older"]
    assert list(blocked["old"]) == ["name", "version", "reason"]
    assert list(blocked["old"]["reason"]) == ["code", "message", "cause", "remedy"]
    assert blocked["older"]["reason"]["cause"] == blocked["old"]["reason"]["cause"]


def test_named_plugins_bring_what_they_need(pkl: Pkl) -> None:
    found = pkl.json("resolve", "auth")
    assert [each["name"] for each in found["steps"]] == ["db", "auth"]
    assert found["blocked"] == []


def test_a_named_plugin_that_is_blocked_is_exit_5_and_the_reason_is_printed(pkl: Pkl) -> None:
    ran = pkl("resolve", "old", "web")
    assert ran.status == 5
    assert "old 1.0 requires db>=2" in ran.out
    assert pkl.json("resolve", "old", status=5)["blocked"][0]["name"] == "old"


def test_an_unknown_name_is_exit_4(pkl: Pkl) -> None:
    ran = pkl("resolve", "weeb")
    assert ran.status == 4
    assert ran.err.startswith("error[E_NO_PLUGIN]: no plugin 'weeb'")
    assert "did you mean 'web'?" in ran.err


def test_names_are_taken_in_any_spelling(pkl: Pkl) -> None:
    assert pkl.ok("resolve", "WEB").lines[-1].split()[:3] == ["3", "web", "1.0"]


def test_explain_words_the_proof(pkl: Pkl) -> None:
    ran = pkl("resolve", "older", "--explain")
    assert ran.status == 5
    assert "plugin.toml:3" in ran.out


def test_another_python_and_host_may_be_planned_for(pkl: Pkl, work: Path) -> None:
    directory_plugin(work / "p", "new", 'requires-python = ">=3.30"\nrequires-host = ">=7"\n')
    assert pkl("resolve", "new").status == 5
    assert pkl("resolve", "new", "--python", "3.31").status == 5
    assert pkl("resolve", "new", "--python", "3.31", "--host-version", "7.1").status == 0
    assert pkl("resolve", "new", "--python", "three").status == 2


def test_pre_releases_may_be_refused(pkl: Pkl, work: Path) -> None:
    directory_plugin(work / "p", "early", 'version = "2.0rc1"\n')
    assert pkl("resolve", "early").status == 0
    assert pkl("resolve", "early", "--no-pre").status == 5


# why


def test_why_shows_every_way_with_its_requirements(pkl: Pkl) -> None:
    ran = pkl.ok("why", "db")
    assert ran.lines[0].startswith("db 1.0")
    assert "auth 1.0 (db>=1)" in ran.out
    found = pkl.json("why", "db")
    assert list(found)[:3] == ["schema", "name", "version"]
    assert (found["state"], found["reason"]) == ("enabled", None)
    ways = [[(e["name"], e["requirement"]) for e in way] for way in found["required_by"]]
    assert ways == [
        [("older", "old"), ("old", "db>=2")],
        [("web", "auth<9"), ("auth", "db>=1")],
        [("web", "auth"), ("auth", "db>=1")],
    ]


def test_why_says_what_blocks_a_plugin(pkl: Pkl) -> None:
    ran = pkl.ok("why", "older")
    assert "old 1.0 requires db>=2" in ran.out
    found = pkl.json("why", "older")
    assert found["state"] == "blocked"
    assert found["reason"]["code"] == "requirement-blocked"
    assert found["explanation"]


def test_why_of_what_nobody_needs(pkl: Pkl) -> None:
    assert "nothing needs it" in pkl.ok("why", "web").out
    assert pkl.json("why", "web")["required_by"] == []


def test_why_of_a_faulty_manifest_lists_every_fault(pkl: Pkl, work: Path) -> None:
    write(work / "p" / "bad" / "plugin.toml", 'name = "bad"\nversion = "x"\nzap = 1\n')
    out = pkl.ok("why", "bad").out
    assert "  version = 'x'" in out
    assert "  zap = 1" in out


@pytest.mark.parametrize("verb", ["why", "info"])
def test_of_an_unknown_plugin_is_exit_4(pkl: Pkl, verb: str) -> None:
    assert pkl(verb, "nobody").status == 4
    assert pkl.json(verb, "nobody", status=4)["code"] == "E_NO_PLUGIN"


def edges(*pairs: str) -> Graph:
    """A graph of ``requires`` edges, each written as ``ab``: a needs b."""
    return Graph(edges=tuple(Edge(pair[0], pair[1], "requires", pair) for pair in pairs))


def ways(graph: Graph, target: str) -> "list[str]":
    """The paths to a node, each as the letters along it."""
    return sorted("".join(e.from_ for e in way) for way in paths_to(graph, target))


def test_a_diamond_has_two_ways() -> None:
    assert ways(edges("ab", "ac", "bd", "cd"), "d") == ["ab", "ac"]


def test_ways_from_a_cycle_begin_where_they_would_close_it() -> None:
    assert ways(edges("ab", "bc", "ca", "cd"), "d") == ["abc"]
    assert ways(edges("ab", "ba"), "a") == ["b"]
    assert ways(edges("aa"), "a") == []


def test_ways_are_found_without_recursion() -> None:
    """A chain longer than Python's stack is deep."""
    chain = Graph(edges=tuple(Edge(str(i), str(i + 1), "requires") for i in range(5000)))
    (way,) = paths_to(chain, "5000")
    assert len(way) == 5000


def test_too_many_ways_are_cut_and_said_to_be(pkl: Pkl, work: Path) -> None:
    """Eight layers of two plugins each have 256 ways through."""
    for layer in range(8):
        for side in "ab":
            needs = [f"l{layer + 1}{other}" for other in "ab"] if layer < 7 else ["end"]
            directory_plugin(work / "q", f"l{layer}{side}", requires=needs)
    directory_plugin(work / "q", "end")
    found = pkl.json("why", "end", "--path", "q")
    assert (len(found["required_by"]), found["truncated"]) == (100, True)
    found = pkl.json("why", "end", "--path", "q", "--all")
    assert (len(found["required_by"]), found["truncated"]) == (256, False)


# info


def test_info_tells_all_that_is_known(pkl: Pkl) -> None:
    out = pkl.ok("info", "auth").out
    for part in ("auth", "1.0", "Who is who", "enabled", "db>=1 (db 1.0)", "web 1.0 (auth<9)"):
        assert part in out
    found = pkl.json("info", "auth")
    assert found["schema"] == "pkl.info/1"
    assert found["required_by"] == [
        {"name": "web", "kind": "requires", "requirement": "auth<9"},
        {"name": "web", "kind": "wants", "requirement": "auth"},
    ]
    assert (found["layer"], found["tier"], found["others"]) == (1, "in-process", [])


def test_info_of_a_collision_shows_each_source(pkl: Pkl) -> None:
    for name in ("one", "two"):
        points = {"pkl.plugins": {"same": name}}
        install(pkl.site, name, entry_points=points, files={f"{name}.py": ""})
    found = pkl.json("info", "same")
    assert [found["distribution"], *(each["distribution"] for each in found["others"])] == [
        "one",
        "two",
    ]
    assert pkl.ok("info", "same").out.count("Name:") == 2


def test_in_anothers_group_a_distribution_may_stand_before_the_name(pkl: Pkl) -> None:
    for name in ("one", "two"):
        points = {"some.group": {"same": name}}
        install(pkl.site, name, entry_points=points, files={f"{name}.py": ""})
    found = pkl.json("info", "two:same", "--group", "some.group")
    assert (found["distribution"], found["others"]) == ("two", [])
    assert "two" in pkl.ok("why", "two:same", "--group", "some.group").out


@pytest.fixture
def shared(pkl: Pkl) -> None:
    """A foreign group in which two distributions offer ``same`` and one of them ``solo`` too."""
    points = {"same": "alpha.x", "solo": "alpha.y"}
    files = {"alpha/x.py": "", "alpha/y.py": ""}
    install(pkl.site, "alpha-dist", entry_points={"foo": points}, files=files)
    install(pkl.site, "beta-dist", entry_points={"foo": {"same": "beta"}}, files={"beta.py": ""})


@pytest.mark.usefixtures("shared")
def test_a_plugin_of_a_foreign_group_may_be_named_with_its_distribution(pkl: Pkl) -> None:
    ran = pkl.ok("resolve", "alpha-dist:solo", "--group", "foo")
    assert ran.lines[1].split() == ["1", "solo", "1.0", "alpha-dist", "1.0"]
    named = pkl.json("resolve", "alpha-dist:solo", "--group", "foo")
    assert named == pkl.json("resolve", "solo", "--group", "foo")
    for verb in ("why", "info", "graph"):
        line = (verb, "alpha-dist:solo", "--group", "foo")
        assert pkl.ok(*line).out == pkl.ok(verb, "solo", "--group", "foo").out


@pytest.mark.usefixtures("shared")
def test_a_name_that_two_of_a_foreign_group_share_means_both(pkl: Pkl) -> None:
    ran = pkl("resolve", "same", "--group", "foo")
    assert ran.status == 5
    assert "blocked: 2" in ran.out
    one = pkl.json("resolve", "beta-dist:same", "--group", "foo", status=5)
    assert [each["name"] for each in one["blocked"]] == ["beta-dist:same"]
    told = pkl.ok("why", "same", "--group", "foo").out
    assert told.count("same is offered by alpha-dist 1.0 (version 1.0) and beta-dist 1.0") == 2
    found = pkl.json("why", "same", "--group", "foo")
    assert found["name"] == "alpha-dist:same"
    assert [each["name"] for each in found["others"]] == ["beta-dist:same"]
    assert pkl.json("info", "same", "--group", "foo")["others"][0]["distribution"] == "beta-dist"
    for line in (["same"], ["same", "--format", "waves"], ["--focus", "same"]):
        drawn = pkl.ok("graph", *line, "--group", "foo").out
        assert "alpha-dist:same" in drawn
        assert "beta-dist:same" in drawn
        assert "solo" not in drawn


def test_a_collision_in_the_hosts_own_group_is_told_once(pkl: Pkl, work: Path) -> None:
    directory_plugin(work / "q", "db")
    write(work / "pkl.toml", 'name = "shop"\npaths = ["p", "q"]\n')
    assert pkl.ok("why", "db").lines.count("db cannot start (collision)") == 1
    assert pkl.json("why", "db")["others"] == []
    assert len(pkl.json("info", "db")["others"]) == 1
    assert pkl("resolve", "db").status == 5
