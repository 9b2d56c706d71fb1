"""``plugin.config`` in a running host: precedence, validity, changes and who hears of them."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any, Callable, Iterator, List

import pytest

import pkl
from pkl.errors import SettingsError
from pkl.store import StateStore
from tests.kernel.running import PATIENCE
from tests.settings.test_model import SCHEMA

Make = Callable[..., pkl.PluginHost]

CODE = """
from pkl import this
seen = [dict(this.config)]
@this.config.on
def changed(change):
    assert this.name == "mail"
    seen.append(change.keys)
"""


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    """A plugin with a schema and defaults."""
    directory = tmp_path / "p" / "mail"
    directory.mkdir(parents=True)
    manifest = {
        "name": "mail",
        "config": {"schema": "s.json", "defaults": {"level": "info", "server": {"host": "a"}}},
    }
    (directory / "plugin.json").write_text(json.dumps(manifest))
    (directory / "s.json").write_text(json.dumps(SCHEMA))
    (directory / "plugin.py").write_text(CODE)
    return directory


@pytest.fixture
def make(mail: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes hosts; closes them in the end."""
    monkeypatch.setenv("PKL_HOME", str(tmp_path / "home"))
    hosts: List[pkl.PluginHost] = []

    def create(name: Any = "shop", **more: Any) -> pkl.PluginHost:
        hosts.append(pkl.PluginHost(name, group="no.such", paths=[mail.parent], **more))
        return hosts[-1]

    yield create
    for each in hosts:
        each.close()


def started(host: pkl.PluginHost) -> pkl.Plugin:
    """Mail, of a host that has started."""
    host.start()
    plugin = host.get_plugin("mail")
    assert plugin is not None
    return plugin


