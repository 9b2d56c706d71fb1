"""How often a plugin is started again: Erlang's restart intensity, with a delay that grows."""

from __future__ import annotations

from collections import deque
from typing import Callable, Deque, Optional

from .policy import RestartPolicy

__all__ = ["RestartLimiter"]


class RestartLimiter:
    """Says of one plugin when it is started again, or that it is not any more.

    It knows no clock: who asks says what time it is. Not safe from several threads at once.

    Args:
        policy: The numbers.
        random: Gives a number from 0 to 1, for the jitter.
    """

    def __init__(self, policy: RestartPolicy, random: Callable[[], float]) -> None:
        self._policy = policy
        self._random = random
        self._recent: Deque[float] = deque()

    @property
    def recent(self) -> int:
        """How many restarts it has granted within the window that ended when it was last asked."""
        return len(self._recent)

    def failed(self, now: float) -> Optional[float]:
        """Takes a failure.

        Args:
            now: Seconds on the caller's clock.

        Returns:
            Seconds until the restart that it grants; None if there were too many.
        """
        policy, recent = self._policy, self._recent
        while recent and now - recent[0] >= policy.window:
            recent.popleft()
        if len(recent) >= policy.restarts:
            return None
        # 2.0 ** 1024 is too much for a float; nobody's longest delay is 2 ** 64 times the first.
        delay = min(policy.delay * 2.0 ** min(len(recent), 64), policy.longest)
        delay *= 1 + policy.jitter * (2 * self._random() - 1)
        recent.append(now + delay)
        return delay
