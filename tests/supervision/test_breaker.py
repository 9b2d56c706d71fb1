"""The breaker by itself: when it opens, how it tries again, and that it is exact under threads."""

from __future__ import annotations

import threading
from typing import List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkl.kernel.ports import Admission
from pkl.supervision import Breaker, BreakerPolicy

PASS, TRIAL, SKIP = Admission.PASS, Admission.TRIAL, Admission.SKIP


class Handler:
    """A handler as a breaker sees it."""

    def __init__(self) -> None:
        self.held = True


def opened() -> "tuple[Breaker, Handler]":
    """A breaker that has just opened, and the handler that did it."""
    breaker, handler = Breaker(BreakerPolicy()), Handler()
    for number in range(5):
        assert breaker.failed(0.0, handler) == (number == 4)
    return breaker, handler


def test_five_failures_within_ten_seconds_open_it() -> None:
    breaker, handler = Breaker(BreakerPolicy()), Handler()
    assert [breaker.failed(t, handler) for t in (0.0, 3.0, 6.0, 9.0, 10.0)] == [False] * 4 + [True]
    assert breaker.open and breaker.until == 11.0 and breaker.since == 10.0


def test_failures_further_apart_never_do() -> None:
    breaker, handler = Breaker(BreakerPolicy()), Handler()
    assert not any(breaker.failed(t * 2.6, handler) for t in range(100))
    assert breaker.admits(0, handler) is PASS


def test_calls_are_skipped_until_the_cool_down_is_over_then_one_tries() -> None:
    breaker, handler = opened()
    assert [breaker.admits(t, handler) for t in (0.0, 0.99)] == [SKIP, SKIP]
    assert [breaker.admits(1.0, handler) for _ in range(3)] == [TRIAL, SKIP, SKIP]
    assert breaker.skipped == 4


def test_each_failed_trial_doubles_the_cool_down_up_to_the_longest() -> None:
    breaker, handler = opened()
    now, waits = 0.0, []
    for _ in range(9):
        waits.append(breaker.until - now)
        now = breaker.until
        assert breaker.admits(now, handler) is TRIAL
        breaker.failed_again(now)
        assert not breaker.failed(now, handler), "the dispatch tells of the same failure"
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_success_closes_it_with_a_clean_record() -> None:
    breaker, handler = opened()
    assert breaker.admits(1.0, handler) is TRIAL
    breaker.succeeded()
    assert not breaker.open and breaker.admits(1.0, handler) is PASS
    assert [breaker.failed(1.0, handler) for _ in range(5)] == [False] * 4 + [True]
    assert breaker.until == 2.0, "the cool-down starts at its shortest again"


def test_an_interrupted_trial_says_nothing_and_the_next_call_tries() -> None:
    breaker, handler = opened()
    assert breaker.admits(1.0, handler) is TRIAL
    breaker.abandoned(1.5)
    assert breaker.admits(1.5, handler) is TRIAL


def test_only_a_handler_that_failed_may_try_unless_it_is_gone() -> None:
    breaker, culprit = opened()
    other = Handler()
    assert breaker.admits(5.0, other) is SKIP
    culprit.held = False
    assert breaker.admits(5.0, other) is TRIAL


def test_a_handler_that_nobody_holds_any_more_is_forgotten() -> None:
    breaker, culprit = opened()
    del culprit
    assert breaker.admits(5.0, Handler()) is TRIAL


def test_of_many_threads_exactly_one_is_the_trial() -> None:
    breaker, handler = opened()
    gate = threading.Barrier(8)
    found: List[Admission] = []

    def ask() -> None:
        gate.wait()
        found.append(breaker.admits(1.0, handler))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.value for each in found) == ["skip"] * 7 + ["trial"]


@given(st.lists(st.tuples(st.floats(0, 20), st.booleans()), max_size=80))
def test_it_never_lets_more_through_than_the_rule_says(steps: "List[tuple[float, bool]]") -> None:
    """Against the rule, written out: a call now and then, that fails or not."""
    policy = BreakerPolicy(failures=3, window=5, cooldown=1, longest=8)
    breaker, handler = Breaker(policy), Handler()
    now, until, wait = 0.0, 0.0, 1.0
    recent: List[float] = []
    is_open = False
    for pause, fails in steps:
        now += pause
        expected = PASS if not is_open else TRIAL if now >= until else SKIP
        assert breaker.admits(now, handler) is expected
        if expected is SKIP:
            continue
        if expected is TRIAL:
            if fails:
                breaker.failed_again(now)
                wait = min(wait * 2, 8)
                until = now + wait
            else:
                breaker.succeeded()
                is_open, recent, wait = False, [], 1.0
        elif fails:
            recent = [*recent, now][-3:]
            is_open = len(recent) == 3 and now - recent[0] <= 5
            assert breaker.failed(now, handler) == is_open
            until = now + wait
        assert breaker.open == is_open


@pytest.mark.parametrize(
    "numbers",
    [{"failures": 0}, {"window": -1}, {"cooldown": 0}, {"longest": 0.5}, {"window": float("nan")}],
)
def test_numbers_that_make_no_sense_are_refused(numbers: "dict[str, float]") -> None:
    with pytest.raises(ValueError, match=next(iter(numbers))):
        BreakerPolicy(**numbers)  # type: ignore[arg-type]
