"""Where a registry may be: https, http on this machine alone, or a directory."""

from __future__ import annotations

import os
from typing import Tuple
from urllib.parse import SplitResult, quote, urlsplit
from urllib.request import pathname2url, url2pathname

from ..errors import UsageError
from ..names import printable

__all__ = ["file_of", "is_local", "join", "objection_to", "origin", "registry_url"]

_PORTS = {"https": 443, "http": 80, "file": 0}
_LOOPBACK = ("localhost", "::1")


def registry_url(text: str) -> str:
    """The URL of a registry as it is kept: checked, and without a slash at its end.

    Args:
        text: A URL, or the path of a directory.

    Raises:
        UsageError: It is no URL that a registry may have; the text says why.
    """
    if "://" not in text and os.path.isdir(text):
        return "file://" + pathname2url(os.path.abspath(text)).rstrip("/")
    objection = objection_to(text)
    if objection:
        shown = printable(text if "@" not in text else text.rpartition("@")[2])
        raise UsageError(
            f"a registry cannot be at {shown}: {objection}",
            hint="give an https:// or file:// URL, http:// on this machine, or a directory",
        )
    return text.rstrip("/")


def objection_to(text: str) -> str:
    """Why nothing of a registry can be at a URL; empty if it can."""
    if any(ord(each) <= 32 or ord(each) > 126 for each in text):
        return "a URL has no spaces, and no letters beyond ASCII unless quoted"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as e:
        return str(e)
    if parts.scheme not in _PORTS:
        return "it is no https:// URL, and there is no such directory"
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        return "it has a query or a fragment"
    if parts.username is not None or parts.password is not None:
        return "it holds a user name or password, which would be kept and shown"
    if parts.scheme == "file":
        if host not in ("", "localhost") or port is not None:
            return f"file:// means this machine, and not {host}"
        return "" if parts.path.startswith("/") else "the path is not absolute"
    if not host:
        return "it names no host"
    if parts.scheme == "http" and not _is_loopback(host):
        return "http:// is for this machine alone, as anybody on the way could change it"
    return ""


def _is_loopback(host: str) -> bool:
    numbers = host.split(".")
    if len(numbers) == 4 and all(each.isdigit() for each in numbers):
        return numbers[0] == "127"
    return host in _LOOPBACK


def is_local(url: str) -> bool:
    """Whether no network is needed to read it."""
    return url.startswith("file:")


def join(base: str, path: str) -> str:
    """The URL of a file of a registry.

    Args:
        base: The registry's own URL.
        path: The file's path in it, with ``/`` between its parts.
    """
    return f"{base}/{quote(path)}"


def file_of(url: str) -> str:
    """The path that a ``file://`` URL means."""
    return url2pathname(urlsplit(url).path)


def origin(url: str) -> Tuple[str, str, int]:
    """Scheme, host and port of a URL: what a redirect may not change.

    Raises:
        ValueError: It is no URL.
    """
    parts: SplitResult = urlsplit(url)
    port = parts.port
    return (
        parts.scheme,
        parts.hostname or "",
        _PORTS.get(parts.scheme, 0) if port is None else port,
    )
