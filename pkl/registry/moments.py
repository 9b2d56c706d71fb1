"""Moments as the files of a registry have them: ``2027-01-31T12:00:00Z``, in UTC, to the second."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Optional

__all__ = ["moment_text", "parse_moment"]

_MOMENT = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z")


def moment_text(seconds: float) -> str:
    """A moment, in seconds since 1970, as text; fractions of a second are left out."""
    found = datetime.fromtimestamp(int(seconds), timezone.utc)
    return found.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def parse_moment(text: str) -> Optional[int]:
    """The moment in seconds since 1970; None if the text is not one."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    try:
        year, month, day, hour, minute, second = map(int, match.groups())
        found = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        return None
    return int(found.timestamp())
