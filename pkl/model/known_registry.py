"""A registry as the user knows it: its name, where it is, and what is held against it."""

from __future__ import annotations

from typing import NamedTuple, Tuple

__all__ = ["KnownRegistry"]


class KnownRegistry(NamedTuple):
    """A registry that the user has added.

    Attributes:
        name: What the user calls it.
        url: Where it is, without a slash at the end.
        keys: The public keys that are pinned, each one line as OpenSSH writes them; if there
            are any, one of them must have signed the index.
        serial: The highest serial that was seen; the index may not go back behind it. 0 before
            the first contact.
        digest: The SHA-256 of the index with that serial, in hex.
        revoked: The SHA-256 of the list of revoked versions that this index states, in hex.
        contact: When that index was taken, in seconds since 1970.
        wins: Whether it wins where other registries offer the same name; of several that do,
            the first wins.
        added: When the user added it (RFC 3339).
    """

    name: str
    url: str
    keys: Tuple[str, ...] = ()
    serial: int = 0
    digest: str = ""
    revoked: str = ""
    contact: int = 0
    wins: bool = False
    added: str = ""
