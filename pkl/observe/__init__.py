"""Watching what plugins do: the accounts of what they leave behind."""

from __future__ import annotations

from .accountant import HostAccountant

__all__ = ["HostAccountant"]
