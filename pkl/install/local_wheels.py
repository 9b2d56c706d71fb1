"""Wheels of this machine that were installed: kept, for whoever gave one may delete it."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import Iterable

from ..errors import GenerationUnwritable
from ..files import atomic_write
from ..registry.folder import digest
from ..store.disk import make_directory
from .environment.places import Places
from .environment.staging import delete_tree
from .wanted import Root

__all__ = ["keep_bytes", "keep_wheel", "sweep_wheels"]

_YOUNG = 24 * 3600.0
"""Seconds for which a wheel is kept that no generation is made of: somebody may be about to."""


def keep_wheel(path: str, places: Places) -> str:
    """Copies a wheel to where it stays; its path there.

    Args:
        path: The wheel.
        places: Where the host's generations are.

    Raises:
        OSError: The wheel cannot be read.
        GenerationUnwritable: It cannot be kept.
    """
    sha256, _ = digest(path)
    target = os.path.join(places.local, sha256[:16], os.path.basename(path))
    if os.path.abspath(path) == target or os.path.exists(target):
        return target
    with open(path, "rb") as file:
        data = file.read()
    return _write(target, data)


def keep_bytes(file: str, data: bytes, places: Places) -> str:
    """Writes a wheel that was made here to where it stays; its path.

    Args:
        file: Its name.
        data: Its content.
        places: Where the host's generations are.

    Raises:
        GenerationUnwritable: It cannot be kept.
    """
    return _write(os.path.join(places.local, hashlib.sha256(data).hexdigest()[:16], file), data)


def _write(target: str, data: bytes) -> str:
    try:
        make_directory(os.path.dirname(target))
        atomic_write(target, data)
    except OSError as e:
        raise GenerationUnwritable(
            f"{os.path.basename(target)} cannot be kept: {target}: {e.strerror or e}",
            file=target,
            hint="make room or make the directory writable",
        ) from e
    return target


def sweep_wheels(places: Places, roots: Iterable[Root], now: float) -> None:
    """Deletes the wheels that no generation is made of any more; the young ones stay.

    Args:
        places: Where the host's generations are.
        roots: What all generations were asked for.
        now: What time it is, in seconds since 1970.
    """
    used = {os.path.dirname(each.path) for each in roots if each.path}
    with suppress(OSError):
        for name in os.listdir(places.local):
            path = os.path.join(places.local, name)
            if path not in used and now - os.stat(path).st_mtime > _YOUNG:
                delete_tree(path)
