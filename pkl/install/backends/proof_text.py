"""What uv and pip say when versions do not fit together, without what is only noise."""

from __future__ import annotations

import re
from typing import List, Optional, Sequence, Tuple

from ...names import printable

__all__ = ["pip_proof", "uv_proof"]

_UV_HEAD = re.compile(r"No solution found when resolving dependencies")
_UV_MARGIN = re.compile(r"^[\s\u2502\u2570\u2500\u25b6\u25ba\u251c\u00d7>-]*(?:cause:|hint:)?\s*")
_UV_SENTENCE = re.compile(r"(?:Because|And because) ")
_UV_LEVEL = re.compile(r"^(?:warning|debug|info)\b", re.IGNORECASE)
_PIP_HEAD = "The conflict is caused by:"
_PIP_NONE = re.compile(
    r"ERROR: Could not find a version that satisfies the requirement (?P<what>.*)"
)
_PIP_PYTHON = re.compile(r"ERROR: (?P<what>Package '.*' requires a different Python: .*)")
_PIP_FROM = re.compile(r" \(from versions: (?P<versions>[^)]*)\)")
_FILES = re.compile(r" \((?:from )?-[rc] [^)]*\)|->-r \S+ \(line \d+\)")
_MAX_LINES = 40


def uv_proof(text: str) -> Optional[Tuple[str, ...]]:
    """The sentences in which uv proves that there is no solution; None if it is another failure.

    Args:
        text: What it wrote to standard error.
    """
    lines = text.splitlines()
    at = next((i for i, line in enumerate(lines) if _UV_HEAD.search(line)), None)
    if at is None:
        return None
    found: List[str] = []
    hints: List[str] = []
    into = found
    for line in lines[at + 1 :]:
        stripped = line.strip()
        plain = _UV_MARGIN.sub("", line).strip()
        if not plain or _UV_LEVEL.match(stripped):
            continue
        if "hint:" in line[: line.find(plain)]:
            into = hints
            into.append(plain)
        elif into is found and (_UV_SENTENCE.match(plain) or not found):
            found.append(plain)
        elif into:
            into[-1] = f"{into[-1]} {plain}"
    return _capped(found)


def pip_proof(text: str) -> Optional[Tuple[str, ...]]:
    """The lines in which pip says who wants what; None if it is another failure.

    Args:
        text: What it wrote.
    """
    found: List[str] = []
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if line.startswith(_PIP_HEAD):
            for cause in lines[at + 1 :]:
                if not cause.startswith(" "):
                    break
                found.append(_FILES.sub("", cause.strip()))
        match = _PIP_NONE.match(line)
        if match is not None:
            found += _unmet(match["what"])
        match = _PIP_PYTHON.match(line)
        if match is not None:
            found.append(match["what"])
    if not found and "ResolutionImpossible" not in text:
        return None
    return _capped(found)


def _unmet(what: str) -> List[str]:
    versions = _PIP_FROM.search(what)
    wanted = _FILES.sub("", _PIP_FROM.sub("", what)).strip()
    there = versions["versions"].strip() if versions is not None else ""
    if there in ("", "none"):
        return [f"{wanted} is required, and there is none"]
    return [f"{wanted} is required, and there are only {there}"]


def _capped(lines: Sequence[str]) -> Tuple[str, ...]:
    """The lines, each once; of a long proof its end, which says what it comes to."""
    unique = list(dict.fromkeys(map(printable, lines)))
    return tuple(unique[-_MAX_LINES:])
