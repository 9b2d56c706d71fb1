"""Which permissions and limits allow more than others."""

from __future__ import annotations

from typing import Any, List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkl.model import permissions
from pkl.model.permissions import TIERS, UNLIMITED, beyond, is_looser, loosened_tier
from pkl.model.rules import PERMISSIONS


def test_every_permission_and_every_kind_of_call_has_its_rule() -> None:
    assert set(permissions._ALLOWS) == {*PERMISSIONS, "calls.plugins", "calls.host"}


@pytest.mark.parametrize(
    ("name", "allowed", "asked", "more"),
    [
        ("fs-read", ["$data"], ["$data"], ()),
        ("fs-read", ["$data"], ["$data/in", "$data/./in//deep/"], ()),
        ("fs-read", ["$data/in"], ["$data"], ("$data",)),
        ("fs-read", ["/srv"], ["/srv/files"], ()),
        ("fs-read", ["/srv"], ["/srvx"], ("/srvx",)),
        ("fs-read", ["/"], ["/etc"], ()),
        ("fs-read", ["/"], ["$data"], ("$data",)),
        ("fs-read", ["/srv"], ["/srv\\..\\etc"], ("/srv\\..\\etc",)),
        ("fs-read", ["/srv"], ["//srv/share"], ("//srv/share",)),
        ("fs-read", ["C:\\data"], ["C:\\data\\in", "C:/data/in"], ()),
        ("fs-read", ["C:\\data"], ["D:\\data"], ("D:\\data",)),
        ("fs-read", None, ["$data", "$data"], ("$data",)),
        ("fs-write", ["$data"], [], ()),
        ("net-connect", ["*:443"], ["api.example.org:443"], ()),
        ("net-connect", ["api.example.org:443"], ["*:443"], ("*:443",)),
        ("net-connect", ["API.example.org:443"], ["api.example.org:443"], ()),
        ("net-connect", ["*:443"], ["*:80", "[::1]:443"], ("*:80",)),
        ("net-connect", ["example.org:443"], ["api.example.org:443"], ("api.example.org:443",)),
        ("net-bind", ["*:0"], ["127.0.0.1:8080"], ("127.0.0.1:8080",)),
        ("exec", ["git"], ["git", "/usr/bin/git"], ("/usr/bin/git",)),
        ("env", ["HOME"], ["HOME", "PATH", "home"], ("PATH", "home")),
        ("threads", None, True, ("true",)),
        ("threads", False, True, ("true",)),
        ("threads", True, True, ()),
        ("native", True, False, ()),
        ("calls.plugins", ["*"], ["auth.login"], ()),
        ("calls.plugins", ["auth.*"], ["auth.login", "Auth.logout"], ()),
        ("calls.plugins", ["auth.*"], ["auth.sub.f", "*"], ("auth.sub.f", "*")),
        ("calls.plugins", ["auth.login"], ["auth.*"], ("auth.*",)),
        ("calls.host", ["exit"], ["exit", "wait"], ("wait",)),
        ("of-tomorrow", ["x"], ["x", "y"], ("y",)),
        ("net-connect", 5, {"a": 1}, ()),
    ],
)
def test_what_goes_beyond_what(name: str, allowed: Any, asked: Any, more: Any) -> None:
    assert beyond(name, allowed, asked) == more


@pytest.mark.parametrize(
    ("before", "after", "looser"),
    [
        (10, 10, False),
        (10, 9, False),
        (10, 11, True),
        (10, 10.5, True),
        (10, UNLIMITED, True),
        (UNLIMITED, 10, False),
        (UNLIMITED, UNLIMITED, False),
        ("ten", 1, True),
        (True, 0, True),
        (10, "ten", True),
        (float("nan"), 5, True),
    ],
)
def test_which_limits_hold_less(before: Any, after: Any, looser: bool) -> None:
    assert is_looser(before, after) is looser


def test_a_tier_is_looser_than_those_before_it_and_than_what_is_none() -> None:
    for i, strict in enumerate(TIERS):
        for j, other in enumerate(TIERS):
            assert loosened_tier(strict, other) is (j > i)
        assert loosened_tier("none", strict)


_ITEMS = {
    "fs-read": ["$data", "$data/a", "$data/a/b", "$cache", "/srv", "/srv/a", "/", "C:\\x", "C:/x"],
    "net-connect": ["*:443", "*:80", "a.org:443", "A.org:443", "b.org:80", "[::1]:443"],
    "exec": ["git", "/usr/bin/git", "sh"],
    "calls.plugins": ["*", "auth.*", "auth.f", "Auth.f", "auth.g", "mail.*", "mail.f"],
}
_names = st.sampled_from(sorted(_ITEMS))


def _some(name: str) -> "st.SearchStrategy[List[str]]":
    return st.lists(st.sampled_from(_ITEMS[name]), max_size=4)


@settings(max_examples=100, deadline=None)
@given(st.data(), _names)
def test_less_never_goes_beyond_more_and_what_goes_beyond_does_not_come_for_nothing(
    data: st.DataObject, name: str
) -> None:
    allowed, more = data.draw(_some(name)), data.draw(_some(name))
    assert beyond(name, allowed, allowed) == ()
    assert beyond(name, [*allowed, *more], allowed) == ()
    assert set(beyond(name, allowed, more)) <= set(more)
    assert beyond(name, [*allowed, *beyond(name, allowed, more)], more) == ()


@settings(max_examples=100, deadline=None)
@given(st.data(), _names)
def test_what_is_within_what_is_within_is_within(data: st.DataObject, name: str) -> None:
    """No two steps that need no consent add up to one that would."""
    one, two, three = (data.draw(_some(name)) for _ in range(3))
    if not beyond(name, one, two) and not beyond(name, two, three):
        assert beyond(name, one, three) == ()
