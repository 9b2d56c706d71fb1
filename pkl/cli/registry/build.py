"""``pkl registry build``: makes a registry from a folder of wheels."""

from __future__ import annotations

import os
import time
from typing import Any, Dict, Optional

import click

from ...discovery.wheel import read_wheel
from ...registry.builder import Builder, Built
from ...registry.expiry import parse_expiry
from ..options import Verb
from ..scope import Scope
from ..session import Session
from .telling import counted, in_words, index_facts, say_signature

__all__ = ["command"]


@click.command("build", cls=Verb)
@click.argument("directory")
@click.option("--out", metavar="DIR", help="Make the registry here instead of in DIRECTORY.")
@click.option("--key", metavar="FILE", help="Sign the index with this SSH key.")
@click.option(
    "--expires",
    metavar="WHEN",
    help="Until when the index is good: 30d, 12h, 2027-01-31 or never. Without it that stays as"
    " it is, at first never.",
)
@click.option(
    "--serial",
    type=click.IntRange(1, 2**53 - 2),
    default=1,
    metavar="N",
    help="The least serial the index may get; for a registry whose index was lost.",
)
@click.pass_obj
def command(
    session: Session,
    directory: str,
    out: Optional[str],
    key: Optional[str],
    expires: Optional[str],
    serial: int,
) -> int:
    """Make a registry from a folder of wheels.

    Nothing of a wheel is run. Wheels that did not change are not read again, and if nothing
    changes nothing is written. A wheel that cannot be used is named and left out, and the exit
    status is 1.
    """
    wanted = None if expires is None else parse_expiry(expires, time.time())
    root = directory if out is None else out
    group = Scope(session, warn_of_state=False).group
    builder = Builder(root, (group,), lambda path: read_wheel(path, (group,)))
    built = builder.build(directory, key=key, expires=wanted, serial=serial)
    if session.json:
        session.document("pkl.registry.build/1", _facts(root, built))
    else:
        _write(session, root, built)
    for file, why in built.problems:
        if not session.json:
            session.warn(
                f"{file} was left out: {why}", f"pkl check {os.path.join(directory, file)}"
            )
    for file in built.replaced:
        session.warn(
            f"{file} has another content than before; whoever has locked the old one cannot install"
            " it any more",
            "give a changed wheel a new version",
        )
    say_signature(session, root, built.published)
    return 1 if built.problems else 0


def _facts(root: str, built: Built) -> Dict[str, Any]:
    index = built.published.index
    return {
        **index_facts(root, index, built.published.signer),
        "changed": built.published.changed,
        "wheels": built.wheels,
        "read": built.read,
        "problems": [{"file": file, "message": why} for file, why in built.problems],
        "replaced": list(built.replaced),
    }


def _write(session: Session, root: str, built: Built) -> None:
    published = built.published
    what = f"{counted(len(published.index.plugins), 'plugin')}, {counted(built.wheels, 'wheel')}"
    done = "built" if published.changed else "unchanged"
    words = in_words(published.index, published.signer)
    session.write(f"{done} {session.out.clean(root)}: {what}, {words}\n")
