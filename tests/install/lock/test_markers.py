"""Where a lock is good: in every environment in which all markers decide as they did."""

from __future__ import annotations

from itertools import product
from typing import Dict, List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.markers import Marker, default_environment

from pkl.install.locks.lock_markers import environments_of

HERE = {"python_version": "3.11", "sys_platform": "linux", "python_full_version": "3.11.7"}

TABLE = {
    "tomli": [],
    'tomli; python_version < "3.11"': ['python_version >= "3.11"'],
    'tomli; python_version >= "3.11"': ['python_version >= "3.11"'],
    'x; extra == "test"': [],
    'x; extra == "test" and python_version < "3"': [],
    'x; python_version >= "3.9" or extra == "test"': ['python_version >= "3.9"'],
    'x; sys_platform == "win32" and python_version < "3.9"': [
        'sys_platform != "win32" or python_version >= "3.9"'
    ],
    'x; sys_platform == "win32" or python_version < "3.9"': [
        'sys_platform != "win32" and python_version >= "3.9"'
    ],
    'x; sys_platform == "win32" and python_version < "3.9" or python_version < "3"': [
        '(sys_platform != "win32" or python_version >= "3.9") and python_version >= "3"'
    ],
    'x; python_full_version < "3.11.4"': ['python_full_version == "3.11.7"'],
    'x; (extra == "a") and python_full_version < "3"': [],
    'x; "linux" in sys_platform': ['sys_platform == "linux"'],
}


@pytest.mark.parametrize("text", TABLE)
def test_a_requirement_states_where_it_asks_for_the_same(text: str) -> None:
    assert list(environments_of([text], HERE)) == TABLE[text]


def test_conditions_are_joined_in_an_order_of_their_own() -> None:
    texts = [
        'b; sys_platform == "win32" and python_version < "3.9"',
        'a; python_version < "3.11"',
        "c>=1",
    ]
    joined = ('(sys_platform != "win32" or python_version >= "3.9") and python_version >= "3.11"',)
    assert environments_of(texts, HERE) == environments_of(reversed(texts), HERE) == joined


def test_extras_that_somebody_asks_for_count() -> None:
    texts = ["lib[Fast]", 'x; extra == "fast" and python_version < "3.11"']
    assert environments_of(texts, HERE) == ('python_version >= "3.11"',)
    parenthesised = ["lib[fast]", 'x; (extra == "fast") and python_full_version < "3"']
    assert environments_of(parenthesised, HERE) == ('python_full_version == "3.11.7"',)


def test_a_requirement_with_a_url_has_a_marker_too() -> None:
    text = 'x @ https://example.org/x.whl ; python_version < "3.11"'
    assert environments_of([text], HERE) == ('python_version >= "3.11"',)


ATOMS = st.sampled_from(
    [
        'python_version < "3.10"',
        'python_version >= "3.11"',
        'python_version != "3.9"',
        'sys_platform == "win32"',
        'sys_platform != "linux"',
        '"win" in sys_platform',
    ]
)
MARKERS = st.recursive(
    ATOMS,
    lambda inner: (
        st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map("".join)
        | inner.map("({})".format)
    ),
    max_leaves=4,
)
WORLD: List[Dict[str, str]] = [
    {"python_version": python, "sys_platform": platform}
    for python, platform in product(["3.9", "3.10", "3.11", "3.12"], ["linux", "win32", "darwin"])
]


@settings(max_examples=40, deadline=None)
@given(st.lists(MARKERS, min_size=1, max_size=3), st.sampled_from(WORLD))
def test_where_a_lock_is_good_every_marker_decides_as_it_did(
    markers: List[str], here: Dict[str, str]
) -> None:
    stated = environments_of([f"x; {each}" for each in markers], here)
    base = {name: str(value) for name, value in default_environment().items()}
    for there in WORLD:
        good = all(Marker(each).evaluate({**base, **there}) for each in stated)
        same = all(
            Marker(each).evaluate({**base, **here}) == Marker(each).evaluate({**base, **there})
            for each in markers
        )
        assert same or not good
        assert good or there != here
