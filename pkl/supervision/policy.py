"""The numbers of supervision, as values with defaults that suit most hosts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

__all__ = [
    "ON_HUNG",
    "RESTARTS",
    "BreakerPolicy",
    "RestartPolicy",
    "Supervision",
    "WatchdogPolicy",
]

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


ON_HUNG = ("report", "quarantine")
"""What is done about a call that hangs."""


@dataclass(frozen=True)
class WatchdogPolicy:
    """When a call of a plugin is slow, when it is hung, and what is done then.

    Attributes:
        slow: Seconds after which a call is reported with its stack.
        hung: Seconds after which it is reported as hung.
        on_hung: ``report`` for no more than that; ``quarantine`` to stop the plugin as well, and
            keep it from being started until it is reset. The call itself cannot be stopped.

    Raises:
        ValueError: ``slow`` is not more than 0, ``hung`` is less than ``slow``, or ``on_hung`` is
            neither word.
    """

    slow: float = 1.0
    hung: float = 10.0
    on_hung: str = "report"

    def __post_init__(self) -> None:
        if not self.slow > 0:
            raise ValueError(f"slow must be more than 0, not {self.slow!r}")
        if not self.hung >= self.slow:
            raise ValueError(f"hung ({self.hung}) is less than slow ({self.slow})")
        if self.on_hung not in ON_HUNG:
            raise ValueError(f"on_hung must be one of {', '.join(ON_HUNG)}, not {self.on_hung!r}")


@dataclass(frozen=True)
class Supervision:
    """What ``PluginHost(supervision=…)`` takes.

    Attributes:
        breaker: When failing handlers are skipped; None for never.
        restart: When plugins that failed are started again; None for never, whatever their
            manifests say.
        watchdog: When calls are reported that take long; None for never.
    """

    breaker: Optional[BreakerPolicy] = BreakerPolicy()
    restart: Optional[RestartPolicy] = RestartPolicy()
    watchdog: Optional[WatchdogPolicy] = WatchdogPolicy()
