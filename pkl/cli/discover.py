"""``pkl discover``: what each source holds, or every entry-point group there is."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence, Union

import click

from ..discovery import Member, groups
from ..model.candidate import Candidate, Failure
from ..render.table import Cell, Column, table
from .listing import failure_lines
from .options import Verb
from .scope import Scope
from .session import Session

__all__ = ["command"]

_COLUMNS = (
    Column("NAME"),
    Column("VERSION"),
    Column("SOURCE"),
    Column("TARGET"),
    Column("LOCATION", shrink=True, least=20),
)
_GROUPS = (
    Column("GROUP"),
    Column("ENTRY POINTS", right=True),
    Column("DISTRIBUTIONS", shrink=True, least=20),
)


@click.command("discover", cls=Verb)
@click.option("--groups", "all_groups", is_flag=True, help="Count every entry-point group.")
@click.option("--refresh", is_flag=True, help="Read everything anew, and renew the cache.")
@click.pass_obj
def command(session: Session, all_groups: bool, refresh: bool) -> int:
    """What each source holds, or every entry-point group there is.

    It shows candidates before anything is resolved. Nothing is imported.
    """
    scope = Scope(session, refresh=refresh)
    if all_groups:
        _show_groups(session, scope, groups())
    else:
        _show(session, scope)
    return 0


def _show(session: Session, scope: Scope) -> None:
    found = scope.found
    if session.json:
        fields = {
            **scope.facts,
            "paths": [*scope.paths, *scope.named_paths],
            "candidates": [_candidate(each) for each in found.candidates],
            "failures": [each.as_dict() for each in found.failures],
            "shadowed": [dict(vars(each)) for each in found.shadowed],
            "skipped": [each.as_dict() for each in found.skipped],
        }
        session.document("pkl.discover/1", fields)
        return
    out = session.out
    rows = [
        (Cell(each.name, "bold"), each.version, each.source, each.target, each.location or "")
        for each in found.candidates
    ]
    text = table(_COLUMNS, rows, terminal=out) if rows else ""
    if not rows:
        session.note(f"no plugins in {scope.where}")
    text += failure_lines(session, "not read", found.failures, gap=bool(text))
    shadowed = [
        Failure(
            "shadowed",
            f"{each.distribution} {each.version} at {each.location} is hidden by {each.by}",
        )
        for each in found.shadowed
    ]
    text += failure_lines(session, "hidden", shadowed, gap=bool(text))
    text += failure_lines(session, "passed over", found.skipped, gap=bool(text))
    for each in found.candidates:
        for note in each.notes if session.verbosity > 0 else ():
            text += f"note: {out.clean(f'{each.name}: {note}')}\n"
    session.write(text)


def _candidate(each: Candidate) -> Dict[str, Any]:
    return {
        "name": each.name,
        "version": each.version,
        "distribution": each.distribution,
        "distribution_version": each.distribution_version,
        "origin": str(each.origin),
        "location": each.location,
        "target": each.target,
        "manifest": each.manifest_file,
        "fault": each.fault.as_dict() if each.fault is not None else None,
        "notes": list(each.notes),
    }


def _show_groups(session: Session, scope: Scope, found: Mapping[str, Sequence[Member]]) -> None:
    failures = scope.found.failures
    if session.json:
        listed = [
            {
                "name": group,
                "entry_points": sum(each.entry_points for each in members),
                "distributions": [
                    {
                        "name": each.distribution,
                        "version": each.version,
                        "entry_points": each.entry_points,
                    }
                    for each in members
                ],
            }
            for group, members in found.items()
        ]
        fields = {"groups": listed, "failures": [each.as_dict() for each in failures]}
        session.document("pkl.discover/1", fields)
        return
    rows: List[Sequence[Union[str, Cell]]] = []
    for group, members in found.items():
        count = str(sum(each.entry_points for each in members))
        names = ", ".join(each.distribution for each in members)
        rows.append((Cell(group, "bold"), count, f"{len(members)}: {names}"))
    text = table(_GROUPS, rows, terminal=session.out) if rows else ""
    session.write(text + failure_lines(session, "not read", failures, gap=bool(text)))
