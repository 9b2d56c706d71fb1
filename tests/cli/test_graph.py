"""``pkl graph``: one graph in every format."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Process
from tests.cli.running import Pkl, directory_plugin
from tests.discovery.fakes import install, write


@pytest.fixture
def chain(work: Path) -> Path:
    """``web`` needs ``auth`` needs ``db``; ``alone`` needs nothing; ``lost`` what is not there."""
    directory_plugin(work / "p", "db")
    directory_plugin(work / "p", "auth", requires=["db>=1"])
    directory_plugin(work / "p", "web", requires=["auth"])
    directory_plugin(work / "p", "alone")
    directory_plugin(work / "p", "lost", requires=["nowhere>=2"])
    write(work / "pkl.toml", 'name = "shop"\npaths = ["p"]\n')
    return work


@pytest.mark.usefixtures("chain")
def test_a_tree_is_the_default(pkl: Pkl) -> None:
    assert pkl.ok("graph", "web").lines == [
        "web 1.0",
        "└── auth 1.0",
        "    └── db 1.0 (>=1)",
    ]


@pytest.mark.usefixtures("chain")
def test_json_is_the_contract(pkl: Pkl) -> None:
    found = pkl.json("graph")
    assert found["schema"] == "pkl.graph/1"
    assert list(found) == ["schema", "nodes", "edges", "layers", "cycles", "missing"]
    assert found["nodes"][2] == {
        "id": "db",
        "name": "db",
        "version": "1.0",
        "distribution": None,
        "state": "enabled",
    }
    assert found["edges"][0] == {
        "from": "auth",
        "to": "db",
        "kind": "requires",
        "requirement": "db>=1",
        "satisfied": True,
        "via": [],
    }
    assert found["layers"] == [["alone", "db"], ["auth"], ["web"]]
    assert found["missing"] == [
        {"name": "nowhere", "required_by": "lost", "requirement": "nowhere>=2"}
    ]
    assert pkl.ok("graph", "--format", "json").json == found


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize(
    ("format", "begins"),
    [
        ("waves", "wave 1: 2 plugins"),
        ("dot", 'digraph "shop" {'),
        ("mermaid", "flowchart RL"),
        ("svg", "<svg "),
        ("html", "<!doctype html>"),
    ],
)
def test_each_format_is_itself(pkl: Pkl, format: str, begins: str) -> None:
    out = pkl.ok("graph", "--format", format).out
    assert out.lower().startswith(begins.lower())
    assert "auth" in out


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize("suffix", ["svg", "html", "dot", "json", "mmd"])
def test_the_suffix_of_the_file_says_the_format(pkl: Pkl, work: Path, suffix: str) -> None:
    ran = pkl.ok("graph", "-o", f"graph.{suffix}")
    assert ran.out == ""
    assert f"graph.{suffix}" in ran.err
    format = {"mmd": "mermaid"}.get(suffix, suffix)
    written = (work / f"graph.{suffix}").read_text(encoding="utf-8")
    assert written == pkl.ok("graph", "--format", format).out


@pytest.mark.usefixtures("chain")
def test_invert_shows_who_needs_it(pkl: Pkl) -> None:
    assert pkl.ok("graph", "db", "--invert").lines[0] == "db 1.0"
    assert "web" in pkl.ok("graph", "db", "--invert").out
    nodes = pkl.ok("graph", "db", "--invert", "--format", "json").json["nodes"]
    assert [each["id"] for each in nodes] == ["auth", "db", "web"]


@pytest.mark.usefixtures("chain")
def test_depth_and_focus_cut_a_part_out(pkl: Pkl) -> None:
    def ids(*arguments: str) -> "list[str]":
        found = pkl.ok("graph", "--format", "json", *arguments).json
        return [each["id"] for each in found["nodes"]]

    assert ids("web", "--depth", "1") == ["auth", "web"]
    assert ids("--focus", "auth", "--depth", "1") == ["auth", "db", "web"]
    assert ids("--focus", "db") == ["auth", "db", "web"]
    assert "alone" not in pkl.ok("graph", "--focus", "auth").out


def test_reduce_leaves_out_what_longer_ways_imply(pkl: Pkl, chain: Path) -> None:
    directory_plugin(chain / "p", "top", requires=["web", "db"])
    whole, reduced = pkl.json("graph"), pkl.json("graph", "--reduce")
    gone = [each for each in whole["edges"] if each not in reduced["edges"]]
    assert [(each["from"], each["to"]) for each in gone] == [("top", "db")]


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("web", "--focus", "db"), 2),
        (("--json", "--format", "svg"), 2),
        (("--format", "gif"), 2),
        (("--depth", "-1"), 2),
        (("wbe",), 4),
        (("--focus", "wbe"), 4),
        (("-o", "no/such/folder/x.svg"), 2),
    ],
)
def test_what_makes_no_sense_is_refused(
    pkl: Pkl, arguments: "tuple[str, ...]", status: int
) -> None:
    assert pkl("graph", *arguments).status == status


@pytest.mark.usefixtures("chain")
def test_a_misspelt_name_is_met_with_the_right_one(pkl: Pkl) -> None:
    assert "did you mean 'web'?" in pkl("graph", "wbe").err


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize("format", ["png", "pdf"])
def test_pictures_by_graphviz_need_it_on_the_path(
    pkl: Pkl, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    monkeypatch.setenv("PATH", "")
    ran = pkl("graph", "--format", format, "-o", f"x.{format}")
    assert ran.status == 69
    assert "E_TOOL" in ran.err
    assert "--format svg" in ran.err


@pytest.mark.usefixtures("chain")
def test_graphviz_is_given_the_graph(
    pkl: Pkl, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = shutil.which("sh")
    program = write(tmp_path / "bin" / "dot", f'#!{shell}\necho "asked for $1"\nexec /bin/cat\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    pkl.ok("graph", "-o", "x.png")
    assert (work / "x.png").read_text(encoding="utf-8").startswith('asked for -Tpng\ndigraph "')


@pytest.mark.usefixtures("chain")
def test_a_graphviz_that_fails_is_quoted(
    pkl: Pkl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = shutil.which("sh")
    program = write(tmp_path / "bin" / "dot", f"#!{shell}\necho too large >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    ran = pkl("graph", "-o", "x.png")
    assert ran.status == 2
    assert "too large" in ran.err


def test_in_anothers_group_edges_come_from_the_distributions_and_say_through_what(
    pkl: Pkl,
) -> None:
    points = {"mkdocs.plugins": {"one": "one"}}
    install(pkl.site, "mk-one", entry_points=points, files={"one.py": ""}, requires=["between>1"])
    install(pkl.site, "between", "2.0", requires=["mk-two"])
    points = {"mkdocs.plugins": {"two": "two"}}
    install(pkl.site, "mk-two", entry_points=points, files={"two.py": ""})
    found = pkl.json("graph", "--group", "mkdocs.plugins")
    edges = [each for each in found["edges"] if each["from"].startswith("mk-one")]
    assert edges == [
        {
            "from": "mk-one:one",
            "to": "mk-two:two",
            "kind": "requires",
            "requirement": "mk-two",
            "satisfied": True,
            "via": ["between"],
        }
    ]
    assert "via between" in pkl.ok("graph", "--group", "mkdocs.plugins", "one").out


def test_output_that_is_not_unicode_gets_an_ascii_tree(process: Process, chain: Path) -> None:
    ran = process.run("graph", cwd=str(chain), environment={"PYTHONIOENCODING": "ascii"})
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.isascii()
    assert "`-- db 1.0 (>=1)" in ran.stdout


def test_a_picture_is_utf8_whatever_the_terminal_is(process: Process, chain: Path) -> None:
    ran = process.run(
        "graph", "--format", "svg", cwd=str(chain), environment={"PYTHONIOENCODING": "ascii"}
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("<svg")


def test_json_is_ascii(pkl: Pkl, work: Path) -> None:
    directory_plugin(work / "p", "a", 'summary = "é\\u009b"\n')
    out = pkl.ok("list", "--path", "p", "--json").out
    assert out.isascii()
    assert json.loads(out)["plugins"][0]["summary"] == "é\x9b"
