"""Discovery against the disk and the peers: ``python -m tests.benchmarks.bench_discovery [N...]``.

One environment of N distributions: three in ten have entry points, one in ten carries a plugin
with a manifest (``bench.full``), one in ten a plugin without (``bench.bare``), one in a hundred
is of a rare kind (``bench.rare``). Every case sees the same files, in one process, on a warm file
system.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence

import stevedore._cache

from pkl.discovery import discover
from pkl.discovery.backport import import_importlib_metadata

from .pairing import minima, table

METADATA = """Metadata-Version: 2.1
Name: dist-{n}
Version: 1.{n}
Summary: Number {n}
Author: Somebody
License: MIT
Classifier: Programming Language :: Python :: 3
Requires-Python: >=3.8
Requires-Dist: dist-{before}>=1
Requires-Dist: requests>=2; extra == "net"
Provides-Extra: net

"""


def environment(root: Path, count: int) -> str:
    """Lays out the distributions; the answer is their directory."""
    site = root / f"site-{count}"
    for n in range(count):
        name = f"dist_{n}"
        info, package = site / f"{name}-1.{n}.dist-info", site / name
        info.mkdir(parents=True)
        package.mkdir()
        (info / "METADATA").write_text(METADATA.format(n=n, before=n - 1) + "Words.\n" * 200)
        (info / "RECORD").write_text("".join(f"{name}/m{k}.py,sha256=x,1\n" for k in range(20)))
        (package / "__init__.py").write_text("")
        points = f"[console_scripts]\nrun{n} = {name}:main\n" if n % 10 < 3 else ""
        if n % 10 == 0:
            points += f"[bench.full]\nplugin{n} = {name}\n"
            points += f"[bench.rare]\nplugin{n} = {name}\n" if n % 100 == 0 else ""
            (package / "plugin.toml").write_text(
                f'name = "plugin{n}"\nsummary = "Number {n}"\nrequires = ["plugin{n - 10}>=1"]\n'
            )
        elif n % 10 == 1:
            points += f"[bench.bare]\nplugin{n} = {name}\n"
        if points:
            (info / "entry_points.txt").write_text(points)
    return str(site)


def scandir_and_read(site: str) -> None:
    """The limit: every ``entry_points.txt``, with nothing between Python and the system."""
    for entry in os.scandir(site):
        if entry.name.endswith(".dist-info"):
            try:
                fd = os.open(f"{site}/{entry.name}/entry_points.txt", os.O_RDONLY)
            except FileNotFoundError:
                continue
            os.read(fd, 65536)
            os.close(fd)


def scandir_and_open(site: str) -> None:
    """The same as it is usually written."""
    for entry in os.scandir(site):
        if entry.name.endswith(".dist-info"):
            try:
                with open(f"{site}/{entry.name}/entry_points.txt", "rb") as file:
                    file.read()
            except FileNotFoundError:
                continue


def reads(site: str, group: str) -> Callable[[], None]:
    """The limit, and the METADATA and manifests that no answer can do without."""
    found = discover(group=group, sys_path=[site], cache=False).candidates
    files: List[str] = []
    for each in found:
        files.append(f"{site}/{each.distribution}-1.{each.name[6:]}.dist-info/METADATA")
        files[-1] = files[-1].replace("dist-", "dist_", 1)
        files += [each.manifest_file] if each.manifest_file else []
    assert all(map(os.path.exists, files))

    def run() -> None:
        scandir_and_read(site)
        for file in files:
            fd = os.open(file, os.O_RDONLY)
            os.read(fd, 65536)
            os.close(fd)

    return run


def stats(site: str, group: str) -> Callable[[], None]:
    """The least a cache can do that sees every change: four stamps a plugin."""
    found = discover(group=group, sys_path=[site], cache=False).candidates
    files: List[str] = [site]
    for each in found:
        info = f"{site}/dist_{each.name[6:]}-1.{each.name[6:]}.dist-info"
        files += [info, f"{info}/entry_points.txt", f"{info}/METADATA", str(each.manifest_file)]

    def run() -> None:
        for file in files:
            os.stat(file)

    return run


@contextmanager
def looking_at(site: str, finder: Any = None) -> Iterator[None]:
    """Makes one directory all of ``sys.path``, and ``finder`` the only one that is asked."""
    path, hooks = sys.path, sys.meta_path
    sys.path, sys.meta_path = [site], [finder] if finder is not None else hooks
    try:
        yield
    finally:
        sys.path, sys.meta_path = path, hooks


def standard(site: str) -> None:
    """The standard library."""
    with looking_at(site):
        if sys.version_info >= (3, 10):
            assert importlib.metadata.entry_points(group="bench.full")
        else:
            assert importlib.metadata.entry_points()["bench.full"]


def backport(site: str) -> None:
    """``importlib_metadata``."""
    module = import_importlib_metadata()
    with looking_at(site, module.MetadataPathFinder()):
        assert module.entry_points(group="bench.full")


def stevedore_hit(site: str, directory: str) -> None:
    """stevedore, from its cache on disk and not from its memory."""
    cache = stevedore._cache.Cache(directory)
    # It is switched off for interpreters under /tmp, where this one may be.
    cache._disable_caching = False
    with looking_at(site):
        assert cache.get_group_named("bench.full")


def cold(site: str, group: str) -> Callable[[], None]:
    """pkl without a cache."""

    def run() -> None:
        assert discover(group=group, sys_path=[site], cache=False).candidates

    return run


def warm(site: str, group: str, directory: str) -> Callable[[], None]:
    """pkl with one."""

    def run() -> None:
        assert discover(group=group, sys_path=[site], cache=directory).candidates

    return run


def first(site: str, group: str, directory: str) -> Callable[[], None]:
    """pkl without a cache, writing one."""

    def run() -> None:
        assert discover(group=group, sys_path=[site], cache=directory, refresh=True).candidates

    return run


def main(counts: Sequence[int]) -> None:
    """Prints one table for the cold and one for the warm cases of each count."""
    root = Path(tempfile.mkdtemp())
    kept, theirs = str(root / "cache"), str(root / "stevedore")
    os.mkdir(theirs)
    try:
        sites = {count: environment(root, count) for count in counts}
        time.sleep(2.5)  # what is younger is not cached
        for count, site in sites.items():
            cases: Dict[str, Callable[[], object]] = {
                "scandir + os.read of each entry_points.txt": partial(scandir_and_read, site),
                "scandir + open().read() of each": partial(scandir_and_open, site),
                "... + the METADATA and manifests of plugins": reads(site, "bench.full"),
                "pkl, one in a hundred a plugin": cold(site, "bench.rare"),
                "pkl, one in ten a plugin, no manifests": cold(site, "bench.bare"),
                "pkl, one in ten a plugin, TOML manifests": cold(site, "bench.full"),
                "pkl, the same, and writing the cache": first(site, "bench.full", kept),
                "importlib.metadata.entry_points": partial(standard, site),
                "importlib_metadata.entry_points": partial(backport, site),
            }
            rounds = 15 if count <= 1000 else 7
            goals = {"pkl, one in ten a plugin, no manifests": 2.0}
            limit = "scandir + os.read of each entry_points.txt"
            table(f"cold, {count} distributions", minima(cases, rounds), limit, goals)
            stevedore_hit(site, theirs)
            discover(group="bench.rare", sys_path=[site], cache=kept)
            cases = {
                "stevedore's cache hit": partial(stevedore_hit, site, theirs),
                "one os.stat of each stamped file": stats(site, "bench.full"),
                "pkl, one in ten a plugin": warm(site, "bench.full", kept),
                "pkl, one in a hundred a plugin": warm(site, "bench.rare", kept),
            }
            goals = {"pkl, one in ten a plugin": 0.05, "pkl, one in a hundred a plugin": 0.05}
            found = minima(cases, rounds)
            table(f"warm, {count} distributions", found, "stevedore's cache hit", goals)
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or [100, 1000, 2000, 5000])
