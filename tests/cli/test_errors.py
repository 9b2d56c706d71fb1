"""How a command line ends: exit codes, three lines, JSON, and nothing but these."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import pkl.cli.app
from pkl.cli.app import VERBS
from pkl.cli.session import Session
from pkl.errors import PluginLoadError
from tests.cli.conftest import Process
from tests.cli.running import Pkl, directory_plugin


@pytest.mark.parametrize(
    "line",
    [
        ("lst",),
        ("list", "--nope"),
        ("list", "extra"),
        ("graph", "--depth", "x"),
        ("--color", "sometimes", "list"),
        ("info",),
        ("--path",),
    ],
)
def test_what_cannot_be_understood_is_exit_2(pkl: Pkl, line: "tuple[str, ...]") -> None:
    ran = pkl(*line)
    assert ran.status == 2
    assert ran.out == ""
    headline, hint = ran.err.splitlines()
    assert headline.startswith("error[E_USAGE]: ")
    assert hint.startswith("  hint: pkl")


def test_a_misspelt_verb_is_met_with_the_right_one(pkl: Pkl) -> None:
    assert "did you mean 'resolve'?" in pkl("reslove").err


@pytest.mark.parametrize(
    "line", [("--json", "lst"), ("list", "--nope", "--json"), ("info", "--json")]
)
def test_errors_are_one_object_with_json(pkl: Pkl, line: "tuple[str, ...]") -> None:
    ran = pkl(*line)
    assert (ran.status, ran.err) == (2, "")
    assert list(ran.json) == ["schema", "code", "message", "hint", "details"]
    assert (ran.json["schema"], ran.json["code"]) == ("pkl.error/1", "E_USAGE")


def test_an_error_has_its_fields_in_the_details(pkl: Pkl, work: Path) -> None:
    directory_plugin(work / "p", "auth")
    found = pkl.json("info", "autj", "--path", "p", status=4)
    assert found["code"] == "E_NO_PLUGIN"
    assert found["details"] == {"plugin": "autj", "did_you_mean": "auth"}


def test_an_unexpected_error_is_a_bug_and_says_how_to_report_it(
    pkl: Pkl, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("pkl.cli.list.Scope", broken)
    ran = pkl("list")
    assert ran.status == 70
    what, why, hint = ran.err.splitlines()
    assert what.startswith("error[E_BUG]: a bug in pkl ")
    assert "ZeroDivisionError: by zero" in what
    assert why.startswith("  why: raised in test_errors.py, line ")
    assert "--debug" in hint and "pkl version" in hint
    assert "Traceback" in pkl("list", "--debug").err
    assert pkl("list", "--json").json["code"] == "E_BUG"


def test_debug_shows_the_traceback_of_an_expected_error_too(pkl: Pkl) -> None:
    assert "Traceback" not in pkl("info", "x").err
    assert "Traceback" in pkl("info", "x", "--debug").err


def test_an_interrupt_is_130_without_a_traceback(pkl: Pkl, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pkl.cli.list.Scope", interrupted)
    ran = pkl("list")
    assert (ran.status, ran.out, ran.err) == (130, "", "interrupted\n")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are those of POSIX")
@pytest.mark.parametrize(
    ("line", "status"),
    [(("list", "--path", "p"), 0), (("--help",), 0), (("check", "--path", "p", "--json"), 1)],
)
def test_a_closed_pipe_is_quiet_and_changes_no_verdict(
    process: Process, work: Path, line: "tuple[str, ...]", status: int
) -> None:
    directory_plugin(work / "p", "lost", requires=["nowhere"])
    running = process.start(*line, stdout=subprocess.PIPE)
    assert running.stdout is not None
    running.stdout.close()
    running.stdout = None
    _, err = running.communicate(timeout=30)
    assert running.returncode == status
    assert "BrokenPipe" not in err and "Traceback" not in err and "Exception" not in err


def test_the_cause_of_an_error_is_its_why(capsys: pytest.CaptureFixture[str]) -> None:
    error = PluginLoadError("plugin 'x' cannot be loaded", plugin="x", hint="correct it")
    error.__cause__ = ValueError("bad\x1b[0m")
    Session().fail_with(error)
    assert capsys.readouterr().err.splitlines() == [
        "error[E_LOAD]: plugin 'x' cannot be loaded",
        "  why: ValueError: bad\\x1b[0m",
        "  hint: correct it",
    ]


def test_what_to_do_next_is_said_by_the_error_and_not_by_its_cause(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = PluginLoadError("plugin 'x' cannot be loaded", plugin="x", hint="correct it")
    error.__cause__ = PluginLoadError("plugin 'y' is bad", plugin="y", hint="look at it")
    Session().fail_with(error)
    assert capsys.readouterr().err.splitlines() == [
        "error[E_LOAD]: plugin 'x' cannot be loaded",
        "  why: PluginLoadError: plugin 'y' is bad",
        "  hint: correct it",
    ]


def test_details_that_json_does_not_know_become_text(capsys: pytest.CaptureFixture[str]) -> None:
    session = Session()
    session.json = True
    session.fail("E_X", "no", details={"file": Path("a"), "names": ("b", {"c"}), "none": None})
    found = json.loads(capsys.readouterr().out)
    assert found["details"] == {"file": "a", "names": ["b", ["c"]], "none": None}


def test_help_and_version_work(pkl: Pkl) -> None:
    assert pkl.ok("--version").out == "pkl 0.1.0\n"
    assert pkl.ok("--help").out == pkl.ok("-h").out == pkl.ok().out
    for verb in VERBS:
        assert verb in pkl.ok("--help").out
        assert pkl.ok(verb, "--help").out.startswith(f"Usage: pkl {verb}")


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_the_overall_help_says_what_a_verbs_own_help_says(verb: str) -> None:
    """So that the help page need not import the verb."""
    import click

    command = pkl.cli.app.app.get_command(click.Context(pkl.cli.app.app), verb)
    assert command is not None
    assert command.help is not None
    assert " ".join(command.help.split("\n\n")[0].split()) == VERBS[verb][1]


def test_version_tells_what_a_bug_report_needs(pkl: Pkl) -> None:
    found = pkl.json("version")
    assert list(found) == [
        "schema",
        "version",
        "python",
        "implementation",
        "platform",
        "executable",
        "libraries",
    ]
    assert found["libraries"]["click"]
    assert pkl.ok("version").lines[0] == f"pkl {found['version']}"


def test_main_returns_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pkl.cli.main(["--version"]) == 0
    assert pkl.cli.main(["nonsense"]) == 2
    monkeypatch.setattr(sys, "argv", ["pkl", "--version"])
    assert pkl.cli.main() == 0
