"""The entry point: loads the plugins inside this one, once it can be imported by them."""

from __future__ import annotations

from pkl import load_plugin, this

FORMATS = ("text", "csv")


@this.on_enable.on
def begin() -> None:
    """Enables the children; a relative path starts in this plugin's own folder."""
    for name in FORMATS:
        load_plugin(path=f"formats/{name}").enable()
    # Closed tickets are to be kept also while reports are switched off.
    load_plugin(path="archive").enable(detach=True)
