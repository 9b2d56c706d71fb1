"""How often a plugin is started again, and when that is given up."""

from __future__ import annotations

from typing import List, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkl.supervision import RestartLimiter, RestartPolicy


def middle() -> float:
    """No jitter either way."""
    return 0.5


def test_the_delay_doubles_up_to_its_bound_and_then_it_is_over() -> None:
    limiter = RestartLimiter(RestartPolicy(restarts=6, longest=2), middle)
    assert [limiter.failed(0) for _ in range(7)] == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, None]


def test_restarts_that_lie_outside_the_window_do_not_count() -> None:
    limiter = RestartLimiter(RestartPolicy(), middle)
    assert [limiter.failed(t) for t in (0, 1, 2)] == [0.1, 0.2, 0.4]
    assert limiter.failed(60) is None
    assert limiter.failed(62.5) == 0.1
    assert limiter.recent == 1


@given(
    gaps=st.lists(st.floats(0, 40), max_size=40),
    restarts=st.integers(1, 5),
    window=st.floats(0.5, 60),
    jitter=st.floats(0, 0.9),
    random=st.floats(0, 1),
)
def test_no_window_ever_holds_more_restarts_than_the_policy_says(
    gaps: List[float], restarts: int, window: float, jitter: float, random: float
) -> None:
    policy = RestartPolicy(restarts=restarts, window=window, jitter=jitter)
    limiter = RestartLimiter(policy, lambda: random)
    now, granted = 0.0, []
    for gap in gaps:
        now += gap
        delay: Optional[float] = limiter.failed(now)
        if delay is not None:
            assert 0 < delay <= policy.longest * (1 + jitter)
            granted.append(now + delay)
            now += delay  # it fails again after it was started, not before
        for start in granted:
            assert sum(start <= each < start + window for each in granted) <= restarts


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"default": "sometimes"}, "default must be one of never, on-failure, always, not 'some"),
        ({"delay": 0}, "delay must be more than 0, not 0"),
        ({"restarts": -1}, "restarts must be more than 0, not -1"),
        ({"window": float("nan")}, "window must be more than 0, not nan"),
        ({"jitter": 1}, "jitter must be from 0 to less than 1, not 1"),
        ({"longest": 0.01}, r"longest \(0.01\) is less than delay \(0.1\)"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(numbers: "dict[str, float]", message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RestartPolicy(**numbers)  # type: ignore[arg-type]
