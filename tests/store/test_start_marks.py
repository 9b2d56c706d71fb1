"""A start whose process died leaves a mark; one that ended in any other way does not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

from pkl.files import FileLock
from pkl.store import DeadStart, StartMark, dead_starts, forget
from pkl.store.start_marks import marks_directory

ROOT = Path(__file__).resolve().parents[2]
THEN = "2026-11-25T03:00:00Z"


@pytest.fixture
def where(tmp_path: Path) -> str:
    """Where the marks are; not made yet."""
    return str(tmp_path / "state" / "starting")


def begun(where: str, host: str = "shop") -> StartMark:
    """A start of this process."""
    mark = StartMark.begin(host, lambda: THEN, where)
    assert mark is not None
    return mark


def in_a_process(where: str, code: str, host: str = "shop") -> int:
    """Begins a start in a process of its own, then runs some code; its status."""
    lines = [
        "import os, signal, sys",
        "from pkl.store import StartMark",
        f"mark = StartMark.begin({host!r}, lambda: {THEN!r}, {where!r})",
        code,
    ]
    ran = subprocess.run([sys.executable, "-c", "\n".join(lines)], cwd=ROOT, check=False)
    return ran.returncode


def plugins(where: str, host: str = "shop") -> List[List[str]]:
    """What was starting, of each start of the host that died."""
    return [list(each.plugins) for each in dead_starts(host, where)]


@pytest.mark.parametrize(
    "death",
    [
        "os._exit(3)",
        "os.kill(os.getpid(), signal.SIGKILL)",
        "os.abort()",
        "os.kill(os.getpid(), signal.SIGTERM); signal.pause()",
    ],
)
def test_a_process_that_dies_leaves_the_names_of_what_was_starting(where: str, death: str) -> None:
    assert in_a_process(where, f"mark.starting(['db']); mark.starting(['auth']); {death}") != 0
    (found,) = dead_starts("shop", where)
    assert (found.host, found.plugins, found.since) == ("shop", ("auth",), THEN)
    assert os.path.dirname(found.path) == where
    # Looking changes nothing.
    assert dead_starts("shop", where) == dead_starts(None, where) == (found,)
    forget([found])
    assert dead_starts("shop", where) == ()
    assert os.listdir(where) == []


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("mark.end()", 0),
        ("mark.end(); mark.end(); mark.starting(['b']); os._exit(4)", 4),
        ("sys.exit(5)", 5),
        ("raise KeyboardInterrupt", 130),
        ("pass", 0),
    ],
)
def test_a_process_that_ends_in_order_leaves_none(where: str, ending: str, status: int) -> None:
    found = in_a_process(where, f"mark.starting(['auth'])\n{ending}")
    assert found in (status, -signal.SIGINT)
    assert dead_starts("shop", where) == ()
    assert os.listdir(where) == []


def test_a_start_that_goes_on_is_not_dead(where: str) -> None:
    mark = begun(where)
    mark.starting(["auth"])
    other = begun(where)
    assert dead_starts("shop", where) == ()
    assert in_a_process(where, "mark.starting(['db']); os._exit(1)") == 1
    assert plugins(where) == [["db"]]
    mark.end()
    other.end()
    assert plugins(where) == [["db"]]


def test_another_process_does_not_take_a_live_start_for_dead(where: str) -> None:
    mark = begun(where)
    code = f"from pkl.store import dead_starts; sys.exit(len(dead_starts('shop', {where!r})))"
    assert in_a_process(where, code) == 0
    mark.end()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_neither_keeps_a_mark_nor_takes_it_away(where: str) -> None:
    code = (
        "mark.starting(['auth'])\n"
        "read, write = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    mark.starting(['child']); mark.end(); os.close(read); os.write(write, b'x')\n"
        "    import time; time.sleep(60); os._exit(0)\n"
        "os.read(read, 1)\n"
        f"open({os.path.join(where, 'child')!r}, 'w').write(str(child))\n"
        "os._exit(7)"
    ).replace("if os.fork() == 0", "child = os.fork()\nif child == 0")
    assert in_a_process(where, code) == 7
    # The child lives on, and the parent is dead all the same.
    assert plugins(where) == [["auth"]]
    os.kill(int(Path(where, "child").read_text()), signal.SIGKILL)


def test_each_host_has_its_own(where: str) -> None:
    names = ["shop", "shop.eu", "Shop", "../shop", "\udcff\0", "s" * 3000, "店" * 300]
    for name in names:
        in_a_process(where, "mark.starting(['auth']); os._exit(1)", name)
    for name in names:
        (found,) = dead_starts(name, where)
        assert found.host == name[:70]
    assert len(dead_starts(None, where)) == len(names)


def test_names_get_shorter_and_longer_and_are_cut_where_there_is_no_room(where: str) -> None:
    code = "mark.starting(['a' * 50]); mark.starting(['b', 'c']); os._exit(1)"
    in_a_process(where, code)
    assert plugins(where) == [["b", "c"]]
    in_a_process(where, "mark.starting('p%d' % i for i in range(1000)); os._exit(1)", "big")
    assert plugins(where, "big")[0][:2] == ["p0", "p1"]
    in_a_process(where, "mark.starting(['a']); mark.starting([]); os._exit(1)", "none")
    assert plugins(where, "none") == [[]]


def test_what_is_no_mark_is_passed_over(where: str) -> None:
    os.makedirs(where)
    contents = [b"", b"{", b"[]", b"\0" * 2048, json.dumps({"host": 5}).encode(), b"\xff" * 3000]
    contents += [b"[" * 100_000, json.dumps({"host": "shop", "since": THEN, "pid": "x"}).encode()]
    for i, content in enumerate(contents):
        Path(where, f"shop.{i}.start").write_bytes(content)
    os.mkdir(os.path.join(where, "shop.dir.start"))
    os.symlink("/dev/zero", os.path.join(where, "shop.link.start"))
    assert dead_starts("shop", where) == dead_starts(None, where) == ()


def test_where_no_mark_can_be_made_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert StartMark.begin("shop", lambda: THEN, str(tmp_path / "file" / "x")) is None
    assert dead_starts("shop", str(tmp_path / "file" / "x")) == ()
    assert dead_starts("shop", str(tmp_path / "missing")) == ()


def test_a_full_disk_is_no_reason_not_to_start(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = begun(where)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pkl.store.start_marks._write_at", full)
    mark.starting(["auth"])
    mark.end()
    monkeypatch.setattr(os, "write", full)
    assert StartMark.begin("shop", lambda: THEN, where) is None
    monkeypatch.undo()
    assert os.listdir(where) == []


def test_a_mark_that_ends_while_somebody_looks_is_not_dead(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = begun(where)
    enter = FileLock.__enter__

    def later(self: FileLock) -> FileLock:
        mark.end()
        return enter(self)

    monkeypatch.setattr(FileLock, "__enter__", later)
    assert dead_starts("shop", where) == ()
    assert os.listdir(where) == []


def test_marks_are_kept_with_the_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PKL_HOME", str(tmp_path))
    assert marks_directory() == str(tmp_path / "state" / "starting")


def test_a_dead_start_says_what_died_and_what_to_type() -> None:
    one = DeadStart("shop", ("auth",), THEN, 5, "/x")
    assert one.message == "the last start of shop died while auth was starting"
    assert one.remedy == (
        "pkl run --safe-mode (or PKL_SAFE_MODE=1) starts only what is critical;"
        " pkl disable auth --host shop leaves it out"
    )
    assert one.as_dict() == {
        "host": "shop",
        "plugins": ["auth"],
        "since": THEN,
        "pid": 5,
        "message": one.message,
        "remedy": one.remedy,
    }
    two = one._replace(plugins=("auth", "db"))
    assert two.message == "the last start of shop died while auth and db were starting"
    assert "pkl disable auth db --host shop leaves them out" in two.remedy
    none = one._replace(plugins=())
    assert none.message == "the last start of shop died before a plugin was starting"
    assert none.remedy == "pkl run --safe-mode (or PKL_SAFE_MODE=1) starts only what is critical"
