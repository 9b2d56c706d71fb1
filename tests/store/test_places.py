"""Homes that are missing, linked, read-only, full, or another's: an error that changes nothing."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import Callable, List, Tuple

import pytest

from pkl.errors import PklError, StateUnavailable
from pkl.model.state import Desired
from pkl.store import HostState, StateStore

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and owners are POSIX")
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away"
)
NOBODY = 65534


def contents(directory: Path) -> List[Tuple[str, bytes]]:
    """Every file below a directory with its content, but for locks."""
    return sorted(
        (str(path), path.read_bytes())
        for path in directory.rglob("*")
        if path.is_file() and not path.name.endswith(".lock")
    )


def unprivileged(action: Callable[[], object]) -> str:
    """What an action gives, as text, in a child without the rights of root."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            os.write(writing, str(action()).encode())
        except BaseException as e:
            os.write(writing, f"raised {e!r}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return answer


def opened_up(tmp_path: Path) -> Path:
    """A home that the unprivileged user owns, under directories it may pass through."""
    for directory in (tmp_path, *tmp_path.parents):
        if directory.stat().st_uid == os.geteuid() and directory != Path("/"):
            directory.chmod(directory.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
    home = tmp_path / "home"
    home.mkdir()
    if os.geteuid() == 0:
        os.chown(home, NOBODY, NOBODY)
    return home


def attempt(store: StateStore) -> str:
    """What changing the state comes to."""
    try:
        store.set_desired("shop", {"b": "masked"})
    except PklError as e:
        return f"{type(e).__name__} {e}"
    return "changed"


def test_a_missing_home_is_made_and_no_more_of_it_than_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PKL_HOME", str(tmp_path / "not" / "yet"))
    store = StateStore()
    assert store.read("shop").state == HostState()
    assert not (tmp_path / "not").exists()
    store.set_desired("shop", {"a": "masked"})
    assert (tmp_path / "not" / "yet" / "state" / "hosts" / "shop.json").is_file()
    assert os.listdir(tmp_path / "not" / "yet") == ["state"]


def test_the_home_is_looked_up_at_each_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = StateStore()
    for home in ("one", "two"):
        monkeypatch.setenv("PKL_HOME", str(tmp_path / home))
        assert store.read("shop").state == HostState()
        store.set_desired("shop", {"a": "masked"})


@posix
@pytest.mark.parametrize("link", ["home", "home/state", "home/state/hosts"])
def test_a_home_that_is_a_symbolic_link_is_followed(
    link: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PKL_HOME", str(tmp_path / "home"))
    target = tmp_path / "elsewhere"
    target.mkdir(mode=0o700)
    where = tmp_path / link
    where.parent.mkdir(parents=True, exist_ok=True)
    where.symlink_to(target)
    store = StateStore()
    store.set_desired("shop", {"a": "masked"})
    assert where.is_symlink()
    assert len(contents(target)) == 1
    assert store.read("shop").state.desired == {"a": Desired.MASKED}


@posix
@pytest.mark.parametrize("kind", ["file", "dangling link"])
def test_a_home_that_is_no_directory_is_an_error_that_names_it(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    if kind == "file":
        home.write_text("mine")
    else:
        home.symlink_to(tmp_path / "nowhere")
    monkeypatch.setenv("PKL_HOME", str(home))
    store = StateStore()
    assert store.read("shop").state == HostState()
    with pytest.raises(StateUnavailable, match="nothing was changed") as caught:
        store.set_desired("shop", {"a": "masked"})
    assert str(home) in caught.value.message
    assert home.is_symlink() or home.read_text() == "mine"


@posix
@pytest.mark.parametrize("closed", [".", "state/hosts"])
def test_a_read_only_directory_is_an_error_that_changes_nothing(
    closed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = opened_up(tmp_path)
    monkeypatch.setenv("PKL_HOME", str(home))
    store = StateStore()
    if closed != ".":
        assert unprivileged(lambda: store.set_desired("shop", {"a": "masked"}) and "") == ""
    directory = home / closed
    directory.chmod(0o500)
    before = contents(home)
    answer = unprivileged(lambda: attempt(store))
    directory.chmod(0o700)
    assert answer.startswith("StateUnavailable the state of the host 'shop' could not be written")
    assert "Permission denied; nothing was changed\nhint: make room or make" in answer
    assert contents(home) == before


@posix
def test_a_file_that_may_not_be_read_is_an_error_that_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = opened_up(tmp_path)
    monkeypatch.setenv("PKL_HOME", str(home))
    store = StateStore()
    assert unprivileged(lambda: store.set_desired("shop", {"a": "masked"}) and "") == ""
    path = Path(store.path_of("shop"))
    path.chmod(0)
    before = path.stat()

    def look() -> str:
        problem = store.read("shop").problem
        return f"{type(problem).__name__}, {attempt(store)}"

    answer = unprivileged(look)
    after = path.stat()
    assert answer.startswith("StateUnavailable, StateUnavailable the state of the host 'shop' ")
    assert "cannot be read" in answer and "Permission denied" in answer
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@as_root
@pytest.mark.parametrize("given", ["home", "home/state", "home/state/hosts"])
def test_a_directory_of_somebody_else_is_left_alone(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What root writes into another's home, that other can neither read nor change."""
    where = tmp_path / given
    where.mkdir(parents=True)
    os.chown(where, 12345, -1)
    monkeypatch.setenv("PKL_HOME", str(tmp_path / "home"))
    store = StateStore()
    with pytest.raises(StateUnavailable) as caught:
        store.set_desired("shop", {"a": "masked"})
    assert "belongs to user 12345" in str(caught.value)
    assert "PKL_HOME" in caught.value.hint
    assert contents(tmp_path) == [] and os.listdir(where) == []
    if given.endswith("hosts"):
        assert isinstance(store.read("shop").problem, StateUnavailable)


FULL = [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS]


@pytest.mark.parametrize("code", FULL, ids=errno.errorcode.get)
@pytest.mark.parametrize("step", ["open", "write", "fsync", "replace", "mkdir"])
def test_a_full_disk_is_an_error_that_changes_nothing(
    step: str, code: int, store: StateStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if step != "mkdir":
        store.set_desired("shop", {"a": "masked"})
    before = contents(tmp_path)
    real = getattr(os, step)

    def fail(*arguments: object) -> object:
        if step == "open" and not int(str(arguments[1])) & os.O_CREAT:
            return real(*arguments)
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(StateUnavailable) as caught:
        store.set_desired("shop", {"b": "masked"})
    monkeypatch.undo()
    assert os.strerror(code) in caught.value.message
    assert isinstance(caught.value, OSError)
    assert contents(tmp_path) == before
    assert list(store.leftovers()) == []
    store.set_desired("shop", {"b": "masked"})


@posix
def test_a_disk_that_fills_up_in_the_middle_of_a_write_changes_nothing(
    store: StateStore, tmp_path: Path
) -> None:
    """A real limit on the size of files, in a child."""
    import resource
    import signal

    store.set_desired("shop", {"a": "masked"})
    before = contents(tmp_path)

    def fill() -> str:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            store.change_settings("shop", "a", lambda now: {"pad": "x" * 10_000})
        except StateUnavailable as e:
            return e.message
        return "changed"

    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writing, fill().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    assert "File too large; nothing was changed" in answer
    assert contents(tmp_path) == before


def test_the_text_of_the_error(store: StateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.set_desired("shop", {"a": "masked"})

    def replace(source: str, target: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(StateUnavailable) as caught:
        store.set_desired("shop", {"b": "masked"})
    path = store.path_of("shop")
    assert str(caught.value) == (
        f"the state of the host 'shop' could not be written: {path}: No space left on device; "
        "nothing was changed\n"
        "hint: make room or make the directory writable, or set PKL_HOME to a directory of your own"
    )


@posix
def test_a_directory_that_cannot_be_flushed_is_an_error_that_says_what_was_changed(
    store: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.set_desired("shop", {"a": "masked"})
    real = os.fsync

    def fsync(fd: int) -> None:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            raise OSError(errno.EIO, "Input/output error")
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StateUnavailable, match="was changed, but may not survive a power failure"):
        store.set_desired("shop", {"a": "disabled"})
    assert store.read("shop").state.desired == {"a": Desired.DISABLED}
