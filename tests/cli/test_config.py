"""``pkl config``: settings shown with their sources and changed, with no host running."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Dict

import pytest

from pkl.store import StateStore
from tests.cli.running import Pkl, directory_plugin
from tests.discovery.fakes import write

SCHEMA = {
    "additionalProperties": False,
    "required": ["must"],
    "properties": {
        "must": {},
        "port": {"type": "integer", "minimum": 1},
        "server": {"properties": {"host": {"type": "string"}}},
        "token": {"type": "string", "minLength": 5, "writeOnly": True},
    },
}


@pytest.fixture
def shop(pkl: Pkl, work: Path) -> StateStore:
    """The host ``shop`` of this directory, with mail, whose settings have a schema, and lone."""
    manifest = '[config]\nschema = "s.json"\ndefaults = { port = 25, server = { host = "a" } }\n'
    directory = directory_plugin(work / "plugins", "mail", manifest)
    write(directory / "s.json", json.dumps(SCHEMA))
    directory_plugin(work / "plugins", "lone")
    write(work / "pkl.toml", 'name = "shop"\ngroup = "shop.plugins"\npaths = ["plugins"]\n')
    return StateStore()


def kept(store: StateStore, name: str = "mail") -> Dict[str, Any]:
    """What is kept of a plugin's settings."""
    return dict(store.read("shop").state.record(name).settings)


