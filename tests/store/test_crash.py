"""Killed or without power at any point, a change leaves the old state or the new, and no loss.

A real change is recorded as the system calls it makes; every beginning of that record is played
on a model of a disk, which knows that what was not flushed may be missing afterwards. Beside it,
a process that changes the state all the time is killed for real. ``PKL_EXAMPLES`` makes the
kills more.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import pytest

from pkl.model.state import Desired
from pkl.store import StateStore
from pkl.store.schema import dump_state
from tests.store.states import full_state

KILLS = 50 if "PKL_EXAMPLES" in os.environ else 8
ROOT = Path(__file__).resolve().parents[2]

Op = Tuple[str, Tuple[Any, ...]]
Disk = Dict[str, bytes]


def recorded(patch: pytest.MonkeyPatch, change: Callable[[], object]) -> List[Op]:
    """The operations of a change: create, write, truncate, flush, link, rename, unlink, mkdir."""
    ops: List[Op] = []
    names: Dict[int, str] = {}
    real = {
        name: getattr(os, name)
        for name in (
            *("open", "close", "write", "ftruncate", "fsync"),
            *("link", "rename", "replace", "unlink", "mkdir"),
        )
    }

    def open_(path: str, flags: int, mode: int = 0o777) -> int:
        new = bool(flags & os.O_CREAT) and not os.path.lexists(path)
        fd: int = real["open"](path, flags, mode)
        names[fd] = path
        if new:
            ops.append(("create", (path,)))
        return fd

    def close(fd: int) -> None:
        names.pop(fd, None)
        real["close"](fd)

    def write(fd: int, data: Any) -> int:
        count: int = real["write"](fd, data)
        if fd in names:
            ops.append(("write", (names[fd], bytes(data)[:count])))
        return count

    def ftruncate(fd: int, size: int) -> None:
        real["ftruncate"](fd, size)
        ops.append(("truncate", (names[fd],)))

    def fsync(fd: int) -> None:
        real["fsync"](fd)
        ops.append(("flush", (names[fd],)))

    def naming(name: str) -> Callable[..., None]:
        def call(*args: Any) -> None:
            real[name](*args)
            ops.append(("rename" if name == "replace" else name, args[:2]))

        return call

    with patch.context() as here:
        here.setattr(os, "open", open_)
        here.setattr(os, "close", close)
        here.setattr(os, "write", write)
        here.setattr(os, "ftruncate", ftruncate)
        here.setattr(os, "fsync", fsync)
        for name in ("link", "rename", "replace", "unlink", "mkdir"):
            here.setattr(os, name, naming(name))
        change()
    return ops


class Model:
    """A disk on which names and contents reach the platter only when they are flushed."""

    def __init__(self, before: Disk) -> None:
        self.names: Dict[str, int] = {}
        self.contents: List[bytes] = []
        self.flushed: List[Optional[bytes]] = []
        for path, data in before.items():
            self.names[path] = self._new(data, data)
        self.durable = dict(self.names)
        self.pending: List[Tuple[str, Op]] = []

    def _new(self, data: bytes, flushed: Optional[bytes]) -> int:
        self.contents.append(data)
        self.flushed.append(flushed)
        return len(self.contents) - 1

    def play(self, op: Op) -> None:
        """Does an operation."""
        kind, args = op
        path = args[0]
        if kind == "create":
            inode = self._new(b"", None)
            op = ("create", (path, inode))
        if kind in ("create", "link", "rename", "unlink"):
            self.name(self.names, op)
            self.pending.append((os.path.dirname(path), op))
        elif kind == "write":
            self.contents[self.names[path]] += args[1]
        elif kind == "truncate":
            self.contents[self.names[path]] = b""
        elif kind == "flush" and path in self.names:
            self.flushed[self.names[path]] = self.contents[self.names[path]]
        elif kind == "flush":
            for directory, each in self.pending:
                if directory == path:
                    self.name(self.durable, each)
            self.pending = [each for each in self.pending if each[0] != path]

    @staticmethod
    def name(names: Dict[str, int], op: Op) -> None:
        """Does to a table of names what an operation does to names."""
        kind, args = op
        if kind == "create":
            names[args[0]] = args[1]
        elif kind == "link":
            names[args[1]] = names[args[0]]
        elif kind == "rename":
            names[args[1]] = names.pop(args[0])
        elif kind == "unlink":
            names.pop(args[0], None)

    def after_a_kill(self) -> Disk:
        """What is there if the process ends here, and the machine lives on."""
        return {path: self.contents[inode] for path, inode in self.names.items()}

    def after_power_failure(self) -> Iterator[Disk]:
        """All that may be there if the machine ends here.

        Of the names that were not flushed the first so many have reached the disk; of each
        content that was not flushed nothing, half, or all.
        """
        for count in range(len(self.pending) + 1):
            names = dict(self.durable)
            for _, op in self.pending[:count]:
                self.name(names, op)
            for share in (0.0, 0.5, 1.0):
                yield {path: self._lost(inode, share) for path, inode in names.items()}

    def _lost(self, inode: int, share: float) -> bytes:
        whole, flushed = self.contents[inode], self.flushed[inode]
        return whole if flushed == whole else whole[: int(len(whole) * share)]


def outcomes(before: Disk, ops: List[Op]) -> Iterator[Tuple[int, Disk]]:
    """What may be on the disk after each beginning of a record."""
    for end in range(len(ops) + 1):
        model = Model(before)
        for op in ops[:end]:
            model.play(op)
        yield end, model.after_a_kill()
        for disk in model.after_power_failure():
            yield end, disk


def on_disk(store: StateStore) -> Disk:
    """The files that are there now."""
    if not os.path.isdir(store.directory):
        return {}
    paths = [os.path.join(store.directory, name) for name in os.listdir(store.directory)]
    return {path: Path(path).read_bytes() for path in paths}


@pytest.mark.parametrize("first", [True, False], ids=["the first change", "a later one"])
def test_a_change_cut_anywhere_leaves_the_old_state_or_the_new(
    first: bool, store: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not first:
        store.change("shop", lambda _: full_state())
    before = on_disk(store)
    path = store.path_of("shop")
    ops = recorded(monkeypatch, lambda: store.set_desired("shop", {"a": "masked"}))
    new = Path(path).read_bytes()
    assert len(ops) >= 8 and new != before.get(path)
    seen = set()
    for end, disk in outcomes(before, ops):
        assert disk.get(path) in (before.get(path), new), (end, ops[:end])
        seen.add(disk.get(path))
        if end == len(ops):
            assert disk.get(path) == new, "what was said to be kept is kept"
    assert seen == {before.get(path), new}


def test_a_directory_of_ours_is_flushed_into_the_one_above_it(
    store: StateStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ops = recorded(monkeypatch, lambda: store.set_desired("shop", {"a": "masked"}))
    made = [args[0] for kind, args in ops if kind == "mkdir"]
    assert made == [str(tmp_path / "state"), str(tmp_path / "state" / "hosts")]
    for path in made:
        at = ops.index(("mkdir", (path, 0o700)))
        assert ("flush", (os.path.dirname(path),)) in ops[at:]


def test_a_damaged_file_is_never_gone_wherever_its_setting_aside_is_cut(
    store: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.makedirs(store.directory)
    path = store.path_of("shop")
    damaged = dump_state(full_state())[:-30]
    Path(path).write_bytes(damaged)
    before = on_disk(store)
    ops = recorded(monkeypatch, lambda: store.set_desired("shop", {"a": "masked"}))
    new = Path(path).read_bytes()
    for end, disk in outcomes(before, ops):
        assert disk.get(path) in (damaged, new), (end, ops[:end])
        assert damaged in disk.values(), (end, ops[:end])


def test_the_model_of_the_disk_loses_what_nobody_flushed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the flushes the same record does lose states; so the tests above can fail."""
    ops: List[Op] = [
        ("create", ("/d/new",)),
        ("write", ("/d/new", b"new")),
        ("rename", ("/d/new", "/d/a")),
        ("flush", ("/d",)),
    ]
    found = {disk.get("/d/a") for _, disk in outcomes({"/d/a": b"old"}, ops)}
    assert found >= {b"old", b"new", b""}


