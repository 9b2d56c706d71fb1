"""``pkl registry mirror``: copies a registry into a folder."""

from __future__ import annotations

import time
from typing import Tuple

import click

from ...registry.folder import RegistryFolder
from ...registry.mirroring import mirror
from ...registry.signing import SshKeygen
from ..options import Verb
from ..session import Session
from .telling import counted, in_words, index_facts
from .whereabouts import registry_at

__all__ = ["command"]


@click.command("mirror", cls=Verb)
@click.argument("registry")
@click.argument("directory")
@click.option(
    "--key",
    metavar="FILE",
    multiple=True,
    help="The public key that it must be signed with; may be repeated.",
)
@click.pass_obj
def command(session: Session, registry: str, directory: str, key: Tuple[str, ...]) -> int:
    """Copy a registry into a folder, signature and all.

    REGISTRY is an address, a folder, or the name of a registry that is known here. Everything is
    checked on the way; wheels that are there already are not fetched again.
    """
    source, known = registry_at(session, registry, key)
    found = mirror(source, RegistryFolder(directory), known, now=time.time(), verifier=SshKeygen())
    if session.json:
        facts = index_facts(directory, found.index, found.signer)
        facts.update(changed=found.changed, wheels=found.wheels, fetched=found.fetched)
        session.document("pkl.registry.mirror/1", facts)
        return 0
    done = "mirrored" if found.changed else "unchanged"
    what = f"{counted(len(found.index.plugins), 'plugin')}, {counted(found.wheels, 'wheel')}"
    words = in_words(found.index, found.signer)
    session.write(f"{done} {session.out.clean(directory)}: {what}, {words}\n")
    if found.signer is not None and not known.keys:
        session.note("whose key that is was not checked: give it with --key FILE.pub")
    return 0
