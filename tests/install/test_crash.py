"""Killed or without power at any point, what counts is the generation before or the new one.

The technique is that of ``tests/store/test_crash.py``: a real change is recorded, every beginning
of the record is played on a model of a disk; beside it, real processes are killed.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, List, Set, Tuple

import pytest

from pkl.files import atomic_write
from pkl.install.environment.generations import Generations
from pkl.install.solution import Solution
from tests.install.solutions import filled_with, solution
from tests.store.test_crash import Disk, Model, Op, recorded

ROOT = Path(__file__).resolve().parents[2]
KILLS = 20


class TreeModel(Model):
    """A disk on which directories are renamed, too, with all that lies in them."""

    @staticmethod
    def name(names: Dict[str, int], op: Op) -> None:
        """Does to a table of names what an operation does to names."""
        kind, args = op
        inside = [path for path in names if path.startswith(f"{args[0]}/")]
        if kind != "rename" or args[0] in names:
            Model.name(names, op)
            return
        for path in inside:
            names[args[1] + path[len(args[0]) :]] = names.pop(path)


def place(site: str) -> None:
    """Fills a site with two files, of which one lies deeper, flushing neither."""
    os.mkdir(os.path.join(site, "audit"), 0o700)
    for name in ("audit/plugin.py", "METADATA"):
        atomic_write(os.path.join(site, name), b"x" * 100, fsync=False)


def files(root: str) -> Disk:
    """Every file below a directory."""
    found = {}
    for parent, _, names in os.walk(root):
        found.update({os.path.join(parent, n): Path(parent, n).read_bytes() for n in names})
    return found


def lay_out(disk: Disk, root: str) -> None:
    """Makes a directory hold exactly these files."""
    shutil.rmtree(root)
    for path, data in disk.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(path).write_bytes(data)


def test_an_install_cut_anywhere_leaves_the_old_generation_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = str(tmp_path / "hosts")
    generations = Generations("shop", directory=root, clock=lambda: 0.0)
    old, new = solution(("audit", "1.0")), solution(("audit", "2.0"))
    with generations.changing():
        generations.build(old, place, by="x")
    before = files(root)

    def install() -> None:
        with generations.changing():
            generations.build(new, place, by="x")

    ops = recorded(monkeypatch, install)
    kinds = [kind for kind, _ in ops]
    assert kinds.count("rename") >= 4 and kinds.count("flush") >= 6
    seen: Set[int] = set()
    tried: Set[Tuple[Tuple[str, bytes], ...]] = set()
    for end in range(len(ops) + 1):
        model = TreeModel(before)
        for op in ops[:end]:
            model.play(op)
        for disk in (model.after_a_kill(), *model.after_power_failure()):
            key = tuple(sorted(disk.items()))
            if key in tried:
                continue
            tried.add(key)
            lay_out(disk, root)
            seen.add(check_whole(generations, old, new, end, ops))
        if end == len(ops):
            assert generations.current_number() == 2, "what was said to be installed is"
    assert seen == {1, 2} and len(tried) > 20


def check_whole(
    generations: Generations, old: Solution, new: Solution, end: int, ops: List[Op]
) -> int:
    """The number of what counts, which is whole."""
    current = generations.current()
    assert current is not None and current.number in (1, 2), (end, ops[:end])
    assert current.distributions == (old, new)[current.number - 1].chosen
    site = generations.places.site(current.number)
    whole = {os.path.relpath(path, site): len(data) for path, data in files(site).items()}
    assert whole == {"audit/plugin.py": 100, "METADATA": 100}, (end, ops[:end])
    return current.number


def test_the_model_of_the_disk_loses_a_tree_that_nobody_flushed() -> None:
    """Without flushes the same operations do lose files; so the test above can fail."""
    ops: List[Op] = [
        ("create", ("/g/.s/a",)),
        ("write", ("/g/.s/a", b"new")),
        ("rename", ("/g/.s", "/g/2")),
        ("flush", ("/g",)),
    ]
    model = TreeModel({})
    for op in ops:
        model.play(op)
    assert model.after_a_kill() == {"/g/2/a": b"new"}
    assert {} in list(model.after_power_failure())


KILLER = """
import sys
from tests.install.test_crash import kill_installers
print(kill_installers(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
def test_killed_at_random_points_installers_leave_whole_generations(tmp_path: Path) -> None:
    """In a process of its own, which forks the installers: it has no other threads."""
    seed = random.randrange(10**6)
    ran = subprocess.run(
        [sys.executable, "-c", KILLER, str(tmp_path / "hosts"), str(KILLS), str(seed)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, (seed, ran.stderr)
    assert int(ran.stdout) > 0, "installers were cut in the middle"


def kill_installers(root: str, kills: int, seed: int) -> int:
    """Kills so many installers, and looks at what each left; how many were cut in the middle."""
    chance = random.Random(seed)
    generations = Generations("shop", directory=root, timeout=20)
    cut = last = 0
    for _ in range(kills):
        child = os.fork()
        if not child:
            install_for_ever(root)
        time.sleep(chance.random() * 0.03)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        last = whole(generations, last)
        cut += bool(generations.leftovers())
        with generations.changing():
            assert generations.leftovers() == ()
    return cut


def install_for_ever(root: str) -> None:
    """Makes one generation after the other."""
    generations = Generations("shop", directory=root, timeout=20)
    while True:
        number = max(generations.numbers(), default=0) + 1
        made = solution(("audit", f"{number}.0"), ("auth", f"{number}.1"))
        with generations.changing():
            generations.build(made, filled_with(made), by="x")


def whole(generations: Generations, last: int) -> int:
    """The number of what counts, which is no earlier than before, and is all there."""
    current = generations.current()
    number = current.number if current is not None else 0
    assert number >= last
    if current is not None:
        site = generations.places.site(number)
        infos = [name for name in sorted(os.listdir(site)) if name.endswith("-info")]
        assert infos == [f"audit-{number}.0.dist-info", f"auth-{number}.1.dist-info"]
        assert len(files(site)) == 12
    return number
