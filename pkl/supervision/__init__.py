"""How far a failing plugin is given another chance: pure policies over somebody else's clock."""

from __future__ import annotations

from .breaker import Breaker
from .limiter import RestartLimiter
from .policy import BreakerPolicy, RestartPolicy, Supervision

__all__ = ["Breaker", "BreakerPolicy", "RestartLimiter", "RestartPolicy", "Supervision"]
