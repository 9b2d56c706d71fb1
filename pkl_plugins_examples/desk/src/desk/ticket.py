"""What a ticket is, for the desk and all of its plugins."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Dict

__all__ = ["Ticket"]


@dataclass(frozen=True)
class Ticket:
    """Something that somebody wants to have done.

    Attributes:
        number: Counts from 1.
        title: What it is about.
        reporter: Who wants it.
        closed: Whether it is done.
    """

    number: int
    title: str
    reporter: str
    closed: bool = False

    def as_dict(self) -> Dict[str, Any]:
        """The ticket as JSON-representable values."""
        return asdict(self)
