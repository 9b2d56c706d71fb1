"""Serving a registry's folder over http, on this machine alone."""

from __future__ import annotations

import os
from http import HTTPStatus
from typing import Any, BinaryIO, Callable, Optional, Tuple
from urllib.parse import quote, unquote, urlsplit

from ..errors import UsageError
from .layout import FILES, SIMPLE
from .loopback import LoopbackHandler, LoopbackServer
from .simple import HTML_NAME, JSON_NAME, JSON_TYPE

__all__ = ["RegistryServer", "Say"]

Say = Callable[[str], None]
"""Takes a line for the log."""

_TOPS = ("pkl", SIMPLE, FILES)
"""What of the folder is served; the rest of it is nobody's business."""
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".metadata": "text/plain; charset=utf-8",
    ".sig": "text/plain; charset=us-ascii",
    ".whl": "application/octet-stream",
}
_HOSTS = ("127.0.0.1", "localhost")
_PATIENCE = 30.0
"""How long a client may keep a connection without a word, in seconds."""
_CHUNK = 1 << 16


class RegistryServer(LoopbackServer):
    """Serves the folder of a registry.

    ``serve_forever`` runs it, ``shutdown`` ends that from another thread, ``server_close`` closes
    the port.

    Args:
        root: The folder.
        host: The address to listen on: one of this machine's own.
        port: The port; 0 for any that is free.
        say: Takes a line for each request.

    Raises:
        UsageError: The address is not of this machine alone.
        OSError: The port cannot be had.
    """

    allow_reuse_address = os.name != "nt"

    def __init__(
        self, root: str, host: str = "127.0.0.1", port: int = 0, *, say: Optional[Say] = None
    ) -> None:
        if host not in _HOSTS:
            raise UsageError(
                f"a registry is not served on {host}: pkl registry serve is for this machine alone",
                hint="for others, let any web server serve the folder, over https",
            )
        self.root = os.path.realpath(root)
        self.say = say or (lambda line: None)
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        """The address of the registry."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(LoopbackHandler):
    server: RegistryServer
    timeout = _PATIENCE

    def log_message(self, format: str, *args: Any) -> None:
        self.server.say(format % args)

    def _answer(self, *, body: bool) -> None:
        if not self._is_for_us():
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST)
            return
        path = urlsplit(self.path).path
        parts = _parts(path)
        if parts is None:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        target = os.path.join(self.server.root, *parts)
        if parts[0] == SIMPLE and os.path.isdir(target):
            if not path.endswith("/"):
                self._redirect("/" + "/".join(map(quote, parts)) + "/")
                return
            wants_json = JSON_TYPE in self.headers.get("Accept", "")
            target = os.path.join(target, JSON_NAME if wants_json else HTML_NAME)
        real = self._inside(target)
        if real is None:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        try:
            fd = os.open(real, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        with os.fdopen(fd, "rb") as file:
            self._send(file, os.fstat(file.fileno()), _type_of(target), body)

    def _is_for_us(self) -> bool:
        """Whether the request names this machine: a page of another site cannot have it read."""
        host, _, port = self.headers.get("Host", "").rpartition(":")
        return host in _HOSTS and port == str(self.server.server_address[1])

    def _inside(self, path: str) -> Optional[str]:
        """The real path of a file; None if there is none inside of the folder."""
        real = os.path.realpath(path)
        inside = real.startswith(self.server.root.rstrip(os.sep) + os.sep)
        return real if inside and os.path.isfile(real) else None

    def _send(self, file: BinaryIO, found: os.stat_result, kind: str, body: bool) -> None:
        tag = f'"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"'
        known = [each.strip() for each in self.headers.get("If-None-Match", "").split(",")]
        fresh = tag in known or "*" in known
        self.send_response(HTTPStatus.NOT_MODIFIED if fresh else HTTPStatus.OK)
        self.send_header("ETag", tag)
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Vary", "Accept")
        self.send_header("X-Content-Type-Options", "nosniff")
        if not fresh:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(found.st_size))
        self.end_headers()
        left = found.st_size if body and not fresh else 0
        while left > 0:
            chunk = file.read(min(_CHUNK, left))
            if not chunk:
                self.close_connection = True  # It shrank: the client sees that it is not whole.
                return
            self.wfile.write(chunk)
            left -= len(chunk)

    def _redirect(self, path: str) -> None:
        self.send_response(HTTPStatus.MOVED_PERMANENTLY)
        self.send_header("Location", path)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _refuse(self, status: HTTPStatus) -> None:
        text = f"{status.phrase}\n".encode("ascii")
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=us-ascii")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)


def _parts(path: str) -> Optional[Tuple[str, ...]]:
    """The parts of a path below the root; None for whatever is not served."""
    try:
        plain = unquote(path, errors="strict")
    except UnicodeDecodeError:
        return None
    parts = tuple(each for each in plain.split("/") if each)
    odd = any(each.startswith(".") or set(each) & set("\\:\0") for each in parts)
    if not plain.startswith("/") or odd or not parts or parts[0] not in _TOPS:
        return None
    return parts


def _type_of(path: str) -> str:
    if os.path.basename(path) == JSON_NAME:
        return JSON_TYPE
    return _TYPES.get(os.path.splitext(path)[1], "application/octet-stream")
