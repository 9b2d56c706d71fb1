"""One thing that a check found, and how findings are shown."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Tuple

__all__ = ["ERROR", "NOTE", "WARNING", "Finding", "in_order", "split_place"]

ERROR, WARNING, NOTE = "error", "warning", "note"
_RANK = {ERROR: 0, WARNING: 1, NOTE: 2}


class Finding(NamedTuple):
    """Something that is wrong, or may be."""

    severity: str
    """``error``, ``warning`` or ``note``."""
    code: str
    """A stable word, listed in ``docs/cli.md``."""
    message: str
    """What is wrong, in one line or a few."""
    file: Optional[str] = None
    """The file at fault."""
    line: Optional[int] = None
    """The line in it, from 1, where it is known."""
    path: Optional[str] = None
    """The dotted path of the key at fault, in a manifest."""
    hint: str = ""
    """What to do about it."""

    @property
    def place(self) -> str:
        """``file:line``, as far as it is known."""
        if self.file is None:
            return ""
        return f"{self.file}:{self.line}" if self.line is not None else self.file

    def as_dict(self) -> Dict[str, Any]:
        """The finding as the JSON object of ``pkl.check/1``."""
        return self._asdict()


def in_order(findings: Iterable[Finding]) -> List[Finding]:
    """The findings without repetition, by file and line, the worst first in each line."""

    def key(each: Finding) -> Tuple[str, int, int, str, str]:
        return (each.file or "", each.line or 0, _RANK[each.severity], each.code, each.message)

    return sorted(dict.fromkeys(findings), key=key)


def split_place(file: Optional[str]) -> Tuple[Optional[str], Optional[int]]:
    """The file and line of a ``file:line`` text.

    Args:
        file: Such as ``plugin.toml:3``; without a line, or None.
    """
    head, colon, tail = (file or "").rpartition(":")
    if colon and tail.isdigit() and head:
        return head, int(tail)
    return file, None
