"""What the web servers of pkl for this machine have in common: GET and HEAD, and nothing said."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["LoopbackHandler", "LoopbackServer"]


class LoopbackServer(ThreadingHTTPServer):
    """Answers each request in a thread that keeps no process from ending."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no error."""


class LoopbackHandler(BaseHTTPRequestHandler):
    """Answers GET and HEAD alike, but for the content; subclasses say with what."""

    protocol_version = "HTTP/1.1"
    server_version = "pkl"
    sys_version = ""

    def do_GET(self) -> None:
        """Answers with the content."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Answers with what there is to say of it."""
        self._answer(body=False)

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it, unless a subclass has it read."""

    def _answer(self, *, body: bool) -> None:
        raise NotImplementedError
