"""What is said of plugins is kept, on top of what is there, and only if it is a change."""

from __future__ import annotations

import json
import os
import stat
import sys
import threading
from pathlib import Path
from typing import Any, Mapping

import pytest

from pkl.errors import LockReentered, LockTimeout, StateNewer
from pkl.files import FileLock
from pkl.model.state import Desired
from pkl.store import HostState, Quarantine, StateStore
from pkl.store.naming import lock_name
from tests.store.clock import Hand
from tests.store.states import full_state

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")


def mode_of(path: str) -> int:
    """The permission bits of a file."""
    return stat.S_IMODE(os.stat(path).st_mode)


def test_nothing_is_kept_of_a_host_that_nobody_said_anything_of(
    store: StateStore, tmp_path: Path
) -> None:
    reading = store.read("shop")
    assert (reading.state, reading.problem) == (HostState(), None)
    assert reading.path == str(tmp_path / "state" / "hosts" / "shop.json")
    assert os.listdir(tmp_path) == []


def test_reading_changes_nothing_and_makes_no_directory(store: StateStore, tmp_path: Path) -> None:
    store.read("shop")
    assert store.hosts() == {} and list(store.leftovers()) == []
    assert os.listdir(tmp_path) == []


def test_what_was_said_is_read_again_with_when_and_how(store: StateStore) -> None:
    changed = store.set_desired("shop", {"My_Auth": "disabled"}, by="pkl disable auth")
    assert changed.before == HostState() and changed.problem is None
    wish = store.read("shop").state.record("my-auth").wish
    assert wish is not None
    assert (wish.desired, wish.since, wish.by) == (
        Desired.DISABLED,
        "2026-11-25T03:00:00Z",
        "pkl disable auth",
    )
    assert changed.state == store.read("shop").state


def test_hosts_are_told_apart_and_listed(store: StateStore) -> None:
    store.set_desired("shop", {"a": "masked"})
    store.set_desired("Shop", {"a": "disabled"})
    store.change("Shop", lambda s: s.with_facts(facts_of("Shop")))
    assert store.read("shop").state.desired == {"a": Desired.MASKED}
    assert store.read("Shop").state.desired == {"a": Desired.DISABLED}
    assert set(store.hosts()) == {"Shop", "shop"}


def facts_of(name: str) -> Any:
    """What a host of that name says of itself."""
    from pkl.store import HostFacts

    return HostFacts(name, "1", "g", ("/p",))


def test_a_copied_file_is_listed_under_its_own_name(store: StateStore) -> None:
    store.change("shop", lambda s: s.with_facts(facts_of("shop")))
    data = Path(store.path_of("shop")).read_bytes()
    Path(store.path_of("copy")).write_bytes(data)
    assert set(store.hosts()) == {"copy", "shop"}


def test_saying_again_what_was_said_writes_nothing_and_keeps_since_when(
    store: StateStore, hand: Hand
) -> None:
    store.set_desired("shop", {"a": "masked"}, by="first")
    before = os.stat(store.path_of("shop"))
    hand.now += 100
    changed = store.set_desired("shop", {"a": "masked"}, by="second")
    assert changed.state == changed.before
    after = os.stat(store.path_of("shop"))
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_saying_that_an_unmentioned_plugin_is_enabled_keeps_nothing(store: StateStore) -> None:
    store.set_desired("shop", {"a": "enabled"})
    assert not os.path.exists(store.path_of("shop"))


def test_several_plugins_change_in_one_step(store: StateStore) -> None:
    store.set_desired("shop", {"a": "masked", "b": "disabled"})
    with pytest.raises(ValueError, match="asleep"):
        store.set_desired("shop", {"a": "enabled", "b": "asleep"})
    assert store.read("shop").state.desired == {"a": Desired.MASKED, "b": Desired.DISABLED}


def test_pins_quarantine_consents_and_settings_are_kept_and_taken_back(store: StateStore) -> None:
    store.pin("shop", "a", "1.2", by="pkl pin")
    store.quarantine("shop", "a", 0.0, "3 crashes in 60 s")
    store.consent("shop", "a", {"net-connect": ("b:443",)}, version="1.2", by="me")
    store.change_settings("shop", "a", lambda now: {**now, "level": "info"})
    state = store.read("shop").state
    assert state.pins == {"a": "1.2"}
    assert state.record("a").quarantine == Quarantine("1970-01-01T00:00:00Z", "3 crashes in 60 s")
    assert state.record("a").consents["net-connect"].value == ["b:443"]
    assert state.record("a").settings == {"level": "info"}
    reason = state.quarantined["a"]
    assert tuple(reason) == (
        "quarantined",
        "a is in quarantine since 1970-01-01T00:00:00Z: 3 crashes in 60 s",
        "a is in quarantine: 3 crashes in 60 s",
        "pkl reset a",
    )
    store.pin("shop", "a", None)
    store.reset("shop", "a", "never-heard-of")
    store.revoke("shop", "a", "net-connect", "exec")
    store.change_settings("shop", "a", lambda now: {})
    assert store.read("shop").state == HostState()


