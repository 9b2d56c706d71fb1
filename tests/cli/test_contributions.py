"""What plugins contribute, and what is wrong with it, seen offline: nothing is imported."""

from __future__ import annotations

import json
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Optional

import pytest

from pkl import PluginHost
from pkl.cli import diagnosis
from pkl.store import StateStore
from tests.cli.running import Pkl, directory_plugin
from tests.discovery.fakes import write

SCHEMA = {"type": "array", "items": {"required": ["id"], "properties": {"id": {"type": "string"}}}}
PROJECT = """
name = "shop"
group = "shop.plugins"
paths = ["plugins"]
contributions = { commands = "schemas/commands.json", menus = true }
"""


@pytest.fixture
def shop(pkl: Pkl, work: Path) -> Path:
    """The host ``shop`` of this directory, with plugins that contribute; its plugin directory."""
    plugins = work / "plugins"
    directory_plugin(plugins, "base", '[contributes]\ncommands = [{ id = "base" }]\n')
    directory_plugin(
        plugins,
        "aside",
        'activation = ["import"]\n[contributes]\nmenus = { a = 1 }\ncommands = [{ id = "aside" }]',
        requires=["base"],
    )
    directory_plugin(plugins, "off", "[contributes]\ncommands = []\n")
    directory_plugin(plugins, "lost", "[contributes]\ncommands = []\n", requires=["nowhere"])
    directory_plugin(plugins, "plain")
    write(work / "schemas" / "commands.json", json.dumps(SCHEMA))
    write(work / "pkl.toml", PROJECT)
    pkl.ok("disable", "off")
    return plugins


def test_a_point_is_listed_in_the_order_of_the_plan(pkl: Pkl, shop: Path) -> None:
    assert pkl.ok("list", "--contributes", "commands").out == (
        "NAME   VERSION  STATE       CONTRIBUTES\n"
        'base   1.0      ● enabled   [{"id": "base"}]\n'
        'aside  1.0      ○ unloaded  [{"id": "aside"}]\n'
    )
    assert pkl.ok("list", "--contributes", "menus", "-o", "name").out == "aside\n"
    assert "DISTRIBUTION" in pkl.ok("list", "--contributes", "menus", "-o", "wide").lines[0]
    assert pkl.ok(
        "list", "--contributes", "commands", "--state", "unloaded", "-o", "name"
    ).lines == ["aside"]


def test_a_point_is_listed_as_json(pkl: Pkl, shop: Path) -> None:
    found = pkl.json("list", "--contributes", "commands")
    assert found["schema"] == "pkl.list/1"
    assert [(each["name"], each["contribution"]) for each in found["plugins"]] == [
        ("base", [{"id": "base"}]),
        ("aside", [{"id": "aside"}]),
    ]
    assert all("contribution" not in each for each in pkl.json("list")["plugins"])


def test_a_point_to_which_nobody_contributes_is_an_empty_list(pkl: Pkl, shop: Path) -> None:
    pkl.ok("mask", "aside")
    ran = pkl.ok("list", "--contributes", "menus")
    assert (ran.out, ran.err) == ("", "no plugin contributes to menus\n")
    assert pkl.json("list", "--contributes", "menus")["plugins"] == []


def test_a_point_that_the_host_does_not_have_is_a_mistake(pkl: Pkl, shop: Path) -> None:
    ran = pkl("list", "--contributes", "comands")
    assert ran.status == 2
    assert "the host 'shop' declares no point 'comands'; did you mean 'commands'?" in ran.err
    assert "its points: commands, menus" in ran.err


def test_where_nobody_knows_the_points_any_key_can_be_listed(pkl: Pkl, shop: Path) -> None:
    assert pkl.ok(
        "list", "--path", "plugins", "--group", "x", "--contributes", "menus", "-o", "name"
    )
    write(Path("pkl.toml"), PROJECT.replace("contributions", "# contributions"))
    assert pkl.ok("list", "--contributes", "menus", "-o", "name").out == "aside\n"
    assert pkl.ok("list", "--contributes", "zzz", "-o", "name").out == ""


def test_info_shows_what_a_plugin_contributes(pkl: Pkl, shop: Path) -> None:
    directory_plugin(shop, "more", '[contributes]\nmenus = "x"\nmenues = 1\n')
    out = pkl.ok("info", "more").out
    assert 'Contributes: menus = "x"\n' in out
    assert "Contributes: menues = 1 (no point of this host)\n" in out
    found = pkl.json("info", "more")
    assert found["contributes"] == {"menus": "x", "menues": 1}
    assert found["unknown_points"] == ["menues"]
    directory_plugin(shop, "long", f'[contributes]\nmenus = "{"x" * 5000}"\n')
    (line,) = (each for each in pkl.ok("info", "long").lines if each.startswith("Contributes"))
    assert line.endswith("x...")
    assert len(line) < 450


