"""Processes that change one state at once lose nothing, and the dead hold nobody up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Iterator, List

import pytest

from pkl.errors import LockTimeout
from pkl.model.state import Desired
from pkl.store import StateStore

ROOT = Path(__file__).resolve().parents[2]
CHANGES = int(os.environ.get("PKL_EXAMPLES", "12"))

CHANGER = """
import sys
from pkl.store import StateStore
directory, which, changes = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = StateStore(directory, timeout=None)
sys.stdin.readline()
for number in range(changes):
    store.change_settings("shop", "all", lambda now: {"n": now.get("n", 0) + 1})
    store.set_desired("shop", {f"p{which}-{number}": "masked"}, by=f"process {which}")
"""

HOLDER = """
import os, sys
from pkl.files import FileLock
with FileLock(os.path.join(sys.argv[1], ".shop.json.lock")):
    sys.stdout.write("held\\n")
    sys.stdout.flush()
    sys.stdin.read()
"""


def start(code: str, *arguments: str) -> "subprocess.Popen[str]":
    """A process that runs a piece of code."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    )


def end(process: "subprocess.Popen[str]") -> None:
    """Makes sure that it is gone."""
    process.kill()
    process.communicate()


def test_eight_processes_that_change_a_state_at_once_lose_nothing(store: StateStore) -> None:
    processes: List["subprocess.Popen[str]"] = [
        start(CHANGER, store.directory, str(which), str(CHANGES)) for which in range(8)
    ]
    for each in processes:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    for each in processes:
        each.communicate()
        assert each.returncode == 0
    state = store.read("shop").state
    assert state.record("all").settings == {"n": 8 * CHANGES}
    expected = {f"p{which}-{n}": Desired.MASKED for which in range(8) for n in range(CHANGES)}
    assert state.desired == expected
    assert sorted(os.listdir(store.directory)) == [".shop.json.lock", "shop.json"]


@pytest.fixture
def holder(store: StateStore) -> Iterator["subprocess.Popen[str]"]:
    """A process in the middle of a change."""
    store.set_desired("shop", {"a": "masked"})
    process = start(HOLDER, store.directory)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    yield process
    end(process)


def test_the_lock_of_a_living_process_is_waited_for_and_the_process_is_named(
    store: StateStore, holder: "subprocess.Popen[str]"
) -> None:
    impatient = StateStore(store.directory, timeout=0)
    with pytest.raises(LockTimeout, match=f"process {holder.pid} holds the lock"):
        impatient.set_desired("shop", {"b": "masked"})
    assert store.read("shop").state.desired == {"a": Desired.MASKED}


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_the_lock_of_a_dead_process_holds_nobody_up(
    store: StateStore, holder: "subprocess.Popen[str]"
) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    lock = Path(store.directory, ".shop.json.lock")
    assert lock.read_text() == str(holder.pid), "its name is still in the file"
    impatient = StateStore(store.directory, timeout=0)
    impatient.set_desired("shop", {"b": "masked"})
    assert store.read("shop").state.desired.keys() == {"a", "b"}


def test_what_a_killed_change_left_behind_is_listed_and_swept_by_the_next(
    store: StateStore,
) -> None:
    store.set_desired("shop", {"a": "masked"})
    left = Path(store.directory, ".shop.json.0123456789ab.tmp")
    other = Path(store.directory, ".shop.json.mine.tmp")
    left.write_bytes(b"half")
    other.write_bytes(b"not pkl's")
    assert list(store.leftovers()) == [(str(left), False)]
    store.set_desired("shop", {"b": "masked"})
    assert not left.exists() and other.exists()
