"""Fixtures of tests of installing: a home of its own, a registry, and nothing of a plugin runs."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from tests.install.fake_backend import FakeBackend
from tests.install.market import Shop, serving


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where everything of this user is, in this process and in those that are started."""
    directory = tmp_path / "home"
    monkeypatch.setenv("PKL_HOME", str(directory))
    return directory


@pytest.fixture(autouse=True)
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Fails a test that runs code of a plugin whose code is a trap."""
    marker = tmp_path / "imported"
    monkeypatch.setenv("PKL_TEST_MARKER", str(marker))
    yield marker
    assert not marker.exists(), f"imported: {marker.read_text()}"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A registry in a folder: make wheels, then ``publish()``, then ``known()``."""
    return Shop(tmp_path)


@pytest.fixture
def served(shop: Shop) -> Iterator[Shop]:
    """The same, served over http on this machine."""
    with serving(shop):
        yield shop


@pytest.fixture
def fake_backend(shop: Shop) -> FakeBackend:
    """An installer that knows the wheels of ``shop`` and starts no process."""
    return FakeBackend(shop.wheels)
