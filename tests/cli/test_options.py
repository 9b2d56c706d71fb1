"""The global options: before and after the verb, from files and from the environment."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.running import Pkl, directory_plugin
from tests.discovery.fakes import plugin, write


@pytest.mark.parametrize(
    "line",
    [
        ("--json", "--path", "p", "list"),
        ("list", "--json", "--path", "p"),
        ("--path", "p", "list", "--json"),
        ("list", "--path=p", "--json"),
    ],
)
def test_global_options_stand_before_or_after_the_verb(
    pkl: Pkl, work: Path, line: "list[str]"
) -> None:
    directory_plugin(work / "p", "auth")
    assert [each["name"] for each in pkl.ok(*line).json["plugins"]] == ["auth"]


def test_path_is_repeatable_on_both_sides(pkl: Pkl, work: Path) -> None:
    for name in ("a", "b", "c"):
        directory_plugin(work / name, name)
    ran = pkl.ok("--path", "a", "--path", "b", "list", "--path", "c", "-o", "name")
    assert ran.lines == ["a", "b", "c"]


def test_c_starts_in_another_directory_and_comes_back(pkl: Pkl, work: Path) -> None:
    directory_plugin(work / "inner" / "p", "auth")
    assert pkl.ok("-C", "inner", "list", "--path", "p", "-o", "name").lines == ["auth"]
    assert Path.cwd() == work
    assert pkl.ok("-C", "inner", "list", "-C", "p", "--path", ".", "-o", "name").lines == ["auth"]


def test_c_of_no_directory_is_a_usage_error(pkl: Pkl) -> None:
    ran = pkl("-C", "nowhere", "list")
    assert ran.status == 2
    assert "nowhere" in ran.err


@pytest.mark.parametrize("file", ["pyproject.toml", "pkl.toml"])
def test_the_host_is_described_in_a_file_of_the_directory(pkl: Pkl, work: Path, file: str) -> None:
    plugin(pkl.site, "auth", entry_points={"shop.plugins": {"auth": "auth"}})
    directory_plugin(work / "extra", "more", 'requires-host = ">=3"\n')
    write(
        work / file,
        '[tool.pkl]\nname = "shop"\nversion = "2.1"\ngroup = "shop.plugins"\npaths = ["extra"]\n',
    )
    found = pkl.json("list")
    assert (found["host"], found["group"]) == ("shop", "shop.plugins")
    assert [(p["name"], p["state"]) for p in found["plugins"]] == [
        ("auth", "enabled"),
        ("more", "blocked"),
    ]
    assert found["plugins"][1]["reason"]["code"] == "host-version"


def test_pkl_toml_may_leave_the_table_out_and_comes_first(pkl: Pkl, work: Path) -> None:
    write(work / "pkl.toml", 'name = "mine"\n')
    write(work / "pyproject.toml", '[tool.pkl]\nname = "other"\n')
    assert pkl.json("list")["host"] == "mine"


def test_a_pyproject_that_says_nothing_to_pkl_is_not_even_parsed(pkl: Pkl, work: Path) -> None:
    write(work / "pyproject.toml", "this is no TOML")
    assert pkl.json("list")["host"] is None


def test_group_on_the_command_line_leaves_the_files_directories_out(pkl: Pkl, work: Path) -> None:
    directory_plugin(work / "p", "auth")
    write(work / "pkl.toml", 'group = "shop.plugins"\npaths = ["p"]\n')
    assert pkl.ok("list", "-o", "name").lines == ["auth"]
    assert pkl.ok("list", "-o", "name", "--group", "shop.plugins").lines == ["auth"]
    assert pkl.ok("list", "-o", "name", "--group", "else.where").lines == []


def test_every_fault_of_the_table_is_named_at_once(pkl: Pkl, work: Path) -> None:
    write(work / "pkl.toml", 'nmae = "shop"\npaths = "p"\ngroup = 3\n')
    ran = pkl("list")
    assert ran.status == 2
    assert "error[E_USAGE]" in ran.err
    assert "did you mean 'name'" in ran.err
    assert all(key in ran.err for key in ("'paths'", "'group'", "3 faults"))


@pytest.mark.parametrize("text", [b"[tool.pkl", b"\xff pkl", b"[tool]\npkl = 3\n"])
def test_a_table_that_cannot_be_read_is_a_usage_error(pkl: Pkl, work: Path, text: bytes) -> None:
    write(work / "pyproject.toml", text)
    ran = pkl("list")
    assert ran.status == 2
    assert "pyproject.toml" in ran.err


APP = """
import pkl
host = pkl.PluginHost("shop", version="2", group="shop.plugins", paths=["p"])
def make():
    return host
