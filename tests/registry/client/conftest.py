"""A loopback server to ask, and a transport that never really waits."""

from __future__ import annotations

from typing import Iterator, List

import pytest

from pkl.registry.transport import Transport
from tests.registry.client.server import Server, running


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that holds nothing yet."""
    with running() as told:
        yield told


@pytest.fixture
def waits() -> List[float]:
    """The seconds that the transport waited, or would have."""
    return []


@pytest.fixture
def transport(waits: List[float]) -> Transport:
    """Waits for nothing that it is asked to wait for; the time of day stands still."""
    return Transport(sleep=waits.append, today=lambda: 1795575600.0)
