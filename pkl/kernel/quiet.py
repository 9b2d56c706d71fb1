"""Threads of pkl's own that run nobody's code: whoever looks at what changes need not mind them."""

from __future__ import annotations

import os
from _thread import get_ident
from contextlib import contextmanager
from typing import Iterator, Set

__all__ = ["is_quiet", "loud", "quiet", "stir", "stirrings"]

_quiet: Set[int] = set()
_stirrings = 0


@contextmanager
def quiet() -> Iterator[None]:
    """The block runs in a thread of pkl's own and calls no code of plugins or of the host."""
    here = get_ident()
    _quiet.add(here)
    try:
        yield
    finally:
        _quiet.discard(here)


@contextmanager
def loud() -> Iterator[None]:
    """Within ``quiet``: the block calls such code after all."""
    here = get_ident()
    stir(here)
    try:
        yield
    finally:
        _quiet.add(here)


def stir(here: int) -> None:
    """A thread of pkl's own may run anybody's code from now on."""
    global _stirrings
    _stirrings += 1  # one that is lost to another thread does no harm: it has changed
    _quiet.discard(here)


def is_quiet(ident: int) -> bool:
    """Whether a thread runs nobody's code at the moment."""
    return ident in _quiet


def stirrings() -> int:
    """A number that changes whenever a thread of pkl's own begins to run somebody's code."""
    return _stirrings


if hasattr(os, "register_at_fork"):
    # The child has none of these threads, and others may get their identifiers.
    os.register_at_fork(after_in_child=_quiet.clear)
