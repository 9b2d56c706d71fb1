"""``pkl resolve``: what would be started, in which order, and what would not."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

import click

from ..errors import UsageError
from ..model.candidate import Candidate, Origin
from ..model.plan import Plan
from ..model.requirement import is_version
from ..model.state import Reason
from ..names import canonical
from ..render.table import Cell, Column, table
from .options import Verb
from .scope import Scope
from .session import Session

__all__ = ["command"]

_COLUMNS = (Column("WAVE", right=True), Column("NAME"), Column("VERSION"), Column("SOURCE"))


@click.command("resolve", cls=Verb)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--explain", is_flag=True, help="Say why each plugin that is left out cannot start.")
@click.option("--full", is_flag=True, help="With the whole proof; implies --explain.")
@click.option("--python", metavar="VERSION", help="Plan for another Python.")
@click.option("--host-version", metavar="VERSION", help="Plan for another version of the host.")
@click.option("--registry", is_flag=True, help="Plan with what the registries offer, too.")
@click.option("--pre/--no-pre", default=None, help="Take pre-releases, or refuse them.")
@click.pass_obj
def command(
    session: Session,
    names: Tuple[str, ...],
    explain: bool,
    full: bool,
    python: Optional[str],
    host_version: Optional[str],
    registry: bool,
    pre: Optional[bool],
) -> int:
    """What would be started, in which order, and what would not.

    Without names: everything that is wanted; it exits with 0 even if some of it is blocked.
    With names: these and what they need; it exits with 5 if any of them is blocked. With
    --registry they need not be installed, and the highest versions that fit are taken.
    """
    terms: Dict[str, Any] = {}
    for option, value in (("--python", python), ("--host-version", host_version)):
        if value is not None and not is_version(value):
            raise UsageError(f"{option} {value!r} is not a version (PEP 440)")
    if python is not None:
        terms["python_version"] = python
    if host_version is not None:
        terms["host_version"] = host_version
    if pre is not None:
        terms["prereleases"] = pre
    scope = Scope(session)
    offered = _offered(session, scope, names) if registry else ()
    known = {each.name for each in offered}
    wanted = [
        candidate
        for name in names
        for candidate in (
            [each for each in offered if each.name == canonical(name)]
            if canonical(name) in known
            else scope.named(name)
        )
    ]
    plan = scope.resolve(list(dict.fromkeys(map(scope.node, wanted))), offered, **terms)
    blocked = plan.blocked
    if wanted:
        # A blocked plugin is called by its id only where two of a foreign group share the name.
        keys = {key for each in wanted for key in (each.name, scope.node(each))}
        blocked = {name: blocked[name] for name in blocked if name in keys}
    if session.json:
        session.document("pkl.resolve/1", _as_dict(scope, plan, blocked))
    else:
        session.write(_text(session, plan, blocked, explain or full, full))
        if not plan.steps and not blocked:
            session.note(f"no plugins in {scope.where}")
    started = {scope.node(step.candidate) for step in plan.steps}
    return 0 if started.issuperset(map(scope.node, wanted)) else 5


def _offered(session: Session, scope: Scope, names: Sequence[str]) -> Tuple[Candidate, ...]:
    """What registries offer of these plugins and of what they ask for.

    Raises:
        UsageError: The group is another ecosystem's, which registries do not know.
        RegistryError: A registry cannot be asked, or none is known.
    """
    installed = scope.found.candidates
    if scope.foreign:
        raise UsageError(
            f"registries hold plugins of pkl, and none of the group {scope.group!r}",
            hint="leave --registry or --group out",
        )
    from ..registry.reaching import reachable
    from .catalog import catalog_of, say_remarks

    catalog = catalog_of(session)
    pins = scope.state.pins if scope.state is not None else {}
    offered = reachable(catalog, names, installed, pins)
    say_remarks(session, catalog)
    return offered


def _as_dict(scope: Scope, plan: Plan, blocked: Mapping[str, Reason]) -> Dict[str, Any]:
    versions = _versions(plan)
    return {
        **scope.facts,
        "steps": [
            {"name": step.name, "version": step.version, "layer": step.layer} for step in plan.steps
        ],
        "blocked": [
            {"name": name, "version": versions.get(name), "reason": reason.as_dict()}
            for name, reason in blocked.items()
        ],
        "waiting": [
            {"name": name, "version": versions.get(name), "reason": reason.as_dict()}
            for name, reason in plan.waiting.items()
        ],
        "notes": list(plan.notes),
        "from_registry": [
            {
                "name": step.name,
                "version": step.version,
                "distribution": step.candidate.distribution,
                "url": step.candidate.target,
            }
            for step in plan.steps
            if step.candidate.origin is Origin.REGISTRY
        ],
    }


def _versions(plan: Plan) -> Mapping[str, str]:
    versions = {node.name: node.version for node in plan.graph.nodes}
    versions.update((node.id, node.version) for node in plan.graph.nodes)
    return versions


def _text(
    session: Session, plan: Plan, blocked: Mapping[str, Reason], explain: bool, full: bool
) -> str:
    out = session.out
    rows: List[Sequence[Union[str, Cell]]] = [
        (str(step.layer + 1), Cell(step.name, "bold"), step.version, _source(step.candidate))
        for step in plan.steps
    ]
    text = table(_COLUMNS, rows, terminal=out) if rows else ""
    if plan.waiting:
        text += out.paint(
            f"started when needed: {', '.join(map(out.clean, plan.waiting))}", "muted"
        )
        text += "\n"
    if blocked:
        versions = _versions(plan)
        lines = [out.paint(f"blocked: {len(blocked)}", "bold")]
        for name, reason in blocked.items():
            called = " ".join(part for part in (name, versions.get(name, "")) if part)
            lines.append(f"  {out.glyph('blocked')} {out.paint(out.clean(called), 'wait')}")
            said = plan.explain(name, full) if explain else _short(reason)
            lines += [f"      {out.clean(line)}" for line in said.split("\n")]
        text += ("\n" if text else "") + "\n".join(lines) + "\n"
    if session.verbosity > 0 or explain:
        text += "".join(f"note: {out.clean(note)}\n" for note in plan.notes)
    return text


def _source(candidate: Candidate) -> str:
    away = candidate.origin is Origin.REGISTRY
    return f"{candidate.source}, not installed" if away else candidate.source


def _short(reason: Reason) -> str:
    lines = [reason.message]
    if reason.cause and reason.cause not in reason.message:
        lines.append(f"because {reason.cause}")
    if reason.remedy:
        lines.append(f"hint: {reason.remedy}")
    return "\n".join(lines)
