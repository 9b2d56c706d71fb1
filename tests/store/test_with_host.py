"""Hosts with a name read what people want, keep what they are told, and start whatever is wrong."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from pathlib import Path
from typing import Any, Callable, Optional

import pytest

import pkl
from pkl.errors import PluginBlocked, StateNewer, StateUnavailable
from pkl.model.state import Desired, PluginState
from pkl.store import HostFacts, StateStore
from pkl.store.schema import dump_state
from tests.store.states import full_state

Make = Callable[..., pkl.PluginHost]


def plugin(parent: Path, name: str, manifest: str = "", code: str = "") -> None:
    """A plugin directory."""
    (parent / name).mkdir(parents=True)
    (parent / name / "plugin.toml").write_text(f'name = "{name}"\nversion = "1.0"\n{manifest}')
    (parent / name / "plugin.py").write_text(code)


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """Plugins: db, auth that requires it, mail that wants auth, and lone."""
    plugin(tmp_path / "p", "db")
    plugin(tmp_path / "p", "auth", 'requires = ["db"]\n')
    plugin(tmp_path / "p", "mail", 'wants = ["auth"]\n')
    plugin(tmp_path / "p", "lone")
    return tmp_path / "p"


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateStore:
    """The store that hosts use."""
    monkeypatch.setenv("PKL_HOME", str(tmp_path / "home"))
    return StateStore()


@pytest.fixture
def make(plugins: Path, kept: StateStore) -> Any:
    """Makes hosts; closes them in the end."""
    hosts = []

    def create(name: Optional[str] = "shop", **more: Any) -> pkl.PluginHost:
        host = pkl.PluginHost(name, version="2.1", group="no.such", paths=[plugins], **more)
        hosts.append(host)
        return host

    yield create
    for each in hosts:
        each.close()


def test_a_host_records_what_it_is_so_that_it_can_be_looked_at_offline(
    make: Make, kept: StateStore, plugins: Path
) -> None:
    host = make()
    host.app = "shop:host"
    assert host.start().status == "ok"
    facts = kept.read("shop").state.facts
    assert facts == HostFacts("shop", "2.1", "no.such", (str(plugins),), "shop:host")
    make().start()
    assert kept.read("shop").state.facts == facts, "who does not know the application forgets none"


def test_starting_again_writes_nothing(make: Make, kept: StateStore) -> None:
    make().start()
    before = os.stat(kept.path_of("shop"))
    make().start()
    assert os.stat(kept.path_of("shop")).st_mtime_ns == before.st_mtime_ns


def test_a_host_without_a_name_reads_and_writes_nothing(
    make: Make, kept: StateStore, tmp_path: Path
) -> None:
    kept.set_desired("host-1", {"lone": "masked"})
    before = sorted(os.listdir(kept.directory))
    host = make(None)
    assert host.start().status == "ok"
    host.set_desired("lone", "disabled")
    host.refresh()
    assert host.desired["lone"] is Desired.DISABLED
    assert sorted(os.listdir(kept.directory)) == before
    assert host.state.plugins == {}


def test_what_is_disabled_or_masked_is_not_started_by_the_next_host(
    make: Make, kept: StateStore
) -> None:
    kept.set_desired("shop", {"lone": "disabled", "auth": "masked", "db": "disabled"})
    host = make()
    report = host.start()
    assert report.enabled == ("mail",)
    assert report.status == "ok", "what nobody wants is not missing"
    states = {p.name: (p.state.value, p.desired.value) for p in host.all_plugins()}
    assert states == {
        "auth": ("unloaded", "masked"),
        "db": ("unloaded", "disabled"),
        "lone": ("unloaded", "disabled"),
        "mail": ("enabled", "enabled"),
    }


def test_what_is_disabled_and_required_is_started(make: Make, kept: StateStore) -> None:
    kept.set_desired("shop", {"db": "disabled"})
    assert set(make().start().enabled) == {"db", "auth", "mail", "lone"}


def test_set_desired_is_kept_for_the_next_host_and_says_who_it_was(
    make: Make, kept: StateStore
) -> None:
    host = make()
    host.start()
    host.set_desired("Lone", "disabled")
    assert host.get_plugin("lone").state is PluginState.ENABLED  # type: ignore[union-attr]
    wish = kept.read("shop").state.record("lone").wish
    assert wish is not None and wish.by == "host.set_desired()" and wish.since
    assert host.state.desired == {"lone": Desired.DISABLED}
    assert "lone" not in make().start().enabled


def test_a_plugin_that_sets_it_is_named(make: Make, kept: StateStore, plugins: Path) -> None:
    code = "import pkl\nfrom pkl import this\nthis.host.set_desired('lone', 'masked')\n"
    plugin(plugins, "meddler", code=code)
    make().start()
    wish = kept.read("shop").state.record("lone").wish
    assert wish is not None and wish.by == "host.set_desired() in plugin meddler"


def test_enable_disable_and_restarts_change_only_this_run(make: Make, kept: StateStore) -> None:
    host = make()
    host.start()
    before = Path(kept.path_of("shop")).read_bytes()
    lone = host.get_plugin("lone")
    assert lone is not None
    lone.disable()
    lone.enable()
    lone.unload()
    host.close()
    assert Path(kept.path_of("shop")).read_bytes() == before


def test_refresh_reads_again_starts_what_is_wanted_now_and_stops_nothing(
    make: Make, kept: StateStore
) -> None:
    kept.set_desired("shop", {"lone": "disabled", "auth": "masked"})
    host = make()
    host.start()
    kept.set_desired("shop", {"lone": "enabled", "auth": "enabled", "mail": "disabled"})
    assert host.desired["lone"] is Desired.DISABLED, "nothing is read in between"
    host.refresh()
    assert {p.name for p in host.all_plugins() if p.state is PluginState.ENABLED} == {
        *("auth", "db", "lone", "mail")
    }
    assert host.desired["mail"] is Desired.DISABLED


def test_refresh_starts_nothing_that_was_stopped_by_hand(make: Make, kept: StateStore) -> None:
    host = make()
    host.start()
    lone = host.get_plugin("lone")
    assert lone is not None
    lone.disable()
    kept.set_desired("shop", {"mail": "disabled"})
    host.refresh()
    assert lone.state is PluginState.DISABLED


def test_what_is_masked_cannot_be_loaded_by_hand_before_any_start(
    make: Make, kept: StateStore
) -> None:
    kept.set_desired("shop", {"lone": "masked"})
    with pytest.raises(PluginBlocked) as caught:
        make().load_plugin("lone").enable()
    assert caught.value.reason_code == "masked"


@pytest.mark.parametrize("asynchronous", [False, True])
def test_what_is_in_quarantine_is_blocked_with_its_dependants_until_it_is_reset(
    asynchronous: bool, make: Make, kept: StateStore
) -> None:
    kept.quarantine("shop", "db", 0.0, "3 crashes in 60 s")
    host = make()

    async def astart() -> pkl.StartReport:
        return await host.astart()

    report = asyncio.run(astart()) if asynchronous else host.start()
    assert report.status == "degraded"
    assert set(report.blocked) == {"db", "auth"}
    cause = "db is in quarantine: 3 crashes in 60 s"
    assert report.blocked["db"].code == "quarantined"
    assert report.blocked["db"].remedy == "pkl reset db"
    assert report.blocked["auth"].cause == cause
    db = host.get_plugin("db")
    assert db is not None and db.state is PluginState.BLOCKED and db.desired is Desired.ENABLED
    if asynchronous:
        return
    host.refresh()
    assert db.state is PluginState.BLOCKED
    kept.reset("shop", "db")
    host.refresh()
    auth = host.get_plugin("auth")
    assert auth is not None
    assert (db.state, auth.state) == (PluginState.ENABLED, PluginState.ENABLED)


def test_what_is_in_quarantine_cannot_be_loaded_by_hand(
    make: Make, kept: StateStore, plugins: Path
) -> None:
    kept.quarantine("shop", "lone", 0.0, "it hangs")
    for source in ({"source": "lone"}, {"path": plugins / "lone"}):
        with pytest.raises(PluginBlocked) as caught:
            make().load_plugin(**source).enable()
        assert caught.value.reason_code == "quarantined"
        assert "pkl reset lone" in caught.value.hint


def test_a_running_plugin_that_is_put_into_quarantine_runs_on_and_does_not_come_back(
    make: Make, kept: StateStore
) -> None:
    host = make()
    host.start()
    lone = host.get_plugin("lone")
    assert lone is not None
    kept.quarantine("shop", "lone", why="it hangs")
    host.refresh()
    assert lone.state is PluginState.ENABLED
    lone.disable()
    with pytest.raises(PluginBlocked, match="quarantine"):
        lone.enable()


def test_a_pinned_version_is_preferred(
    make: Make, kept: StateStore, plugins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = []
    real = pkl.host.planning.resolve  # type: ignore[attr-defined]

    def resolve(candidates: Any, **terms: Any) -> Any:
        locked.append(terms["locked"])
        return real(candidates, **terms)

    monkeypatch.setattr("pkl.host.planning.resolve", resolve)
    kept.pin("shop", "lone", "1.0")
    make().start()
    assert locked == [{"lone": "1.0"}]


def test_with_a_damaged_state_the_host_starts_degraded_and_says_so(
    make: Make, kept: StateStore, caplog: pytest.LogCaptureFixture
) -> None:
    kept.set_desired("shop", {"lone": "masked"})
    path = Path(kept.path_of("shop"))
    path.write_bytes(path.read_bytes()[:-20])
    damaged = path.read_bytes()
    with caplog.at_level(logging.WARNING, "pkl.host"):
        report = make().start()
    assert report.status == "degraded" and not report.ok
    assert set(report.enabled) == {"db", "auth", "mail", "lone"}
    (note,) = report.notes
    (aside,) = [path for path, set_aside in kept.leftovers() if set_aside]
    assert f"the state file {path} is damaged" in note and aside in note
    assert Path(aside).read_bytes() == damaged
    assert [aside in record.getMessage() for record in caplog.records] == [True]
    again = make().start()
    assert (again.status, again.notes) == ("ok", ())


def test_of_a_damaged_state_what_is_understood_counts(make: Make, kept: StateStore) -> None:
    kept.set_desired("shop", {"lone": "masked", "mail": "disabled"})
    path = Path(kept.path_of("shop"))
    path.write_bytes(path.read_bytes().replace(b'"disabled"', b'"off"'))
    assert set(make().start().enabled) == {"db", "auth", "mail"}
    assert set(make().start().enabled) == {"db", "auth", "mail"}, "and is kept"


def test_with_the_state_of_a_later_version_the_host_starts_degraded_and_changes_nothing(
    make: Make, kept: StateStore
) -> None:
    kept.set_desired("shop", {"lone": "masked"})
    path = Path(kept.path_of("shop"))
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "schema": 9}))
    before = path.read_bytes()
    host = make()
    report = host.start()
    assert report.status == "degraded" and "later version of pkl" in report.notes[0]
    assert "lone" not in report.enabled
    with pytest.raises(StateNewer):
        host.set_desired("mail", "masked")
    assert host.desired["mail"] is Desired.ENABLED
    assert path.read_bytes() == before


def test_where_nothing_can_be_written_the_host_starts_and_notes_it(
    make: Make, kept: StateStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A read-only home is common in containers; what people want is known all the same."""
    kept.set_desired("shop", {"lone": "disabled"})
    real = os.open

    def read_only(path: Any, flags: int, *more: Any, **others: Any) -> int:
        if flags & os.O_CREAT and str(path).startswith(kept.directory):
            raise OSError(30, "Read-only file system", path)
        return real(path, flags, *more, **others)

    monkeypatch.setattr(os, "open", read_only)
    host = make()
    report = host.start()
    assert report.status == "ok"
    assert "Read-only file system; nothing was changed" in report.notes[0]
    assert "lone" not in report.enabled
    with pytest.raises(StateUnavailable):
        host.set_desired("mail", "masked")
    assert host.desired["mail"] is Desired.ENABLED, "what could not be kept was not done"
    assert (tmp_path / "home").exists()


