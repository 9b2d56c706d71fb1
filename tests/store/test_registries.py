"""The list of registries on disk: in order, whole, and never lost."""

from __future__ import annotations

import errno
import json
import os
import threading
from pathlib import Path
from typing import Any, List, Tuple

import pytest

from pkl.errors import StateCorrupt, StateNewer, StateUnavailable
from pkl.model.known_registry import KnownRegistry
from pkl.store import RegistryBook

Registries = Tuple[KnownRegistry, ...]

MAIN = KnownRegistry(
    "main", "https://example.org", ("ssh-ed25519 AAAA",), 7, "ab" * 32, "cd" * 32, 1000, True, "t"
)
OTHER = KnownRegistry("other", "file:///srv/plugins")


@pytest.fixture
def book(tmp_path: Path) -> RegistryBook:
    """A list that is not there yet."""
    return RegistryBook(str(tmp_path / "state" / "registries.json"), clock=lambda: 1795575600.0)


def _set(book: RegistryBook, *registries: KnownRegistry) -> None:
    assert book.change(lambda _: registries) is None


def test_without_a_file_nothing_is_known_and_reading_makes_none(book: RegistryBook) -> None:
    assert book.read() == ((), None)
    assert not os.path.exists(os.path.dirname(book.path))


def test_what_is_kept_comes_back_in_order(book: RegistryBook) -> None:
    _set(book, OTHER, MAIN)
    assert book.read() == ((OTHER, MAIN), None)
    assert book.read().named("MAIN") == MAIN
    assert book.read().named("nobody") is None
    assert os.stat(book.path).st_mode & 0o777 == 0o600


def test_the_file_is_in_the_state_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PKL_HOME", str(tmp_path))
    assert RegistryBook().path == str(tmp_path / "state" / "registries.json")


def test_a_contact_is_noted_and_never_goes_back(book: RegistryBook) -> None:
    _set(book, OTHER, MAIN)
    book.note(MAIN._replace(serial=9, contact=2000, keys=("ssh-ed25519 BBBB",), wins=False))
    noted = MAIN._replace(serial=9, contact=2000, keys=("ssh-ed25519 BBBB",))
    assert book.read().registries == (OTHER, noted)
    book.note(MAIN._replace(serial=8))
    book.note(MAIN._replace(serial=10, url="https://example.com"))
    book.note(KnownRegistry("third", "https://example.org", serial=1))
    assert book.read().registries == (OTHER, noted)


def test_changes_of_many_threads_are_all_kept(book: RegistryBook) -> None:
    def add(number: int) -> None:
        book.change(lambda now: (*now, KnownRegistry(f"r{number}", "https://example.org")))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert {each.name for each in book.read().registries} == {f"r{n}" for n in range(8)}


def test_what_an_edit_raises_ends_the_change(book: RegistryBook) -> None:
    _set(book, MAIN)

    def fail(_: Registries) -> Registries:
        raise KeyError("no")

    with pytest.raises(KeyError):
        book.change(fail)
    assert book.read().registries == (MAIN,)
    _set(book, OTHER)


def test_a_file_that_is_cut_off_anywhere_is_damaged_and_set_aside(book: RegistryBook) -> None:
    _set(book, MAIN)
    whole = Path(book.path).read_bytes()
    for end in range(0, len(whole) - 1, 7):
        Path(book.path).write_bytes(whole[:end])
        registries, problem = book.read()
        assert registries == ()
        assert isinstance(problem, StateCorrupt)
        assert book.path in problem.message
    damaged = Path(book.path).read_bytes()
    problem = book.change(lambda now: (*now, OTHER))
    assert isinstance(problem, StateCorrupt)
    assert problem.aside is not None
    assert problem.aside in problem.message
    assert Path(problem.aside).read_bytes() == damaged
    assert book.read() == ((OTHER,), None)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": "Main"}, "registries[0].name"),
        ({"name": "../x"}, "registries[0].name"),
        ({"url": 1}, "registries[0].url"),
        ({"serial": True}, "registries[0].serial"),
        ({"keys": None}, "registries[0].keys"),
        ({"keys": [1]}, "registries[0].keys"),
        ({"wins": 1}, "registries[0].wins"),
    ],
)
def test_an_entry_that_is_damaged_does_not_count_and_hides_no_other(
    book: RegistryBook, change: Any, path: str
) -> None:
    """One without its keys above all: it would be trusted where it must not be."""
    _set(book, MAIN, OTHER)
    whole = json.loads(Path(book.path).read_bytes())
    whole["registries"][0].update(change)
    Path(book.path).write_text(json.dumps(whole), encoding="utf-8")
    registries, problem = book.read()
    assert registries == (OTHER,)
    assert isinstance(problem, StateCorrupt)
    assert [fault.path for fault in problem.faults] == [path]
    assert path in problem.message


@pytest.mark.parametrize(
    "data", [b"[]", b"{}", b"\xff", b'{"schema": 1, "registries": {}}', b"[" * 100_000]
)
def test_what_is_no_list_of_registries_is_damaged(book: RegistryBook, data: bytes) -> None:
    _set(book, MAIN)
    Path(book.path).write_bytes(data)
    registries, problem = book.read()
    assert registries == ()
    assert isinstance(problem, StateCorrupt)


def test_the_file_of_a_later_pkl_is_read_and_left_as_it_is(book: RegistryBook) -> None:
    _set(book, MAIN)
    data = Path(book.path).read_bytes().replace(b'"schema": 1', b'"schema": 2')
    Path(book.path).write_bytes(data)
    registries, problem = book.read()
    assert registries == (MAIN,)
    assert isinstance(problem, StateNewer)
    with pytest.raises(StateNewer, match="upgrade pkl"):
        book.change(lambda now: ())
    assert Path(book.path).read_bytes() == data


def test_a_full_disk_changes_nothing(book: RegistryBook, monkeypatch: pytest.MonkeyPatch) -> None:
    _set(book, MAIN)

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(StateUnavailable, match="nothing was changed") as caught:
            book.change(lambda now: ())
    assert book.path in caught.value.message
    assert book.read() == ((MAIN,), None)


def test_a_home_that_is_a_file_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "home").write_bytes(b"")
    book = RegistryBook(str(tmp_path / "home" / "registries.json"))
    problems: List[Any] = [book.read().problem]
    with pytest.raises(StateUnavailable) as caught:
        book.change(lambda now: (MAIN,))
    problems.append(caught.value)
    assert all(str(tmp_path / "home") in str(each) for each in problems if each is not None)
