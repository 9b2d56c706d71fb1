"""A damaged state file is set aside under a name of its own, never overwritten, and it is said."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Callable, List

import pytest

from pkl.errors import StateCorrupt, StateUnavailable
from pkl.model.state import Desired
from pkl.store import HostState, StateStore
from pkl.store.schema import dump_state
from tests.store.clock import Hand
from tests.store.states import full_state

STAMP = "20261125T030000Z"
posix = pytest.mark.skipif(sys.platform == "win32", reason="kinds of files that POSIX has")
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away"
)


def directory_of(store: StateStore) -> Path:
    """The store's directory, made."""
    os.makedirs(store.directory, exist_ok=True)
    return Path(store.directory)


def asides(store: StateStore) -> List[str]:
    """The names of what was set aside."""
    return sorted(os.path.basename(path) for path, aside in store.leftovers() if aside)


def test_truncated_at_every_byte_it_is_read_as_damaged_and_nothing_raises(
    store: StateStore,
) -> None:
    directory_of(store)
    content = dump_state(full_state())
    path = Path(store.path_of("shop"))
    for end in range(len(content) - 1):  # without its last newline it is whole
        path.write_bytes(content[:end])
        reading = store.read("shop")
        assert isinstance(reading.problem, StateCorrupt), end
        assert reading.state == HostState()
    assert os.listdir(store.directory) == ["shop.json"], "reading leaves it where it is"


