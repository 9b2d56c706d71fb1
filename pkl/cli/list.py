"""``pkl list``: what there is, what runs, and why the rest does not."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Union

import click

from ..model.state import PluginState
from ..render.table import Cell, Column, state_cell, table
from .contributors import contributors, in_one_line
from .listing import failure_lines
from .options import Verb
from .rows import Row, rows_of
from .scope import Scope
from .session import Session, plain

__all__ = ["command"]

_COLUMNS = (Column("NAME"), Column("VERSION"), Column("STATE"), Column("WHY", shrink=True))
_WIDE = (Column("DISTRIBUTION"), Column("TARGET"), Column("SUMMARY", shrink=True))


@click.command("list", cls=Verb)
@click.option(
    "--state",
    type=click.Choice([str(each) for each in PluginState]),
    metavar="STATE",
    help="Only plugins in this state, such as blocked.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "wide", "name"]),
    default="table",
    help="More columns, or names alone.",
)
@click.option(
    "--contributes",
    "point",
    metavar="POINT",
    help="Only plugins that contribute to this point of the host, with what.",
)
@click.pass_obj
def command(session: Session, state: Optional[str], output: str, point: Optional[str]) -> int:
    """What there is, what runs, and why the rest does not.

    Nothing is imported. The state of a plugin is what starting the host would make of it; it
    exits with 0 whatever is broken. With --contributes, those are listed that would run or wait to
    be needed, in the order of the plan.
    """
    scope = Scope(session)
    rows = rows_of(scope)
    if point is not None:
        rows = contributors(scope, rows, point)
    if state is not None:
        rows = [row for row in rows if row.state == state]
    failures = scope.found.failures
    if session.json:
        session.document(
            "pkl.list/1",
            {
                **scope.facts,
                "plugins": [_as_dict(row, point) for row in rows],
                "failures": [failure.as_dict() for failure in failures],
            },
        )
        return 0
    if output == "name":
        session.write("".join(f"{session.out.clean(row.key)}\n" for row in rows))
    elif rows:
        session.write(_table(session, rows, output == "wide", point))
    elif point is not None:
        session.note(f"no plugin contributes to {point}")
    else:
        session.note(f"no plugins in {scope.where}")
    if failures and output != "name":
        session.write(failure_lines(session, "not read", failures, gap=bool(rows)))
    if session.verbosity > 0:
        for note in scope.plan.notes:
            session.note(f"note: {note}")
    return 0


def _as_dict(row: Row, point: Optional[str]) -> Dict[str, Any]:
    found = row.as_dict()
    if point is not None:
        found["contribution"] = plain(row.candidate.metadata.contributes[point])
    return found


def _table(session: Session, rows: Sequence[Row], wide: bool, point: Optional[str]) -> str:
    columns = _COLUMNS if point is None else (*_COLUMNS[:-1], Column("CONTRIBUTES", shrink=True))
    body: List[List[Union[str, Cell]]] = []
    for row in rows:
        candidate = row.candidate
        why = "; ".join(filter(None, (row.remark, *candidate.notes)))
        if row.reason is not None:
            why = row.reason.message.split("\n")[0]
            if row.held is not None:
                why += f"; held: {row.held}"
        if point is not None:
            why = in_one_line(candidate.metadata.contributes[point])
        name = Cell(row.key, "bold")
        cells: List[Union[str, Cell]] = [name, candidate.version, state_cell(row.state), why]
        if wide:
            cells += [candidate.source, candidate.target, candidate.metadata.summary]
        body.append(cells)
    return table(columns + _WIDE if wide else columns, body, terminal=session.out)