other = 3
"""


@pytest.mark.parametrize("attribute", ["host", "make"])
def test_an_explicit_app_is_imported_and_asked(pkl: Pkl, work: Path, attribute: str) -> None:
    directory_plugin(work / "p", "auth")
    write(work / f"shop_{attribute}.py", APP)
    found = pkl.json("--app", f"shop_{attribute}:{attribute}", "list")
    assert (found["host"], found["group"]) == ("shop", "shop.plugins")
    assert [each["name"] for each in found["plugins"]] == ["auth"]


def test_app_comes_from_the_environment_too(
    pkl: Pkl, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(work / "shop_env.py", APP)
    monkeypatch.setenv("PKL_APP", "shop_env:host")
    assert pkl.json("list")["host"] == "shop"
    assert pkl.json("list", "--group", "pytest11")["host"] is None


def test_what_people_want_of_the_apps_plugins_counts(pkl: Pkl, work: Path) -> None:
    directory_plugin(work / "p", "auth")
    write(work / "shop_wish.py", APP + 'host.set_desired("auth", "disabled")\n')
    (found,) = pkl.json("--app", "shop_wish:host", "list")["plugins"]
    assert (found["desired"], found["state"]) == ("disabled", "disabled")


def test_app_in_the_table_is_not_imported_by_management_verbs(pkl: Pkl, work: Path) -> None:
    write(work / "shop_table.py", "raise RuntimeError('imported')")
    write(work / "pkl.toml", 'name = "shop"\napp = "shop_table:host"\n')
    ran = pkl.ok("list")
    assert "warning" not in ran.err


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise RuntimeError('no database')", "no database"),
        ("import pkl\nhost = pkl.PluginHost(paths=['p'])\nhost.start()", "start() is refused"),
        ("import pkl\nhost = pkl.PluginHost()\nhost.load_plugin('p/auth')", "load_plugin()"),
        ("from pkl.plugins import auth", "auth"),
        ("host = 3", "not a PluginHost"),
        ("", "has no host"),
        ("raise SystemExit(3)", "SystemExit"),
    ],
)
def test_an_app_that_cannot_be_asked_is_a_warning_and_the_rest_is_served(
    pkl: Pkl, work: Path, code: str, said: str
) -> None:
    directory_plugin(work / "p", "auth")
    module = f"shop_{abs(hash(code))}"
    write(work / f"{module}.py", code)
    write(work / "pkl.toml", 'name = "shop"\npaths = ["p"]\n')
    ran = pkl("--app", f"{module}:host", "list", "--json")
    assert ran.status == 0
    assert [each["name"] for each in ran.json["plugins"]] == ["auth"]
    assert ran.err.startswith("warning: ")
    assert said in ran.err


def test_a_malformed_app_is_named(pkl: Pkl) -> None:
    assert "MODULE:ATTR" in pkl("--app", "no-colon", "list").err


def test_colour_is_written_only_when_it_is_asked_for(
    pkl: Pkl, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory_plugin(work / "p", "auth")
    line = ("list", "--path", "p")
    assert "\x1b[" not in pkl.ok(*line).out
    assert "\x1b[" in pkl.ok(*line, "--color", "always").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in pkl.ok(*line).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in pkl.ok(*line).out
    assert "\x1b[" in pkl.ok("--color", "always", *line).out


def test_quiet_leaves_remarks_out(pkl: Pkl) -> None:
    assert pkl.ok("list", "-q", "--group", "nobody.has.this").err == ""


def test_every_verb_takes_every_global_option(pkl: Pkl) -> None:
    from pkl.cli.app import VERBS

    options = ("--offline", "--no-input", "--debug", "-v", "--color", "never", "--group", "x")
    for verb in VERBS:
        assert pkl(verb, *options, "--help").status == 0


def test_a_directory_that_is_gone_is_no_bug(pkl: Pkl, work: Path) -> None:
    os.rmdir(work)
    ran = pkl("list", "--json")
    assert ran.status in (0, 2), ran
    json.loads(ran.out)


def test_path_outranks_what_is_installed_and_adds_to_the_hosts_directories(
    pkl: Pkl, work: Path
) -> None:
    plugin(pkl.site, "auth", "1.0", 'name = "auth"\n')
    directory_plugin(work / "own", "more")
    directory_plugin(work / "new", "auth", 'version = "2.0"\n')
    write(work / "pkl.toml", 'paths = ["own"]\n')
    rows = pkl.json("list", "--path", "new")["plugins"]
    assert sorted((row["name"], row["version"], row["state"]) for row in rows) == [
        ("auth", "1.0", "unloaded"),
        ("auth", "2.0", "enabled"),
        ("more", "1.0", "enabled"),
    ]
    (set_aside,) = [row for row in rows if row["version"] == "1.0" and row["name"] == "auth"]
    assert set_aside["reason"]["code"] == "set-aside"
    assert pkl.json("check", "--path", "new")["findings"] == []


def test_another_group_is_not_the_hosts(pkl: Pkl, work: Path) -> None:
    write(work / "pkl.toml", 'name = "shop"\ngroup = "shop.plugins"\n')
    assert pkl.json("list")["host"] == "shop"
    assert pkl.json("list", "--group", "shop.plugins")["host"] == "shop"
    assert pkl.json("list", "--group", "pytest11")["host"] is None
