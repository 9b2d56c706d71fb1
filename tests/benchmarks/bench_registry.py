"""Building a registry of 500 wheels: ``python -m tests.benchmarks.bench_registry``.

The limit is what nobody who makes a registry can do without: to read the files METADATA and
entry_points.txt of each wheel, to digest it, and to copy it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Callable, Dict

from pkl.discovery.wheel import read_wheel
from pkl.registry.builder import Builder
from pkl.registry.folder import RegistryFolder
from pkl.registry.trust import Known
from pkl.registry.verifying import verify
from tests.benchmarks.pairing import minima, table

WHEELS = 500
VERSIONS = 5
GROUPS = ("pkl.plugins",)
LONG_AGO = 1_700_000_000
PAYLOAD = 20_000
"""Bytes of code in each wheel."""


def make(folder: Path) -> None:
    """500 wheels: 100 plugins with 5 versions each."""
    folder.mkdir()
    for number in range(WHEELS):
        _wheel(folder, f"plugin-{number // VERSIONS}", f"1.{number % VERSIONS}.0", number)


def _wheel(folder: Path, name: str, version: str, seed: int) -> None:
    package = name.replace("-", "_")
    info = f"{package}-{version}.dist-info"
    code = hashlib.sha256(str(seed).encode()).hexdigest() * (PAYLOAD // 64)
    files = {
        f"{package}/__init__.py": f"code = {code!r}\n",
        f"{package}/plugin.py": "",
        f"{package}/plugin.toml": f'name = "{name}"\nrequires = ["audit>=1.0", "auth"]\n',
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[pkl.plugins]\n{name} = {package}\n",
        f"{info}/RECORD": "",
    }
    path = folder / f"{package}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    os.utime(path, (LONG_AGO, LONG_AGO))


def bare(source: Path, target: Path) -> None:
    """What cannot be done without."""
    target.mkdir()
    for path in sorted(source.iterdir()):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith((".dist-info/METADATA", ".dist-info/entry_points.txt")):
                    archive.read(name)
        with open(path, "rb") as file:
            hashlib.sha256(file.read()).hexdigest()
        shutil.copyfile(path, target / path.name)


def main() -> None:
    """Measures, and prints the table."""
    with tempfile.TemporaryDirectory() as top:
        source, built = Path(top, "wheels"), Path(top, "built")
        make(source)
        fresh = iter(range(10**6))

        def builder(root: Path) -> Builder:
            return Builder(str(root), GROUPS, lambda path: read_wheel(path, GROUPS))

        def touched() -> None:
            path = source / "plugin_7-1.0.0-py3-none-any.whl"
            os.utime(path, (LONG_AGO, LONG_AGO + next(fresh)))
            builder(built).build(str(source))

        def verified() -> None:
            known = Known(str(built))
            verify(RegistryFolder(str(built)), known, now=time.time(), verifier=_Nobody())

        first = builder(built).build(str(source))
        assert first.wheels == first.read == WHEELS
        cases: Dict[str, Callable[[], object]] = {
            "read, digest and copy 500 wheels": lambda: bare(source, Path(top, f"b{next(fresh)}")),
            "build from nothing": lambda: builder(Path(top, f"r{next(fresh)}")).build(str(source)),
            "build again, nothing changed": lambda: builder(built).build(str(source)),
            "build again, one wheel changed": touched,
            "verify": verified,
        }
        found = minima(cases, rounds=5)
        table(f"A registry of {WHEELS} wheels", found, "read, digest and copy 500 wheels")
        wall = minima({"build from nothing": cases["build from nothing"]}, rounds=3, cpu=False)
        print(f"\nby the clock: build from nothing {wall['build from nothing']:.2f} s")


class _Nobody:
    """Verifies nothing, as nothing is signed."""

    def verify(self, data: bytes, signature: bytes, key: object) -> str:
        return "nothing is signed"


if __name__ == "__main__":
    main()
