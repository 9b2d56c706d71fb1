"""The entry point: opens the journal when the plugin is enabled."""

from __future__ import annotations

from pkl import log, this

import desk_storage
from desk.home import plugin_folder


@this.on_enable.on
def begin() -> None:
    """Opens the journal and holds it until the plugin stops."""
    desk_storage.journal = desk_storage.Journal(plugin_folder() / "tickets.jsonl")
    this.host.resource_manager.register(desk_storage.journal)
    log.info("%d tickets are kept from earlier", len(desk_storage.journal.read()))
