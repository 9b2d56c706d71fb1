"""Changing the plugins of a host: planned, audited, placed beside what runs, and undone by a flip.

Inside, in the order in which an installation goes: ``wanted`` (what people asked for), ``solution``
(what a solve yields), ``backend`` (what uv and pip do for us), ``trust`` (what a version asks for
that the one before did not), ``holding`` (updates that nobody consented to stay out), ``keeping``
(the market while they do), ``consenting`` (what is kept of that), ``age`` (versions that are too
young).
"""

from __future__ import annotations
