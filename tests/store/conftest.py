"""A store in a directory of its own, with a clock that stands still."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkl.store import StateStore
from tests.store.clock import Hand


@pytest.fixture
def hand() -> Hand:
    """The clock of the store."""
    return Hand()


@pytest.fixture
def store(tmp_path: Path, hand: Hand) -> StateStore:
    """A store whose directory does not exist yet."""
    return StateStore(str(tmp_path / "state" / "hosts"), clock=hand)
