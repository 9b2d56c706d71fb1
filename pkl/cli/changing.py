"""What verbs that change a host's state have in common: which host, which plugins, what then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence

from ..errors import UsageError
from ..store import StateStore

if TYPE_CHECKING:
    from ..model.plan import Plan
    from ..model.state import Reason
    from ..store import Change, HostState
    from .scope import Scope
    from .session import Session

__all__ = ["Subject", "plugins_named", "predicted_lines", "prediction", "say_what_then"]


class Subject:
    """The host whose state a verb changes.

    Attributes:
        scope: What is found of it.
        host: Its name.
        state: What is kept of it.
        store: Where that is kept.
        path: In which file.
    """

    def __init__(self, scope: "Scope") -> None:
        """Reads what is kept.

        Args:
            scope: What the options choose.

        Raises:
            UsageError: The host has no name, so that nothing is kept of it.
        """
        state = scope.state
        if scope.host is None or state is None:
            raise UsageError(
                f"nothing is kept of {scope.where}, because no host of that name is known",
                hint='say which host with --host NAME, or write name = "..." under [tool.pkl]',
            )
        self.scope = scope
        self.host: str = scope.host
        self.state: "HostState" = state
        self.store = StateStore()
        self.path = self.store.path_of(self.host)

    @property
    def facts(self) -> Dict[str, Any]:
        """The fields that say in JSON which host a verb was about, and where its state is."""
        return {**self.scope.facts, "file": self.path}

    def version(self, name: str) -> Optional[str]:
        """The version of a plugin that is there: of several, the one that starts; or None."""
        step = self.scope.plan.step(name)
        if step is not None:
            return step.version
        found = [c.version for c in self.scope.found.candidates if c.name == name]
        return found[0] if found else None


def plugins_named(scope: "Scope", names: Sequence[str]) -> List[str]:
    """The canonical names of what was named, each once, in that order.

    Raises:
        PluginNotFound: One is neither there nor anything kept of it.
    """
    return list(dict.fromkeys(map(scope.known, names)))


def prediction(plan: "Plan", name: str) -> "Dict[str, Any]":
    """The state and the reason of a plugin in JSON, if the host were started by a plan."""
    reason = plan.blocked.get(name)
    state = "enabled" if plan.step(name) is not None else ""
    if not state:
        state = next((n.state for n in plan.graph.nodes if n.name == name), "absent")
    return {"state": state, "reason": reason.as_dict() if reason is not None else None}


def predicted_lines(session: "Session", reason: "Reason") -> str:
    """What still keeps a plugin from starting, below the line that says what was changed."""
    out = session.out
    first = reason.message.split("\n")[0]
    lines = [f"    {out.state('blocked')} {out.clean(first)}"]
    if reason.cause and reason.cause not in reason.message:
        lines.append(f"    because {out.clean(reason.cause)}")
    if reason.remedy:
        lines.append(f"    {out.paint('hint', 'muted')}: {out.clean(reason.remedy)}")
    return "".join(f"{line}\n" for line in lines)


def say_what_then(session: "Session", change: "Optional[Change]", changed: bool) -> None:
    """Says what was wrong with the state file, and when a running host takes the change up."""
    if change is not None and change.problem is not None:
        session.warn(change.problem.message, change.problem.hint)
    if change is not None and changed:
        session.note("a running host heeds this when it starts again or calls host.refresh()")
