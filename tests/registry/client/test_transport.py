"""Fetching one file: what each kind of answer comes to, with the URL and what to do about it."""

from __future__ import annotations

import gzip
import os
import socket
from pathlib import Path
from typing import List, Type

import pytest

from pkl.errors import (
    RegistryAbsent,
    RegistryDenied,
    RegistryError,
    RegistryGarbage,
    RegistryUnreachable,
)
from pkl.registry.transport import Fetched, Transport
from tests.registry.client.server import Handler, Server, answers

LIMIT = 1000


def refusal(
    transport: Transport, url: str, kind: Type[RegistryError], limit: int = LIMIT
) -> RegistryError:
    """The error of a fetch: of this very class, with the URL in its text and a hint."""
    with pytest.raises(RegistryError) as caught:
        transport.get(url, limit=limit, registry="main")
    error = caught.value
    assert type(error) is kind
    assert error.exit_status == 6
    assert (error.url, error.registry) == (url, "main")
    assert url in error.message
    assert error.hint
    return error


def test_a_file_comes_with_its_etag(server: Server, transport: Transport) -> None:
    server.files["/a"] = b"hello"
    fetched = transport.get(server.url + "/a", limit=5)
    assert fetched.data == b"hello"
    assert fetched.etag


def test_what_has_not_changed_is_not_sent_again(server: Server, transport: Transport) -> None:
    server.files["/a"] = b"hello"
    etag = transport.get(server.url + "/a", limit=LIMIT).etag
    assert transport.get(server.url + "/a", limit=LIMIT, etag=etag) == Fetched(None, etag)
    server.files["/a"] = b"bye"
    assert transport.get(server.url + "/a", limit=LIMIT, etag=etag).data == b"bye"


def test_not_modified_without_being_asked_is_garbage(server: Server, transport: Transport) -> None:
    refusal(transport, server.does("/a", answers(304)), RegistryGarbage)


@pytest.mark.parametrize("status", [401, 403, 407])
def test_denied(server: Server, transport: Transport, status: int) -> None:
    error = refusal(transport, server.does("/a", answers(status)), RegistryDenied)
    assert f"the server answers {status}" in error.message
    assert error.hint.startswith("ask whoever runs the registry for access")


@pytest.mark.parametrize("status", [404, 410])
def test_absent(server: Server, transport: Transport, status: int) -> None:
    error = refusal(transport, server.does("/a", answers(status)), RegistryAbsent)
    assert error.hint == "check the URL with: pkl registry list"


@pytest.mark.parametrize("status", [500, 502, 504, 511])
def test_a_server_with_a_fault_of_its_own_is_asked_once(
    server: Server, transport: Transport, status: int
) -> None:
    error = refusal(transport, server.does("/a", answers(status)), RegistryUnreachable)
    assert f"the server answers {status}" in error.message
    assert "--offline" in error.hint
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [204, 206, 300, 400, 418])
def test_any_other_answer_is_garbage(server: Server, transport: Transport, status: int) -> None:
    refusal(transport, server.does("/a", answers(status)), RegistryGarbage)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_when_it_says(
    server: Server, transport: Transport, waits: List[float], status: int
) -> None:
    busy, dated = (
        answers(status, Retry_After="7"),
        answers(status, Retry_After="Wed, 25 Nov 2026 03:00:04 GMT"),
    )
    url = server.does("/a", busy, dated, answers(200, b"at last"))
    assert transport.get(url, limit=LIMIT).data == b"at last"
    assert waits == [7, 4]


def test_a_busy_server_is_asked_three_times(
    server: Server, transport: Transport, waits: List[float]
) -> None:
    url = server.does("/a", answers(503, Retry_After="soon"))
    refusal(transport, url, RegistryUnreachable)
    assert (len(server.asked), waits) == (3, [0.5, 1.0])


@pytest.mark.parametrize("after", ["86400", "9" * 400, "Fri, 27 Nov 2099 03:00:04 GMT"])
def test_a_long_wait_is_left_to_the_user(
    server: Server, transport: Transport, waits: List[float], after: str
) -> None:
    error = refusal(
        transport, server.does("/a", answers(429, Retry_After=after)), RegistryUnreachable
    )
    assert "asks to be left alone for" in error.message
    assert (len(server.asked), waits) == (1, [])


def test_a_redirect_on_the_same_host_is_followed(server: Server, transport: Transport) -> None:
    server.does("/b", answers(301, Location=server.url + "/c"))
    server.files["/c"] = b"here"
    url = server.does("/a", answers(302, Location="b"))
    assert transport.get(url, limit=LIMIT).data == b"here"


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.2:1/a",
        "http://localhost:1/a",
        "https://example.org/a",
        "//example.org/a",
        "file:///etc/passwd",
        "ftp://127.0.0.1/a",
        "http://[::1",
        "",
    ],
)
def test_nobody_is_followed_elsewhere(server: Server, transport: Transport, target: str) -> None:
    url = server.does("/a", answers(302, Location=target))
    error = refusal(transport, url, RegistryGarbage)
    assert f"it redirects to {target or 'nowhere'}, where pkl does not follow" in error.message
    assert len(server.asked) == 1


def test_a_redirect_without_end_is_left(server: Server, transport: Transport) -> None:
    refusal(transport, server.does("/a", answers(302, Location="/a")), RegistryGarbage)
    assert len(server.asked) == 6


def test_too_much_is_not_even_begun(server: Server, transport: Transport) -> None:
    def boast(handler: Handler) -> None:
        handler.answer(200, b"", Content_Length=str(100 * 1024 * 1024))
        handler.hold()

    error = refusal(transport, server.does("/a", boast), RegistryGarbage)
    assert "it is too large: it has 104857600 bytes, and may have 1000" in error.message


