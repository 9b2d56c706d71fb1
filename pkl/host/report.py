"""What a start came to: which plugins run, which do not and why, and how long each took."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Tuple

from ..model.state import Reason

__all__ = ["StartReport"]


@dataclass(frozen=True)
class StartReport:
    """The result of ``host.start()``; one plugin's fault is in here, never raised.

    Attributes:
        enabled: The plugins that run, in the order in which they were enabled.
        blocked: Why others could not be started, by name.
        failed: Why others failed by themselves, by name.
        timings: Seconds that loading and enabling took, by name.
        notes: Remarks of the resolver.
        status: ``ok``, ``degraded`` (something wanted does not run), or ``refused`` (a critical
            plugin does not run, so everything was stopped again).
    """

    enabled: Tuple[str, ...] = ()
    blocked: Mapping[str, Reason] = field(default_factory=dict)
    failed: Mapping[str, Reason] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    notes: Tuple[str, ...] = ()
    status: str = "ok"

    @property
    def ok(self) -> bool:
        """Whether everything that is wanted runs."""
        return self.status == "ok"

    def __str__(self) -> str:
        lines: List[str] = [f"{self.status}: {len(self.enabled)} enabled"]
        if self.failed:
            lines[0] += f", {len(self.failed)} failed"
        if self.blocked:
            lines[0] += f", {len(self.blocked)} blocked"
        for word, reasons in (("failed", self.failed), ("blocked", self.blocked)):
            for name, reason in reasons.items():
                lines.append(f"  {word} {name}: {reason.message}")
                if word == "blocked" and reason.cause and reason.cause not in reason.message:
                    lines.append(f"    because {reason.cause}")
                if reason.remedy:
                    lines.append(f"    hint: {reason.remedy}")
        return "\n".join(lines)

    def as_dict(self) -> Dict[str, Any]:
        """The report as JSON-representable values."""
        return {
            "status": self.status,
            "enabled": list(self.enabled),
            "blocked": {name: reason.as_dict() for name, reason in self.blocked.items()},
            "failed": {name: reason.as_dict() for name, reason in self.failed.items()},
            "timings": dict(self.timings),
            "notes": list(self.notes),
        }
