"""How far a failing plugin is given another chance: pure policies over somebody else's clock."""

from __future__ import annotations

from .breaker import Breaker
from .policy import BreakerPolicy, Supervision

__all__ = ["Breaker", "BreakerPolicy", "Supervision"]
