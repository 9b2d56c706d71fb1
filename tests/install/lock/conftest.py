"""A project with a lock, the registry that it is of, and machines that it is synced on."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

import pkl.cli.installing
from pkl.install.environment.generations import Generations
from pkl.install.locks.lock import LOCK_FILE
from tests.cli.running import Pkl, Ran
from tests.install.fake_backend import FakeBackend
from tests.install.market import Shop

PROJECT = 'name = "shop"\nversion = "2.1"\ngroup = "shop.plugins"\n'


class Project:
    """A directory with ``pkl.toml``, and the verbs that are run in it.

    Attributes:
        folder: The directory.
        shop: The registry that is known.
        site: What is on ``sys.path`` of the host.
    """

    def __init__(self, folder: Path, shop: Shop, site: Path, homes: Path) -> None:
        self.folder = folder
        self.shop = shop
        self.site = site
        self._homes = homes
        self._run = Pkl(site)
        self.wants("audit>=1")

    def wants(self, *plugins: str) -> None:
        """The project states these plugins."""
        listed = ", ".join(f'"{each}"' for each in plugins)
        (self.folder / "pkl.toml").write_text(f"{PROJECT}plugins = [{listed}]\n")

    def states_nothing(self) -> None:
        """The project states no plugins."""
        (self.folder / "pkl.toml").write_text(PROJECT)

    @property
    def lock(self) -> Path:
        """The lock; it may not be there."""
        return self.folder / LOCK_FILE

    @property
    def text(self) -> str:
        """What the lock says."""
        return self.lock.read_text()

    def __call__(self, *arguments: str, status: int = 0, answers: str = "") -> Ran:
        """Runs a verb, which has to exit with a status; ``answers`` is what somebody types."""
        self._run.stdin = answers
        ran = self._run(*arguments)
        assert ran.status == status, ran
        return ran

    def json(self, *arguments: str, status: int = 0) -> Dict[str, Any]:
        """Runs a verb with ``--json``."""
        return self._run.json(*arguments, status=status)

    def elsewhere(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        """From now on it is another machine: nothing is known there but the registry."""
        monkeypatch.setenv("PKL_HOME", str(self._homes / name))
        self.shop.known()

    @property
    def generations(self) -> Generations:
        """What is installed on this machine."""
        return Generations("shop")

    def installed(self) -> List[str]:
        """What is installed, as ``name version``."""
        record = self.generations.current()
        return [f"{e.name} {e.version}" for e in record.distributions] if record is not None else []

    def bytes_of_site(self) -> Dict[str, str]:
        """The digest of every file that is installed, by its path."""
        number = self.generations.current_number()
        assert number is not None
        site = Path(self.generations.places.site(number))
        return {
            str(path.relative_to(site)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(site.rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def shelf(shop: Shop) -> Shop:
    """The registry with audit, which needs auth and libx, known to this user."""
    shop.library("libx", "2.1")
    shop.plugin("auth", "1.0")
    manifest = '[permissions]\nfs-read = ["$data"]\n'
    shop.plugin("audit", "1.0", requires=["auth>=1"], libraries=["libx>=2"], manifest=manifest)
    shop.publish()
    shop.known()
    return shop


@pytest.fixture
def project(
    tmp_path: Path, shelf: Shop, fake_backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """A project that wants audit; the installer starts no process."""
    folder, site = tmp_path / "project", tmp_path / "site-packages"
    folder.mkdir()
    site.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(site))
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "PKL_APP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pkl.cli.installing, "find_backend", lambda prefer: fake_backend)
    yield Project(folder, shelf, site, tmp_path)
