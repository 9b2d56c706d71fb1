"""``pkl lock``: which versions a host's plugins have, with the digest of every wheel, in a file."""

from __future__ import annotations

from typing import Optional, Tuple

import click

from ..install.locks.locking import stale
from ..names import canonical
from .install_options import version_options
from .installing import Installer, Manner
from .locking import LockFile, lock_terms
from .options import Verb
from .session import Session

__all__ = ["command"]

ALL = "*"
"""What ``--upgrade`` alone means."""


@click.command("lock", cls=Verb)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if it is stale.")
@click.option(
    "--upgrade",
    metavar="[NAME]",
    multiple=True,
    is_flag=False,
    flag_value=ALL,
    help="Take the newest of this plugin, or of all; may be repeated.",
)
@click.option("--lock", "file", metavar="FILE", help="The lock, if it is another file.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@version_options
@click.pass_obj
def command(
    session: Session,
    check: bool,
    upgrade: Tuple[str, ...],
    file: Optional[str],
    dry_run: bool,
    pre: bool,
    min_age: Optional[str],
    backend: Optional[str],
    full: bool,
) -> int:
    """Write which versions the plugins of one host have.

    pip and uv can install what is written, too. What is locked stays as it is where that can
    be; --upgrade takes newer versions. Without plugins in [tool.pkl], what is installed is
    locked. Nothing is installed: that is pkl sync.
    """
    installer = Installer(session, "lock", "", Manner(dry_run or check, backend=backend or ""))
    place = LockFile(installer, file)
    old = place.read() if check else place.read_or_warn()
    names = None
    if upgrade:
        names = [] if ALL in upgrade else [canonical(each) for each in upgrade]
    terms = lock_terms(installer, pre, min_age, full)
    made = place.remade(old, installer.base(), terms, names)
    if check:
        # Whoever installed it has consented since; the lock is as good without that.
        reasons = place.lines(each for each in made.changes if each.subject != "consents")
        if old is None:
            reasons = [f"it is not there; {len(made.lock.packages)} distributions would be in it"]
        if reasons:
            changes = [each.as_dict() for each in made.changes]
            raise stale(place.path, reasons, shown=place.shown, changes=changes)
    written = made.changed and not (dry_run or check)
    if written:
        place.write(made)
    if session.json:
        facts = {**installer.subject.scope.facts, **place.facts(made)}
        session.document("pkl.lock/1", {**facts, "dry_run": dry_run, "written": written})
        return 0
    place.say(made.changes)
    if written:
        session.note(f"wrote {place.shown}; {installer.command('sync')} installs it")
    else:
        session.note(f"{place.shown} " + ("would be written" if made.changed else "is up to date"))
    return 0
