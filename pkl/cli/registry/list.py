"""``pkl registry list``: the registries that are known here."""

from __future__ import annotations

import time

import click

from ...registry.ages import ago
from ...render.table import Cell, Column, table
from ...store import RegistryBook
from ..catalog import fingerprint, known_facts, say_problem
from ..options import Verb
from ..session import Session

__all__ = ["command"]

_COLUMNS = (
    Column("NAME"),
    Column("URL"),
    Column("SERIAL", right=True),
    Column("CONTACT"),
    Column("KEY"),
    Column("WINS"),
)


@click.command("list", cls=Verb)
@click.pass_obj
def command(session: Session) -> int:
    """The registries that are known here, in their order; none of them is asked."""
    book = RegistryBook()
    registries, problem = book.read()
    say_problem(session, problem)
    if session.json:
        listed = [known_facts(each) for each in registries]
        session.document("pkl.registry.list/1", {"registries": listed, "file": book.path})
        return 0
    now = time.time()
    rows = [
        (
            Cell(each.name, "bold"),
            each.url,
            str(each.serial or ""),
            ago(now, each.contact) if each.contact else "never",
            " ".join(map(fingerprint, each.keys)),
            "yes" if each.wins else "",
        )
        for each in registries
    ]
    if rows:
        session.write(table(_COLUMNS, rows, terminal=session.out))
    else:
        session.note("no registry is known here; pkl registry add NAME URL adds one")
    return 0
