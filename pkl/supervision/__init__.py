"""How far a failing plugin is given another chance, and what is told of one that hangs."""

from __future__ import annotations

from .breaker import Breaker
from .limiter import RestartLimiter
from .policy import BreakerPolicy, RestartPolicy, Supervision, WatchdogPolicy
from .stall import Stall
from .watchdog import Watchdog

__all__ = [
    "Breaker",
    "BreakerPolicy",
    "RestartLimiter",
    "RestartPolicy",
    "Stall",
    "Supervision",
    "Watchdog",
    "WatchdogPolicy",
]
