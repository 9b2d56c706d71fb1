"""``pkl registry keys``: puts a new key in the place of the one that signs."""

from __future__ import annotations

import time
from typing import Optional

import click

from ...registry.folder import RegistryFolder
from ...registry.publishing import Publisher
from ..options import Verb
from ..session import Session
from .telling import in_words, index_facts, say_signature

__all__ = ["command"]


@click.command("keys", cls=Verb)
@click.argument("action", type=click.Choice(["list", "rotate"]))
@click.argument("directory")
@click.option("--key", metavar="FILE", help="rotate: the SSH key that clients have pinned.")
@click.option("--new", metavar="FILE", help="rotate: the SSH key that takes its place.")
@click.pass_obj
def command(
    session: Session, action: str, directory: str, key: Optional[str], new: Optional[str]
) -> int:
    """Put a new key in the place of the one that signs, or list which took the place of which.

    The old key signs a statement that the new one takes its place, which stays in the index;
    clients that have pinned the old key follow it, and pin the new one.
    """
    folder = RegistryFolder(directory)
    if action == "list":
        index = folder.existing_index()
        rows = [(each.old, each.new) for each in index.rotations]
        if session.json:
            listed = [{"old": str(old), "new": str(new)} for old, new in rows]
            fields = {**index_facts(directory, index, None), "rotations": listed}
            del fields["signed_by"]
            session.document("pkl.registry.keys/1", fields)
            return 0
        for before, after in rows:
            session.write(f"{before.fingerprint} -> {after.fingerprint}\n")
        if not rows:
            session.note("the key of this registry was never changed")
        return 0
    if key is None or new is None:
        raise click.UsageError("rotate takes the old key as --key, and the new one as --new")
    folder.existing_index()
    with folder.lock():
        published = Publisher(folder, time.time).rotate(folder.existing_index(), key, new)
    if session.json:
        facts = index_facts(directory, published.index, published.signer)
        session.document("pkl.registry.keys/1", {**facts, "changed": published.changed})
    else:
        words = in_words(published.index, published.signer)
        session.write(f"{session.out.clean(directory)}: {words}\n")
    say_signature(session, directory, published)
    return 0
