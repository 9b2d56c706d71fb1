"""One row for each plugin that was found: what it is, and what the plan makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional

from ..model.candidate import Candidate
from ..model.plan import Plan
from ..model.requirement import version_key
from ..model.state import Desired, PluginState, Reason
from .scope import Scope

if TYPE_CHECKING:
    from ..store import HeldUpdate, PluginRecord

__all__ = ["Row", "kept_fields", "rows_of", "said_of"]


class Row(NamedTuple):
    """A candidate, and the state that the plan predicts for it."""

    candidate: Candidate
    key: str
    """What the plan calls it: its name, or ``distribution:name`` where a name is taken twice."""
    state: str
    desired: str
    reason: Optional[Reason]
    """Why it does not start; None if it does."""
    record: "Optional[PluginRecord]" = None
    """What is kept of it; None of a host without a name."""

    @property
    def remark(self) -> str:
        """What is kept of it and cannot be seen from its state and reason; else empty."""
        said = []
        if self.reason is None and self.desired != Desired.ENABLED.value:
            said.append(f"{self.desired}, but required")
        if self.record is not None and self.record.pin is not None:
            said.append(f"pinned to {self.record.pin.version}")
        if self.held is not None:
            said.append(f"held: {self.held}")
        return "; ".join(said)

    @property
    def held(self) -> "Optional[HeldUpdate]":
        """The update of it that waits for a consent; None if it is there by other ways."""
        held = self.record.held if self.record is not None else None
        version = self.candidate.distribution_version or self.candidate.version
        if held is None or version_key(version) >= version_key(held.version):
            return None
        return held

    def as_dict(self) -> Dict[str, Any]:
        """The row as the JSON object of ``pkl.list/1``."""
        candidate, metadata = self.candidate, self.candidate.metadata
        return {
            "name": candidate.name,
            "version": candidate.version,
            "state": self.state,
            "desired": self.desired,
            "reason": self.reason.as_dict() if self.reason is not None else None,
            "distribution": candidate.distribution,
            "origin": str(candidate.origin),
            "location": candidate.location,
            "target": candidate.target,
            "summary": metadata.summary,
            "requires": [each.text for each in metadata.requires],
            "wants": [each.text for each in metadata.wants],
            "provides": [str(each) for each in metadata.provides],
            "notes": list(candidate.notes),
            **kept_fields(self.record),
        }


def kept_fields(record: "Optional[PluginRecord]") -> Dict[str, Any]:
    """What is kept of a plugin, as fields of JSON: ``wish``, ``pin``, ``quarantine``, ``held``."""
    wish = record.wish if record is not None else None
    pin = record.pin if record is not None else None
    held = record.quarantine if record is not None else None
    return {
        "wish": {"since": wish.since, "by": wish.by} if wish is not None else None,
        "pin": pin.version if pin is not None else None,
        "quarantine": {"since": held.since, "why": held.why} if held is not None else None,
        "held": held_fields(record),
    }


def held_fields(record: "Optional[PluginRecord]") -> Optional[Dict[str, Any]]:
    """The update that is held, as fields of JSON; None if none is."""
    held = record.held if record is not None else None
    if held is None:
        return None
    return {
        "version": held.version,
        "changes": list(held.changes),
        "consent": held.consent,
        "since": held.since,
        "by": held.by,
    }


def said_of(mark: Any) -> str:
    """Since when and how something was said; empty if nobody knows."""
    parts = [f"since {mark.since}" if mark.since else "", mark.by] if mark is not None else []
    text = ", ".join(filter(None, parts))
    return f" ({text})" if text else ""


def rows_of(scope: Scope, plan: Optional[Plan] = None) -> List[Row]:
    """A row for each candidate, in the order of discovery.

    Args:
        scope: What to look at.
        plan: The plan that predicts the states; by default that of everything wanted.
    """
    if plan is None:
        plan = scope.plan
    steps = {id(step.candidate): step for step in plan.steps}
    started = {step.name: step.candidate for step in plan.steps}
    states = {node.id: node.state for node in plan.graph.nodes}
    found: List[Row] = []
    for candidate in scope.found.candidates:
        name, ident = candidate.name, candidate.id
        key = ident if ident in plan.blocked or ident in started else name
        reason = plan.blocked.get(key)
        if id(candidate) in steps and name in plan.waiting:
            state, reason = PluginState.UNLOADED.value, plan.waiting[name]
        elif id(candidate) in steps:
            state, reason = PluginState.ENABLED.value, None
        elif key in started:
            state = PluginState.UNLOADED.value
            other = started[key]
            text = f"{name} is taken from {other.source}"
            reason = Reason("set-aside", text, text, "")
        else:
            state = states.get(ident if scope.foreign else name, "") or _state_for(reason)
        desired = scope.desired.get(name, Desired.ENABLED)
        record = scope.state.record(name) if scope.state is not None else None
        found.append(Row(candidate, key, state, str(desired), reason, record))
    return found


def _state_for(reason: Optional[Reason]) -> str:
    if reason is None:
        return PluginState.UNLOADED.value
    state = PluginState.ERROR if reason.code == "manifest" else PluginState.BLOCKED
    return str(state)
