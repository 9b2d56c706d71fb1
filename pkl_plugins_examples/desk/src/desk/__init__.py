"""A ticket desk whose every ability is a plugin of the group ``desk.plugins``.

Plugins use ``desk.events`` (what happens at the desk), ``desk.ticket`` (what a ticket is) and
``desk.home`` (where to keep files). The rest is the application's own.
"""

from __future__ import annotations