def test_what_a_plugin_wrote_cannot_reach_the_terminal(pkl: Pkl, shop: Path) -> None:
    directory_plugin(shop, "evil", '[contributes]\nmenus = "\\u001b[2J\\u202e"\n"\\u001b[1m" = 1\n')
    for verb in (("info", "evil"), ("list", "--contributes", "menus"), ("check",), ("doctor",)):
        ran = pkl(*verb)
        assert "\x1b" not in ran.out + ran.err
        assert "\u202e" not in ran.out + ran.err


def test_a_value_that_breaks_the_schema_is_an_error_with_its_line(pkl: Pkl, shop: Path) -> None:
    directory = directory_plugin(shop, "bad", "[contributes]\ncommands = [{ id = 3 }, {}]\n")
    found = pkl.json("check", status=1)["findings"]
    mine = [each for each in found if each["file"] == str(directory / "plugin.toml")]
    assert [(each["severity"], each["code"], each["path"], each["line"]) for each in mine] == [
        ("error", "manifest", "contributes.commands[0].id", 4),
        ("error", "manifest", "contributes.commands[1]", 4),
    ]
    assert mine[0]["message"] == (
        "contributes.commands[0].id = 3: must be string (by the schema of the host)"
    )
    listed = {each["name"]: each["state"] for each in pkl.json("list")["plugins"]}
    assert listed["bad"] == "error"
    assert listed["base"] == "enabled"
    assert "contributes.commands[0].id = 3" in pkl.ok("why", "bad").out
    assert pkl("doctor").status == 1


def test_a_key_that_is_no_point_is_a_warning_of_check_and_doctor(pkl: Pkl, shop: Path) -> None:
    directory = directory_plugin(shop, "typo", "[contributes]\ncomands = []\n")
    expected = {
        "severity": "warning",
        "code": "unknown-point",
        "message": "plugin 'typo' 1.0 contributes to 'comands', which is no point of this host",
        "file": str(directory / "plugin.toml"),
        "line": 4,
        "path": "contributes.comands",
        "hint": "did you mean 'commands'? a key that is for another host may stay",
    }
    assert expected in pkl.json("check", status=1)["findings"]
    assert expected in pkl.json("doctor", status=1)["findings"]
    (alone,) = pkl.json("check", "plugins/typo")["findings"]
    assert alone == {**expected, "file": "plugins/typo/plugin.toml"}
    assert pkl("check", "--strict", "plugins/typo").status == 1


def test_check_of_a_path_holds_it_against_the_schemas(pkl: Pkl, shop: Path) -> None:
    directory_plugin(shop, "bad", "[contributes]\ncommands = 3\n")
    (finding,) = pkl.json("check", "plugins/bad", status=1)["findings"]
    assert finding["message"].startswith("contributes.commands = 3: must be array")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("contributions = 3", "'contributions' must be a table of points, each a file or true"),
        ("contributions = { a = false }", "each of 'contributions' must be a file with a JSON"),
        ('contributions = { a = " " }', "each of 'contributions' must be a file with a JSON"),
        ("contribution = {}", "'contribution' is not known; did you mean 'contributions'?"),
    ],
)
def test_a_table_that_makes_no_sense_is_a_mistake(
    pkl: Pkl, work: Path, line: str, fault: str
) -> None:
    write(work / "pkl.toml", f"{line}\n")
    ran = pkl("list")
    assert ran.status == 2
    assert fault in ran.err


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "commands = 'schemas/commands.json': cannot be read: No such file or directory"),
        ("{", "commands = 'schemas/commands.json': is not JSON:"),
        ("[]", "must hold a JSON Schema: an object, true or false"),
        ('{"type": 3}', "commands = {'type': 3}: the schema is no JSON Schema"),
        (" " * (1024 * 1024 + 1), "is larger than 1048576 bytes"),
    ],
)
def test_a_schema_that_cannot_be_used_stops_no_verb_but_run(
    pkl: Pkl, shop: Path, content: Optional[str], fault: str
) -> None:
    file = Path("schemas/commands.json")
    file.unlink()
    if content is not None:
        file.write_text(content)
    ran = pkl.ok("list", "--contributes", "commands", "-o", "name")
    assert ran.out == "base\naside\n"
    assert fault in ran.err
    assert "what plugins contribute is not checked" in ran.err
    assert "warning" not in pkl.ok("version").err
    ran = pkl("run")
    assert ran.status == 2
    assert fault in ran.err


