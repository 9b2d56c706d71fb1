"""A site directory, and a guard that no test of discovery imports plugin code."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest


@pytest.fixture
def site(tmp_path: Path) -> Path:
    directory = tmp_path / "site-packages"
    directory.mkdir()
    return directory


@pytest.fixture(autouse=True)
def no_plugin_code_runs(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Every module of ``fakes`` writes its name here if it is imported."""
    marker = tmp_path_factory.mktemp("marker") / "imported"
    monkeypatch.setenv("PKL_TEST_MARKER", str(marker))
    monkeypatch.setenv("PKL_HOME", str(tmp_path_factory.mktemp("home")))
    yield marker
    assert not marker.exists(), f"imported while discovering: {marker.read_text()}"
