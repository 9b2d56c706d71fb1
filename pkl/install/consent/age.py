"""How long a version has to have been in its registry before it is taken: ``--min-age 3d``."""

from __future__ import annotations

import math
import re
from typing import Callable, Iterable, List, NamedTuple, Optional

from ...errors import UsageError
from ...model.requirement import version_key
from ...model.state import Reason
from ...registry.moments import moment_text
from ..solution import Chosen

__all__ = ["TOO_YOUNG", "MinAge", "parse_age"]

TOO_YOUNG = "too-young"
"""Code of the reason for which a version is no candidate yet."""

_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_AGE = re.compile(r"([0-9]{1,9})\s*([mhdw])")
_LONGEST = 100 * 365 * 86400


def parse_age(text: str, what: str = "--min-age") -> int:
    """An age such as ``3d``, ``12h``, ``90m`` or ``2w``, in seconds.

    Args:
        text: What was written.
        what: Where, for the error.

    Raises:
        UsageError: It is none, or more than a hundred years.
    """
    match = _AGE.fullmatch(text.strip().lower())
    seconds = int(match[1]) * _UNITS[match[2]] if match is not None else -1
    if text.strip() == "0":
        return 0
    if not 0 <= seconds <= _LONGEST:
        raise UsageError(
            f"{what} {text!r} is no age",
            hint=f"a number and m, h, d or w, as in: {what} 3d",
        )
    return seconds


class MinAge(NamedTuple):
    """The age that a version must have, and the moment that counts as now.

    Attributes:
        seconds: The age; 0 for any.
        now: The moment, in seconds since 1970.
    """

    seconds: int
    now: float

    @classmethod
    def of(
        cls, text: Optional[str], clock: Callable[[], float], what: str = "--min-age"
    ) -> "Optional[MinAge]":
        """The age that was asked for; None if none was.

        Args:
            text: What was written.
            clock: What time it is, in seconds since 1970.
            what: Where it was written, for the error.

        Raises:
            UsageError: It is none.
        """
        seconds = parse_age(text, what) if text else 0
        return cls(seconds, clock()) if seconds else None

    @property
    def uploaded_before(self) -> int:
        """Nothing that was uploaded later is taken, in seconds since 1970."""
        return math.floor(self.now - self.seconds)

    def problem(self, chosen: Chosen) -> Optional[Reason]:
        """Why a version is not taken yet; None if it is old enough, or of this machine.

        The wheel that would be taken has to be old enough, for it may have come later than those
        for other platforms. One whose upload nobody dates is too young at any time.
        """
        if not chosen.registry or chosen.wheel is None:
            return None
        uploaded = chosen.wheel.uploaded
        if uploaded is not None and uploaded <= self.uploaded_before:
            return None
        called = f"{_name(chosen)} {chosen.version}"
        if uploaded is None:
            text = f"{called} is left out: its registry does not say when it was uploaded"
        else:
            when = moment_text(uploaded)
            text = f"{called} is left out: it was uploaded on {when}, {self._since(uploaded)} ago"
        return Reason(TOO_YOUNG, text, text, "wait, or ask for a lower --min-age")

    def _since(self, uploaded: int) -> str:
        return _words(max(0, int(self.now - uploaded)))

    def notes(self, offers: Iterable[Chosen], taken: Iterable[Chosen]) -> List[str]:
        """Which versions were left out that would have been newer than what is taken.

        Args:
            offers: Every version of the plugins in question.
            taken: What is taken.
        """
        versions = {each.name: each.version for each in taken}
        return [
            problem.message
            for each in offers
            if (problem := self.problem(each)) is not None
            and each.name in versions
            and version_key(each.version) > version_key(versions[each.name])
        ]


def _words(seconds: int) -> str:
    for letter, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{letter}"
    return f"{seconds}s"


def _name(chosen: Chosen) -> str:
    return chosen.plugins[0].name if chosen.plugins else chosen.name
