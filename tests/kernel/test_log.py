"""Logging: who speaks is found at each call; file and line are the caller's."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

import pkl

from .conftest import Make, enabled

CODE = """
import pkl, threading
from pkl import log, get_logger
child = get_logger("db")
@pkl.syscall
def speak(text):
    log.info(text)  # line 7
    child.warning("child %s", text, extra={"mine": 1})
def bare():
    thread = threading.Thread(target=lambda: log.error("from a bare thread"))
    thread.start(); thread.join()
@pkl.syscall
def leave():
    log.error("before")
    pkl.this.disable()
    log.error("after")
    child.error("after")
"""


@pytest.fixture
def plugin(host: pkl.PluginHost, make: Make, caplog: pytest.LogCaptureFixture) -> pkl.Plugin:
    caplog.set_level(logging.DEBUG, logger="pkl")
    return enabled(host, make("a", CODE, version="1.2"))


def test_a_plugin_speaks_through_its_own_logger(
    plugin: pkl.Plugin, host: pkl.PluginHost, caplog: pytest.LogCaptureFixture
) -> None:
    plugin.module.speak("hello")
    one, two = caplog.records
    assert (one.name, two.name) == ("pkl.plugin.a", "pkl.plugin.a.db")
    assert two.getMessage() == "child hello"
    fields: Any = vars(two)
    assert (fields["plugin"], fields["plugin_version"], fields["mine"]) == ("a", "1.2", 1)
    assert fields["host"] == host.kernel.name
    assert one.pathname.endswith("plugin.py") and one.lineno == 7 and one.funcName == "speak"


def test_outside_of_plugins_it_is_the_hosts_logger(
    host: pkl.PluginHost, caplog: pytest.LogCaptureFixture
) -> None:
    pkl.log.error("hello")
    assert caplog.records[0].name == "pkl.host"
    assert vars(caplog.records[0])["plugin"] is None
    assert pkl.get_logger("web").name == "web"


def test_a_bare_thread_of_a_plugin_is_recognised_by_its_module(
    plugin: pkl.Plugin, caplog: pytest.LogCaptureFixture
) -> None:
    plugin.module.bare()
    assert caplog.records[0].name == "pkl.plugin.a"


def test_a_stopped_plugin_is_silent_and_the_shared_logger_is_not_disabled(
    plugin: pkl.Plugin, caplog: pytest.LogCaptureFixture
) -> None:
    plugin.module.leave()
    assert [r.getMessage() for r in caplog.records] == ["before"]
    assert not logging.getLogger("pkl.plugin.a").disabled
    plugin.enable()
    plugin.module.speak("again")
    assert len(caplog.records) == 3


def test_levels_belong_to_the_host(plugin: pkl.Plugin, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("pkl.plugin.a").setLevel(logging.WARNING)
    try:
        plugin.module.speak("quiet")
        assert [r.levelname for r in caplog.records] == ["WARNING"]
    finally:
        logging.getLogger("pkl.plugin.a").setLevel(logging.NOTSET)


def test_log_calls_from_many_threads_keep_their_plugin(
    plugin: pkl.Plugin, caplog: pytest.LogCaptureFixture
) -> None:
    threads = [threading.Thread(target=plugin.module.speak, args=(str(i),)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {vars(r)["plugin"] for r in caplog.records} == {"a"} and len(caplog.records) == 16
