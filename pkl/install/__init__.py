"""Changing the plugins of a host: planned, audited, placed beside what runs, and undone by a flip.

Inside, in the order in which an installation goes: ``wanted`` (what people asked for), ``solution``
(what a solve yields), ``backend`` (what uv and pip do for us).
"""

from __future__ import annotations
