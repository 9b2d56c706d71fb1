"""Importing an application only to look at it: its hosts start nothing and load nothing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator

from ..errors import NotPermitted

__all__ = ["only_looking", "refuse_while_looking"]

_depth = 0


@contextmanager
def only_looking() -> Iterator[None]:
    """Refuses ``start()`` and ``load_plugin()`` of every host, in every thread, while it lasts."""
    global _depth
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1


def refuse_while_looking(what: str) -> None:
    """Refuses what would run plugin code.

    Args:
        what: The method that was called, for the message.

    Raises:
        NotPermitted: The application is only being looked at.
    """
    if _depth:
        raise NotPermitted(
            f"{what} is refused: the application is imported only to look at its plugins",
            hint=f'call {what} in a function or under if __name__ == "__main__", so that'
            " importing the application starts nothing",
        )
