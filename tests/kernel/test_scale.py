"""Thousands of plugins, handlers and resources: nothing recurses, nothing is quadratic.

``PKL_EXAMPLES`` (a factor, 1 by default) makes them more.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any, Iterator, List

import pytest

import pkl

from .conftest import state
from .synthetic import Synthetic

FACTOR = int(os.environ.get("PKL_EXAMPLES", "1"))
LENGTH = 2_000 * min(FACTOR, 5)


@pytest.fixture
def hosts() -> Iterator[Synthetic]:
    made = Synthetic()
    yield made
    made.host.close()


def test_a_long_chain_is_loaded_enabled_and_stopped_by_hand(hosts: Synthetic) -> None:
    """Far longer than the interpreter's stack would carry a call for each."""
    chain = hosts.chain(LENGTH)
    hosts.host.kernel.lifecycle.load_blocking(chain[-1])
    assert {state(p) for p in chain} == {"loaded"}
    chain[-1].enable()
    assert [p.started for p in chain] == sorted(p.started for p in chain)
    stopped: List[str] = []
    hosts.host.add_disable_hook(lambda p: stopped.append(p.name))
    chain[0].disable()
    assert stopped == [p.name for p in reversed(chain)]


def test_a_long_chain_can_be_started_and_stopped_on_a_loop(hosts: Synthetic) -> None:
    chain = hosts.chain(LENGTH)

    async def main() -> None:
        await chain[-1].aenable()
        await chain[0].adisable()

    asyncio.run(main())
    assert {state(p) for p in chain} == {"disabled"}


def test_what_breaks_at_the_bottom_of_a_long_chain_is_told_at_its_top(hosts: Synthetic) -> None:
    """With the root cause, as one error of one cause, and all of it starts once that is cured."""

    def broken(module: Any) -> None:
        raise ValueError("at the bottom")

    chain = hosts.chain(LENGTH)
    hosts.bodies.of["p0"] = broken
    with pytest.raises(pkl.PluginBlocked, match="at the bottom") as raised:
        chain[-1].enable()
    assert isinstance(raised.value.__cause__, pkl.PluginLoadError)
    assert state(chain[0]) == "error" and {state(p) for p in chain[1:]} == {"blocked"}
    assert len({p.reason.cause for p in chain if p.reason is not None}) == 1
    hosts.bodies.of["p0"] = lambda module: None
    chain[0].enable()
    assert {state(p) for p in chain} == {"enabled"}


def test_a_long_chain_of_children_stops_with_the_first(hosts: Synthetic) -> None:
    plugins = [hosts.add("p0")]
    for i in range(1, 1_000):
        plugins.append(hosts.add(f"p{i}", parent=plugins[-1]))
    for plugin in plugins:
        plugin.enable()
    plugins[0].disable()
    assert {state(p) for p in plugins} == {"disabled"}
    plugins[0].unload()
    assert {state(p) for p in plugins} == {"unloaded"}
