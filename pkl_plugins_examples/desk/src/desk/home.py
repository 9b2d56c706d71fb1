"""Where plugins keep their files: a folder of its own for each plugin of each host."""

from __future__ import annotations

import os
from pathlib import Path

import pkl

__all__ = ["plugin_folder"]


def plugin_folder() -> Path:
    """The current plugin's folder, made if need be: ``$DESK_HOME/<host>/<plugin>``.

    Without ``DESK_HOME`` it is in ``desk-data`` in the folder that the desk was started in.

    Raises:
        NoCurrentPlugin: It is not called by a plugin.
    """
    plugin = pkl.this
    home = Path(os.environ.get("DESK_HOME", "desk-data"))
    folder = home / (plugin.host.name or "unnamed") / plugin.name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
