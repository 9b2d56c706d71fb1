"""HTTP routes for plugins: ``from pkl.plugins import http`` and ``@http.route("/path")``.

A route is a resource of the plugin that made it, so it goes away when that plugin stops; the
server itself is a resource of this plugin.
"""

from __future__ import annotations

from threading import Lock
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple, TypeVar

from pkl import Resource, get_current_plugin, syscall

from .server import Server

__all__ = ["Request", "Route", "answer", "port", "route"]

Function = TypeVar("Function", bound=Callable[..., Any])

_lock = Lock()
_routes: Dict[Tuple[str, str], Route] = {}
server: Optional[Server] = None
"""The server of this generation; None until the plugin is enabled."""


class Request(NamedTuple):
    """What a route is asked."""

    method: str
    path: str
    query: Dict[str, str]
    body: str


class Route(Resource):
    """A path that one plugin answers.

    Args:
        method: ``GET`` or ``POST``.
        path: What is asked for, without a query.
        handler: Is called with a ``Request``; what it returns is answered as JSON.

    Raises:
        ValueError: The path is taken.
    """

    def __init__(self, method: str, path: str, handler: Callable[[Request], Any]) -> None:
        super().__init__()
        self.method = method
        self.path = path
        # As a syscall it runs as the plugin that defines it, in whichever thread, and a stopping
        # plugin waits for the requests that it is still answering.
        self.handler = syscall(handler)
        with _lock:
            taken = _routes.setdefault((method, path), self)
        if taken is not self:
            raise ValueError(f"{method} {path} is answered by {taken.plugin} already")

    def __repr__(self) -> str:
        return f"<Route {self.method} {self.path}>"

    def _cleanup(self) -> None:
        with _lock:
            del _routes[self.method, self.path]


def route(path: str, method: str = "GET") -> Callable[[Function], Function]:
    """Makes the decorated function answer a path, for as long as the calling plugin runs.

    It is not a syscall: the route has to belong to whoever calls this.

    Raises:
        ValueError: The path is taken.
    """

    def register(handler: Function) -> Function:
        plugin = get_current_plugin()
        if plugin is None:
            raise RuntimeError("only a plugin can have a route")
        plugin.host.resource_manager.register(Route(method, path, handler))
        return handler

    return register


@syscall
def port() -> int:
    """The port on 127.0.0.1 where the server listens.

    Raises:
        RuntimeError: The plugin is not enabled yet.
    """
    if server is None:
        raise RuntimeError("the server starts when its plugin is enabled")
    return server.port


def answer(request: Request) -> Any:
    """What the plugin whose path it is says to a request.

    Raises:
        LookupError: Nobody answers that path.
    """
    found = _routes.get((request.method, request.path))
    if found is None:
        raise LookupError(f"nobody answers {request.method} {request.path}")
    return found.handler(request)
