"""``pkl registry sign``: signs the index of a registry."""

from __future__ import annotations

import time

import click

from ...registry.folder import RegistryFolder
from ...registry.publishing import Publisher
from ..options import Verb
from ..session import Session
from .telling import in_words, index_facts, say_signature

__all__ = ["command"]


@click.command("sign", cls=Verb)
@click.argument("directory")
@click.option("--key", metavar="FILE", required=True, help="The SSH key to sign with.")
@click.pass_obj
def command(session: Session, directory: str, key: str) -> int:
    """Sign the index of a registry.

    The index states the digests of all else, so its signature covers the whole registry. A key is
    made with: ssh-keygen -t ed25519 -f registry_key
    """
    folder = RegistryFolder(directory)
    folder.existing_index()
    with folder.lock():
        published = Publisher(folder, time.time).sign(folder.existing_index(), key)
    if session.json:
        facts = index_facts(directory, published.index, published.signer)
        session.document("pkl.registry.sign/1", {**facts, "changed": published.changed})
    else:
        words = in_words(published.index, published.signer)
        session.write(f"{session.out.clean(directory)}: {words}\n")
    say_signature(session, directory, published)
    return 0
