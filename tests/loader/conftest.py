"""The world in which plugins are loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from .fakes import World, isolated


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A temporary directory on ``sys.path``; nothing of it stays."""
    yield from isolated(tmp_path)