def test_of_a_stream_without_end_only_so_much_is_read(server: Server, transport: Transport) -> None:
    sent = []

    def pour(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        for _ in range(1600):
            handler.wfile.write(chunk)
            sent.append(65536)

    error = refusal(transport, server.does("/a", pour), RegistryGarbage)
    assert "more than the 1000 bytes it may have" in error.message
    assert sum(sent) < 100 * 1024 * 1024


def test_a_file_may_be_sent_compressed(server: Server, transport: Transport) -> None:
    url = server.does("/a", answers(200, gzip.compress(b"x" * 999), Content_Encoding="gzip"))
    assert transport.get(url, limit=LIMIT).data == b"x" * 999


def test_a_bomb_is_not_unpacked(server: Server, transport: Transport) -> None:
    bomb = gzip.compress(b"\0" * 300_000)
    assert len(bomb) < LIMIT
    url = server.does("/a", answers(200, bomb, Content_Encoding="gzip"))
    assert "once unpacked" in refusal(transport, url, RegistryGarbage).message


@pytest.mark.parametrize(
    ("coding", "body"),
    [("gzip", b"no gzip"), ("gzip", gzip.compress(b"x" * 500)[:-9]), ("br", b"x"), ("\x1b", b"")],
)
def test_broken_or_foreign_compression_is_garbage(
    server: Server, transport: Transport, coding: str, body: bytes
) -> None:
    error = refusal(
        transport, server.does("/a", answers(200, body, Content_Encoding=coding)), RegistryGarbage
    )
    assert error.message.isprintable()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_file_that_is_cut_off_is_garbage(
    server: Server, transport: Transport, chunked: bool
) -> None:
    def cut(handler: Handler) -> None:
        if chunked:
            head, body = b"Transfer-Encoding: chunked", b"10\r\nhalf"
        else:
            head, body = b"Content-Length: 16", b"half"
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body)

    error = refusal(transport, server.does("/a", cut), RegistryGarbage)
    assert "it was cut off after" in error.message


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"]
)
def test_a_server_that_falls_silent_is_left(server: Server, said: bytes) -> None:
    def stall(handler: Handler) -> None:
        handler.wfile.write(said)
        handler.hold()

    transport = Transport(stall=0.2)
    error = refusal(transport, server.does("/a", stall), RegistryUnreachable)
    assert "no answer for 0.2 s" in error.message


def test_a_server_that_drips_is_left_when_the_time_is_up(server: Server) -> None:
    """Each byte is in time, all of them are not; the clock of the deadline is the test's."""

    def drip(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not handler.told.over.wait(0.001):
            handler.wfile.write(b"x")

    now = [0.0]

    def clock() -> float:
        now[0] += 1
        return now[0]

    transport = Transport(total=20, stall=30, clock=clock)
    error = refusal(transport, server.does("/a", drip), RegistryUnreachable)
    assert "it took longer than 20 s in all" in error.message


def test_a_reset_connection_is_no_answer(server: Server, transport: Transport) -> None:
    def reset(handler: Handler) -> None:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        handler.connection.close()

    refusal(transport, server.does("/a", reset), RegistryUnreachable)


def test_nobody_listens(transport: Transport) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        error = refusal(transport, f"http://127.0.0.1:{port}/a", RegistryUnreachable)
    assert "refused" in error.message


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH\r\n", b"\0\1\2\r\n\r\n", b"HTTP/9 x\r\n\r\n"])
def test_what_is_no_web_server_is_garbage(
    server: Server, transport: Transport, said: bytes
) -> None:
    def speak(handler: Handler) -> None:
        handler.wfile.write(said)

    url = server.does("/a", speak)
    assert refusal(transport, url, RegistryGarbage).message.isprintable()


def test_no_secure_connection_is_no_answer(
    server: Server, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    url = server.url.replace("http:", "https:") + "/a"
    error = refusal(Transport(stall=30), url, RegistryUnreachable)
    assert "no secure connection" in error.message


def test_http_goes_through_no_proxy(
    server: Server, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server.files["/a"] = b"direct"
    assert transport.get(server.url + "/a", limit=LIMIT).data == b"direct"


def test_https_goes_through_the_proxy_of_the_environment(
    server: Server, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy here knows no CONNECT, which is the answer."""
    monkeypatch.setenv("https_proxy", server.url)
    monkeypatch.setenv("no_proxy", "")
    error = refusal(transport, "https://registry.invalid/a", RegistryUnreachable)
    assert "501" in error.message


def test_a_directory_is_read_as_it_is(tmp_path: Path, transport: Transport) -> None:
    (tmp_path / "a").write_bytes(b"hello")
    assert transport.get((tmp_path / "a").as_uri(), limit=5) == Fetched(b"hello", "")


def test_of_a_directory_too_what_is_not_there_is_absent(
    tmp_path: Path, transport: Transport
) -> None:
    (tmp_path / "a").write_bytes(b"")
    refusal(transport, (tmp_path / "b").as_uri(), RegistryAbsent)
    refusal(transport, (tmp_path / "a" / "b").as_uri(), RegistryAbsent)


def test_of_a_directory_too_nothing_is_read_beyond_the_limit(
    tmp_path: Path, transport: Transport
) -> None:
    with open(tmp_path / "a", "wb") as file:
        file.truncate(100 * 1024 * 1024)
    refusal(transport, (tmp_path / "a").as_uri(), RegistryGarbage)


def test_what_is_no_file_is_garbage(tmp_path: Path, transport: Transport) -> None:
    """A pipe that nobody writes to is not waited for."""
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", ""):
        refusal(transport, (tmp_path / name).as_uri(), RegistryGarbage)
