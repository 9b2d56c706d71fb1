"""What a start came to: which plugins run, which do not and why, and how long each took."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from ..model.activation import Activation
from ..model.state import Reason
from ..render.table import Cell, Column, state_cell, table
from ..render.terminal import PLAIN, Terminal
from ..store import DeadStart

__all__ = ["StartReport"]

_COLUMNS = (
    Column("NAME"),
    Column("VERSION"),
    Column("STATE"),
    Column("MS", right=True),
    Column("WHY", shrink=True),
)


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
        seconds: What all of it took.
        versions: The version of each plugin that is named here.
        critical_path: Of the plugins that this start enabled, the chain of those that waited for
            each other and took longest together, in start order: no start can be shorter, however
            much of it happens at once.
        waiting: For what those wait that are started when they are needed, by name.
        died: Earlier starts of the host in which the process died, the last one last.
        safe_mode: Whether only what is critical was to be started.
        stopped: Why others were stopped again, or do not wait any more, by name: the start was
            refused.
        activations: How lazy plugins that run were started, by name: ``plugin.activation``.
    """

    enabled: Tuple[str, ...] = ()
    blocked: Mapping[str, Reason] = field(default_factory=dict)
    failed: Mapping[str, Reason] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    notes: Tuple[str, ...] = ()
    status: str = "ok"
    seconds: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)
    critical_path: Tuple[str, ...] = ()
    waiting: Mapping[str, Reason] = field(default_factory=dict)
    died: Tuple[DeadStart, ...] = ()
    safe_mode: bool = False
    stopped: Mapping[str, Reason] = field(default_factory=dict)
    activations: Mapping[str, Activation] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether everything that is wanted runs."""
        return self.status == "ok"

    @property
    def summary(self) -> str:
        """The status and the numbers, such as ``degraded: 5 enabled, 1 failed``."""
        text = f"{self.status}: {len(self.enabled)} enabled"
        if self.failed:
            text += f", {len(self.failed)} failed"
        if self.blocked:
            text += f", {len(self.blocked)} blocked"
        if self.waiting:
            text += f", {len(self.waiting)} waiting"
        if self.stopped:
            text += f", {len(self.stopped)} stopped again"
        return text

    def __str__(self) -> str:
        """The summary, and why what does not run does not; the same for the same outcome."""
        lines: List[str] = [self.summary]
        for word, reasons in (("failed", self.failed), ("blocked", self.blocked)):
            for name, reason in reasons.items():
                lines.append(f"  {word} {name}: {reason.message}")
                if word == "blocked" and reason.cause and reason.cause not in reason.message:
                    lines.append(f"    because {reason.cause}")
                if reason.remedy:
                    lines.append(f"    hint: {reason.remedy}")
        return "\n".join(lines)

    def as_text(self, *, terminal: Optional[Terminal] = None, limit: int = 10) -> str:
        """A table of what runs, slowest first, and of what does not and why; then the verdict.

        Args:
            terminal: What the destination can show; by default a plain file in UTF-8.
            limit: How many of the enabled plugins have a row; what the others took together is
                one line.
        """
        terminal = terminal or PLAIN
        rows: List[Sequence[Union[str, Cell]]] = []
        by_cost = sorted(self.enabled, key=lambda name: -self.timings.get(name, 0.0))
        for name in by_cost[:limit]:
            how = self.activations.get(name)
            rows.append(self._row(name, "enabled", how.told if how is not None else ""))
        for state, reasons in (("error", self.failed), ("blocked", self.blocked)):
            for name, reason in reasons.items():
                rows.append(self._row(name, state, reason.message.split("\n")[0]))
        for name, reason in self.waiting.items():
            rows.append(self._row(name, "unloaded", reason.message))
        for name, reason in self.stopped.items():
            rows.append(self._row(name, "disabled", reason.message))
        text = table(_COLUMNS, rows, terminal=terminal) if rows else ""
        left_out = by_cost[limit:]
        if left_out:
            took = sum(self.timings.get(name, 0.0) for name in left_out)
            text += f"and {len(left_out)} more that are enabled, {took * 1000:.1f} ms together\n"
        text += f"started in {self.seconds * 1000:.1f} ms"
        if len(self.critical_path) > 1:
            chain = ", ".join(
                f"{terminal.clean(name)} {self.timings.get(name, 0.0) * 1000:.1f}"
                for name in self.critical_path
            )
            text += f"; critical path: {chain}"
        role = {"ok": "ok", "degraded": "wait"}.get(self.status, "fail")
        return f"{text}\n{terminal.paint(self.summary, role)}\n"

    def _row(self, name: str, state: str, why: str) -> Sequence[Union[str, Cell]]:
        took = self.timings.get(name)
        return (
            Cell(name, "bold"),
            self.versions.get(name, ""),
            state_cell(state),
            f"{took * 1000:.1f}" if took is not None else "",
            why,
        )

    def as_dict(self) -> Dict[str, Any]:
        """The report as JSON-representable values."""
        return {
            "status": self.status,
            "seconds": self.seconds,
            "enabled": list(self.enabled),
            "blocked": {name: reason.as_dict() for name, reason in self.blocked.items()},
            "failed": {name: reason.as_dict() for name, reason in self.failed.items()},
            "waiting": {name: reason.as_dict() for name, reason in self.waiting.items()},
            "stopped": {name: reason.as_dict() for name, reason in self.stopped.items()},
            "activations": {name: each.as_dict() for name, each in self.activations.items()},
            "timings": dict(self.timings),
            "versions": dict(self.versions),
            "critical_path": list(self.critical_path),
            "notes": list(self.notes),
            "died": [each.as_dict() for each in self.died],
            "safe_mode": self.safe_mode,
        }
