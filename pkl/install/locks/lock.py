"""What a lock says: the distributions, and what pkl adds to what pip and uv need (PEP 751)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Mapping, NamedTuple, Optional, Tuple
from urllib.request import pathname2url

from ...registry.address import file_of, is_local
from ..solution import Chosen
from ..wanted import Root

__all__ = [
    "LOCK_FILE",
    "SCHEMA",
    "Consents",
    "Lock",
    "LockedRegistry",
    "file_url",
    "is_consent",
    "path_below",
]

LOCK_FILE = "pylock.pkl.toml"
"""The name of a lock; one that pip and uv accept."""

SCHEMA = 1
"""The version of ``[tool.pkl]``."""

Consents = Mapping[str, Mapping[str, Any]]
"""What was consented to, by plugin and permission; and what else an update was let in for."""


def is_consent(value: Any) -> bool:
    """Whether a consent may have this value: a flag, a number, a text, or a list of texts."""
    if isinstance(value, (list, tuple)):
        return all(isinstance(each, str) for each in value)
    return isinstance(value, (bool, int, float, str))


class LockedRegistry(NamedTuple):
    """A registry as it was when the lock was made.

    Attributes:
        name: What the user calls it.
        url: Where it is.
        keys: The fingerprints of the keys that are pinned for it.
        serial: The serial of its index; 0 if it was never asked.
        digest: The SHA-256 of that index, in hex.
    """

    name: str
    url: str
    keys: Tuple[str, ...] = ()
    serial: int = 0
    digest: str = ""


@dataclass(frozen=True)
class Lock:
    """A lock that was read and holds together.

    Attributes:
        path: The file, absolute.
        digest: The SHA-256 of its bytes, in hex.
        host: The name of the host that it was made for.
        group: The entry-point group of that host's plugins.
        roots: What was asked for.
        packages: Every distribution, in the order of the file; ``wheel`` is None, for which one
            fits is another question.
        order: The plugins in the order in which they start.
        registries: Where the distributions are from.
        consents: What was consented to.
        document: The whole file as TOML has it.
    """

    path: str
    digest: str
    host: str
    group: str
    roots: Tuple[Root, ...]
    packages: Tuple[Chosen, ...]
    order: Tuple[str, ...] = ()
    registries: Tuple[LockedRegistry, ...] = ()
    consents: Consents = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def versions(self) -> Mapping[str, str]:
        """The version of each plugin in it; what a solve that starts from it prefers."""
        return {plugin.name: plugin.version for each in self.packages for plugin in each.plugins}

    @property
    def distributions(self) -> Mapping[str, str]:
        """The version of each distribution in it."""
        return {each.name: each.version for each in self.packages}

    def registry(self, name: str) -> Optional[LockedRegistry]:
        """The registry of that name, or None."""
        return next((each for each in self.registries if each.name == name), None)


def path_below(directory: str, url_or_path: str) -> Optional[str]:
    """The path from a directory to what lies in it, with ``/`` between its parts; else None.

    Args:
        directory: The directory, absolute.
        url_or_path: A path, or a URL; one that is no ``file://`` lies nowhere.
    """
    if "://" in url_or_path:
        if not is_local(url_or_path):
            return None
        url_or_path = file_of(url_or_path)
    try:
        relative = os.path.relpath(url_or_path, directory)
    except ValueError:  # Another drive.
        return None
    parts = relative.split(os.sep)
    return None if parts[0] == os.pardir else "/".join(parts)


def file_url(path: str) -> str:
    """The ``file://`` URL of an absolute path."""
    return "file://" + pathname2url(path)
