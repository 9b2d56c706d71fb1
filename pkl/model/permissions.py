"""Which permissions, calls, limits and tiers allow more than others: what goes beyond what.

Where two patterns cannot be compared with certainty, the one is taken to go beyond the other, so
that somebody is asked once too often and never once too little.
"""

from __future__ import annotations

import math
import re
from typing import Any, Callable, Mapping, Tuple

from ..names import canonical

__all__ = ["TIERS", "UNLIMITED", "beyond", "is_looser", "items_of", "loosened_tier"]

UNLIMITED = "unlimited"
"""What stands for a limit that is not stated."""

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


def items_of(value: Any) -> Tuple[str, ...]:
    """The single things that the value of a permission allows; a flag allows ``true`` or nothing.

    Args:
        value: Of a manifest, of a page of a registry or of a state file; anything else allows
            nothing.
    """
    if value is True:
        return ("true",)
    if isinstance(value, str):
        return (value,)
    if isinstance(value, (list, tuple)):
        return tuple(each for each in value if isinstance(each, str))
    return ()


def _same(allowed: str, asked: str) -> bool:
    return allowed == asked


def _directory(allowed: str, asked: str) -> bool:
    """A directory allows what is below it."""
    if allowed == asked:
        return True
    over, under = _parts(allowed), _parts(asked)
    return bool(over) and bool(under) and under[: len(over)] == over


def _parts(path: str) -> Tuple[str, ...]:
    """The names on the way; none where only the whole path can be compared."""
    drive = _DRIVE.match(path) is not None
    if path.startswith("//") or ("\\" in path and not drive):
        return ()
    head, *rest = re.split(r"[\\/]" if drive else "/", path)
    return (head, *(each for each in rest if each not in ("", ".")))


def _address(allowed: str, asked: str) -> bool:
    """``*`` allows every host, and a port only itself."""
    host, _, port = allowed.rpartition(":")
    other, _, own = asked.rpartition(":")
    return port == own and (host == "*" or host.lower() == other.lower())


def _call(allowed: str, asked: str) -> bool:
    """``*`` allows every function, and ``auth.*`` every one of that plugin."""
    if allowed in ("*", asked):
        return True
    owner, _, name = allowed.rpartition(".")
    other, _, own = asked.rpartition(".")
    return bool(owner) and canonical(owner) == canonical(other) and name in ("*", own)


_ALLOWS: Mapping[str, Callable[[str, str], bool]] = {
    "fs-read": _directory,
    "fs-write": _directory,
    "net-connect": _address,
    "net-bind": _address,
    "net-udp": _same,
    "exec": _same,
    "env": _same,
    "threads": _same,
    "native": _same,
    "calls.plugins": _call,
    "calls.host": _call,
}
"""For each permission, and for what ``[calls]`` states, whether one thing allows another."""


def beyond(name: str, allowed: Any, asked: Any) -> Tuple[str, ...]:
    """What of a permission is asked for that is not allowed, in the order in which it is asked.

    Args:
        name: The permission, such as ``net-connect``; or ``calls.plugins``, ``calls.host``.
        allowed: What is allowed: a flag, or things and patterns.
        asked: What is asked for.
    """
    allows = _ALLOWS.get(name, _same)
    granted = items_of(allowed)
    return tuple(
        dict.fromkeys(
            each for each in items_of(asked) if not any(allows(one, each) for one in granted)
        )
    )


def is_looser(before: Any, after: Any) -> bool:
    """Whether a limit holds less than another did.

    Args:
        before: A number, or ``UNLIMITED``; of anything else, nothing is allowed.
        after: As ``before``; anything else holds nothing.
    """
    return _height(after, math.inf) > _height(before, -math.inf)


def _height(limit: Any, otherwise: float) -> float:
    if limit == UNLIMITED:
        return math.inf
    number = isinstance(limit, (int, float)) and not isinstance(limit, bool)
    return limit if number and limit == limit else otherwise


TIERS = ("sandbox", "process", "in-process")
"""How a plugin may be confined, the strictest first."""


def loosened_tier(before: Any, after: str) -> bool:
    """Whether a tier confines less than another; what is none confines most."""
    known = TIERS
    return known.index(after) > (known.index(before) if before in known else -1)
