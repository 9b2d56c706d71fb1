"""Several commands at once lose nothing, and one that is killed breaks nothing."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Callable, List

import pytest

from pkl.install.environment.generations import Generations
from tests.cli.running import Pkl
from tests.install.market import Shop

ROOT = Path(__file__).resolve().parents[3]
KILLS = 50


def started(work: Path, *arguments: str) -> "subprocess.Popen[str]":
    """A command line of ``quick`` that is running."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.install.verbs.quick", *arguments],
        cwd=work,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    )


def test_eight_that_install_and_change_what_is_wanted_at_once_all_get_their_way(
    pkl: Pkl,
    shop: Shop,
    publish: Callable[[], None],
    work: Path,
    generations: Generations,
) -> None:
    names = ["auth", "mail", "audit", "report"]
    for name in (*names, "base"):
        shop.plugin(name, "1.0", libraries=["libx"])
    shop.library("libx", "1.0")
    publish()
    pkl.ok("install", "base", "-y")
    wheels = str(shop.wheels)
    running = [started(work, wheels, "install", name, "-y") for name in names]
    running += [
        started(work, wheels, verb, "base") for verb in ("disable", "enable", "mask", "disable")
    ]
    ended = [each.communicate(timeout=300) for each in running]
    assert [each.returncode for each in running] == [0] * 8, ended
    record = generations.current()
    assert record is not None and sorted(record.plugins) == sorted((*names, "base"))
    assert [each.name for each in record.roots] == sorted((*names, "base"))
    assert generations.leftovers() == () and not generations.problems()
    listed = {each["name"]: each["state"] for each in pkl.json("list")["plugins"]}
    assert {listed[name] for name in names} == {"enabled"}


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
def test_killed_at_random_points_of_install_what_counts_is_whole_and_the_next_cleans_up(
    pkl: Pkl,
    shop: Shop,
    publish: Callable[[], None],
    work: Path,
    generations: Generations,
) -> None:
    names: List[str] = ["auth", "mail", "audit"]
    for name in names:
        shop.plugin(name, "1.0", libraries=["libx"])
    shop.library("libx", "1.0")
    publish()
    seed = random.randrange(10**6)
    killer = started(work, "--kill", str(shop.wheels), str(KILLS), str(seed), *names)
    out, err = killer.communicate(timeout=300)
    assert killer.returncode == 0, (seed, err)
    pkl.ok("install", *names, "-y")
    record = generations.current()
    assert record is not None and sorted(record.plugins) == sorted(names)
    assert generations.leftovers() == () and not generations.problems()
    assert int(out.split()[-1]) > 0, "some were cut in the middle of a generation"
