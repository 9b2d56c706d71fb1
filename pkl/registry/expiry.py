"""Until when an index is good, and when it is to be renewed."""

from __future__ import annotations

import re
from typing import NamedTuple, Optional

from ..errors import UsageError
from .moments import moment_text, parse_moment

__all__ = ["Expiry", "parse_expiry"]

_UNITS = {"h": 3600, "d": 86400, "w": 7 * 86400}
_LIFETIME = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Expiry(NamedTuple):
    """What whoever builds a registry wants: a lifetime, a moment, or neither for ever.

    Attributes:
        lifetime: How long an index is good from when it is made, in seconds, or None.
        moment: Until when it is good, in seconds since 1970, or None.
    """

    lifetime: Optional[int] = None
    moment: Optional[int] = None

    def of(self, before: Optional[int], now: float, changed: bool) -> Optional[int]:
        """Until when the next index is good, in seconds since 1970; None for ever.

        One with a lifetime is renewed when it changes, and when half of the lifetime is over: so
        the same build twice in a row changes nothing.

        Args:
            before: Until when the last one is good.
            now: The time, in seconds since 1970.
            changed: Whether the registry changes in anything else.
        """
        if self.lifetime is None:
            return self.moment
        if before is not None and not changed:
            left = before - now
            if self.lifetime / 2 < left <= self.lifetime:
                return before
        return int(now) + self.lifetime


def parse_expiry(text: str, now: float) -> Expiry:
    """Reads ``30d``, ``12h``, ``8w``, ``2027-01-31``, ``2027-01-31T12:00:00Z`` or ``never``.

    Args:
        text: What was asked for.
        now: The time, in seconds since 1970; a moment before it is refused.

    Raises:
        UsageError: It is none of these, or past.
    """
    if text == "never":
        return Expiry()
    lifetime = _LIFETIME.fullmatch(text)
    if lifetime is not None:
        return Expiry(lifetime=int(lifetime[1]) * _UNITS[lifetime[2]])
    moment = parse_moment(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text)
    if moment is None:
        raise UsageError(
            f"{text!r} is no time after which an index expires",
            hint="write it as in 30d, 12h, 2027-01-31 or never",
        )
    if moment <= now:
        raise UsageError(
            f"an index cannot expire at {moment_text(moment)}, which is past",
            hint="write it as in 30d, 12h, 2027-01-31 or never",
        )
    return Expiry(moment=moment)
