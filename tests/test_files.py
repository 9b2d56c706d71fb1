"""Atomic writes leave the old file or the new; locks exclude, name their holder and close."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Callable, Iterator, List, Tuple

import pytest

from pkl import files
from pkl.errors import LockReentered, LockTimeout
from pkl.files import FileLock, atomic_write, read_text_utf8

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and fork are POSIX")


@pytest.fixture
def _umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode_of(path: Path) -> int:
    """The permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def open_files() -> int:
    """How many descriptors this process has open."""
    return len(os.listdir("/dev/fd"))


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    for content in (b"first", b"", b"x" * 3_000_000):
        atomic_write(path, content)
        assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["state.json"]


@posix
@pytest.mark.usefixtures("_umask")
def test_a_new_file_is_ours_alone_unless_said_otherwise(tmp_path: Path) -> None:
    atomic_write(tmp_path / "a", b"")
    atomic_write(tmp_path / "b", b"", mode=0o666)
    assert (mode_of(tmp_path / "a"), mode_of(tmp_path / "b")) == (0o600, 0o666)


@posix
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    path.chmod(0o640)
    atomic_write(path, b"new")
    assert mode_of(path) == 0o640


@posix
def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "file")
    atomic_write(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "file").read_bytes() == b"new"
    assert os.listdir(tmp_path / "there") == ["file"]


@posix
@pytest.mark.parametrize("step", ["write", "fchmod", "fsync", "close", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    step: str, error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    before = open_files()
    real: Callable[..., object] = getattr(os, step)

    def fail(*args: object) -> object:
        if step == "close":
            real(*args)
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)):
        atomic_write(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]
    assert open_files() == before


