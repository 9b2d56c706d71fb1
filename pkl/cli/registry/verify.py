"""``pkl registry verify``: checks a whole registry."""

from __future__ import annotations

import os
import time
from typing import Tuple

import click

from ...registry.folder import RegistryFolder
from ...registry.signing import SshKeygen, read_public_key
from ...registry.trust import Known
from ...registry.verifying import verify
from ..options import Verb
from ..session import Session
from .telling import counted, in_words, index_facts

__all__ = ["command"]


@click.command("verify", cls=Verb)
@click.argument("directory")
@click.option(
    "--key",
    metavar="FILE",
    multiple=True,
    help="The public key that it must be signed with; may be repeated.",
)
@click.pass_obj
def command(session: Session, directory: str, key: Tuple[str, ...]) -> int:
    """Check a whole registry: its index, every page and wheel, its signature and expiry.

    Without --key, a signature has to be of the key it claims to be of, whosever that is.
    """
    folder = RegistryFolder(directory)
    keys = tuple(read_public_key(each) for each in key)
    known = Known(os.path.abspath(directory), None, keys)
    found = verify(folder, known, now=time.time(), verifier=SshKeygen())
    index = found.index
    if session.json:
        fields = {
            **index_facts(directory, index, found.signer),
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
