"""Fetches one file of a registry, and tells apart the ways in which that can fail."""

from __future__ import annotations

import errno
import os
import stat
import time
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    List,
    NamedTuple,
    NoReturn,
    Optional,
    Tuple,
    Type,
)

from ..errors import RegistryAbsent, RegistryDenied, RegistryGarbage, RegistryUnreachable
from ..names import printable

if TYPE_CHECKING:
    from .connection import Deadline, Got

__all__ = ["Fetched", "Transport"]

ATTEMPTS = 3
"""How often a server is asked that says that it is busy."""
LONGEST_WAIT = 10.0
"""Seconds; a busy server that asks for a longer wait is not asked again."""
REDIRECTS = 5
"""How many redirects are followed, all of them on one host."""

_BUSY = (429, 503)
_MOVED = (301, 302, 303, 307, 308)
_LATER = "try again later; --offline takes the copy of the last contact"
_TELL = "look at the URL with a browser; if it is as said here, tell whoever runs the registry"


class Fetched(NamedTuple):
    """What came.

    Attributes:
        data: The file; None if it has not changed since the ``etag`` that was given.
        etag: What to ask with next time; empty if the server does not say.
    """

    data: Optional[bytes]
    etag: str = ""


class Transport:
    """Fetches files over https, http on this machine, and from directories.

    Over the network: nobody is followed to another host or scheme, nothing is read beyond a
    limit, and nothing is waited for without end (looking up a host's address is left to the
    system). For https, ``HTTPS_PROXY`` and ``NO_PROXY`` are heeded as Python does. No cookies,
    no credentials.

    Args:
        total: Seconds that a file may take in all.
        stall: Seconds without a byte after which a server counts as silent.
        clock: What time it is, in seconds; for the deadlines.
        sleep: How to wait, in seconds.
        today: What time it is, in seconds since 1970; for ``Retry-After`` with a date.
    """

    def __init__(
        self,
        *,
        total: float = 60.0,
        stall: float = 15.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        today: Callable[[], float] = time.time,
    ) -> None:
        self._total = total
        self._stall = stall
        self._clock = clock
        self._sleep = sleep
        self._today = today

    def get(
        self,
        url: str,
        *,
        limit: int,
        etag: str = "",
        registry: Optional[str] = None,
        accept: str = "",
    ) -> Fetched:
        """Fetches a file.

        Args:
            url: Its URL, one that ``registry_url`` lets pass.
            limit: The most bytes it may have.
            etag: What came with it the last time; the file is only sent if it has changed.
            registry: The name of the registry, for errors.
            accept: Which media types are wanted, where a server has several of one file.

        Raises:
            RegistryUnreachable: There was no answer, or not in time.
            RegistryDenied: We may not read it.
            RegistryAbsent: It is not there.
            RegistryGarbage: It is too large, cut off, or somewhere else.
        """
        if url.startswith("file:"):
            return Fetched(_read(url, limit, registry))
        headers = {"If-None-Match": etag} if etag else {}
        if accept:
            headers["Accept"] = accept
        return _Asking(self, url, limit, headers, registry).answer()

    def download(
        self,
        url: str,
        sink: Callable[[bytes], object],
        *,
        limit: int,
        registry: Optional[str] = None,
        total: float = 3600.0,
    ) -> None:
        """Fetches a large file piece by piece; what came before a failure is not taken back.

        Args:
            url: As for ``get``.
            sink: Takes the pieces. An ``OSError`` of it would count as one of the network, so it
                has to raise another kind.
            limit: As for ``get``.
            registry: As for ``get``.
            total: Seconds that it may take in all.

        Raises:
            RegistryError: As ``get``.
        """
        if url.startswith("file:"):
            _read(url, limit, registry, sink)
        else:
            _Asking(self, url, limit, {}, registry, sink, total).answer()


