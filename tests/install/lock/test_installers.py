"""A lock is installed unchanged by pip and by uv: from paths, from files and from a server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import List, Mapping

import pytest
from packaging.pylock import PackageWheel, Pylock
from packaging.version import Version

from pkl.install.locks.lock import LOCK_FILE
from pkl.install.solution import Chosen, WheelRef
from pkl.registry.folder import digest
from tests.install.lock.making import a_solution, reparsed, text_of
from tests.install.making import library_wheel
from tests.install.market import Shop

try:
    PIP = Version(version("pip"))
except ModuleNotFoundError:
    PIP = Version("0")
UV = shutil.which("uv")
needs_pip = pytest.mark.skipif(Version("26.1") > PIP, reason=f"pip {PIP} takes no lock, 26.1 does")


def uv_version() -> Version:
    """The version of uv; 0 where there is none."""
    if UV is None:
        return Version("0")
    said = subprocess.run([UV, "--version"], stdout=subprocess.PIPE, text=True, check=True)
    return Version(said.stdout.split()[1])


needs_uv = pytest.mark.skipif(
    uv_version() < Version("0.7"), reason=f"uv {uv_version()} takes no lock, 0.7 does"
)


@pytest.fixture
def locked(served: Shop, tmp_path: Path) -> Path:
    """A lock of wheels in a folder beside it, elsewhere on this machine, and on a server."""
    near, far = tmp_path / "project" / "wheels", tmp_path / "elsewhere"
    served.library("served", "1.0")
    served.publish()
    folders = {"near": near, "far": far, "served": served.root / "files"}
    chosen = []
    for name, folder in folders.items():
        if name != "served":
            library_wheel(folder, name, "1.0")
        path = folder / f"{name}-1.0-py3-none-any.whl"
        sha256, size = digest(str(path))
        url = f"{served.url}/files/{path.name}" if name == "served" else path.as_uri()
        wheel = WheelRef(path.name, url, sha256, size, 1_795_575_600)
        chosen.append(Chosen(name, "1.0", wheel, (wheel,)))
    lock = tmp_path / "project" / LOCK_FILE
    lock.write_text(text_of(a_solution(*chosen), str(lock.parent), registries=[]))
    return lock


def run(command: List[str], folder: Path, **more: str) -> None:
    """Runs an installer as nobody has configured it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "UV_", "PYTHON"))
    }
    environment: Mapping[str, str] = {**kept, "PIP_CONFIG_FILE": os.devnull, **more}
    ran = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout


def names_in(target: Path) -> List[str]:
    """The packages in a directory."""
    return sorted(p.name for p in target.iterdir() if p.is_dir() and (p / "__init__.py").exists())


@needs_pip
def test_pip_installs_a_lock_unchanged(locked: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    command = [sys.executable, "-m", "pip", "install", "-q", "--target", str(target)]
    run([*command, "--no-input", "--no-index", "-r", LOCK_FILE], locked.parent)
    assert names_in(target) == ["far", "near", "served"]


@needs_uv
def test_uv_installs_a_lock_unchanged(locked: Path, tmp_path: Path) -> None:
    assert UV is not None
    target = tmp_path / "target"
    command = [UV, "pip", "sync", "-q", "--no-config", "--python", sys.executable]
    cache = str(tmp_path / "cache")
    run([*command, "--target", str(target), LOCK_FILE], locked.parent, UV_CACHE_DIR=cache)
    assert names_in(target) == ["far", "near", "served"]


def test_an_older_pip_installs_what_packaging_selects(locked: Path, tmp_path: Path) -> None:
    """The lines of ``docs/locking.md`` for a pip that takes no lock."""
    target = tmp_path / "target"
    lines = []
    for package, source in Pylock.from_dict(reparsed(locked.read_text()).document).select():
        assert isinstance(source, PackageWheel)
        url = source.url or (locked.parent / str(source.path)).as_uri()
        lines.append(f"{package.name} @ {url} --hash=sha256:{source.hashes['sha256']}\n")
    (tmp_path / "lines.txt").write_text("".join(lines))
    command = [sys.executable, "-m", "pip", "install", "-q", "--target", str(target)]
    command += ["--no-input", "--no-deps", "--no-index", "--require-hashes", "-r"]
    run([*command, str(tmp_path / "lines.txt")], tmp_path)
    assert names_in(target) == ["far", "near", "served"]
