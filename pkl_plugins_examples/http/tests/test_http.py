"""What http promises to the plugins that have routes, over a real socket."""

from __future__ import annotations

import json
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Iterator, Tuple

import pkl
import pytest
from pkl.testing import assert_clean

GREETER = """
from pkl import this
from pkl.plugins import http

@http.route("/hello")
def hello(request):
    return {"hello": request.query.get("name"), "as": this.name}

@http.route("/hello", method="POST")
def shout(request):
    return request.body.upper()

@http.route("/fails")
def fails(request):
    raise ZeroDivisionError
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[pkl.PluginHost]:
    greeter = tmp_path / "greeter"
    greeter.mkdir()
    (greeter / "plugin.toml").write_text('name = "greeter"\nrequires = ["http>=1,<2"]\n')
    (greeter / "plugin.py").write_text(GREETER)
    with pkl.PluginHost(version="2.1", group="desk.plugins") as host:
        host.load_plugin(path=greeter).enable()
        yield host


def ask(host: pkl.PluginHost, method: str, path: str, body: str = "") -> Tuple[int, Any]:
    connection = HTTPConnection("127.0.0.1", host.plugins.http.port(), timeout=10)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_route_is_answered_as_the_plugin_that_has_it(host: pkl.PluginHost) -> None:
    assert ask(host, "GET", "/hello?name=ana") == (200, {"hello": "ana", "as": "greeter"})
    assert ask(host, "POST", "/hello", "ink") == (200, "INK")


def test_a_path_that_nobody_answers_is_404_and_an_error_is_500(host: pkl.PluginHost) -> None:
    assert ask(host, "GET", "/nothing")[0] == 404
    assert ask(host, "GET", "/fails") == (500, {"error": "ZeroDivisionError"})


def test_a_route_goes_with_its_plugin_while_the_server_stays(host: pkl.PluginHost) -> None:
    greeter = host.get_plugin("greeter")
    assert greeter is not None
    greeter.disable()
    assert ask(host, "GET", "/hello")[0] == 404
    greeter.enable()
    assert ask(host, "GET", "/hello")[0] == 200


def test_the_server_its_port_and_its_thread_go_with_http(host: pkl.PluginHost) -> None:
    http, greeter = host.get_plugin("http"), host.get_plugin("greeter")
    assert http is not None
    assert greeter is not None
    port = host.plugins.http.port()
    http.disable()
    assert greeter.state is pkl.PluginState.DISABLED
    assert "desk-http" not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(ConnectionRefusedError):
        HTTPConnection("127.0.0.1", port, timeout=10).connect()


def test_a_path_can_be_taken_only_once(host: pkl.PluginHost, tmp_path: Path) -> None:
    rival = tmp_path / "rival"
    rival.mkdir()
    (rival / "plugin.toml").write_text('name = "rival"\nrequires = ["http"]\n')
    (rival / "plugin.py").write_text(
        "from pkl.plugins import http\n@http.route('/hello')\ndef hello(request): ...\n"
    )
    with pytest.raises(pkl.PluginLoadError, match="GET /hello is answered by"):
        host.load_plugin(path=rival)
    assert ask(host, "GET", "/hello")[0] == 200


def test_it_is_started_again_with_its_users_when_the_server_dies(host: pkl.PluginHost) -> None:
    import desk_http

    http, greeter = host.get_plugin("http"), host.get_plugin("greeter")
    assert http is not None
    assert greeter is not None
    dead = desk_http.server
    assert dead is not None

    def dies() -> None:
        raise OSError("the line went dead")

    dead._http.service_actions = dies  # type: ignore[method-assign]
    end = time.monotonic() + 20
    while http.generation.number == 1 or greeter.state is not pkl.PluginState.ENABLED:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert ask(host, "GET", "/hello?name=ana") == (200, {"hello": "ana", "as": "greeter"})


def test_it_leaves_nothing_behind(host: pkl.PluginHost) -> None:
    http = host.get_plugin("http")
    assert http is not None
    assert ask(host, "GET", "/hello")[0] == 200
    http.disable()
    assert_clean(http)