def test_truncated_anywhere_it_is_set_aside_whole_by_the_next_change(store: StateStore) -> None:
    content = dump_state(full_state())
    path = Path(directory_of(store), "shop.json")
    cuts = [0, 1, 2, len(content) // 3, len(content) // 2, len(content) - 3]
    for number, end in enumerate(cuts):
        path.write_bytes(content[:end])
        changed = store.set_desired("shop", {"a": "masked"})
        assert changed.problem is not None and changed.problem.aside is not None
        assert Path(changed.problem.aside).read_bytes() == content[:end]
        assert store.read("shop").state.desired == {"a": Desired.MASKED}
        assert store.read("shop").problem is None
        assert len(asides(store)) == number + 1, "what was set aside before is still there"


CONTENTS = {
    "empty": b"",
    "garbage": bytes(range(256)) * 20,
    "not UTF-8": b'{"schema": 1, "host": {"name": "\xff"}}',
    "deep": b"[" * 1_000_000,
    "wrong types": b'{"schema": 1, "plugins": {"a": {"desired": 5}}}',
    "another program's": b'{"name": "package", "version": "1.0"}',
    "null": b"null",
    "zeros": b"\0" * 4096,
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_whatever_is_in_it_the_file_is_set_aside_and_named(
    content: bytes, store: StateStore
) -> None:
    path = Path(directory_of(store), "shop.json")
    path.write_bytes(content)
    changed = store.repair(store.path_of("shop"))
    aside = Path(store.directory, f"shop.json.corrupt-{STAMP}")
    assert aside.read_bytes() == content
    assert changed.problem is not None
    assert changed.problem.aside == str(aside)
    assert f"the state file {path} is damaged" in str(changed.problem)
    assert f"was set aside as {aside}" in str(changed.problem)
    assert store.read("shop") == (HostState(), str(path), None)


def test_a_huge_file_is_not_read_into_memory(store: StateStore) -> None:
    path = Path(directory_of(store), "shop.json")
    with open(path, "wb") as file:
        file.truncate(100 * 1024 * 1024)
    problem = store.read("shop").problem
    assert isinstance(problem, StateCorrupt)
    assert "is larger than 16777216 bytes" in problem.message
    changed = store.repair(store.path_of("shop"))
    assert changed.problem is not None and changed.problem.aside is not None
    assert os.path.getsize(changed.problem.aside) == 100 * 1024 * 1024


def test_what_can_be_understood_of_it_counts(store: StateStore) -> None:
    """One bad word must not unmask what people masked."""
    whole = json.loads(dump_state(full_state()))
    whole["plugins"]["auth"]["desired"]["value"] = "of course"
    path = Path(directory_of(store), "shop.json")
    path.write_bytes(json.dumps(whole).encode())
    changed = store.set_desired("shop", {"a": "disabled"})
    assert changed.problem is not None
    assert [fault.path for fault in changed.problem.faults] == ["plugins.auth.desired.value"]
    assert store.read("shop").state.desired == {"legacy": Desired.MASKED, "a": Desired.DISABLED}
    assert store.read("shop").state.record("mail") == full_state().record("mail")


def test_the_text_of_the_error(store: StateStore) -> None:
    path = Path(directory_of(store), "shop.json")
    path.write_text('{"schema": 1, "plugins": {"a": {"desired": {"value": "off"}}}}')
    problem = store.read("shop").problem
    assert str(problem) == (
        f"the state file {path} is damaged (1 fault)\n"
        "  plugins.a.desired.value = 'off': must be one of: enabled, disabled, masked\n"
        "hint: pkl doctor --fix sets it aside; what can be understood of it counts"
    )
    changed = store.repair(store.path_of("shop"))
    assert str(changed.problem) == (
        f"the state file {path} is damaged (1 fault) and was set aside as "
        f"{path}.corrupt-{STAMP}; what could be understood of it counts\n"
        "  plugins.a.desired.value = 'off': must be one of: enabled, disabled, masked\n"
        "hint: look at what was set aside, say again what is missing, then delete it"
    )
    assert changed.problem is not None
    assert changed.problem.details == {
        "aside": f"{path}.corrupt-{STAMP}",
        "faults": [
            {
                "path": "plugins.a.desired.value",
                "value": "'off'",
                "rule": "must be one of: enabled, disabled, masked",
            }
        ],
    }


def test_of_a_thousand_faults_the_text_shows_ten(store: StateStore) -> None:
    path = Path(directory_of(store), "shop.json")
    path.write_text(json.dumps({"schema": 1, "plugins": {f"p{i}": 1 for i in range(1000)}}))
    problem = store.read("shop").problem
    assert isinstance(problem, StateCorrupt)
    assert len(problem.faults) == 1000
    assert problem.message.endswith("and 990 more")


def test_names_never_collide_even_if_the_clock_stands_still_or_goes_back(
    store: StateStore, hand: Hand
) -> None:
    path = Path(directory_of(store), "shop.json")
    for content in (b"one", b"two", b"three"):
        path.write_bytes(content)
        store.repair(store.path_of("shop"))
    hand.now -= 10_000
    path.write_bytes(b"four")
    store.repair(store.path_of("shop"))
    names = asides(store)
    assert len(names) == 4
    contents = {Path(store.directory, name).read_bytes() for name in names}
    assert contents == {b"one", b"two", b"three", b"four"}


def _symlink(path: Path) -> None:
    (path.parent.parent / "elsewhere").write_bytes(dump_state(full_state()))
    path.symlink_to(path.parent.parent / "elsewhere")


def _dangling(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere")


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _directory(path: Path) -> None:
    path.mkdir()
    (path / "keep").write_text("me")


def _socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # the path of a socket may not be long
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


KINDS = {
    _symlink: "is a symbolic link",
    _dangling: "is a symbolic link",
    _loop: "is a symbolic link",
    _directory: "is a directory",
    _socket: "is not a regular file",
    _pipe: "is not a regular file",
}


@posix
@pytest.mark.parametrize(("make", "says"), KINDS.items(), ids=lambda v: getattr(v, "__name__", ""))
def test_what_is_no_file_of_ours_is_set_aside_as_it_is(
    make: Callable[[Path], None], says: str, store: StateStore, tmp_path: Path
) -> None:
    path = Path(directory_of(store), "shop.json")
    make(path)
    before = os.lstat(path)
    reading = store.read("shop")
    assert isinstance(reading.problem, StateCorrupt) and says in reading.problem.message
    assert reading.state == HostState()
    changed = store.set_desired("shop", {"a": "masked"})
    aside = Path(store.directory, f"shop.json.corrupt-{STAMP}")
    assert changed.problem is not None and changed.problem.aside == str(aside)
    assert os.lstat(aside).st_ino == before.st_ino
    assert store.read("shop").state.desired == {"a": Desired.MASKED}
    if make is _symlink:
        assert (tmp_path / "state" / "elsewhere").read_bytes() == dump_state(full_state())
    if make is _directory:
        assert (aside / "keep").read_text() == "me"


@as_root
def test_a_file_that_belongs_to_somebody_else_is_set_aside(store: StateStore) -> None:
    path = Path(directory_of(store), "shop.json")
    path.write_bytes(dump_state(full_state()))
    os.chown(path, 12345, -1)
    reading = store.read("shop")
    assert isinstance(reading.problem, StateCorrupt)
    assert "belongs to user 12345" in reading.problem.message
    assert reading.state == HostState(), "what another wrote starts and stops nothing here"
    store.repair(store.path_of("shop"))
    assert os.stat(f"{path}.corrupt-{STAMP}").st_uid == 12345
    assert not path.exists() or os.stat(path).st_uid == os.geteuid()


@pytest.mark.parametrize("step", ["link", "write", "fsync", "replace"])
@pytest.mark.parametrize("kind", ["file", "directory"])
def test_if_it_cannot_be_replaced_it_stays_where_it_is(
    step: str, kind: str, store: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    if step == "link" and kind == "directory":
        step = "rename"
    path = Path(directory_of(store), "shop.json")
    if kind == "file":
        path.write_bytes(b"garbage")
    else:
        path.mkdir()
    real = getattr(os, step)

    def fail(*arguments: object) -> object:
        if step == "write" and arguments[1] == str(os.getpid()).encode():
            return real(*arguments)  # the lock file
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(StateUnavailable, match="nothing was changed"):
        store.set_desired("shop", {"a": "masked"})
    monkeypatch.undo()
    assert asides(store) == []
    assert path.is_dir() if kind == "directory" else path.read_bytes() == b"garbage"


def test_without_hard_links_it_is_renamed(
    store: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    path = Path(directory_of(store), "shop.json")
    path.write_bytes(b"garbage")
    store.set_desired("shop", {"a": "masked"})
    assert Path(f"{path}.corrupt-{STAMP}").read_bytes() == b"garbage"
    assert store.read("shop").state.desired == {"a": Desired.MASKED}


def test_a_failure_after_the_replacement_keeps_what_was_set_aside(
    store: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(directory_of(store), "shop.json")
    path.write_bytes(b"garbage")
    real = os.replace

    def replace(source: str, target: str) -> None:
        real(source, target)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(StateUnavailable):
        store.set_desired("shop", {"a": "masked"})
    assert Path(f"{path}.corrupt-{STAMP}").read_bytes() == b"garbage"
