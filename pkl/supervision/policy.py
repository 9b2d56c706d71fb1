"""The numbers of supervision, as values with defaults that suit most hosts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

__all__ = ["BreakerPolicy", "Supervision"]


@dataclass(frozen=True)
class BreakerPolicy:
    """When a plugin's handlers of one event or hook are left out, and when they are tried again.

    Attributes:
        failures: So many failures within ``window`` open the breaker.
        window: Seconds.
        cooldown: Seconds for which the handlers are skipped before one call tries again; doubled
            each time that the trial fails.
        longest: Seconds that the cool-down grows to at most.

    Raises:
        ValueError: A number is not more than 0, or ``longest`` is less than ``cooldown``.
    """

    failures: int = 5
    window: float = 10.0
    cooldown: float = 1.0
    longest: float = 60.0

    def __post_init__(self) -> None:
        for name in ("failures", "window", "cooldown", "longest"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be more than 0, not {getattr(self, name)!r}")
        if self.longest < self.cooldown:
            raise ValueError(f"longest ({self.longest}) is less than cooldown ({self.cooldown})")


@dataclass(frozen=True)
class Supervision:
    """What ``PluginHost(supervision=…)`` takes.

    Attributes:
        breaker: When failing handlers are skipped; None for never.
    """

    breaker: Optional[BreakerPolicy] = BreakerPolicy()
