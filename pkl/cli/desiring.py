"""Says what people want of plugins: what ``enable``, ``disable`` and ``mask`` do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Mapping, NamedTuple, Sequence

from ..errors import InUse
from ..model.state import Desired
from .changing import Subject, plugins_named, predicted_lines, prediction, say_what_then
from .scope import Scope

if TYPE_CHECKING:
    from ..model.graph import Edge
    from ..model.plan import Plan
    from ..store import HostState
    from .session import Session

__all__ = ["desire", "users_of"]


class _Line(NamedTuple):
    """What became of one plugin."""

    name: str
    before: Desired
    after: Desired
    needs: str
    """What it is disabled with; empty for a plugin that was named."""


def desire(
    session: "Session",
    verb: str,
    desired: Desired,
    names: Sequence[str],
    *,
    cascade: bool = False,
    dry_run: bool = False,
    because: str = "",
) -> int:
    """Keeps what people want of plugins of a host.

    Args:
        session: The options.
        verb: The verb, which is noted.
        desired: What people want.
        names: Of which plugins.
        cascade: Disable what needs them, too, where it would otherwise be refused.
        dry_run: Only say what would be kept.
        because: Why, which is noted.

    Raises:
        InUse: Others need one of them, and ``cascade`` is False.
        PluginNotFound: There is no such plugin.
        UsageError: The host has no name.
        StateNewer: A later version of pkl wrote the host's state; nothing was changed.
        StateUnavailable: The host's state cannot be written; nothing was changed.
        LockTimeout: Another process is changing it all the while.
    """
    subject = Subject(Scope(session, warn_of_state=dry_run))
    targets = plugins_named(subject.scope, names)
    users: Mapping[str, "Edge"] = {}
    if desired is not Desired.ENABLED:
        users = _users(subject, targets)
        if users and not cascade:
            raise _in_use(subject, verb, targets, users)
    wanted = {**dict.fromkeys(users, Desired.DISABLED), **dict.fromkeys(targets, desired)}
    by = f"pkl {verb} {' '.join(targets)}" + (f": {because}" if because else "")
    change = None if dry_run else subject.store.set_desired(subject.host, wanted, by=by)
    before = change.before if change is not None else subject.state
    after = change.state if change is not None else _with(subject.state, wanted)
    lines = [
        _Line(name, _of(before, name), each, users[name].to if name in users else "")
        for name, each in sorted(wanted.items())
    ]
    _show(session, subject, verb, lines, subject.scope.predicted(after), dry_run)
    say_what_then(session, change, any(each.before is not each.after for each in lines))
    return 0


def _of(state: "HostState", name: str) -> Desired:
    return state.desired.get(name, Desired.ENABLED)


def _with(state: "HostState", wanted: Mapping[str, Desired]) -> "HostState":
    for name, each in wanted.items():
        state = state.with_desired(name, each)
    return state


def _users(subject: Subject, targets: Sequence[str]) -> "Mapping[str, Edge]":
    """What would pull the targets in all the same, if people just did not want them."""
    state = _with(subject.state, dict.fromkeys(targets, Desired.DISABLED))
    return users_of(subject.scope.predicted(state), targets, state.desired)


def users_of(
    plan: "Plan", targets: Sequence[str], desired: Mapping[str, Desired]
) -> "Mapping[str, Edge]":
    """What is wanted, or starts, and requires one of the targets, directly or through others.

    Args:
        plan: The plan without the targets.
        targets: Plugins; none of them is in the result.
        desired: What people want of each plugin.

    Returns:
        For each such plugin, sorted by name, the edge that leads it towards a target.
    """
    uses: Dict[str, List["Edge"]] = {}
    for edge in plan.graph.edges:
        if edge.kind == "requires" and edge.satisfied:
            uses.setdefault(edge.to, []).append(edge)
    found: Dict[str, "Edge"] = {}
    work = list(targets)
    while work:
        for edge in uses.get(work.pop(0), ()):
            user = edge.from_
            masked = desired.get(user) is Desired.MASKED
            if user not in found and user not in targets and not masked:
                found[user] = edge
                work.append(user)
    return {
        name: found[name]
        for name in sorted(found)
        if desired.get(name, Desired.ENABLED) is Desired.ENABLED or plan.step(name) is not None
    }


def _in_use(
    subject: Subject, verb: str, targets: Sequence[str], users: "Mapping[str, Edge]"
) -> InUse:
    count = "1 plugin that is" if len(users) == 1 else f"{len(users)} plugins that are"
    plural = "is" if len(targets) == 1 else "are"
    lines = [f"{', '.join(targets)} {plural} needed by {count} wanted"]
    for name, edge in users.items():
        called = " ".join(filter(None, (name, subject.version(name))))
        lines.append(f"{called} requires {edge.requirement}")
    return InUse(
        "\n".join(lines),
        plugin=targets[0] if len(targets) == 1 else None,
        hint=f"pkl {verb} {' '.join(targets)} --cascade disables these, too",
        dependants=list(users),
    )


def _show(
    session: "Session",
    subject: Subject,
    verb: str,
    lines: Sequence[_Line],
    plan: "Plan",
    dry_run: bool,
) -> None:
    if session.json:
        fields = {
            **subject.facts,
            "dry_run": dry_run,
            "plugins": [_as_dict(subject, each, plan) for each in lines],
        }
        session.document(f"pkl.{verb}/1", fields)
        return
    text = ""
    for each in lines:
        reason = plan.blocked.get(each.name)
        text += f"{session.out.clean(_text(each, dry_run))}\n"
        if reason is not None and each.after is Desired.ENABLED:
            text += predicted_lines(session, reason)
    session.write(text)


def _as_dict(subject: Subject, line: _Line, plan: "Plan") -> Dict[str, Any]:
    return {
        "name": line.name,
        "version": subject.version(line.name),
        "before": str(line.before),
        "desired": str(line.after),
        "changed": line.before is not line.after,
        "needs": line.needs or None,
        **prediction(plan, line.name),
    }


def _text(line: _Line, dry_run: bool) -> str:
    if line.before is line.after:
        return f"{line.name}: {line.after} already"
    text = f"{line.name}: {'would be ' if dry_run else ''}{line.after}"
    text += f" ({'is' if dry_run else 'was'} {line.before})"
    return f"{text}, because it requires {line.needs}" if line.needs else text
