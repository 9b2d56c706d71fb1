"""One row for each plugin that was found: what it is, and what the plan makes of it."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional

from ..model.candidate import Candidate
from ..model.plan import Plan
from ..model.state import Desired, PluginState, Reason
from .scope import Scope

__all__ = ["Row", "rows_of"]


class Row(NamedTuple):
    """A candidate, and the state that the plan predicts for it."""

    candidate: Candidate
    key: str
    """What the plan calls it: its name, or ``distribution:name`` where a name is taken twice."""
    state: str
    desired: str
    reason: Optional[Reason]
    """Why it does not start; None if it does."""

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
        }


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
        if id(candidate) in steps:
            state, reason = PluginState.ENABLED.value, None
        elif key in started:
            state = PluginState.UNLOADED.value
            other = started[key]
            text = f"{name} is taken from {other.source}"
            reason = Reason("set-aside", text, text, "")
        else:
            state = states.get(ident if scope.foreign else name, "") or _state_for(reason)
        desired = scope.desired.get(name, Desired.ENABLED)
        found.append(Row(candidate, key, state, str(desired), reason))
    return found


def _state_for(reason: Optional[Reason]) -> str:
    if reason is None:
        return PluginState.UNLOADED.value
    state = PluginState.ERROR if reason.code == "manifest" else PluginState.BLOCKED
    return str(state)
