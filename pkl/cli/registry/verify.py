"""``pkl registry verify``: checks a whole registry."""

from __future__ import annotations

import time
from typing import Tuple

import click

from ...registry.signing import SshKeygen
from ...registry.verifying import verify
from ..options import Verb
from ..session import Session
from .telling import counted, in_words, index_facts
from .whereabouts import registry_at

__all__ = ["command"]


@click.command("verify", cls=Verb)
@click.argument("registry")
@click.option(
    "--key",
    metavar="FILE",
    multiple=True,
    help="The public key that it must be signed with; may be repeated.",
)
@click.pass_obj
def command(session: Session, registry: str, key: Tuple[str, ...]) -> int:
    """Check a whole registry: its index, every page and wheel, its signature and expiry.

    REGISTRY is a folder, an address, or the name of a registry that is known here, whose pinned
    keys count. Where no key is given and none is pinned, a signature has to be of the key it
    claims to be of, whosever that is.
    """
    source, known = registry_at(session, registry, key)
    found = verify(source, known, now=time.time(), verifier=SshKeygen())
    index = found.index
    if session.json:
        fields = {
            **index_facts(registry, index, found.signer),
            "registry": known.url,
            "pinned": found.pinned,
            "pages": found.pages,
            "wheels": found.wheels,
            "findings": [{"file": file, "message": why} for file, why in found.problems],
        }
        session.document("pkl.registry.verify/1", fields)
        return 1 if found.problems else 0
    clean = session.out.clean
    for file, why in found.problems:
        session.write(f"{clean(file)}: {clean(why)}\n")
    hold = f"{counted(found.pages, 'plugin')} of {len(index.plugins)} and"
    hold += f" {counted(found.wheels, 'wheel')} hold"
    session.write(f"{hold}; {in_words(index, found.signer)}\n")
    if found.signer is not None and not found.pinned:
        session.note("whose key that is was not checked: give it with --key FILE.pub")
    return 1 if found.problems else 0
