"""One thing that a check of a host found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Dict, Iterable, Optional, Tuple

__all__ = ["ERROR", "NOTE", "WARNING", "Finding", "sort_findings"]

ERROR, WARNING, NOTE = "error", "warning", "note"
_RANK = {ERROR: 0, WARNING: 1, NOTE: 2}


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with what runs in a host, or may be.

    Attributes:
        severity: ``error``, ``warning`` or ``note``.
        code: A stable word, listed in ``docs/embedding.md``.
        message: What is wrong, in one line.
        plugin: The plugin it is about, or None for the host.
        hook: The hook it is about, as ``plugin.hook``.
        argument: The argument of that hook.
        file: The file of the code or manifest at fault.
        line: The line in it, from 1.
        hint: What to do about it.
    """

    severity: str
    code: str
    message: str
    plugin: Optional[str] = None
    hook: Optional[str] = None
    argument: Optional[str] = None
    file: Optional[str] = None
    line: Optional[int] = None
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file and self.line else ""
        return f"{place}{self.severity} {self.code}: {self.message}"

    def as_dict(self) -> Dict[str, Any]:
        """The finding as a JSON object."""
        return asdict(self)


def sort_findings(findings: Iterable[Finding]) -> Tuple[Finding, ...]:
    """The findings without repetition, the worst first, then by plugin, code and place."""

    def key(each: Finding) -> Tuple[int, str, str, str, int, str]:
        place = (each.file or "", each.line or 0)
        return (_RANK[each.severity], each.plugin or "", each.code, *place, each.message)

    return tuple(sorted(dict.fromkeys(findings), key=key))
