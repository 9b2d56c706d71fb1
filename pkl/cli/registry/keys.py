"""``pkl registry keys``: the keys that must sign a registry."""

from __future__ import annotations

import os
import time
from typing import Dict, List, Optional, Tuple

import click

from ...errors import RegistryAbsent
from ...model.known_registry import KnownRegistry
from ...names import canonical
from ...registry.folder import RegistryFolder
from ...registry.publishing import Publisher
from ...registry.signing import read_public_key
from ...store import RegistryBook
from ..catalog import fingerprint, say_problem
from ..options import Verb
from ..session import Session
from .telling import in_words, index_facts, say_signature

__all__ = ["command"]


@click.command("keys", cls=Verb)
@click.argument("action", type=click.Choice(["list", "pin", "rotate"]))
@click.argument("where", required=False)
@click.argument("files", nargs=-1, metavar="[FILE.pub]...")
@click.option("--key", metavar="FILE", help="rotate: the SSH key that clients have pinned.")
@click.option("--new", metavar="FILE", help="rotate: the SSH key that takes its place.")
@click.pass_obj
def command(
    session: Session,
    action: str,
    where: Optional[str],
    files: Tuple[str, ...],
    key: Optional[str],
    new: Optional[str],
) -> int:
    """The keys that must sign a registry: list, pin, rotate.

    list [NAME] shows what is pinned here. pin NAME FILE.pub... pins keys for a registry that is
    known here, in the place of those before. rotate DIR --key OLD --new NEW is for who runs a
    registry: the old key signs a statement that the new one takes its place, and clients that
    have pinned the old one follow it.
    """
    if action == "list":
        if files:
            raise click.UsageError("list takes the name of one registry, or nothing")
        return _list(session, where)
    if where is None:
        raise click.UsageError(f"{action} takes a registry: see pkl registry keys --help")
    if action == "pin":
        if not files:
            raise click.UsageError("pin takes a public key at least, such as registry_key.pub")
        return _pin(session, canonical(where), files)
    if key is None or new is None or files:
        raise click.UsageError("rotate takes the old key as --key, and the new one as --new")
    return _rotate(session, where, key, new)


def _list(session: Session, name: Optional[str]) -> int:
    registries, problem = RegistryBook().read()
    say_problem(session, problem)
    shown = [each for each in registries if name is None or each.name == canonical(name)]
    if name is not None and not shown:
        raise _unknown(name)
    _say(session, shown)
    return 0


def _pin(session: Session, name: str, files: Tuple[str, ...]) -> int:
    keys = tuple(str(read_public_key(each)) for each in files)
    pinned: List[KnownRegistry] = []

    def edit(registries: Tuple[KnownRegistry, ...]) -> Tuple[KnownRegistry, ...]:
        if all(each.name != name for each in registries):
            raise _unknown(name)
        after = tuple(
            each._replace(keys=keys) if each.name == name else each for each in registries
        )
        pinned.extend(each for each in after if each.name == name)
        return after

    say_problem(session, RegistryBook().change(edit))
    _say(session, pinned)
    return 0


def _say(session: Session, registries: List[KnownRegistry]) -> None:
    if session.json:
        listed: List[Dict[str, object]] = [
            {
                "name": each.name,
                "url": each.url,
                "keys": [{"fingerprint": fingerprint(key), "key": key} for key in each.keys],
            }
            for each in registries
        ]
        session.document("pkl.registry.keys/1", {"registries": listed})
        return
    for each in registries:
        keys = [fingerprint(key) for key in each.keys] or ["no key is pinned"]
        for key in keys:
            session.write(f"{each.name}: {key}\n")
    if not registries:
        session.note("no registry is known here: pkl registry add NAME URL")


def _unknown(name: str) -> RegistryAbsent:
    return RegistryAbsent(
        f"no registry is known here as {name!r}",
        registry=name,
        hint="pkl registry list shows those that are known",
    )


def _rotate(session: Session, directory: str, key: str, new: str) -> int:
    folder = RegistryFolder(directory)
    folder.existing_index()
    with folder.lock():
        published = Publisher(folder, time.time).rotate(folder.existing_index(), key, new)
    if session.json:
        facts = index_facts(os.path.abspath(directory), published.index, published.signer)
        session.document("pkl.registry.keys/1", {**facts, "changed": published.changed})
    else:
        words = in_words(published.index, published.signer)
        session.write(f"{session.out.clean(directory)}: {words}\n")
    say_signature(session, directory, published)
    return 0
