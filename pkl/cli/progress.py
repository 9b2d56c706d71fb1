"""A bar on the terminal that says how far something is; elsewhere, nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from ..install.solution import Chosen
    from .session import Session

__all__ = ["ProgressBar"]

_WIDTH = 24
_STEP = 256 * 1024
"""Bytes between two drawings."""


class ProgressBar:
    """Draws on standard error, on one line, which ``done`` wipes.

    Args:
        session: The options; with ``-q``, ``--json`` or without a terminal nothing is drawn.
    """

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._shown = session.verbosity >= 0 and not session.json and _is_terminal()
        self._drawn = False
        self._last = 0

    def fetched(self, chosen: "Chosen", count: int, total: Optional[int]) -> None:
        """A wheel is so far: what ``Fetcher`` tells.

        Args:
            chosen: What it is of.
            count: How many bytes have come.
            total: How many there are, if that is known.
        """
        if count and count != total and count - self._last < _STEP:
            return
        self._last = 0 if count == total else count
        name = f"{chosen.name} {chosen.version}"
        if not total:
            self._draw(f"{name}: {count / 1e6:.1f} MB")
            return
        full, empty = ("█", "░") if self._session.err.unicode else ("#", ".")
        filled = _WIDTH * count // total
        self._draw(f"{full * filled}{empty * (_WIDTH - filled)} {name} {total / 1e6:.1f} MB")

    def step(self, text: str) -> None:
        """Something else is being done."""
        self._draw(text)

    def done(self) -> None:
        """Wipes the line."""
        if self._drawn:
            self._drawn = False
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _draw(self, text: str) -> None:
        if self._shown:
            err = self._session.err
            self._drawn = True
            sys.stderr.write(f"\r\x1b[K{err.cut(err.clean(text), (err.width or 80) - 1)}")
            sys.stderr.flush()


def _is_terminal() -> bool:
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):
        return False
