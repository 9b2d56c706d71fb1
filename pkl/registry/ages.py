"""How long ago something was, in words."""

from __future__ import annotations

__all__ = ["ago", "lasting"]

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def lasting(seconds: float) -> str:
    """A span of time in its largest unit, such as ``3 h``; never more than it is."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


def ago(now: float, then: float) -> str:
    """How long ago a moment was.

    Args:
        now: What time it is, in seconds since 1970.
        then: The moment, likewise; one that is still to come means that a clock went back.
    """
    if then > now + 1:
        return f"from {lasting(then - now)} ahead of this machine's clock, which went back"
    return f"{lasting(now - then)} ago"
