"""The entry point: the server runs while the plugin is enabled."""

from __future__ import annotations

from typing import Any, Dict

from pkl import log, this

import desk_http
from desk_http.server import Server


def respond(method: str, path: str, query: Dict[str, str], body: str) -> Any:
    """Hands a request to the plugin whose path it is."""
    return desk_http.answer(desk_http.Request(method, path, query, body))


@this.on_enable.on
def begin() -> None:
    """Starts the server."""
    desk_http.server = Server(respond, this.crash)
    this.host.resource_manager.register(desk_http.server)
    log.info("listening on http://127.0.0.1:%d", desk_http.server.port)
