"""What audit promises: everything is written down, and is on disk when it stops."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pkl
import pytest

from desk.events import ticket_closed, ticket_opened
from desk.ticket import Ticket


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pkl.PluginHost]:
    monkeypatch.setenv("DESK_HOME", str(tmp_path))
    with pkl.PluginHost(version="2.1", group="desk.plugins") as host:
        host.load_plugin("audit").enable()
        yield host


def test_enabling_audit_enables_auth_first(host: pkl.PluginHost) -> None:
    auth, audit = host.get_plugin("auth"), host.get_plugin("audit")
    assert auth is not None
    assert audit is not None
    assert auth.state is audit.state is pkl.PluginState.ENABLED
    assert auth.started < audit.started


def test_logins_and_tickets_are_written_down(host: pkl.PluginHost) -> None:
    auth, audit = host.plugins.auth, host.plugins.audit
    auth.add_user("ana", "blue whale")
    token = auth.login("ana", "blue whale")
    ticket = Ticket(1, "The printer is out of ink", "ana")
    with host.as_current():
        ticket_opened(ticket)
        ticket_closed(ticket)
    auth.logout(token)
    assert audit.entries() == [
        "audit begins",
        "ana came in",
        "ana opened #1 The printer is out of ink",
        "#1 was closed",
        "ana went out",
    ]


def test_the_last_entry_is_on_disk_and_the_file_closed_once_it_stopped(
    host: pkl.PluginHost, tmp_path: Path
) -> None:
    audit = host.get_plugin("audit")
    assert audit is not None
    trail = host.plugins.audit.trail
    audit.disable()
    (file,) = tmp_path.rglob("audit.log")
    assert file.read_text(encoding="utf-8").splitlines()[-1] == "audit ends"
    assert not trail.held
    with pytest.raises(ValueError, match="closed file"):
        trail.write("too late")


def test_audit_stops_with_auth_and_is_not_blamed_for_it(host: pkl.PluginHost) -> None:
    auth, audit = host.get_plugin("auth"), host.get_plugin("audit")
    assert auth is not None
    assert audit is not None
    auth.disable()
    assert audit.state is pkl.PluginState.DISABLED
    assert audit.reason is not None
    assert "auth" in audit.reason.message
