"""``pkl registry revoke``: says that a version must not run, and why."""

from __future__ import annotations

from typing import Optional

import click

from ...discovery.wheel import read_wheel
from ...registry.builder import Builder
from ..options import Verb
from ..scope import Scope
from ..session import Session
from .telling import in_words, index_facts, say_signature

__all__ = ["command"]


@click.command("revoke", cls=Verb)
@click.argument("directory")
@click.argument("name")
@click.argument("version")
@click.option("--reason", metavar="TEXT", required=True, help="Why, in a line that people see.")
@click.option("--key", metavar="FILE", help="Sign the index with this SSH key.")
@click.pass_obj
def command(
    session: Session, directory: str, name: str, version: str, reason: str, key: Optional[str]
) -> int:
    """Say that a version must not run, and why.

    Hosts that know the registry leave the version out from their next contact on, with the reason
    given here; pip and uv choose it no more (PEP 592). Its wheel stays where it is.
    """
    if not reason.strip() or "\n" in reason:
        raise click.UsageError("--reason is one line that says why")
    group = Scope(session, warn_of_state=False).group
    builder = Builder(directory, (group,), lambda path: read_wheel(path, (group,)))
    published, entry = builder.revoke(name, version, reason.strip(), key=key)
    if session.json:
        facts = index_facts(directory, published.index, published.signer)
        facts.update(name=entry.name, version=entry.version, reason=entry.reason)
        session.document("pkl.registry.revoke/1", {**facts, "changed": published.changed})
    else:
        clean = session.out.clean
        words = in_words(published.index, published.signer)
        session.write(f"revoked {entry.name} {clean(entry.version)}: {clean(entry.reason)}\n")
        session.write(f"{clean(directory)}: {words}\n")
    say_signature(session, directory, published)
    return 0
