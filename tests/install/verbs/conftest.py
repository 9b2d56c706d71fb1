"""The command line in a directory of a host, with a registry and an installer that is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

from pkl.install.environment.generations import Generations
from tests.cli.running import Pkl
from tests.install.fake_backend import FakeBackend
from tests.install.making import GROUP
from tests.install.market import Shop


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, which describes a host."""
    directory = tmp_path / "work"
    directory.mkdir()
    (directory / "pkl.toml").write_text(f'name = "shop"\nversion = "2.0"\ngroup = "{GROUP}"\n')
    monkeypatch.chdir(directory)
    return directory


@pytest.fixture
def pkl(
    work: Path, tmp_path: Path, fake_backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> Pkl:
    """Runs command lines there; wheels are unpacked without a process."""

    def find_backend(prefer: object = None) -> FakeBackend:
        return fake_backend

    monkeypatch.setattr("pkl.cli.installing.find_backend", find_backend)
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    return Pkl(tmp_path)


@pytest.fixture
def generations(pkl: Pkl) -> Generations:
    """Those of the host."""
    return Generations("shop")


@pytest.fixture
def publish(shop: Shop) -> Callable[[], None]:
    """Makes a registry of all that was made of ``shop``, and makes it known."""

    def act() -> None:
        shop.now += 10
        shop.publish()
        shop.known()

    return act
