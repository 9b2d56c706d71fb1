"""The numbers of supervision, as values with defaults that suit most hosts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

__all__ = ["RESTARTS", "BreakerPolicy", "RestartPolicy", "Supervision"]

RESTARTS = ("never", "on-failure", "always")
"""When a plugin is started again; the words of ``[supervision] restart`` in a manifest."""


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
class RestartPolicy:
    """When a plugin that failed is started again, and when that is given up.

    The intensity is that of Erlang/OTP's supervisors: so many restarts within a sliding window,
    and one failure more ends it.

    Attributes:
        default: ``never``, ``on-failure`` or ``always``, for plugins whose manifests say nothing.
        delay: Seconds before the first restart; doubled for each that lies within ``window``.
        longest: Seconds that the delay grows to at most.
        jitter: By which part of itself a delay is varied at random, so that plugins that failed
            together are not started together; 0.2 for ±20 %.
        restarts: So many restarts are made within ``window``; then the plugin is quarantined.
        window: Seconds.

    Raises:
        ValueError: A number is out of its range, or ``default`` is none of the three words.
    """

    default: str = "never"
    delay: float = 0.1
    longest: float = 30.0
    jitter: float = 0.2
    restarts: int = 3
    window: float = 60.0

    def __post_init__(self) -> None:
        if self.default not in RESTARTS:
            raise ValueError(f"default must be one of {', '.join(RESTARTS)}, not {self.default!r}")
        for name in ("delay", "restarts", "window"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be more than 0, not {getattr(self, name)!r}")
        if not 0 <= self.jitter < 1:
            raise ValueError(f"jitter must be from 0 to less than 1, not {self.jitter!r}")
        if self.longest < self.delay:
            raise ValueError(f"longest ({self.longest}) is less than delay ({self.delay})")


@dataclass(frozen=True)
class Supervision:
    """What ``PluginHost(supervision=…)`` takes.

    Attributes:
        breaker: When failing handlers are skipped; None for never.
        restart: When plugins that failed are started again; None for never, whatever their
            manifests say.
    """

    breaker: Optional[BreakerPolicy] = BreakerPolicy()
    restart: Optional[RestartPolicy] = RestartPolicy()