def test_settings_are_shown_with_their_sources(
    pkl: Pkl, shop: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    pkl.ok("config", "mail", "set", "port", "587")
    monkeypatch.setenv("PKL_CONFIG_MAIL__TOKEN", "hunter2")
    assert pkl.ok("config", "Mail").out == (
        "KEY          VALUE     FROM\n"
        "port         587       pkl config\n"
        "server.host  a         the manifest's defaults\n"
        "token        ********  PKL_CONFIG_MAIL__TOKEN\n"
    )
    assert pkl.ok("config", "mail", "get", "server.host").out == "a\n"
    assert pkl.ok("config", "mail", "get", "token").out == "********\n"
    assert pkl.json("config", "mail") == {
        "schema": "pkl.config/1",
        "host": "shop",
        "group": "shop.plugins",
        "file": shop.path_of("shop"),
        "name": "mail",
        "version": "1.0",
        "settings": {"port": 587, "server": {"host": "a"}, "token": "********"},
        "kept": {"port": 587},
        "sources": {
            "port": "pkl config",
            "server.host": "the manifest's defaults",
            "token": "PKL_CONFIG_MAIL__TOKEN",
        },
    }


def test_values_are_typed_by_the_schema_else_json_else_text(pkl: Pkl, shop: StateStore) -> None:
    pkl.ok("config", "mail", "set", "server.host", "3")
    pkl.ok("config", "mail", "set", "must", "[1, true]")
    pkl.ok("config", "lone", "set", "a.b", "text")
    assert kept(shop) == {"server": {"host": "3"}, "must": [1, True]}
    assert kept(shop, "lone") == {"a": {"b": "text"}}


def test_what_breaks_the_schema_is_refused_and_changes_nothing(pkl: Pkl, shop: StateStore) -> None:
    ran = pkl("config", "mail", "set", "port", "0")
    assert ran.status == 5
    assert ran.err == (
        "error[E_SETTINGS]: the settings of mail have 1 fault\n"
        "  why: port = 0: must satisfy minimum: 1 (from pkl config)\n"
        "  hint: pkl config mail shows them; pkl config mail set KEY VALUE changes one\n"
    )
    error = pkl.json("config", "mail", "set", "token", "hunt", status=5)
    assert error["details"]["faults"][0]["path"] == "token"
    assert "hunt" not in json.dumps(error)
    assert not os.path.exists(shop.path_of("shop"))


def test_a_secret_can_come_from_standard_input_and_is_never_shown(
    pkl: Pkl, shop: StateStore
) -> None:
    pkl.stdin = "hunter2\n"
    said = [pkl.ok("config", "mail", "set", "token", "-")]
    assert kept(shop) == {"token": "hunter2"}
    for verb in ("config", "info", "why", "permissions"):
        said += [pkl.ok(verb, "mail"), pkl.ok(verb, "mail", "--json")]
    said.append(pkl("config", "mail", "set", "port", "0"))
    path = Path(shop.path_of("shop"))
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
    path.write_text(path.read_text().replace('"hunter2"', '"hunter2'))
    said += [pkl("list"), pkl("doctor"), pkl("doctor", "--json"), pkl("list", "--host", "shop")]
    assert not [each for each in said if "hunter2" in each.out + each.err]


@pytest.mark.parametrize("schema", [json.dumps(SCHEMA), "damaged"])
def test_a_secret_among_the_defaults_is_masked_too(
    pkl: Pkl, shop: StateStore, work: Path, schema: str
) -> None:
    manifest = '[config]\nschema = "s.json"\ndefaults = { token = "hunter2" }\n'
    write(directory_plugin(work / "plugins", "mail", manifest) / "s.json", schema)
    found = pkl.json("info", "mail")["config"]
    assert found == {"schema": "s.json", "defaults": {"token": "********"}}


def test_of_a_plugin_that_is_gone_everything_is_masked(pkl: Pkl, shop: StateStore) -> None:
    shop.change_settings("shop", "gone", lambda _: {"token": "hunter2", "a": {"b": "hunter2"}})
    assert pkl.json("config", "gone")["settings"] == {"token": "********", "a": "********"}
    pkl.ok("config", "gone", "unset", "token")
    assert kept(shop, "gone") == {"a": {"b": "hunter2"}}


def test_a_secret_under_a_name_that_the_schema_does_not_have_is_masked(
    pkl: Pkl, shop: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is misspelt, or from before an update of the plugin."""
    said = [pkl("config", "mail", "set", "tokn", "hunter2")]
    assert said[0].status == 5
    shop.change_settings("shop", "mail", lambda _: {"tokn": "hunter2"})
    monkeypatch.setenv("PKL_CONFIG_MAIL__PASWORD", "hunter2")
    said += [pkl.ok("config", "mail"), pkl.ok("config", "mail", "--json")]
    assert "'tokn' were unexpected" in said[1].err
    assert not [each for each in said if "hunter2" in each.out + each.err]


@pytest.mark.parametrize("schema", ["damaged", '{"type": "nonsense"}'])
def test_where_the_schema_is_none_everything_is_masked(
    pkl: Pkl, shop: StateStore, work: Path, schema: str
) -> None:
    shop.change_settings("shop", "mail", lambda _: {"token": "hunter2", "a": {"b": "hunter2"}})
    write(work / "plugins" / "mail" / "s.json", schema)
    ran = pkl.ok("config", "mail")
    assert "warning: the settings of mail have 1 fault\n    the schema " in ran.err
    assert "hunter2" not in ran.out + ran.err and "token" in ran.out
    assert pkl("config", "mail", "unset", "token").status == 5


def test_one_of_several_faults_can_be_mended(pkl: Pkl, shop: StateStore) -> None:
    """What is wrong in the end is told; what would be wrong in addition is refused."""
    faulty = {"port": 0, "tokn": 1, "paswd": 2, "token": "hunt"}
    shop.change_settings("shop", "mail", lambda _: faulty)
    assert pkl("config", "mail", "set", "server.host", "b").status == 0
    ran = pkl.ok("config", "mail", "set", "port", "5")
    assert "token = '********': must satisfy minLength: 5" in ran.err
    assert pkl("config", "mail", "set", "port", "0").status == 5
    assert pkl("config", "mail", "set", "prot", "1").status == 5
    for key in ("tokn", "paswd"):
        assert "warning: the settings of mail have " in pkl.ok("config", "mail", "unset", key).err
    assert pkl.ok("config", "mail", "set", "token", "hunter2").err.count("warning") == 0
    assert kept(shop) == {"port": 5, "server": {"host": "b"}, "token": "hunter2"}


def test_unset_forgets_what_was_set_here_and_no_more(pkl: Pkl, shop: StateStore) -> None:
    pkl.ok("config", "mail", "set", "server.host", "b")
    pkl.ok("config", "mail", "set", "port", "5")
    pkl.ok("config", "mail", "unset", "server.host")
    assert kept(shop) == {"port": 5}
    ran = pkl("config", "mail", "unset", "prot")
    assert ran.status == 2
    assert "'prot' of mail was not set with pkl config; did you mean 'port'?" in ran.err
    assert "did you mean 'port'?" in pkl("config", "mail", "get", "prot").err


@pytest.mark.parametrize(
    "words", [("set",), ("set", "a"), ("unset",), ("edit", "x"), ("get", "a", "b"), ("frob",)]
)
def test_words_that_make_no_sense_are_a_usage_error(
    pkl: Pkl, shop: StateStore, words: "tuple[str, ...]"
) -> None:
    assert pkl("config", "mail", *words).status == 2
    assert pkl("config", "mail", "set", "a..b", "1").status == 2


def test_unknown_plugins_and_hosts_without_a_name(pkl: Pkl, shop: StateStore, work: Path) -> None:
    assert "did you mean 'mail'" in pkl("config", "mial").err
    assert pkl("config", "mial").status == 4
    assert pkl("config", "mail", "--group", "x", "--path", "plugins").status == 2


def edit_with(monkeypatch: pytest.MonkeyPatch, work: Path, script: str) -> None:
    """Makes this shell script the editor; the file is ``$1``."""
    write(work / "editor", script)
    monkeypatch.setenv("VISUAL", f"sh {work / 'editor'}")


def left(tmp: Path) -> "list[Path]":
    """What editing left behind."""
    return sorted(tmp.glob("pkl-mail-*.json"))


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    directory = tmp_path / "scratch"
    directory.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(directory))
    return directory


def test_edit_keeps_what_the_editor_wrote(
    pkl: Pkl, shop: StateStore, work: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pkl.ok("config", "mail", "set", "token", "hunter2")
    edit_with(monkeypatch, work, 'stat -c %a "$1" > mode; sed -i s/hunter2/hunter3/ "$1"\n')
    ran = pkl.ok("config", "mail", "edit")
    assert kept(shop) == {"token": "hunter3"}
    assert "hunter" not in ran.out + ran.err
    assert Path("mode").read_text() == "600\n"
    assert left(scratch) == []


@pytest.mark.parametrize(
    ("script", "status", "said"),
    [
        ("printf 'nonsense hunter2' > $1\n", 2, "this is no JSON (line 1, column 1)"),
        ("printf '[1]' > $1\n", 2, "settings are a JSON object"),
        ('printf \'{"port": 1, "port": 2}\' > $1\n', 2, "a key stands there twice"),
        ("printf '{\"port\": 0}' > $1\n", 5, "port = 0: must satisfy minimum: 1"),
        ("exit 3\n", 2, "the editor exited with 3; nothing was changed"),
    ],
)
def test_an_edit_that_is_refused_changes_nothing_and_loses_nothing(
    pkl: Pkl,
    shop: StateStore,
    work: Path,
    scratch: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    status: int,
    said: str,
) -> None:
    edit_with(monkeypatch, work, script)
    ran = pkl("config", "mail", "edit")
    assert ran.status == status
    assert said in ran.err
    assert "hunter2" not in ran.err
    (file,) = left(scratch)
    assert f"warning: what you wrote is kept in {file}" in ran.err
    assert kept(shop) == {}


def test_an_edit_that_another_overtook_is_refused_and_kept(
    pkl: Pkl, shop: StateStore, work: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.change_settings("shop", "mail", lambda _: {"port": 5})
    edit_with(monkeypatch, work, "printf '{\"port\": 9}' > $1\n")
    check = StateStore.change_settings

    def overtaken(store: StateStore, host: str, plugin: str, edit: Any) -> Any:
        check(store, host, plugin, lambda _: {"port": 6})
        return check(store, host, plugin, edit)

    monkeypatch.setattr(StateStore, "change_settings", overtaken)
    ran = pkl("config", "mail", "edit")
    assert ran.status == 2
    assert "were changed by another while they were edited" in ran.err
    assert kept(shop) == {"port": 6}
    assert json.loads(left(scratch)[0].read_text()) == {"port": 9}


def test_without_an_editor_nothing_is_left(
    pkl: Pkl, shop: StateStore, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", "/no/such/editor")
    assert pkl("config", "mail", "edit").status == 69
    assert pkl("config", "mail", "edit", "--no-input").status == 2
    assert left(scratch) == []