class _Asking:
    """One file that is asked for, until there is an answer or an end of patience."""

    def __init__(
        self,
        transport: Transport,
        url: str,
        limit: int,
        headers: Dict[str, str],
        registry: Optional[str],
        sink: Optional[Callable[[bytes], object]] = None,
        total: Optional[float] = None,
    ) -> None:
        from .connection import Deadline

        self._transport = transport
        self._url = url
        self._limit = limit
        self._headers = headers
        self._registry = registry
        self._sink = sink
        seconds = transport._total if total is None else total
        self._deadline: "Deadline" = Deadline(seconds, transport._stall, transport._clock)

    def answer(self) -> Fetched:
        """The file, after redirects and with patience for a busy server."""
        asked = self._url
        attempts, redirects = 1, 0
        while True:
            got = self._ask(asked)
            if got.status == 200:
                return Fetched(got.body, got.headers.get("etag", ""))
            known = self._headers.get("If-None-Match", "")
            if got.status == 304 and known:
                return Fetched(None, known)
            if got.status in _MOVED and redirects < REDIRECTS:
                redirects += 1
                asked = self._moved(asked, got)
            elif got.status in _BUSY and attempts < ATTEMPTS:
                self._wait(got, attempts)
                attempts += 1
            else:
                self._refuse(got)

    def _ask(self, asked: str) -> "Got":
        from http.client import HTTPException, IncompleteRead
        from ssl import SSLError

        from .connection import TooLarge, get

        try:
            return get(asked, self._headers, self._limit, self._deadline, self._sink)
        except TooLarge as e:
            raise self._garbage(f"it is too large: {e}") from e
        except SSLError as e:
            raise self._unreachable(f"no secure connection: {_words(e)}") from e
        except OSError as e:
            raise self._unreachable(self._silence(e)) from e
        except IncompleteRead as e:
            raise self._garbage(f"it was cut off after {len(e.partial)} bytes", hint=_LATER) from e
        except (HTTPException, ValueError) as e:
            raise self._garbage(_words(e)) from e

    def _silence(self, error: OSError) -> str:
        if isinstance(error, _timeouts()) and "in all" not in str(error):
            return f"no answer for {self._deadline.stall:g} s"
        return _words(error)

    def _moved(self, asked: str, got: "Got") -> str:
        from urllib.parse import urldefrag, urljoin

        from .address import origin

        to = got.headers.get("location", "")
        try:
            target = urldefrag(urljoin(asked, to)).url
            same = bool(to) and origin(target) == origin(self._url)
        except ValueError:
            same = False
        if not same:
            raise self._garbage(
                f"it redirects to {printable(to) or 'nowhere'}, where pkl does not follow",
                hint="if the registry has moved: pkl registry remove it, and add the new URL; if a "
                "network stands between that wants you to sign in, do that with a browser",
            )
        return target

    def _wait(self, got: "Got", attempt: int) -> None:
        seconds = self._asked_for(got.headers.get("retry-after", ""), 0.5 * attempt)
        if seconds > LONGEST_WAIT or seconds >= self._deadline.left:
            raise self._unreachable(
                f"the server is busy ({got.status}) and asks to be left alone for {seconds:.0f} s"
            )
        self._transport._sleep(seconds)

    def _asked_for(self, text: str, otherwise: float) -> float:
        """The seconds that a ``Retry-After`` asks for (RFC 9110, 10.2.3)."""
        from email.utils import parsedate_to_datetime

        text = text.strip()
        if text.isascii() and text.isdigit():
            return float(text[:9])
        try:
            until = parsedate_to_datetime(text).timestamp()
        except (TypeError, ValueError, IndexError, OverflowError):
            return otherwise
        return max(0.0, until - self._transport._today())

    def _refuse(self, got: "Got") -> NoReturn:
        status = got.status
        if status in (401, 403, 407):
            raise RegistryDenied(
                f"{self._url} may not be read: the server answers {status}",
                hint="ask whoever runs the registry for access; pkl sends no credentials",
                status=status,
                url=self._url,
                registry=self._registry,
            )
        if status in (404, 410):
            raise _absent(self._url, f"the server answers {status}", status, self._registry)
        if status == 429 or status >= 500:
            raise self._unreachable(f"the server answers {status}", status=status)
        raise self._garbage(f"the server answers {status}", status=status)

    def _unreachable(self, why: str, **more: Any) -> RegistryUnreachable:
        return RegistryUnreachable(
            f"{self._url} cannot be reached: {why}",
            hint=_LATER,
            url=self._url,
            registry=self._registry,
            **more,
        )

    def _garbage(self, why: str, *, hint: str = _TELL, **more: Any) -> RegistryGarbage:
        return RegistryGarbage(
            f"{self._url} is not what a registry holds: {why}",
            hint=hint,
            url=self._url,
            registry=self._registry,
            **more,
        )


def _timeouts() -> Tuple[Type[OSError], ...]:
    import socket

    return (TimeoutError, socket.timeout)


def _words(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return printable(str(text))


def _absent(url: str, why: str, status: Optional[int], registry: Optional[str]) -> RegistryAbsent:
    return RegistryAbsent(
        f"{url} is not there: {why}",
        hint="check the URL with: pkl registry list",
        status=status,
        url=url,
        registry=registry,
    )


def _read(
    url: str,
    limit: int,
    registry: Optional[str],
    sink: Optional[Callable[[bytes], object]] = None,
) -> bytes:
    """The content of a file of a registry that is a directory; nothing if a sink takes it."""
    from .address import file_of

    path = file_of(url)
    chunks: List[bytes] = []
    try:
        size = _copy(path, limit, chunks.append if sink is None else sink)
    except IsADirectoryError as e:
        raise RegistryGarbage(
            f"{url} is not what a registry holds: it is no file",
            hint=_TELL,
            url=url,
            registry=registry,
        ) from e
    except OSError as e:
        why = e.strerror or str(e)
        if e.errno in (errno.ENOENT, errno.ENOTDIR):
            raise _absent(url, why, None, registry) from e
        if e.errno in (errno.EACCES, errno.EPERM):
            raise RegistryDenied(
                f"{url} may not be read: {why}",
                hint="make it readable",
                file=path,
                url=url,
                registry=registry,
            ) from e
        raise RegistryUnreachable(
            f"{url} cannot be reached: {why}", hint=_LATER, file=path, url=url, registry=registry
        ) from e
    if size > limit:
        raise RegistryGarbage(
            f"{url} is not what a registry holds: it has more than the {limit} bytes it may have",
            hint=_TELL,
            url=url,
            registry=registry,
        )
    return b"".join(chunks)


def _copy(path: str, limit: int, sink: Callable[[bytes], object]) -> int:
    """How many bytes were read, at most one more than the limit.

    What is no file counts as a directory.
    """
    flags = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    fd = os.open(path, os.O_RDONLY | flags)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        left = limit + 1
        while left > 0:
            chunk = os.read(fd, min(left, 1 << 20))
            if not chunk:
                break
            sink(chunk)
            left -= len(chunk)
        return limit + 1 - left
    finally:
        os.close(fd)
