"""``pkl registry add``: adds a registry, or changes what is held of it."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

import click

from ...errors import UsageError
from ...model.known_registry import KnownRegistry
from ...names import canonical, is_valid
from ...registry.address import registry_url
from ...registry.client import RegistryClient
from ...registry.signing import read_public_key
from ...store import RegistryBook
from ..catalog import known_facts, say_problem
from ..options import Verb
from ..session import Session

__all__ = ["command"]


@click.command("add", cls=Verb)
@click.argument("name")
@click.argument("url")
@click.option(
    "--key",
    metavar="FILE",
    multiple=True,
    help="A public key (.pub) that has to have signed it; may be repeated.",
)
@click.option(
    "--wins/--no-wins", default=None, help="Whether it wins where others offer the same name."
)
@click.pass_obj
def command(
    session: Session, name: str, url: str, key: Tuple[str, ...], wins: Optional[bool]
) -> int:
    """Add a registry, or change what is held of it.

    URL is https:// or file://, http:// on this machine, or a directory. The registry is asked
    first, unless --offline forbids it; one that cannot be read is not added.
    """
    if not is_valid(name):
        raise UsageError(
            f"{name!r} is no name for a registry",
            hint="take letters, digits and single hyphens, as in: pkl registry add main URL",
        )
    url = registry_url(url)
    keys = tuple(str(read_public_key(each)) for each in key)
    book = RegistryBook()
    reading = book.read()
    wanted = KnownRegistry(canonical(name), url, added=book.now())
    wanted = _asked_for(reading.registries, wanted, keys, wins)
    plugins: Optional[int] = None
    remarks: List[str] = []
    if not session.offline:
        client = RegistryClient(wanted)
        plugins = len(client.index().plugins)
        wanted, remarks = client.known, client.remarks
    say_problem(session, book.change(lambda now: _with(now, wanted)))
    if session.json:
        _answer(session, book, wanted, plugins)
    else:
        count = (
            "not asked yet"
            if plugins is None
            else ("1 plugin" if plugins == 1 else f"{plugins} plugins")
        )
        session.write(f"registry {wanted.name}: {session.out.clean(wanted.url)} ({count})\n")
    for remark in remarks:
        session.warn(remark)
    if not wanted.keys:
        session.note(
            "no key is pinned: whoever can change its files is believed; --key FILE.pub pins one"
        )
    return 0


def _asked_for(
    registries: Sequence[KnownRegistry],
    added: KnownRegistry,
    keys: Tuple[str, ...],
    wins: Optional[bool],
) -> KnownRegistry:
    """The registry as it is to be: what is not said stays as it is."""
    before = _before(registries, added) or added
    return before._replace(keys=keys or before.keys, wins=before.wins if wins is None else wins)


def _before(registries: Sequence[KnownRegistry], added: KnownRegistry) -> Optional[KnownRegistry]:
    """The registry of that name, which has to be at the same place.

    Raises:
        UsageError: It is somewhere else.
    """
    before = next((each for each in registries if each.name == added.name), None)
    if before is not None and before.url != added.url:
        raise UsageError(
            f"the registry {before.name} is at {before.url}",
            hint=f"take another name, or first: pkl registry remove {before.name}",
        )
    return before


def _with(now: Tuple[KnownRegistry, ...], wanted: KnownRegistry) -> Tuple[KnownRegistry, ...]:
    before = _before(now, wanted)
    if before is None:
        return (*now, wanted)
    return tuple(wanted if each is before else each for each in now)


def _answer(
    session: Session, book: RegistryBook, wanted: KnownRegistry, plugins: Optional[int]
) -> None:
    session.document(
        "pkl.registry.add/1",
        {**known_facts(wanted), "plugins": plugins, "file": book.path},
    )
