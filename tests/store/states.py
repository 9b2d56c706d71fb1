"""States to test with, drawn by hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from pkl.model.state import Desired
from pkl.store import Consent, HeldUpdate, HostFacts, HostState, Pin, PluginRecord, Quarantine, Wish

__all__ = ["full_state", "json_values", "states"]

_KNOWN = {
    *("schema", "host", "plugins", "name", "version", "group", "paths", "app", "desired", "pin"),
    *("quarantine", "consents", "settings", "value", "since", "by", "why", "held", "changes"),
    *("consent", "points"),
}

json_values: "st.SearchStrategy[Any]" = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
_extras = st.dictionaries(
    st.text(min_size=1, max_size=6).filter(lambda key: key not in _KNOWN), json_values, max_size=2
)
_texts = st.text(max_size=12)
_filled = st.text(min_size=1, max_size=12)
_names = st.sampled_from(["a", "b", "my-plugin", "x2"])
_versions = st.sampled_from(["0", "1.2", "2.0rc1", "1!3.post1"])


def _records() -> "st.SearchStrategy[PluginRecord]":
    return st.builds(
        PluginRecord,
        st.none() | st.builds(Wish, st.sampled_from(Desired), _texts, _texts, _extras),
        st.none() | st.builds(Pin, _versions, _texts, _texts, _extras),
        st.none() | st.builds(Quarantine, _texts, _texts, _extras),
        st.dictionaries(
            _filled, st.builds(Consent, json_values, _texts, _texts, _texts, _extras), max_size=2
        ),
        st.dictionaries(_texts, json_values, max_size=2),
        _extras,
        st.none()
        | st.builds(
            HeldUpdate,
            _versions,
            st.lists(_texts, max_size=2).map(tuple),
            _texts,
            _texts,
            _texts,
            _extras,
        ),
    ).filter(lambda record: not record.empty)


states: "st.SearchStrategy[HostState]" = st.builds(
    HostState,
    st.none()
    | st.builds(
        HostFacts,
        _filled,
        st.none() | _filled,
        st.none() | _filled,
        st.lists(_texts, max_size=2).map(tuple),
        st.none() | _filled,
        _extras,
        st.none() | st.dictionaries(_texts, json_values, max_size=2),
    ),
    st.dictionaries(_names, _records(), max_size=3),
    _extras,
)


def full_state() -> HostState:
    """A state that says something of everything."""
    points = {"commands": {"type": "array"}, "menus": None}
    facts = HostFacts("shop", "2.1", "shop.plugins", ("/srv/plugins",), "shop:host", points=points)
    state = HostState(facts)
    state = state.with_desired("auth", Desired.DISABLED, since="2026-11-25T03:00:00Z", by="me")
    state = state.with_desired("legacy", Desired.MASKED)
    state = state.with_pin("auth", "1.3")
    state = state.with_quarantine("mail", Quarantine("2026-11-25T03:00:00Z", "it crashed"))
    state = state.with_consent("mail", "net-connect", Consent(["a:443"], "1.0", "", "me"))
    held = HeldUpdate("1.1", ("asks for threads",), "mail==1.1", "2026-11-25T03:00:00Z", "me")
    state = state.with_held("mail", held)
    return state.with_settings("mail", {"from": "me@example.org", "retry": [1, 2.5, None, True]})
