"""Which line of a file something stands in, as far as a search through its text can tell."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, List, Optional, Tuple

__all__ = ["line_of_key", "line_of_requirement"]

_HEADER = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]")
_INDEX = re.compile(r"\[\d+\]")
_LINE = re.compile(r"\bline (\d+)")
MAX_BYTES = 1 << 20


def line_of_requirement(file: str, text: str) -> Optional[int]:
    """The first line of a manifest in which a requirement stands in quotes, from 1; else None.

    Args:
        file: The manifest; one inside an archive has no lines here.
        text: The requirement as it was written.
    """
    return _quoted(_lines_of(file), text)


@lru_cache(maxsize=64)
def _lines_of(file: str) -> Tuple[str, ...]:
    try:
        with open(file, "rb") as opened:
            return tuple(opened.read(MAX_BYTES).decode("utf-8", "replace").splitlines())
    except OSError:
        return ()


def _quoted(lines: Tuple[str, ...], text: str, start: int = 0) -> Optional[int]:
    inside = (text, text.replace("\\", "\\\\").replace('"', '\\"'))
    wanted = [quote + each + quote for each in dict.fromkeys(inside) for quote in "\"'"]
    for number, line in enumerate(lines[start:], start + 1):
        if any(each in line for each in wanted):
            return number
    return None


def line_of_key(text: str, path: str, value: Any = None) -> Optional[int]:
    """The line of a key in TOML, JSON or YAML text, from 1; None if it cannot be found.

    Args:
        text: The content of the file.
        path: The dotted path, such as ``limits.memory`` or ``requires[2]``. The empty path is
            the whole file; then a ``line 3`` in ``value`` is taken for the answer.
        value: What stands there.
    """
    if not path:
        found = _LINE.search(str(value))
        return int(found.group(1)) if found else None
    lines = tuple(text.splitlines())
    parts = [_INDEX.sub("", part).strip("\"'") for part in path.split(".")]
    at = _key(lines, parts)
    if at is None or not isinstance(value, str) or not value:
        return at
    return _quoted(lines, value, at - 1) or at


def _key(lines: Tuple[str, ...], parts: List[str]) -> Optional[int]:
    """The line of the key; the deepest part that can be found counts."""
    best: Optional[int] = None
    reached = 0
    table: List[str] = []
    for number, line in enumerate(lines, 1):
        header = _HEADER.match(line)
        if header and "=" not in line.partition("]")[2]:
            table = [part.strip().strip("\"'") for part in header.group(1).split(".")]
            if table == parts[: len(table)] and len(table) > reached:
                best, reached = number, len(table)
            continue
        depth = len(table) if table == parts[: len(table)] else 0
        for part in parts[max(depth, reached) :]:
            if (depth or not table) and re.match(_begins(part), line):
                best, reached = number, reached + 1 if reached >= depth else depth + 1
                break
    return best


def _begins(part: str) -> str:
    return rf"""[\s{{,-]*["']?{re.escape(part)}["']?\s*[=:.]"""
