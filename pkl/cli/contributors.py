"""What the plugins of a host would contribute to its points, as the plan predicts it."""

from __future__ import annotations

from typing import Any, List, Sequence

from ..render.as_json import dumps
from .rows import Row
from .scope import Scope
from .session import plain

__all__ = ["contributors", "in_one_line"]

LONGEST = 400
"""How many characters of a value are shown."""


def contributors(scope: "Scope", rows: Sequence[Row], point: str) -> List[Row]:
    """The rows of the plugins that contribute to a point, in the order of the plan.

    Those count that would run or wait to be needed.

    Args:
        scope: What the rows are of.
        rows: The rows.
        point: The exact name of the point.

    Raises:
        PointNotFound: The host is known to have no such point.
    """
    if scope.points is not None:
        scope.points.check(point, scope.host or scope.group)
    places = {id(step.candidate): place for place, step in enumerate(scope.plan.steps)}
    found = [
        row
        for row in rows
        if id(row.candidate) in places and point in row.candidate.metadata.contributes
    ]
    return sorted(found, key=lambda row: places[id(row.candidate)])


def in_one_line(value: Any) -> str:
    """A value as JSON, cut off where it is too long to be read."""
    text = dumps(plain(value), indent=None)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