def test_nothing_is_read_of_schemas_where_nobody_contributes(pkl: Pkl, work: Path) -> None:
    directory_plugin(work / "plugins", "plain")
    write(work / "pkl.toml", PROJECT)
    assert pkl.ok("list", "-o", "name").out == "plain\n"
    assert pkl.ok("list").err == ""


def without_jsonschema(name: str, *more: Any) -> Optional[ModuleSpec]:
    """``find_spec`` where the extra is not installed."""
    return None if name == "jsonschema" else find_spec(name, *more)


def test_without_the_extra_names_are_known_and_doctor_says_what_is_missing(
    pkl: Pkl, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory_plugin(shop, "bad", "[contributes]\ncommands = 3\ncomands = 1\n")
    monkeypatch.setitem(__import__("sys").modules, "jsonschema", None)
    monkeypatch.setattr(diagnosis, "find_spec", without_jsonschema)
    assert "bad" in pkl.ok("list", "--contributes", "commands", "-o", "name").lines
    findings = pkl.json("doctor", status=1)["findings"]
    (extra,) = (each for each in findings if each["code"] == "extra")
    assert extra["message"] == (
        "checking what is contributed to commands needs the extra 'schema', which is missing"
    )
    assert extra["hint"] == 'pip install "pkl[schema]"'
    assert any(each["code"] == "unknown-point" for each in findings)
    ran = pkl("run")
    assert ran.status == 69
    assert 'pip install "pkl[schema]"' in ran.err


def test_a_host_is_looked_at_as_it_described_itself(
    pkl: Pkl, shop: Path, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pkl.may_import = True
    plugins = tmp_path / "elsewhere"
    directory_plugin(plugins, "good", "[contributes]\ntools = 1\n", code="")
    directory_plugin(plugins, "bad", "[contributes]\ntools = 0\ntool = 1\n", code="")
    with PluginHost(
        "depot", group="no.such", paths=[plugins], contributions={"tools": {"minimum": 1}}
    ) as host:
        host.start()
    assert pkl.ok("list", "--host", "depot", "--contributes", "tools", "-o", "name").out == "good\n"
    ran = pkl("check", "--host", "depot")
    assert ran.status == 1
    assert "contributes.tools = 0: must satisfy minimum: 1" in ran.out
    assert "contributes to 'tool', which is no point of this host" in ran.out
    store = StateStore()
    path = Path(store.path_of("depot"))
    whole = json.loads(path.read_text())
    whole["host"]["points"] = {"tools": {"type": 3}}
    path.write_text(json.dumps(whole))
    ran = pkl.ok("list", "--host", "depot", "-o", "name")
    assert ran.out == "bad\ngood\n"
    assert "the schema is no JSON Schema" in ran.err


def test_run_gives_the_host_of_a_project_its_points(pkl: Pkl, work: Path) -> None:
    pkl.may_import = True
    code = 'import pkl\nprint(pkl.contributions("menus")[0].value)\npkl.this.host.exit(0)\n'
    directory_plugin(work / "plugins", "menu", '[contributes]\nmenus = "m"\ncomands = 1\n', code)
    write(work / "pkl.toml", PROJECT)
    write(work / "schemas" / "commands.json", json.dumps(SCHEMA))
    ran = pkl.ok("run", "--timeout", "0")
    assert "m\n" in ran.out
    facts = StateStore().read("shop").state.facts
    assert facts is not None and facts.points == {"commands": SCHEMA, "menus": None}


def test_an_application_is_asked_for_its_points(
    pkl: Pkl, shop: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        work / "depot_app.py",
        f"import pkl\nhost = pkl.PluginHost(group='no.such', paths=[{str(shop)!r}],"
        " contributions={'menus': None})\n",
    )
    monkeypatch.syspath_prepend(str(work))
    app = ("--app", "depot_app:host")
    rows = {each["name"]: each["state"] for each in pkl.json("list", *app)["plugins"]}
    assert rows["base"] == "enabled"
    assert pkl.ok("list", *app, "--contributes", "menus", "-o", "name").out == "aside\n"
    assert pkl("list", *app, "--contributes", "commands").status == 2
    assert "contributes to 'commands', which is no point" in pkl("check", *app).out
