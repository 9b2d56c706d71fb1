"""Candidates to plan, and the explanation of every refusal."""

from __future__ import annotations

from .planning import resolve

__all__ = ["resolve"]
