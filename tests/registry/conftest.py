"""Fixtures of tests of registries."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Iterator

import pytest

from pkl.registry.signing import SshKeygen
from tests.registry.making import FakeKeygen, has_ssh_keygen, make_key


class Keys:
    """A ``keygen``, and keys that it can sign with."""

    def __init__(self, keygen: SshKeygen, make: Callable[[str], Path]) -> None:
        self.keygen = keygen
        self.make = make


@pytest.fixture(params=["fake", "real"])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> Keys:
    """With a stand-in for ``ssh-keygen``, and with the real one where it is installed."""
    folder = tmp_path / "keys"
    folder.mkdir()
    if request.param == "fake":
        program = FakeKeygen(folder)
        return Keys(SshKeygen(str(program.path)), lambda name: make_key(folder, name))
    if not has_ssh_keygen():
        pytest.skip("ssh-keygen is not installed")
    return Keys(SshKeygen(), lambda name: make_key(folder, name, real=True))


@pytest.fixture
def fake_keys(tmp_path: Path) -> Keys:
    """With a stand-in for ``ssh-keygen``."""
    folder = tmp_path / "fake-keys"
    folder.mkdir()
    program = FakeKeygen(folder)
    return Keys(SshKeygen(str(program.path)), lambda name: make_key(folder, name))


@pytest.fixture(autouse=True)
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Fails a test that runs code of a wheel."""
    marker = tmp_path / "imported"
    monkeypatch.setenv("PKL_TEST_MARKER", str(marker))
    yield marker
    assert not marker.exists(), f"imported: {marker.read_text()}"