def test_the_sources_rise_from_the_manifest_to_the_environment(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    StateStore().change_settings("shop", "mail", lambda _: {"port": 3, "server": {"host": "c"}})
    monkeypatch.setenv("PKL_CONFIG_MAIL__PORT", "4")
    given = {"Mail": {"port": 2, "level": "debug", "server": {"host": "b", "password": "s"}}}
    mail = started(make(settings=given))
    assert mail.state is pkl.PluginState.ENABLED
    assert mail.config["port"] == 4
    assert mail.config["level"] == "debug"
    assert mail.config["server"] == {"host": "c", "password": "s"}
    assert mail.module.seen[0] == dict(mail.config), "it reads them while it loads"


def test_settings_cannot_be_changed_by_those_who_read_them(make: Make) -> None:
    config: Any = started(make()).config
    with pytest.raises(TypeError):
        config["level"] = "debug"
    with pytest.raises(TypeError):
        config["server"]["host"] = "x"


def test_invalid_settings_are_an_error_of_that_plugin_before_its_code_runs(
    make: Make, mail: Path, tmp_path: Path
) -> None:
    (mail / "plugin.py").write_text(f"import os\nos.mkdir({str(tmp_path / 'ran')!r})\n")
    host = make(settings={"mail": {"port": "no", "token": "hunter2"}})
    report = host.start()
    reason = report.failed["mail"]
    assert reason.code == "config"
    assert "port = 'no': must be integer (from the host)" in reason.message
    assert "hunter2" not in str(report) + repr(reason)
    assert reason.remedy.startswith("pkl config mail shows them")
    assert not (tmp_path / "ran").exists()
    host.set_config("mail", {"port": 1, "token": "x" * 20})
    plugin = host.get_plugin("mail")
    assert plugin is not None and plugin.enable().config["port"] == 1


def test_a_change_is_kept_heard_of_and_refused_if_invalid(make: Make) -> None:
    host = make()
    mail = started(host)
    heard: List[Any] = []
    undo = mail.config.subscribe(heard.append)
    host.set_config("mail", {"port": 5})
    assert mail.module.seen[1:] == [("port",)]
    assert (heard[0].before.get("port"), heard[0].after["port"], heard[0].keys) == (
        None,
        5,
        ("port",),
    )
    assert StateStore().read("shop").state.record("mail").settings == {"port": 5}
    with pytest.raises(SettingsError):
        host.set_config("mail", {"port": 0})
    assert mail.config["port"] == 5
    assert StateStore().read("shop").state.record("mail").settings == {"port": 5}
    host.set_config("mail", {"port": 5})
    assert len(heard) == 1, "nothing changed"
    undo()
    host.set_config("mail", {})
    assert len(heard) == 1
    assert mail.module.seen[1:] == [("port",), ("port",)]


def test_a_handler_that_raises_is_contained_and_the_rest_hear_of_it(make: Make) -> None:
    host = make(None)
    mail = started(host)
    faults: List[Any] = []
    heard: List[Any] = []
    host.on_error.subscribe(faults.append)
    mail.config.subscribe(lambda change: 1 / 0)
    mail.config.subscribe(heard.append)
    host.set_config("mail", {"port": 5})
    assert len(heard) == 1
    assert isinstance(faults[0].error, ZeroDivisionError)
    assert mail.config["port"] == 5


def test_a_subscription_ends_with_its_subscriber(make: Make) -> None:
    host = make()
    mail = started(host)
    seen = mail.module.seen
    mail.disable()
    host.set_config("mail", {"port": 5})
    assert len(seen) == 1
    mail.enable()
    assert mail.module.seen[0]["port"] == 5
    assert len(mail.config._subscriptions) == 1


def test_refresh_reads_again_and_keeps_the_old_where_the_new_is_invalid(
    make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    host = make()
    mail = started(host)
    StateStore().change_settings("shop", "mail", lambda _: {"port": 7})
    host.refresh()
    assert mail.config["port"] == 7
    monkeypatch.setenv("PKL_CONFIG_MAIL__TOKEN", "hunter2")
    with caplog.at_level(logging.WARNING):
        host.refresh()
    assert "the settings that it had are kept" in caplog.text
    assert "hunter2" not in caplog.text
    assert "token" not in mail.config
    assert mail.state is pkl.PluginState.ENABLED


def test_the_text_of_settings_and_changes_shows_no_secret(make: Make) -> None:
    host = make(settings={"mail": {"token": "hunter2" * 3}})
    mail = started(host)
    heard: List[Any] = []
    mail.config.subscribe(heard.append)
    host.set_config("mail", {"server": {"password": "hunter2"}})
    assert repr(mail.config) == (
        "<settings of mail: {'level': 'info', 'server': {'host': 'a', 'password': '********'}, "
        "'token': '********'}>"
    )
    assert repr(heard[0]) == "<SettingsChange mail: server>"


@pytest.mark.parametrize("content", [None, "{", "[1]"])
def test_a_schema_that_cannot_be_read_is_an_error_of_that_plugin(
    make: Make, mail: Path, content: Any
) -> None:
    (mail / "s.json").unlink()
    if content is not None:
        (mail / "s.json").write_text(content)
    reason = make().start().failed["mail"]
    assert reason.code == "config"
    assert "schema" in reason.message


def test_a_plugin_without_any_has_none(make: Make, mail: Path) -> None:
    (mail / "plugin.json").write_text('{"name": "mail"}')
    plugin = started(make())
    assert dict(plugin.config) == {}
    assert repr(plugin.config) == "<settings of mail: {}>"


def test_every_handler_hears_of_changes_in_the_order_in_which_they_were_made(make: Make) -> None:
    """Also of one that a handler makes, while the others have not heard of the one before."""
    host = make(None)
    mail = started(host)
    first: List[int] = []
    second: List[int] = []

    def corrects(change: Any) -> None:
        first.append(change.after["port"])
        if change.after["port"] == 1:
            host.set_config("mail", {"port": 2})
            assert mail.config["port"] == 2

    mail.config.subscribe(corrects)
    mail.config.subscribe(lambda change: second.append(change.after["port"]))
    host.set_config("mail", {"port": 1})
    assert first == second == [1, 2]


def test_a_handler_that_another_takes_away_hears_no_more(make: Make) -> None:
    host = make(None)
    mail = started(host)
    heard: List[Any] = []
    mail.config.subscribe(lambda change: undo())
    undo = mail.config.subscribe(heard.append)
    host.set_config("mail", {"port": 1})
    assert heard == []


def test_what_is_said_while_the_plugin_is_imported_is_not_lost(make: Make, mail: Path) -> None:
    (mail / "plugin.py").write_text(
        "from pkl import this\n"
        "before = this.config.get('port')\n"
        "this.host.set_config('mail', {'port': 7})\n"
    )
    host = make(None)
    plugin = started(host)
    assert plugin.module.before is None and plugin.config["port"] == 7


def test_of_many_who_speak_at_once_the_last_holds(make: Make) -> None:
    """What the plugin reads is what is kept, and the changes are a chain."""
    host = make(None)
    mail = started(host)
    heard: List[Any] = []
    mail.config.subscribe(heard.append)

    def speak(first: int) -> None:
        for number in range(first, first + 20):
            host.set_config("mail", {"port": number})

    threads = [threading.Thread(target=speak, args=(n * 100 + 1,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert mail.config["port"] == host._settings.of(mail).values["port"]
    assert len(heard) == 80 and heard[-1].after["port"] == mail.config["port"]
    for one, next_one in zip(heard, heard[1:]):
        assert one.after is next_one.before


@pytest.mark.parametrize("name", ["shop", None])
@pytest.mark.parametrize(
    "value", [float("nan"), {1, 2}, b"hunter2", object(), {"a": {1: 2}}, [[float("inf")]]]
)
def test_what_json_cannot_hold_is_refused_by_any_host_and_not_shown(
    make: Make, mail: Path, name: Any, value: Any
) -> None:
    (mail / "s.json").write_text("{}")
    host = make(name)
    plugin = started(host)
    with pytest.raises(ValueError, match=r"^settings\.token") as raised:
        host.set_config("mail", {"token": value})
    assert "hunter2" not in str(raised.value) and "token" not in plugin.config


@pytest.mark.parametrize("name", ["shop", None])
def test_what_was_said_is_a_copy_and_what_was_read_can_be_said_again(make: Make, name: Any) -> None:
    host = make(name)
    mail = started(host)
    said: Any = {"server": {"host": "b"}, "many": [{"host": "c"}]}
    host.set_config("mail", said)
    said["server"]["host"] = 3
    mail.disable()
    mail.enable()
    assert mail.config["server"]["host"] == "b"
    host.set_config("mail", {**mail.config, "port": 4})
    assert mail.config["port"] == 4 and mail.config["many"] == ({"host": "c"},)
