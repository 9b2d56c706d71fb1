"""Handlers attached to loggers."""

from __future__ import annotations

import logging
from typing import List

from ..kernel.receipt import Held
from .changes import Change, weakly

__all__ = ["attached", "loggers"]


def loggers() -> List[logging.Logger]:
    """Every logger there is."""
    named = list(logging.root.manager.loggerDict.values())
    return [logging.root, *(each for each in named if isinstance(each, logging.Logger))]


def attached(logger: logging.Logger, handler: logging.Handler) -> Change:
    """The change that a handler was attached to a logger."""
    get = weakly(handler)
    where = "the root logger" if logger is logging.root else f"logger {logger.name}"

    def undo() -> None:
        found = get()
        logger.removeHandler(found)
        found.close()

    held = Held("logging handler", type(handler).__name__, f"of {where}")
    return Change(held, lambda: get() in logger.handlers, undo)