def test_short_writes_are_carried_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:3]))
    atomic_write(tmp_path / "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


@posix
def test_content_reaches_the_disk_before_the_name_and_the_name_before_the_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order that a power failure at any point cannot turn into a loss."""
    trace: List[Tuple[str, bool]] = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(fd: int) -> None:
        trace.append(("fsync", stat.S_ISDIR(os.fstat(fd).st_mode)))
        real_fsync(fd)

    def replace(source: str, target: str) -> None:
        assert os.path.dirname(source) == os.path.dirname(target)
        trace.append(("replace", False))
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    atomic_write(tmp_path / "a", b"x")
    assert trace == [("fsync", False), ("replace", False), ("fsync", True)]
    trace.clear()
    atomic_write(tmp_path / "a", b"x", fsync=False)
    assert trace == [("replace", False)]


def test_the_temporary_file_never_opens_one_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter([b"\0" * 6, b"\0" * 6, b"\1" * 6])
    monkeypatch.setattr(os, "urandom", lambda _count: next(names))
    planted = tmp_path / f".a.{'00' * 6}.tmp"
    planted.write_bytes(b"mine")
    atomic_write(tmp_path / "a", b"new")
    assert planted.read_bytes() == b"mine"
    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_directory_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        atomic_write(tmp_path / "no" / "a", b"")


def test_text_is_read_without_its_byte_order_mark_and_with_its_newlines(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\xef\xbb\xbfa\r\n\xc3\xa4")
    assert read_text_utf8(path) == "a\r\nä"
    assert read_text_utf8(path, limit=8) == "a\r\nä"
    with pytest.raises(ValueError, match="longer than 7 bytes"):
        read_text_utf8(path, limit=7)
    path.write_bytes(b"\xff")
    with pytest.raises(UnicodeDecodeError):
        read_text_utf8(path)


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def holder(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the lock of ``tmp_path / "lock"`` until its input is closed."""
    code = (
        "import sys; from pkl.files import FileLock\n"
        "with FileLock(sys.argv[1]):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
        "print('free', flush=True)\n"
        "sys.stdin.close()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    assert process.stdout is not None and process.stdin is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.stdin.close()
    process.stdout.close()
    process.wait()


def test_the_lock_of_another_process_is_waited_for_until_the_timeout_and_named(
    tmp_path: Path, holder: "subprocess.Popen[str]", clock: Clock
) -> None:
    before = open_files() if sys.platform != "win32" else 0
    lock = FileLock(tmp_path / "lock", 2.0, clock=clock, sleep=clock.sleep)
    with pytest.raises(LockTimeout) as caught, lock:
        raise AssertionError("two processes hold it")
    assert 2.0 <= clock.now < 2.1
    assert caught.value.details["pid"] == holder.pid
    assert f"process {holder.pid} holds the lock {tmp_path / 'lock'}" in str(caught.value)
    assert isinstance(caught.value, TimeoutError)
    if sys.platform != "win32":
        assert open_files() == before


def test_a_timeout_of_nothing_tries_once(
    tmp_path: Path, holder: "subprocess.Popen[str]", clock: Clock
) -> None:
    assert holder.poll() is None
    with pytest.raises(LockTimeout), FileLock(tmp_path / "lock", 0, clock=clock, sleep=clock.sleep):
        pass
    assert clock.now == 0.0


def test_the_lock_is_taken_as_soon_as_the_other_process_lets_go(
    tmp_path: Path, holder: "subprocess.Popen[str]"
) -> None:
    waits: List[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        assert holder.stdin is not None and holder.stdout is not None
        if len(waits) == 3:
            holder.stdin.close()
            assert holder.stdout.readline() == "free\n"

    with FileLock(tmp_path / "lock", None, sleep=sleep) as lock:
        assert lock.is_held
        assert (tmp_path / "lock").read_text() == str(os.getpid())
    assert len(waits) == 3
    assert not lock.is_held


def test_the_lock_of_a_killed_process_is_free(
    tmp_path: Path, holder: "subprocess.Popen[str]"
) -> None:
    holder.kill()
    holder.wait()
    with FileLock(tmp_path / "lock", 0):
        pass


@posix
@pytest.mark.usefixtures("_umask")
def test_the_lock_file_is_ours_alone_and_stays_empty_behind(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock"):
        assert mode_of(tmp_path / "lock") == 0o600
    assert (tmp_path / "lock").read_bytes() == b""


def test_a_lock_may_be_taken_again_after_it_was_let_go(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock", 0)
    for _ in range(3):
        with lock:
            assert lock.is_held


@pytest.mark.parametrize("same_object", [True, False])
def test_taking_a_lock_twice_in_one_thread_is_refused_at_once(
    same_object: bool, tmp_path: Path, clock: Clock
) -> None:
    first = FileLock(tmp_path / "lock", None)
    second = first if same_object else FileLock(tmp_path / "lock", None, sleep=clock.sleep)
    with first:
        with pytest.raises(LockReentered, match="this thread holds the lock"), second:
            pass
        assert first.is_held
    assert clock.now == 0.0
    with second:
        pass


def test_another_thread_waits_for_the_lock(tmp_path: Path, clock: Clock) -> None:
    errors: List[BaseException] = []

    def take() -> None:
        try:
            with FileLock(tmp_path / "lock", 1.0, clock=clock, sleep=clock.sleep):
                pass
        except LockTimeout as e:
            errors.append(e)

    with FileLock(tmp_path / "lock"):
        thread = threading.Thread(target=take)
        thread.start()
        thread.join()
    assert f"another thread of this process ({os.getpid()})" in str(errors[0])


def test_letting_go_of_a_lock_that_is_not_held_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="is not held"):
        FileLock(tmp_path / "lock").__exit__(None, None, None)


def test_a_lock_file_that_was_taken_away_does_not_let_two_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is deleted between opening and locking; the second try makes a new one."""
    real = files._lock

    def lock(fd: int) -> bool:
        taken = real(fd)
        monkeypatch.setattr(files, "_lock", real)
        os.unlink(tmp_path / "lock")
        return taken

    monkeypatch.setattr(files, "_lock", lock)
    first = FileLock(tmp_path / "lock", None, sleep=lambda _seconds: None)
    with first, pytest.raises(LockReentered), FileLock(tmp_path / "lock", 0):
        pass


@posix
@pytest.mark.parametrize("step", ["fstat", "ftruncate", "write"])
def test_the_file_is_closed_on_every_failure(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_files()

    def fail(*_args: object) -> object:
        raise OSError(5, "Input/output error")

    lock = FileLock(tmp_path / "lock", 0)
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="Input/output"), lock:
        pass
    monkeypatch.undo()
    assert open_files() == before
    with lock:
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_does_not_hold_the_lock_of_its_parent(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock", 0)
    with lock:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                if not lock.is_held:
                    with FileLock(tmp_path / "lock", 0):
                        code = 2
            except LockTimeout as e:
                code = 0 if e.details["pid"] == os.getppid() else 3
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0


@posix
def test_a_lock_is_not_inherited_by_a_new_program(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock") as lock:
        assert lock._fd is not None
        assert not os.get_inheritable(lock._fd)
