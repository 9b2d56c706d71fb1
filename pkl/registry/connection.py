"""One HTTP request with a deadline on every byte; asks once, follows nothing, keeps nothing."""

from __future__ import annotations

import io
import socket
import ssl
import zlib
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import Any, Callable, List, Mapping, NamedTuple, Optional
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from ..version import VERSION

__all__ = ["Deadline", "Got", "TooLarge", "get"]

_CHUNK = 1 << 16


class TooLarge(ValueError):
    """The answer has more bytes than it may have."""


class Got(NamedTuple):
    """An answer.

    Attributes:
        status: The status code.
        headers: Its fields, names in lower case.
        body: Its content if the status is 200, else nothing.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Deadline:
    """How long an answer may take in all, and how long nothing may come.

    Args:
        total: Seconds in all, from now on.
        stall: Seconds without a byte.
        clock: What time it is, in seconds.
    """

    def __init__(self, total: float, stall: float, clock: Callable[[], float]) -> None:
        self.total = total
        self.stall = stall
        self._clock = clock
        self._end = clock() + total

    @property
    def left(self) -> float:
        """Seconds that are left in all; may be negative."""
        return self._end - self._clock()

    def next(self) -> float:
        """Seconds that the next step may take.

        Raises:
            TimeoutError: None are left.
        """
        left = self.left
        if left <= 0:
            raise TimeoutError(f"it took longer than {self.total:g} s in all")
        return min(self.stall, left)


class _Raw(io.RawIOBase):
    """The bytes that come, each read with what is left of the deadline."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._bytes = sock.makefile("rb", buffering=0)
        self._deadline = deadline

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> Optional[int]:
        """Fills the buffer with what is there, waiting for the first byte."""
        self._sock.settimeout(self._deadline.next())
        return self._bytes.readinto(buffer)

    def close(self) -> None:
        """Lets go of the socket."""
        self._bytes.close()
        super().close()


class _Socket:
    """As much of a socket as ``http.client`` uses."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        """Sends it, before the deadline."""
        self._sock.settimeout(self._deadline.next())
        self._sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        """What comes, as a file."""
        return io.BufferedReader(_Raw(self._sock, self._deadline))

    def close(self) -> None:
        """Closes it."""
        self._sock.close()


def get(
    url: str,
    headers: Mapping[str, str],
    limit: int,
    deadline: Deadline,
    sink: Optional[Callable[[bytes], object]] = None,
) -> Got:
    """Asks for a URL once.

    Args:
        url: ``http://`` or ``https://``.
        headers: Further fields of the request.
        limit: The most bytes that the content may have, compressed or not.
        deadline: When it is too late.
        sink: Takes the content, piece by piece, if it is to be kept elsewhere than in memory;
            then it is asked for uncompressed, and the answer holds none of it.

    Raises:
        OSError: No answer, or none in time; a certificate that does not hold.
        http.client.HTTPException: The answer is no HTTP, or was cut off.
        TooLarge: There is more than ``limit``; at most that much was read.
        ValueError: It is compressed in a way that was not asked for, or not soundly.
    """
    parts = urlsplit(url)
    connection = _connection(parts, deadline)
    responses: List[HTTPResponse] = []

    class Response(HTTPResponse):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            responses.append(self)

    # Python 3.9 leaves the answer of a proxy that refuses open.
    connection.response_class = Response
    try:
        connection.connect()
        connection.sock = _Socket(connection.sock, deadline)
        coding = "gzip" if sink is None else "identity"
        fields = {"Accept-Encoding": coding, "User-Agent": f"pkl/{VERSION}", **headers}
        connection.request("GET", parts.path or "/", headers=fields)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        body = b""
        if response.status == 200:
            body = _body(response, found, limit, sink)
        return Got(response.status, found, body)
    finally:
        connection.close()
        for each in responses:
            each.close()


def _connection(parts: SplitResult, deadline: Deadline) -> HTTPConnection:
    host, port = parts.hostname or "", parts.port
    seconds = deadline.next()
    if parts.scheme == "http":
        return HTTPConnection(host, port, timeout=seconds)
    context = ssl.create_default_context()
    proxy = getproxies().get("https", "")
    if not proxy or proxy_bypass(host):
        return HTTPSConnection(host, port, timeout=seconds, context=context)
    through = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    tunnel = HTTPSConnection(
        through.hostname or "", through.port or 80, timeout=seconds, context=context
    )
    tunnel.set_tunnel(host, port)
    return tunnel


def _body(
    response: HTTPResponse,
    headers: Mapping[str, str],
    limit: int,
    sink: Optional[Callable[[bytes], object]],
) -> bytes:
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity") and (sink is not None or coding not in ("gzip", "x-gzip")):
        raise ValueError(f"it is compressed as {coding!r}, which was not asked for")
    expected = response.length
    if expected is not None and expected > limit:
        raise TooLarge(f"it has {expected} bytes, and may have {limit}")
    chunks: List[bytes] = []
    keep = chunks.append if sink is None else sink
    size = 0
    while True:
        chunk = response.read(_CHUNK)
        if not chunk:
            break
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"it has more than the {limit} bytes it may have")
        keep(chunk)
    data = b"".join(chunks)
    if expected is not None and size < expected:
        raise IncompleteRead(data, expected - size)
    return data if coding in ("", "identity") else _unzipped(data, limit)


def _unzipped(data: bytes, limit: int) -> bytes:
    unzip = zlib.decompressobj(wbits=31)
    try:
        plain = unzip.decompress(data, limit + 1)
    except zlib.error as e:
        raise ValueError(f"its compression is broken ({e})") from e
    if len(plain) > limit:
        raise TooLarge(f"it has more than the {limit} bytes it may have, once unpacked")
    if not unzip.eof:
        raise ValueError("its compression is broken (it ends too early)")
    return plain
