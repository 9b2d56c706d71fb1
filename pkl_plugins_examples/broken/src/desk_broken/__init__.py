"""Plugins that are broken on purpose. A package above plugins is a plain library."""

from __future__ import annotations
