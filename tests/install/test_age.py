"""Versions that are too young are no candidates."""

from __future__ import annotations

from typing import Optional

import pytest

from pkl.errors import UsageError
from pkl.install.consent.age import MinAge, parse_age
from tests.install.chosen import chosen

NOW = 1_795_575_600.5
DAY = 86400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3d", 3 * DAY), ("12h", DAY // 2), ("2w", 14 * DAY), ("90m", 5400), ("0", 0), (" 1 D", DAY)],
)
def test_an_age_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert parse_age(text) == seconds


@pytest.mark.parametrize("text", ["", "3", "d", "-3d", "3.5d", "3y", "3 days", "9" * 9 + "w", "٣d"])
def test_what_is_no_age_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_age(text)
    assert error.value.message == f"--min-age {text!r} is no age"
    assert error.value.hint == "a number and m, h, d or w, as in: --min-age 3d"
    with pytest.raises(UsageError, match=r"min-age in pkl\.toml"):
        parse_age(text, "min-age in pkl.toml")


def test_without_an_age_there_is_no_limit() -> None:
    for text in (None, "", "0"):
        assert MinAge.of(text, lambda: NOW) is None


def aged(seconds: Optional[float]) -> Optional[int]:
    """When something was uploaded that is so old."""
    return None if seconds is None else int(NOW - seconds)


def test_what_is_younger_is_left_out_and_says_so() -> None:
    limit = MinAge.of("3d", lambda: NOW)
    assert limit is not None and limit.uploaded_before == int(NOW) - 3 * DAY
    assert limit.problem(chosen(uploaded=aged(3 * DAY + 1))) is None
    reason = limit.problem(chosen("audit", "1.2", uploaded=aged(5 * 3600 + 2)))
    assert reason is not None and reason.code == "too-young"
    assert reason.message == (
        "audit 1.2 is left out: it was uploaded on 2026-11-24T21:59:58Z, 5h ago"
    )
    assert reason.remedy == "wait, or ask for a lower --min-age"


def test_what_nobody_dates_is_too_young_and_what_is_of_this_machine_is_not() -> None:
    limit = MinAge(DAY, NOW)
    undated = limit.problem(chosen(uploaded=None))
    assert undated is not None
    assert undated.message == (
        "audit 1.0 is left out: its registry does not say when it was uploaded"
    )
    assert limit.problem(chosen(uploaded=None, registry="", signer="")) is None
    assert limit.problem(chosen(wheel=None, editable="/src", registry="")) is None
    from_the_future = limit.problem(chosen(uploaded=aged(-10)))
    assert from_the_future is not None and from_the_future.message.endswith(", 0s ago")


def test_those_are_named_that_would_have_been_newer_than_what_is_taken() -> None:
    limit = MinAge(DAY, NOW)
    offers = [
        chosen("audit", "1.2", uploaded=aged(60)),
        chosen("audit", "1.1", uploaded=aged(2 * DAY)),
        chosen("audit", "0.9", uploaded=aged(61)),
        chosen("mail", "5.0", uploaded=aged(62)),
    ]
    (note,) = limit.notes(offers, [offers[1]])
    assert note.startswith("audit 1.2 is left out: it was uploaded on ")
