"""Lines of text for people: what pkl says, with the folders of files left out."""

from __future__ import annotations

import logging
import re
import sys

__all__ = ["OneLine", "shorten"]

_PLACE = re.compile(r"\([^()]*[/\\]([^()/\\]+[/\\][^()/\\]+:\d+)\)")


def shorten(text: str) -> str:
    """The text with ``(/a/long/way/to/desk_auth/plugin.py:7)`` as ``(desk_auth/plugin.py:7)``."""
    return _PLACE.sub(r"(\1)", text)


class OneLine(logging.Formatter):
    """Log lines that say which plugin speaks, and of an error only that it happened."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, with the traceback left out."""
        plugin = getattr(record, "plugin", None)
        who = f"{plugin} {getattr(record, 'plugin_version', '')}" if plugin else record.name
        first = (record.getMessage().splitlines() or [""])[0]
        return f"{record.levelname.lower():<8}  {who}: {shorten(first)}"

    @classmethod
    def to_stdout(cls, level: int = logging.INFO) -> logging.Handler:
        """Sends what pkl and its plugins log to standard output; returns the handler."""
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(cls())
        logger = logging.getLogger("pkl")
        logger.setLevel(level)
        logger.propagate = False
        logger.addHandler(handler)
        return handler
