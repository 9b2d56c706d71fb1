"""The entry point: provides the store, and opens its journal when the plugin is enabled."""

from __future__ import annotations

from pkl import log, provide, this

import desk_storage
from desk.home import plugin_folder

provide("ticket-store", desk_storage)  # in the version that the manifest promises


@this.on_enable.on
def begin() -> None:
    """Opens the journal and holds it until the plugin stops."""
    desk_storage.journal = desk_storage.Journal(plugin_folder() / "tickets.jsonl")
    this.host.resource_manager.register(desk_storage.journal)
    log.info("%d tickets are kept from earlier", len(desk_storage.journal.read()))
