"""A web server on this machine that answers as it is told to, and misbehaves on request."""

from __future__ import annotations

import hashlib
import ssl
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional

__all__ = ["Asked", "Behaviour", "Server", "answers", "running"]


class Asked(NamedTuple):
    """A request that came."""

    path: str
    headers: Mapping[str, str]


class Handler(BaseHTTPRequestHandler):
    """Passes each request to the behaviour of its path."""

    protocol_version = "HTTP/1.1"
    told: "Server"

    def do_GET(self) -> None:
        """Answers; who hangs up is no fault."""
        told = self.told
        headers = {name.lower(): value for name, value in self.headers.items()}
        told.asked.append(Asked(self.path, headers))
        queue = told.behaviours.get(self.path)
        self.close_connection = True
        with suppress(OSError):
            if queue:
                (queue.pop(0) if len(queue) > 1 else queue[0])(self)
            else:
                self.content(told.files.get(self.path))

    def content(self, data: Optional[bytes]) -> None:
        """A file, as any file server has it."""
        if data is None:
            self.answer(404, b"nothing here")
            return
        etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        if self.headers.get("If-None-Match") == etag:
            self.answer(304, b"", ETag=etag)
        else:
            self.answer(200, data, ETag=etag)

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        """A whole answer; an underscore in a field's name stands for a hyphen."""
        self.send_response(status)
        headers.setdefault("Content_Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def hold(self) -> None:
        """Says nothing until the test is over."""
        self.wfile.flush()
        self.told.over.wait(60)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


Behaviour = Callable[[Handler], None]


def answers(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """Gives this answer."""
    return lambda handler: handler.answer(status, body, **headers)


class Server:
    """What a running server holds and does.

    Attributes:
        url: Its address, without a slash at the end.
        files: What it holds, by path.
        behaviours: What it does instead, by path: one after another, the last for good.
        asked: The requests that came.
        over: Set when the test is over.
    """

    def __init__(self) -> None:
        self.url = ""
        self.files: Dict[str, bytes] = {}
        self.behaviours: Dict[str, List[Behaviour]] = {}
        self.asked: List[Asked] = []
        self.over = threading.Event()

    def does(self, path: str, *behaviours: Behaviour) -> str:
        """Has it do this when asked for the path; the answer is the URL."""
        self.behaviours[path] = list(behaviours)
        return self.url + path

    @property
    def paths(self) -> List[str]:
        """The paths that were asked for, in order."""
        return [each.path for each in self.asked]


class Quiet(ThreadingHTTPServer):
    """Says nothing of clients that hang up."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """It is what the tests are about."""


@contextmanager
def running(secure: Optional[ssl.SSLContext] = None) -> Iterator[Server]:
    """A server that runs until the block is left, over TLS if that is given."""
    told = Server()
    with Quiet(("127.0.0.1", 0), type("Handler", (Handler,), {"told": told})) as server:
        told.url = f"http://127.0.0.1:{server.server_address[1]}"
        if secure is not None:
            told.url = f"https://localhost:{server.server_address[1]}"
            server.socket = secure.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield told
        finally:
            told.over.set()
            server.shutdown()
            thread.join(60)
