"""What a registry is called on the command line: a folder, an address, or a name known here."""

from __future__ import annotations

import os
from typing import Sequence, Tuple, Union

from ...errors import RegistryUnreachable, SignatureRefused
from ...names import is_valid
from ...registry.address import is_local, registry_url
from ...registry.folder import RegistryFolder
from ...registry.keys import PublicKey, parse_public_key
from ...registry.remote import RemoteRegistry
from ...registry.signing import read_public_key
from ...registry.trust import Known
from ...store import RegistryBook
from ..catalog import say_problem
from ..session import Session

__all__ = ["registry_at"]


def registry_at(
    session: Session, text: str, key_files: Sequence[str]
) -> Tuple[Union[RegistryFolder, RemoteRegistry], Known]:
    """The files of a registry, and what is known of it.

    Args:
        session: The options.
        text: A folder, an address, or the name of a registry that is known here.
        key_files: Public keys that count instead of those that are pinned.

    Raises:
        UsageError: It is none of these.
        RegistryUnreachable: It takes the network, and ``--offline`` forbids that.
        SignatureRefused: A key cannot be read.
    """
    keys = tuple(read_public_key(each) for each in key_files)
    if os.path.isdir(text):
        return RegistryFolder(text), Known(os.path.abspath(text), None, keys)
    known = None
    if is_valid(text):
        reading = RegistryBook().read()
        say_problem(session, reading.problem)
        known = reading.named(text)
    url = registry_url(text) if known is None else known.url
    name = None if known is None else known.name
    if session.offline and not is_local(url):
        raise RegistryUnreachable(
            f"{url} cannot be reached: --offline forbids it",
            url=url,
            registry=name,
            hint="run it without --offline",
        )
    if known is not None and not keys:
        keys = _pinned(known.keys, url)
    return RemoteRegistry(url, name), Known(url, name, keys)


def _pinned(lines: Sequence[str], url: str) -> Tuple[PublicKey, ...]:
    try:
        return tuple(map(parse_public_key, lines))
    except ValueError as e:
        raise SignatureRefused(
            f"a key that is pinned for the registry {url} cannot be read: {e}",
            url=url,
            hint="pin it again: pkl registry keys pin NAME FILE.pub",
            why="pinned",
        ) from None
