"""``pkl enable``: people want a plugin again."""

from __future__ import annotations

from typing import Tuple

import click

from ..model.state import Desired
from .desiring import desire
from .options import Verb
from .session import Session

__all__ = ["command"]


@click.command("enable", cls=Verb)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--dry-run", is_flag=True, help="Only say what would be kept.")
@click.option("--reason", metavar="TEXT", default="", help="Why, which is noted.")
@click.pass_obj
def command(session: Session, names: Tuple[str, ...], dry_run: bool, reason: str) -> int:
    """Let plugins start again that were disabled or masked.

    It is kept for every later start of the host. What else keeps them from starting is said.
    """
    return desire(session, "enable", Desired.ENABLED, names, dry_run=dry_run, because=reason)
