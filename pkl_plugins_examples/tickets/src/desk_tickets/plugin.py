"""The entry point: tickets are all API, so there is only something to say."""

from __future__ import annotations

from pkl import log, this


@this.on_enable.on
def begin() -> None:
    """Says who keeps the tickets."""
    store = this.bindings["ticket-store"]
    log.info("tickets are kept by %s %s", store.name, store.version)
