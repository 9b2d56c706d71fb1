"""``pkl mask``: nothing may start a plugin."""

from __future__ import annotations

from typing import Tuple

import click

from ..model.state import Desired
from .desiring import desire
from .options import Verb
from .session import Session

__all__ = ["command"]


@click.command("mask", cls=Verb)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--cascade", is_flag=True, help="Disable what needs them.")
@click.option("--dry-run", is_flag=True, help="Only say what would be kept.")
@click.option("--reason", metavar="TEXT", default="", help="Why, which is noted.")
@click.pass_obj
def command(
    session: Session, names: Tuple[str, ...], cascade: bool, dry_run: bool, reason: str
) -> int:
    """Let nothing start plugins, whatever requires them.

    If others that are wanted require one, they could not start: that is refused with 7 and
    they are listed, unless they are disabled with it. pkl enable ends it.
    """
    return desire(
        session, "mask", Desired.MASKED, names, cascade=cascade, dry_run=dry_run, because=reason
    )
