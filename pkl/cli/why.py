"""``pkl why``: who pulls a plugin in, or why it does not run."""

from __future__ import annotations

from itertools import islice
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

import click

from ..model.activation import WAITING
from ..model.graph import Edge, Graph
from ..model.impairment import want_unmet
from ..model.plan import Plan
from ..model.state import Desired, PluginState, Reason
from ..render.tree import tree
from .options import Verb
from .rows import Row, kept_fields, rows_of, said_of
from .scope import Scope
from .session import Session

__all__ = ["command", "paths_to"]

SHOWN = 100
"""So many paths are listed in JSON without ``--all``; there may be exponentially many."""


@click.command("why", cls=Verb)
@click.argument("name")
@click.option("--all", "everything", is_flag=True, help="With --json: list more than 100 paths.")
@click.option("--full", is_flag=True, help="The whole proof of why it cannot start.")
@click.pass_obj
def command(session: Session, name: str, everything: bool, full: bool) -> int:
    """Who pulls a plugin in, or why it does not run.

    Every way from a plugin that nobody needs is shown, with each requirement on it; then the
    reason, its root cause and what to do about it, as far as they can be known with no host
    running; and what it goes without.
    """
    scope = Scope(session)
    meant = scope.named(name)
    # Those that collide have one reason, told once, unless a foreign group tells them apart.
    rows = {row.key: row for row in reversed(rows_of(scope)) if row.candidate in meant}
    if session.json:
        first, *others = [_as_dict(scope, rows[key], everything, full) for key in sorted(rows)]
        session.document("pkl.why/1", {**first, "others": others})
        return 0
    session.write("\n".join(_text(session, scope, rows[key], full) for key in sorted(rows)))
    return 0


def _as_dict(scope: Scope, row: Row, everything: bool, full: bool) -> Dict[str, Any]:
    plan = scope.plan
    limit = None if everything else SHOWN + 1
    found = list(islice(paths_to(plan.graph, scope.node(row.candidate)), limit))
    found.sort(key=lambda path: (len(path), [edge.from_ for edge in path]))
    listed = found if everything else found[:SHOWN]
    return {
        "name": row.key,
        "version": row.candidate.version,
        "state": row.state,
        "desired": row.desired,
        "reason": row.reason.as_dict() if row.reason is not None else None,
        "required_by": [
            [{"name": e.from_, "requirement": e.requirement, "kind": e.kind} for e in path]
            for path in listed
        ],
        "activation": list(row.candidate.metadata.activation),
        "impairments": [each.as_dict() for each in _gone_without(scope, row)],
        "truncated": len(listed) < len(found),
        "explanation": plan.explain(row.key, full),
        **kept_fields(row.record),
    }


def _text(session: Session, scope: Scope, row: Row, full: bool) -> str:
    out, plan = session.out, scope.plan
    node = scope.node(row.candidate)
    text = tree(
        plan.graph,
        invert=True,
        focus=node,
        ascii=not out.unicode,
        color=out.color,
        reasons={name: reason for name, reason in plan.blocked.items() if name != row.key},
    )
    wish = row.record.wish if row.record is not None else None
    if row.desired != Desired.ENABLED.value and wish is not None:
        text += f"{out.clean(f'{row.desired}{said_of(wish)}')}\n"
    if row.reason is not None:
        held = f"held: {out.clean(str(row.held))}\n" if row.held is not None else ""
        return f"{text}\n{_explained(session, plan, row, full)}{held}"
    for each in _gone_without(scope, row):
        text += f"{out.clean(each.message)}\n"
        text += f"{out.paint('hint', 'muted')}: {out.clean(each.remedy)}\n"
    if row.remark:
        text += f"{out.clean(row.remark)}\n"
    if not any(edge.to == node and edge.kind in _PULLS for edge in plan.graph.edges):
        text += f"nothing needs it; it is started because it is {row.desired}\n"
    return text


def _explained(session: Session, plan: Plan, row: Row, full: bool) -> str:
    reason, out = row.reason, session.out
    assert reason is not None
    said = reason.message if reason.code in ("manifest", WAITING) else plan.explain(row.key, full)
    lines = [out.clean(line) for line in said.split("\n")]
    if reason.remedy and reason.remedy not in said:
        lines.append(f"{out.paint('hint', 'muted')}: {out.clean(reason.remedy)}")
    return "".join(f"{line}\n" for line in lines)


def _gone_without(scope: Scope, row: Row) -> List[Reason]:
    """What a plugin that starts wants and does not get, as ``plugin.impairments`` will say."""
    plan = scope.plan
    if row.reason is not None or row.state != PluginState.ENABLED.value:
        return []
    states = {node.id: node.state for node in plan.graph.nodes}
    node, candidate = scope.node(row.candidate), row.candidate
    met = {
        edge.requirement
        for edge in plan.graph.edges
        if edge.from_ == node and edge.kind == "wants" and edge.satisfied
        if states.get(edge.to) == PluginState.ENABLED.value
    }
    versions = {step.name: step.version for step in plan.steps}
    return [
        want_unmet(
            candidate.name,
            candidate.version,
            want,
            plan.blocked.get(want.name),
            versions.get(want.name),
        )
        for want in candidate.metadata.wants
        if want.applies() and want.text not in met
    ]


_PULLS = ("requires", "wants")


def paths_to(graph: Graph, target: str) -> Iterator[Tuple[Edge, ...]]:
    """Every way from a plugin that nobody needs down to ``target``, one edge after the other.

    A path visits no plugin twice; one that comes from a cycle that nobody outside of it needs
    begins where it would close the cycle.

    Args:
        graph: The graph.
        target: A node's id.
    """
    users: Dict[str, List[Edge]] = {}
    for edge in sorted(graph.edges, key=lambda e: (e.from_, e.kind, e.requirement)):
        if edge.kind in _PULLS and edge.from_ != edge.to:
            users.setdefault(edge.to, []).append(edge)
    # Depth first with a stack of its own: each entry is what is left to try at that depth.
    trail: List[Edge] = []
    on_trail: Dict[str, None] = {target: None}
    work = [iter(_ways(users, target, on_trail))]
    while work:
        try:
            edge = next(work[-1])
        except StopIteration:
            work.pop()
            if trail:
                on_trail.pop(trail.pop().from_)
            continue
        trail.append(edge)
        on_trail[edge.from_] = None
        ways = _ways(users, edge.from_, on_trail)
        if not ways:
            yield tuple(reversed(trail))
        work.append(iter(ways))


def _ways(
    users: Mapping[str, Sequence[Edge]], node: str, on_trail: Mapping[str, None]
) -> List[Edge]:
    return [edge for edge in users.get(node, ()) if edge.from_ not in on_trail]
