"""What a new version asks for that somebody has to consent to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Mapping, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkl.install.consent.trust import changes_to_consent, is_consented
from pkl.model.manifest import PluginMetadata
from pkl.store import Consent
from tests.install.chosen import KEY, OTHER_KEY, chosen, library

Manifest = Mapping[str, Any]


def texts(old: Any, new: Any) -> Tuple[str, ...]:
    """The texts of the changes."""
    return tuple(each.text for each in changes_to_consent(old, new))


def between(before: Manifest, after: Manifest) -> Tuple[str, ...]:
    """The texts of what version 1.1 asks for with one manifest, after 1.0 with another."""
    return texts(chosen("audit", "1.0", before), chosen("audit", "1.1", after))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, ()),
        # Permissions.
        (
            {},
            {"permissions": {"net-connect": ["*:443"]}},
            ('asks for net-connect "*:443"',),
        ),
        (
            {"permissions": {"fs-read": ["$data"]}},
            {"permissions": {"fs-read": ["$data/in", "/srv", "/etc"]}},
            ('asks for fs-read "/srv", "/etc"',),
        ),
        ({}, {"permissions": {"threads": True, "native": False}}, ("asks for threads",)),
        ({"permissions": {"threads": True, "exec": ["git"]}}, {}, ()),
        # Calls.
        ({}, {"calls": {"plugins": ["auth.*"]}}, ()),
        (
            {"calls": {"plugins": ["auth.get_user"]}},
            {"calls": {"plugins": ["auth.*"]}},
            ("may call auth.*, and 1.0 was limited to auth.get_user",),
        ),
        (
            {"calls": {"host": []}},
            {},
            ("may call the host, and 1.0 was limited to none",),
        ),
        # Limits.
        ({"limits": {"handlers": 10}}, {"limits": {"handlers": 5, "timers": 1}}, ()),
        (
            {"limits": {"memory": "1MiB", "handlers": 10}},
            {"limits": {"memory": "2MiB"}},
            (
                "raises to 2097152 the limit of memory, which was 1048576",
                "does not limit handlers, which was 10",
            ),
        ),
        # Activation.
        (
            {"activation": ["event:auth.login", "import"]},
            {},
            ("starts with the host, and 1.0 waited for event:auth.login, import",),
        ),
        (
            {"activation": ["import"]},
            {"activation": ["idle", "import"]},
            ("starts when the host is idle, and 1.0 waited for import",),
        ),
        ({"activation": ["idle"]}, {"activation": ["import"]}, ()),
        ({}, {"activation": ["idle"]}, ()),
        # Tiers.
        ({}, {"tier": "sandbox"}, ()),
        (
            {"tier": "sandbox"},
            {"tier": "process"},
            ("is content to run as process, and 1.0 asked for sandbox",),
        ),
        (
            {"tier": "process"},
            {},
            ("is content to run as in-process, and 1.0 asked for process",),
        ),
        # Dependencies.
        (
            {"requires": ["auth>=1"]},
            {"requires": ["auth>=2", "mail", 'old; python_version < "3"'], "wants": ["cache"]},
            ("requires mail, and 1.0 did not",),
        ),
    ],
)
def test_what_an_update_asks_for(
    before: Manifest, after: Manifest, expected: Tuple[str, ...]
) -> None:
    assert between(before, after) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (("acme-auth>=1", "six"), ("six>=1.16",), ()),
        ((), ("evil>=1",), ("evil",)),
        ((), ('evil; sys_platform == "never"', 'evil; extra == "test"'), ()),
        (("six",), ("six[fast]",), ("six[fast]",)),
        (("six",), ("six @ https://example.org/six.whl",), ("six @ https://example.org/six.whl",)),
        ((), ("this is none",), ("this is none",)),
    ],
)
def test_a_library_that_was_not_required_before_is_asked_for(
    before: Tuple[str, ...], after: Tuple[str, ...], expected: Tuple[str, ...]
) -> None:
    old, new = chosen(requires=before), chosen("audit", "1.1", requires=after)
    found = changes_to_consent(old, new)
    assert [(each.kind, each.subject) for each in found] == [("dependency", e) for e in expected]


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ({}, {}, ""),
        ({"signer": ""}, {}, ""),
        (
            {},
            {"signer": OTHER_KEY},
            f"is signed by {OTHER_KEY} (the registry acme), and 1.0 was signed by {KEY}",
        ),
        ({}, {"signer": ""}, f"is not signed by the registry acme, and 1.0 was signed by {KEY}"),
        (
            {},
            {"registry": "other"},
            "comes from the registry other, and 1.0 was from the registry acme",
        ),
        (
            {"registry": "", "signer": ""},
            {},
            "comes from the registry acme, and 1.0 was from a file of this machine",
        ),
        # Whoever takes a file names it.
        ({}, {"registry": "", "signer": ""}, ""),
        (
            {},
            {"distribution": "other-audit"},
            "is in the distribution other-audit, and 1.0 was in acme-audit",
        ),
    ],
)
def test_a_plugin_is_known_by_its_name_and_the_key_of_its_registry(
    before: Dict[str, Any], after: Dict[str, Any], text: str
) -> None:
    found = changes_to_consent(chosen(**before), chosen("audit", "1.1", **after))
    assert [each.text for each in found] == ([text] if text else [])
    assert all(
        (each.plugin, each.kind, each.key) == ("audit", "signer", "signer") for each in found
    )


def test_of_a_first_installation_the_permissions_are_what_is_asked() -> None:
    new = chosen(
        "audit", "1.0", {"permissions": {"exec": ["git"], "threads": True}, "tier": "process"}
    )
    assert texts(None, new) == ('asks for exec "git"', "asks for threads")
    assert changes_to_consent(None, library("six")) == ()


def test_of_a_project_that_is_used_in_place_nothing_is_asked() -> None:
    new = chosen("audit", "1.1", {"permissions": {"threads": True}}, editable="/src/audit")
    assert changes_to_consent(chosen(), new) == ()


def test_a_plugin_that_comes_along_in_an_update_asks_for_its_permissions() -> None:
    more = PluginMetadata({"name": "spy", "version": "1.1", "permissions": {"env": ["HOME"]}})
    new = chosen("audit", "1.1")
    found = changes_to_consent(chosen(), replace(new, plugins=(*new.plugins, more)))
    assert [(each.plugin, each.text) for each in found] == [("spy", 'asks for env "HOME"')]


def test_a_change_in_json_says_under_which_name_its_consent_is_kept() -> None:
    new = chosen("audit", "1.1", {"permissions": {"exec": ["git"]}}, requires=("six",))
    assert [each.as_dict() for each in changes_to_consent(chosen(), new)] == [
        {
            "plugin": "audit",
            "kind": "dependency",
            "before": None,
            "after": "six",
            "text": "requires six, and 1.0 did not",
            "subject": "six",
            "consent": "dependency:six",
        },
        {
            "plugin": "audit",
            "kind": "permission",
            "before": None,
            "after": ["git"],
            "text": 'asks for exec "git"',
            "subject": "exec",
            "consent": "exec",
        },
    ]


@pytest.mark.parametrize(
    ("before", "after", "key", "enough", "too_little"),
    [
        ({}, {"permissions": {"exec": ["git", "sh"]}}, "exec", ["sh", "git"], ["git"]),
        (
            {"permissions": {"exec": ["git"]}},
            {"permissions": {"exec": ["git", "sh"]}},
            "exec",
            ["sh"],
            ["ls"],
        ),
        ({}, {"permissions": {"threads": True}}, "threads", True, False),
        ({}, {"permissions": {"net-connect": ["a:1"]}}, "net-connect", ["*:1"], ["a:2"]),
        ({"limits": {"timers": 1}}, {"limits": {"timers": 5}}, "limit:timers", 6, 4),
        ({"limits": {"timers": 1}}, {}, "limit:timers", "unlimited", 10**9),
        ({"activation": ["import"]}, {}, "activation", "startup", "idle"),
        ({"tier": "sandbox"}, {"tier": "process"}, "tier", "in-process", "sandbox"),
        ({}, {"requires": ["mail"]}, "dependency:mail", True, False),
        ({"calls": {"host": ["exit"]}}, {}, "calls.host", ["*"], ["exit"]),
    ],
)
def test_a_consent_of_earlier_holds_as_far_as_it_goes(
    before: Manifest, after: Manifest, key: str, enough: Any, too_little: Any
) -> None:
    (change,) = changes_to_consent(chosen("audit", "1.0", before), chosen("audit", "1.1", after))
    assert change.key == key
    assert not is_consented(change, {})
    assert is_consented(change, {key: Consent(enough)})
    assert is_consented(change, {key: Consent(change.after)}) or key.startswith("dependency")
    others: List[Any] = [too_little, None, {}, [], 0, ""]
    for value in others:
        assert not is_consented(change, {key: Consent(value)})
    assert not is_consented(change, {"other": Consent(enough)})


def test_every_key_that_was_consented_to_is_good() -> None:
    (change,) = changes_to_consent(chosen(), chosen("audit", "1.1", signer=OTHER_KEY))
    known = f"acme-audit acme {KEY}"
    assert (change.before, change.after) == (known, f"acme-audit acme {OTHER_KEY}")
    assert is_consented(change, {"signer": Consent([known, change.after])})
    assert not is_consented(change, {"signer": Consent([known])})


_permissions = st.fixed_dictionaries(
    {},
    optional={
        "fs-read": st.lists(st.sampled_from(["$data", "$data/a", "/srv"]), max_size=3),
        "net-connect": st.lists(st.sampled_from(["*:443", "a.org:443", "a.org:80"]), max_size=3),
        "threads": st.booleans(),
    },
)
_manifests: "st.SearchStrategy[Dict[str, Any]]" = st.fixed_dictionaries(
    {"permissions": _permissions},
    optional={
        "limits": st.dictionaries(st.sampled_from(["timers", "handlers"]), st.integers(0, 3)),
        "activation": st.lists(
            st.sampled_from(["startup", "idle", "import", "event:auth.login"]), min_size=1
        ),
        "tier": st.sampled_from(["in-process", "process", "sandbox"]),
        "requires": st.lists(st.sampled_from(["auth", "mail", "db>=1"]), max_size=3),
        "calls": st.fixed_dictionaries(
            {}, optional={"plugins": st.lists(st.sampled_from(["*", "auth.*", "auth.f"]))}
        ),
    },
)
_sources = st.fixed_dictionaries(
    {},
    optional={
        "signer": st.sampled_from([KEY, OTHER_KEY, ""]),
        "registry": st.sampled_from(["acme", "other"]),
        "requires": st.lists(st.sampled_from(["six", "six[fast]", "evil"])).map(tuple),
    },
)


@settings(max_examples=150, deadline=None)
@given(_manifests, _sources, _manifests, _sources, _manifests, _sources)
def test_two_updates_that_ask_for_nothing_are_one_that_asks_for_nothing(
    a: Any, a_from: Any, b: Any, b_from: Any, c: Any, c_from: Any
) -> None:
    one = chosen("audit", "1.0", a, **a_from)
    two = chosen("audit", "1.1", b, **b_from)
    three = chosen("audit", "1.2", c, **c_from)
    assert changes_to_consent(one, replace(one, version="1.1")) == ()
    if not changes_to_consent(one, two) and not changes_to_consent(two, three):
        assert changes_to_consent(one, three) == ()


@settings(max_examples=150, deadline=None)
@given(_manifests, _sources, _manifests, _sources)
def test_what_was_consented_to_is_not_asked_again_whichever_version_asks(
    a: Any, a_from: Any, b: Any, b_from: Any
) -> None:
    one = chosen("audit", "1.0", a, **a_from)
    two = chosen("audit", "1.1", b, **b_from)
    found = changes_to_consent(one, two)
    kept = {e.key: Consent(True if e.kind == "dependency" else e.after) for e in found}
    assert all(is_consented(each, kept) for each in found)
