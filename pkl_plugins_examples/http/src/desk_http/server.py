"""The server, from the standard library, as a resource: a socket, a thread, and both taken back."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread, current_thread
from typing import Any, Callable, Dict
from urllib.parse import parse_qsl, urlsplit

from pkl import Resource, log

__all__ = ["Server"]

Answer = Callable[[str, str, Dict[str, str], str], Any]
"""Given method, path, query and body; what it returns is sent as JSON."""


class Server(Resource):
    """Listens on a free port of 127.0.0.1 from its making until it is released.

    Args:
        answer: Answers requests.
        crash: Called in the server's thread with the error that ended it.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, answer: Answer, crash: Callable[[BaseException], None]) -> None:
        super().__init__()
        self._http = _HTTPServer(("127.0.0.1", 0), _Handler)
        self._http.answer = answer
        self.port: int = self._http.server_address[1]
        self._crash = crash
        self._thread = Thread(target=self._serve, name="desk-http", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return f"<Server on port {self.port}>"

    def _serve(self) -> None:
        try:
            self._http.serve_forever(poll_interval=0.02)
        except Exception as error:
            self._crash(error)  # which stops the plugin, and with it this server

    def _cleanup(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        if self._thread is not current_thread():
            self._thread.join()


class _HTTPServer(ThreadingHTTPServer):
    answer: Answer
    daemon_threads = True  # a client that never ends its request cannot hold up the end


class _Handler(BaseHTTPRequestHandler):
    timeout = 10
    server: _HTTPServer

    def do_GET(self) -> None:
        """Answers a GET."""
        self._answer("")

    def do_POST(self) -> None:
        """Answers a POST."""
        length = int(self.headers.get("Content-Length") or 0)
        self._answer(self.rfile.read(min(length, 65536)).decode("utf-8", "replace"))

    def _answer(self, body: str) -> None:
        asked = urlsplit(self.path)
        query = dict(parse_qsl(asked.query))
        try:
            said: Any = self.server.answer(self.command, asked.path, query, body)
            status = 200
        except LookupError as error:
            status, said = 404, {"error": str(error)}
        except PermissionError as error:
            status, said = 403, {"error": str(error)}
        except Exception as error:
            log.exception("%s %s", self.command, self.path)
            status, said = 500, {"error": type(error).__name__}
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Writes to the plugin's log instead of standard error."""
        log.debug(format, *args)