def test_consents_say_for_which_version_and_change_when_more_is_asked(
    store: StateStore, hand: Hand
) -> None:
    store.consent("shop", "a", {"exec": True}, version="1")
    hand.now += 60
    store.consent("shop", "a", {"exec": True}, version="1")
    assert store.read("shop").state.record("a").consents["exec"].since == "2026-11-25T03:00:00Z"
    store.consent("shop", "a", {"exec": True}, version="2")
    found = store.read("shop").state.record("a").consents["exec"]
    assert (found.version, found.since) == ("2", "2026-11-25T03:01:00Z")


@pytest.mark.parametrize("value", [float("nan"), object(), b"x", {1: 2}], ids=repr)
def test_a_setting_that_json_cannot_hold_is_refused_with_its_place(
    value: object, store: StateStore
) -> None:
    store.change_settings("shop", "a", lambda now: {"level": "info"})

    def edit(now: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**now, "bad": {"inner": value}}

    with pytest.raises(ValueError, match=r"settings\.bad\.inner"):
        store.change_settings("shop", "a", edit)
    assert store.read("shop").state.record("a").settings == {"level": "info"}


def test_true_and_one_are_two_settings(store: StateStore) -> None:
    store.change_settings("shop", "a", lambda now: {"on": 1})
    store.change_settings("shop", "a", lambda now: {"on": True})
    assert store.read("shop").state.record("a").settings["on"] is True


def test_an_edit_that_fails_changes_nothing_and_lets_go_of_the_lock(store: StateStore) -> None:
    store.set_desired("shop", {"a": "masked"})

    def edit(state: HostState) -> HostState:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        store.change("shop", edit)
    assert store.set_desired("shop", {"b": "masked"}).state.desired.keys() == {"a", "b"}


def test_an_edit_may_not_change_the_same_host_again(store: StateStore) -> None:
    def edit(state: HostState) -> HostState:
        store.set_desired("shop", {"a": "masked"})
        return state

    with pytest.raises(LockReentered):
        store.change("shop", edit)
    store.set_desired("shop", {"b": "masked"})


@posix
def test_files_and_directories_are_for_their_user_alone(store: StateStore, tmp_path: Path) -> None:
    store.change_settings("shop", "a", lambda now: {"secret": "x"})
    path = store.path_of("shop")
    assert (mode_of(path), mode_of(store.directory)) == (0o600, 0o700)
    os.chmod(path, 0o644)
    store.change_settings("shop", "a", lambda now: {"secret": "y"})
    assert mode_of(path) == 0o600


def test_a_later_schema_is_read_and_not_changed(store: StateStore) -> None:
    store.change("shop", lambda _: full_state())
    path = Path(store.path_of("shop"))
    content = json.dumps({**json.loads(path.read_bytes()), "schema": 99}).encode()
    path.write_bytes(content)
    reading = store.read("shop")
    assert reading.state.desired == full_state().desired
    assert isinstance(reading.problem, StateNewer)
    with pytest.raises(StateNewer) as caught:
        store.set_desired("shop", {"auth": "enabled"})
    assert str(caught.value) == (
        f"the state file {path} was written by a later version of pkl (schema 99, this one knows "
        "1): what is understood of it counts, and it is not changed\nhint: upgrade pkl"
    )
    assert path.read_bytes() == content
    assert sorted(os.listdir(store.directory)) == [".shop.json.lock", "shop.json"]


def test_a_change_waits_for_another_and_says_who_it_is(store: StateStore) -> None:
    store.set_desired("shop", {"a": "masked"})
    impatient = StateStore(store.directory, timeout=0)
    lock = FileLock(os.path.join(store.directory, lock_name("shop.json")))
    caught = []

    def other() -> None:
        try:
            impatient.set_desired("shop", {"b": "masked"})
        except LockTimeout as e:
            caught.append(e)

    with lock:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert store.read("shop").state.desired == {"a": Desired.MASKED}, "readers wait for nobody"
    assert "another thread of this process" in str(caught[0])


def test_threads_that_change_one_host_lose_nothing(store: StateStore) -> None:
    def count(which: int) -> None:
        for _ in range(5):
            patient.change_settings("shop", "all", lambda now: {"n": now.get("n", 0) + 1})
            patient.set_desired("shop", {f"p{which}": "masked"})

    patient = StateStore(store.directory, timeout=None)
    threads = [threading.Thread(target=count, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    state = store.read("shop").state
    assert state.record("all").settings == {"n": 20}
    assert len(state.desired) == 4


def test_a_clock_that_goes_backwards_only_shows_in_the_notes(store: StateStore, hand: Hand) -> None:
    store.set_desired("shop", {"a": "masked"})
    hand.now -= 10**9
    store.set_desired("shop", {"a": "disabled", "b": "masked"})
    state = store.read("shop").state
    assert state.desired == {"a": Desired.DISABLED, "b": Desired.MASKED}
    wish = state.record("a").wish
    assert wish is not None and wish.since.startswith("1995-")
