"""A web server for one process: on this machine alone, under a path that nobody else knows."""

from __future__ import annotations

import secrets
import shutil
import threading
from http import HTTPStatus
from types import TracebackType
from typing import BinaryIO, Callable, NamedTuple, Optional, Type, Union
from urllib.parse import unquote, urlsplit

from ...registry.loopback import LoopbackHandler, LoopbackServer

__all__ = ["Answer", "IndexServer", "Respond"]

_PATIENCE = 60.0
"""How long a client may keep a connection without a word, in seconds."""


class Answer(NamedTuple):
    """What is sent.

    Attributes:
        kind: Its media type.
        content: The content, or a path of a file that has it.
    """

    kind: str
    content: Union[bytes, str]


Respond = Callable[[str], Optional[Answer]]
"""Answers a request for a path below the server's own; None if there is nothing there."""


class IndexServer:
    """Answers one process until the block is left, as a context manager.

    Args:
        respond: Gives the answers; it is called from several threads, and must not raise.
    """

    def __init__(self, respond: Respond) -> None:
        token = secrets.token_urlsafe(12)
        handler = type("Handler", (_Handler,), {"respond": staticmethod(respond), "token": token})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True, name="pkl-index"
        )
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/{token}"
        """Its address, without a slash at the end."""

    def __enter__(self) -> "IndexServer":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(LoopbackServer):
    block_on_close = False


class _Handler(LoopbackHandler):
    respond: Respond
    token: str
    timeout = _PATIENCE

    def _answer(self, *, body: bool) -> None:
        start = f"/{self.token}/"
        path = unquote(urlsplit(self.path).path)
        found = self.respond(path[len(start) :]) if path.startswith(start) else None
        if found is None:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", b"", body)
        elif isinstance(found.content, bytes):
            self._send(HTTPStatus.OK, found.kind, found.content, body)
        else:
            with open(found.content, "rb") as file:
                size = file.seek(0, 2)
                file.seek(0)
                self._send(HTTPStatus.OK, found.kind, file, body, size)

    def _send(
        self,
        status: HTTPStatus,
        kind: str,
        content: Union[bytes, BinaryIO],
        body: bool,
        size: int = 0,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        length = len(content) if isinstance(content, bytes) else size
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if body and isinstance(content, bytes):
            self.wfile.write(content)
        elif body and not isinstance(content, bytes):
            shutil.copyfileobj(content, self.wfile)
