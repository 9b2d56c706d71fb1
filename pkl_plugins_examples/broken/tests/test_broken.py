"""Each is broken in its own way, and only the one that is broken suffers."""

from __future__ import annotations

from contextlib import suppress
from typing import Iterator, List

import pkl
import pytest
from pkl.testing import FakeClock

from desk.events import ticket_opened
from desk.ticket import Ticket


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def host(clock: FakeClock) -> Iterator[pkl.PluginHost]:
    host = pkl.PluginHost(version="2.1", group="desk.plugins", clock=clock)
    yield host
    with suppress(pkl.CleanupError):
        host.close()


def plugin(host: pkl.PluginHost, name: str) -> pkl.Plugin:
    found = host.get_plugin(name)
    assert found is not None
    return found


def test_a_plugin_that_cannot_be_imported_leaves_nothing_behind(host: pkl.PluginHost) -> None:
    with pytest.raises(pkl.PluginLoadError, match="No module named 'acme_crm_client'"):
        host.load_plugin("crm-sync")
    sync = plugin(host, "crm-sync")
    assert sync.state is pkl.PluginState.ERROR
    assert sync.reason is not None
    assert sync.reason.remedy == "install what it imports: pip install acme_crm_client"
    assert host.resource_manager.get_resources(sync) == ()


def test_who_requires_it_is_blocked_for_the_root_cause(host: pkl.PluginHost) -> None:
    with pytest.raises(pkl.PluginBlocked, match="acme_crm_client"):
        host.load_plugin("crm-notes")
    assert plugin(host, "crm-notes").state is pkl.PluginState.BLOCKED


def test_a_version_that_there_is_not_blocks_before_anything_is_imported(
    host: pkl.PluginHost,
) -> None:
    with pytest.raises(pkl.PluginBlocked, match=r"requires auth>=3"):
        host.load_plugin("sso")
    assert plugin(host, "sso").module is None


def test_a_failing_handler_and_timer_are_contained_and_reported(
    host: pkl.PluginHost, clock: FakeClock
) -> None:
    host.load_plugin("gremlin").enable()
    faults: List[str] = []
    heard: List[int] = []
    host.on_error.subscribe(lambda fault: faults.append(str(fault.error)))
    with host.as_current():
        ticket_opened.on(lambda ticket: heard.append(ticket.number))
        ticket_opened(Ticket(1, "No coffee", "ana"))
    clock.advance(1)
    assert heard == [1]
    assert faults == ["the gremlin does not like #1", "bang"]
    assert plugin(host, "gremlin").faults == 2


def test_a_failing_clean_up_is_raised_once_the_plugin_is_stopped(host: pkl.PluginHost) -> None:
    gremlin = host.load_plugin("gremlin").enable()
    with pytest.raises(pkl.CleanupError) as caught:
        gremlin.disable()
    assert [str(error) for error in caught.value.exceptions] == ["the tangle will not come undone"]
    assert gremlin.state is pkl.PluginState.DISABLED
    assert host.resource_manager.get_resources(gremlin) == ()
