"""``pkl search``: finds plugins in the registries that are known here."""

from __future__ import annotations

from typing import Optional, Tuple

import click

from ..render.table import Cell, Column, table
from .catalog import catalog_of, say_remarks
from .options import Verb
from .session import Session

__all__ = ["command"]

_COLUMNS = (Column("NAME"), Column("LATEST"), Column("REGISTRY"), Column("SUMMARY"))


@click.command("search", cls=Verb)
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option("--registry", metavar="NAME", help="Look only into this one.")
@click.pass_obj
def command(session: Session, words: Tuple[str, ...], registry: Optional[str]) -> int:
    """Find plugins in the registries that are known here.

    It shows those in whose name or summary every word is, the nearest first; without words all of
    them. A registry that cannot be asked is named, and the others are shown all the same.
    """
    catalog = catalog_of(session, registry)
    hits, problems = catalog.search(words)
    if len(problems) == len(catalog.clients):
        raise problems[0]
    if session.json:
        session.document(
            "pkl.search/1",
            {
                "plugins": [
                    {
                        "name": hit.entry.name,
                        "latest": hit.entry.latest,
                        "summary": hit.entry.summary,
                        "registry": hit.registry,
                    }
                    for hit in hits
                ],
                "problems": [
                    {
                        "registry": each.registry,
                        "url": each.url,
                        "code": each.code,
                        "message": each.message,
                    }
                    for each in problems
                ],
            },
        )
    elif hits:
        rows = [
            (Cell(hit.entry.name, "bold"), hit.entry.latest or "", hit.registry, hit.entry.summary)
            for hit in hits
        ]
        session.write(table(_COLUMNS, rows, terminal=session.out))
    else:
        where = " and ".join(each.name for each in catalog.clients)
        session.note(f"nothing of that kind in the registries {where}")
    for problem in problems:
        session.warn(problem.message, problem.hint)
    say_remarks(session, catalog)
    return 0