def test_where_nothing_can_be_read_the_host_starts_degraded(
    make: Make, kept: StateStore, tmp_path: Path
) -> None:
    (tmp_path / "home").write_text("not a directory")
    report = make().start()
    assert report.status == "degraded"
    assert "cannot be read" in report.notes[0]
    assert len(report.enabled) == 4


def test_a_refused_start_stays_refused(make: Make, kept: StateStore, plugins: Path) -> None:
    plugin(plugins, "vital", "critical = true\n", "raise RuntimeError")
    os.makedirs(kept.directory)
    Path(kept.path_of("shop")).write_bytes(b"garbage")
    report = make().start()
    assert report.status == "refused"
    assert any("is damaged" in note for note in report.notes)


def test_desired_can_be_asked_for_before_the_start_and_leaves_a_damaged_file_alone(
    make: Make, kept: StateStore
) -> None:
    kept.set_desired("shop", {"lone": "masked"})
    assert make().desired["lone"] is Desired.MASKED
    assert make().resolve().blocked["lone"].code == "masked"
    Path(kept.path_of("shop")).write_bytes(b"garbage")
    assert make().resolve().blocked == {}
    assert Path(kept.path_of("shop")).read_bytes() == b"garbage"


def test_unknown_plugins_keep_their_state(make: Make, kept: StateStore) -> None:
    kept.change("shop", lambda _: full_state())
    make().start()
    state = kept.read("shop").state
    assert dump_state(state.with_facts(full_state().facts)) == dump_state(full_state())  # type: ignore[arg-type]


def test_two_hosts_of_one_name_change_it_at_once_and_nothing_is_lost(
    make: Make, kept: StateStore
) -> None:
    hosts = [make(), make()]

    def say(host: pkl.PluginHost, name: str) -> None:
        for number in range(5):
            host.set_desired(f"{name}{number}", "masked")

    threads = [threading.Thread(target=say, args=(h, n)) for h, n in zip(hosts, "xy")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept.read("shop").state.desired) == 10
