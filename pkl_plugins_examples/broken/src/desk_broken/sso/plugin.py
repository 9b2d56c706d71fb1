"""Is never imported: what it requires is found wanting before anything starts."""

from __future__ import annotations
