"""Where the generations of a host are, for one Python in one environment."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple, Optional

from ...paths import user_data_dir
from ...store.naming import SUFFIX, file_name

__all__ = ["Places", "environment_tag", "host_directory", "places_of"]


class Places(NamedTuple):
    """The directories and files of one host's generations, absolute; none need exist.

    Attributes:
        root: What holds all of it.
        generations: One directory for each generation, by its number.
        current: The file that names the one that counts.
        lock: The file that every change locks.
        local: Wheels of this machine that a generation was made of.
    """

    root: str
    generations: str
    current: str
    lock: str
    local: str

    def generation(self, number: int) -> str:
        """The directory of a generation."""
        return os.path.join(self.generations, str(number))

    def site(self, number: int) -> str:
        """What of a generation goes on ``sys.path``."""
        return os.path.join(self.generations, str(number), "site")

    def record(self, number: int) -> str:
        """The file that says what a generation is made of."""
        return os.path.join(self.generations, str(number), "generation.json")


def host_directory(host: str, directory: Optional[str] = None) -> str:
    """What holds the generations of a host for all Pythons.

    Args:
        host: The host's name, whatever it is made of.
        directory: What holds those of all hosts; ``hosts`` in the user's data directory if None.
    """
    base = os.path.join(user_data_dir(), "hosts") if directory is None else directory
    return os.path.join(base, file_name(host)[: -len(SUFFIX)])


def environment_tag() -> str:
    """What tells this Python and its (virtual) environment from others, as a directory's name.

    What is installed for one may not run in another, and must fit the libraries that are there.
    """
    # Every start with a generation pays for this, and hashlib brings OpenSSL along.
    try:
        if sys.version_info >= (3, 12):
            from _sha2 import sha256  # type: ignore[import-not-found]
        else:
            from _sha256 import sha256  # type: ignore[import-not-found]
    except ImportError:
        from hashlib import sha256
    prefix = os.path.realpath(sys.prefix).encode("utf-8", "surrogateescape")
    tag = sys.implementation.cache_tag or f"{sys.implementation.name}-{sys.version_info[0]}"
    return f"{tag}-{sha256(prefix).hexdigest()[:8]}"


def places_of(host: str, directory: Optional[str] = None) -> Places:
    """Where the generations of a host are, for the Python and the environment that ask.

    Args:
        host: The host's name.
        directory: As for ``host_directory``.
    """
    root = os.path.join(host_directory(host, directory), environment_tag())
    return Places(root, *(os.path.join(root, n) for n in ("gens", "current", "lock", "local")))
