"""Where files live: the rule of platformdirs, PKL_HOME, and a runtime directory of our own."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import platformdirs
import pytest

from pkl import paths
from pkl.errors import NotPermitted

KINDS = ["state", "cache", "config", "data"]

posix = pytest.mark.skipif(sys.platform == "win32", reason="owners and modes are POSIX")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith(("PKL_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    yield


def user_dir(kind: str) -> str:
    """What pkl answers for a kind of directory."""
    answer = getattr(paths, f"user_{kind}_dir")()
    assert isinstance(answer, str)
    return answer


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("base", [None, "", " ", "/somewhere/else"])
def test_the_directories_are_those_of_platformdirs(
    kind: str, base: "str | None", monkeypatch: pytest.MonkeyPatch
) -> None:
    if base is not None:
        monkeypatch.setenv(f"XDG_{kind.upper()}_HOME", base)
    assert user_dir(kind) == getattr(platformdirs, f"user_{kind}_dir")("pkl", appauthor=False)


@pytest.mark.parametrize("kind", KINDS)
def test_pkl_home_moves_everything(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PKL_HOME", "~/elsewhere")
    monkeypatch.setenv(f"XDG_{kind.upper()}_HOME", "/not/there")
    assert user_dir(kind) == os.path.join(os.path.expanduser("~/elsewhere"), kind)


def test_a_relative_pkl_home_is_made_absolute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PKL_HOME", "here")
    assert user_dir("state") == str(tmp_path / "here" / "state")


def test_no_directory_is_made_by_asking(tmp_path: Path) -> None:
    for kind in KINDS:
        user_dir(kind)
    paths.runtime_dir()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere platformdirs is asked")
def test_platformdirs_is_not_imported_on_linux() -> None:
    code = "import sys; from pkl import paths; paths.user_cache_dir(); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True
    )
    assert "platformdirs" not in done.stdout.split()


def test_pkl_runtime_dir_is_taken_before_all_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PKL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PKL_RUNTIME_DIR", str(tmp_path / "run"))
    assert paths.runtime_dir() == str(tmp_path / "run")


@posix
def test_the_runtime_directory_of_the_session_is_used_if_it_is_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    session = tmp_path / "session"
    session.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(session))
    assert paths.runtime_dir() == str(session / "pkl")


def test_pkl_home_goes_before_the_runtime_directory_of_the_session(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    session = tmp_path / "session"
    session.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(session))
    monkeypatch.setenv("PKL_HOME", str(tmp_path / "home"))
    assert paths.runtime_dir() == str(tmp_path / "home" / "state" / "run")


@posix
@pytest.mark.parametrize("wrong", ["open", "link", "absent", "file", "relative"])
def test_another_runtime_directory_of_the_session_is_passed_over(
    wrong: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    session = tmp_path / "session"
    if wrong == "open":
        session.mkdir()
        session.chmod(0o750)
    elif wrong == "link":
        (tmp_path / "real").mkdir(mode=0o700)
        session.symlink_to(tmp_path / "real")
    elif wrong == "file":
        session.touch(0o700)
    elif wrong == "relative":
        session.mkdir(mode=0o700)
        monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "session" if wrong == "relative" else str(session))
    assert paths.runtime_dir() == os.path.join(paths.user_state_dir(), "run")


@posix
def test_a_runtime_directory_of_someone_else_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    session = tmp_path / "session"
    session.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(session))
    monkeypatch.setattr(os, "geteuid", lambda: session.stat().st_uid + 1)
    assert paths.runtime_dir() == os.path.join(paths.user_state_dir(), "run")


@posix
def test_the_runtime_directory_is_made_for_us_alone() -> None:
    path = paths.runtime_dir(create=True)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o700
    os.chmod(path, 0o755)
    assert paths.runtime_dir(create=True) == path
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o700


@posix
@pytest.mark.parametrize(
    ("wrong", "why"),
    [("open", "others may enter it"), ("link", "a symbolic link"), ("file", "not a directory")],
)
def test_an_unsafe_directory_that_was_asked_for_is_refused(
    wrong: str, why: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is the user's choice, so it is neither repaired nor replaced by another."""
    path = tmp_path / "run"
    if wrong == "open":
        path.mkdir()
        path.chmod(0o755)
    elif wrong == "link":
        (tmp_path / "real").mkdir(mode=0o700)
        path.symlink_to(tmp_path / "real")
    else:
        path.touch()
    monkeypatch.setenv("PKL_RUNTIME_DIR", str(path))
    with pytest.raises(NotPermitted, match=why) as caught:
        paths.runtime_dir(create=True)
    assert str(path) in str(caught.value)
    assert "PKL_RUNTIME_DIR" in caught.value.hint