CHANGER = """
import sys
from pkl.store import StateStore
store = StateStore(sys.argv[1])
for number in range(1, 1_000_000):
    store.change_settings("shop", "a", lambda now: {"n": now.get("n", 0) + 1, "pad": "x" * 5000})
    sys.stdout.write(f"{store.read('shop').state.record('a').settings['n']}\\n")
    sys.stdout.flush()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_killed_at_random_points_a_process_leaves_the_last_state_it_reported_or_the_next(
    store: StateStore,
) -> None:
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    last = 0
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-c", CHANGER, store.directory],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            text=True,
        )
        assert process.stdout is not None
        for _ in range(chance.randrange(1, 4)):
            assert process.stdout.readline()
        for _ in range(chance.randrange(5000)):  # any point of the next change
            pass
        process.send_signal(signal.SIGKILL)
        reported = [int(line) for line in process.stdout.read().split()]
        process.stdout.close()
        process.wait()
        reading = store.read("shop")
        assert reading.problem is None, seed
        found = reading.state.record("a").settings["n"]
        assert found >= max([last, *reported]), seed
        if reported:
            assert found <= reported[-1] + 1, seed
        last = found
    store.set_desired("shop", {"b": "masked"})
    assert sorted(os.listdir(store.directory)) == [".shop.json.lock", "shop.json"]
    state = store.read("shop").state
    assert state.desired == {"b": Desired.MASKED} and state.record("a").settings["n"] == last
