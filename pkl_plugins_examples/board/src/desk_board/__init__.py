"""The tickets of the desk over HTTP; it has no API for other plugins."""

from __future__ import annotations
