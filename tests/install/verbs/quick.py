"""Runs command lines with the quick installer in processes of their own.

``python -m tests.install.verbs.quick WHEELS install auth -y`` is ``pkl install auth -y`` that
unpacks the wheels of a folder without starting uv or pip.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import List, Optional, Sequence

import pkl.cli.installing
from pkl.cli.app import execute
from pkl.install.environment.generations import Generations
from tests.install.fake_backend import FakeBackend

__all__ = ["run"]


def run(wheels: str, arguments: Sequence[str]) -> int:
    """Runs one command line; its exit status."""
    backend = FakeBackend(Path(wheels))

    def find_backend(prefer: Optional[str] = None) -> FakeBackend:
        return backend

    vars(pkl.cli.installing)["find_backend"] = find_backend
    return execute(list(arguments))


def kill(wheels: str, names: Sequence[str], kills: int, seed: int) -> int:
    """Kills so many installations at random points; how many were cut in the middle.

    Each installs and uninstalls plugins in turn for as long as it is let.
    """
    chance = random.Random(seed)
    run(wheels, ["list"])  # Everything is imported before the first fork.
    cut = 0
    generations = Generations("shop", timeout=20)
    for _ in range(kills):
        child = os.fork()
        if not child:
            silent = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silent, 1)
            os.dup2(silent, 2)
            while True:
                name = chance.choice(list(names))
                run(wheels, ["install", name, "-y"])
                run(wheels, ["uninstall", name, "-y"])
        time.sleep(chance.random() * 0.15)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        chance.random()
        before = generations.current()
        if before is not None:
            site = generations.places.site(before.number)
            infos = {each.name for each in Path(site).glob("*.dist-info")}
            assert len(infos) == len(before.distributions), (infos, before)
        cut += bool(generations.leftovers())
        with generations.changing():
            assert generations.leftovers() == ()
    return cut


def main(arguments: List[str]) -> int:
    """``WHEELS VERB...``, or ``--kill WHEELS KILLS SEED NAME...``."""
    if arguments[0] == "--kill":
        wheels, kills, seed, *names = arguments[1:]
        print(kill(wheels, names, int(kills), int(seed)))
        return 0
    return run(arguments[0], arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
