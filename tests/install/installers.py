"""The installers that are on this machine, for tests of what they do."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, List, Tuple

import pytest

from pkl.install.backends.backend import Backend
from pkl.install.backends.choose_backend import find_backend, installers

__all__ = ["both", "has", "installer"]


@lru_cache(maxsize=1)
def _usable() -> Tuple[str, ...]:
    return tuple({each.name for each in installers() if not each.problem})


def has(name: str) -> bool:
    """Whether ``uv`` or ``pip`` is here and can be used."""
    return name in _usable()


def both() -> List[Any]:
    """``uv`` and ``pip`` as parameters; one that is not here is skipped, and that is seen."""
    return [
        pytest.param(
            name,
            marks=pytest.mark.skipif(not has(name), reason=f"{name} is not here, or too old"),
        )
        for name in ("uv", "pip")
    ]


def installer(name: str) -> Backend:
    """That installer."""
    return find_backend(name)
