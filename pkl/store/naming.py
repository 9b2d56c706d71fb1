"""The file that holds a host's state: any name gets one, and no two names the same."""

from __future__ import annotations

import re

__all__ = ["SUFFIX", "aside_name", "file_name", "is_aside", "is_temporary", "lock_name"]

SUFFIX = ".json"

_PLAIN = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
"""A name that is a file name as it is, on every system, whether it heeds case or not."""
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?")
"""What Windows takes for a device, with any ending."""
_ODD = re.compile(r"[^a-z0-9]+")


def file_name(host: str) -> str:
    """The name of the file for a host's state.

    It is the host's own name where that is short, lower-case and harmless. Of any other (a
    path, ``..``, one with capitals, with a NUL, of a thousand characters) it is what can be
    read of it and a digest; the ``~`` between them is in no plain name.
    """
    if _PLAIN.fullmatch(host) and not _DEVICES.fullmatch(host):
        return host + SUFFIX
    from hashlib import sha256

    digest = sha256(host.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    readable = _ODD.sub("-", host[:200].lower()).strip("-")[:30]
    return f"{readable}~{digest}{SUFFIX}"


def lock_name(file: str) -> str:
    """The name of the lock file beside a state file; no state file is called so."""
    return f".{file}.lock"


def aside_name(file: str, stamp: str, attempt: int) -> str:
    """The name under which a corrupt state file is set aside.

    Args:
        file: Its name so far.
        stamp: When that was.
        attempt: How many such names were taken already.
    """
    return f"{file}.corrupt-{stamp}" + (f"-{attempt + 1}" if attempt else "")


def is_aside(name: str) -> bool:
    """Whether a file of this name is a state file that was set aside."""
    return f"{SUFFIX}.corrupt-" in name and not name.endswith(SUFFIX)


def is_temporary(name: str, file: str) -> bool:
    """Whether a file of this name is what an interrupted writing of ``file`` left behind."""
    return re.fullmatch(re.escape(f".{file}.") + r"[0-9a-f]{12}\.tmp", name) is not None
