"""A state file is validated, every fault is named, and what is not known is kept."""

from __future__ import annotations

import json
from typing import Any, Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkl.model.state import Desired
from pkl.store import SCHEMA, HostState
from pkl.store.schema import MIGRATIONS, dump_state, json_faults, parse_state
from tests.store.states import full_state, json_values, states


def parsed(**keys: Any) -> Any:
    """What a file of this schema says that has these keys."""
    return parse_state(json.dumps({"schema": SCHEMA, **keys}).encode())


def places(**keys: Any) -> List[str]:
    """The dotted paths of the faults."""
    return [fault.path for fault in parsed(**keys).faults]


@given(states)
def test_what_is_written_is_read_again(state: HostState) -> None:
    found = parse_state(dump_state(state))
    assert found.faults == ()
    assert dump_state(found.state) == dump_state(state)


def test_the_same_state_gives_the_same_bytes_whatever_the_order() -> None:
    state = full_state()
    backwards = HostState(state.facts, dict(reversed(list(state.plugins.items()))))
    assert dump_state(state) == dump_state(backwards)


def test_the_file_is_json_for_people_too() -> None:
    whole = json.loads(dump_state(full_state()))
    assert whole["schema"] == SCHEMA
    assert whole["host"] == {
        "name": "shop",
        "version": "2.1",
        "group": "shop.plugins",
        "paths": ["/srv/plugins"],
        "app": "shop:host",
        "points": {"commands": {"type": "array"}, "menus": None},
    }
    assert whole["plugins"]["auth"] == {
        "desired": {"value": "disabled", "since": "2026-11-25T03:00:00Z", "by": "me"},
        "pin": {"version": "1.3", "since": "", "by": ""},
    }


def test_keys_that_are_not_known_survive_a_round_trip_and_a_change() -> None:
    whole = json.loads(dump_state(full_state()))
    whole["future"] = {"deep": [1]}
    whole["host"]["colour"] = "blue"
    whole["plugins"]["auth"]["mood"] = None
    whole["plugins"]["auth"]["desired"]["why"] = "noisy"
    whole["plugins"]["mail"]["consents"]["net-connect"]["until"] = 5
    found = parse_state(json.dumps(whole).encode())
    assert found.faults == ()
    state = found.state.with_desired("auth", Desired.ENABLED, since="later", by="you")
    again = json.loads(dump_state(state))
    whole["plugins"]["auth"]["desired"].update(value="enabled", since="later", by="you")
    assert again == whole


def test_all_faults_are_named_with_their_paths_and_the_rest_counts() -> None:
    found = parsed(
        host=[],
        plugins={
            "auth": {"desired": {"value": "masked", "since": 5}, "pin": {"version": "one"}},
            "no name!": {},
            "mail": 7,
            "a_b": {"desired": {"value": "off"}, "quarantine": "yes"},
            "a-b": {},
            "x": {"consents": {"exec": {}, "env": 3}, "settings": {"n": 1}},
            "y": {"desired": None},
        },
    )
    assert [fault.path for fault in found.faults] == [
        "host",
        "plugins.auth.desired.since",
        "plugins.auth.pin.version",
        "plugins.no name!",
        "plugins.mail",
        "plugins.a_b.desired.value",
        "plugins.a_b.quarantine",
        "plugins.a-b",
        "plugins.x.consents.exec.value",
        "plugins.x.consents.env",
        "plugins.y.desired",
    ]
    assert found.state.desired == {"auth": Desired.MASKED}
    assert found.state.record("x").settings == {"n": 1}


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ({"plugins": []}, "plugins"),
        ({"host": {"name": ""}}, "host.name"),
        ({"host": {"name": "a", "paths": "p"}}, "host.paths"),
        ({"host": {"name": "a", "paths": [1]}}, "host.paths"),
        ({"host": {"name": "a", "group": 1}}, "host.group"),
        ({"plugins": {"a": {"consents": []}}}, "plugins.a.consents"),
        ({"plugins": {"a": {"settings": []}}}, "plugins.a.settings"),
        ({"plugins": {"a": {"quarantine": {"why": 1}}}}, "plugins.a.quarantine.why"),
        ({"plugins": {"a": {"pin": {}}}}, "plugins.a.pin.version"),
        ({"plugins": {"a": {"held": {"version": "x"}}}}, "plugins.a.held.version"),
        ({"plugins": {"a": {"held": {"version": "1", "changes": "x"}}}}, "plugins.a.held.changes"),
        ({"plugins": {"a": {"held": []}}}, "plugins.a.held"),
        ({"plugins": {"a": {"desired": {"value": ["masked"]}}}}, "plugins.a.desired.value"),
    ],
)
def test_a_wrong_type_is_a_fault_with_its_path(keys: Dict[str, Any], path: str) -> None:
    assert places(**keys) == [path]


@pytest.mark.parametrize("schema", [None, 0, -1, "1", 1.0, True, []])
def test_a_schema_must_be_a_number(schema: Any) -> None:
    found = parse_state(json.dumps({"schema": schema, "plugins": {}}).encode())
    assert [fault.path for fault in found.faults] == ["schema"]
    assert not found.newer


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is not JSON"),
        (b"null", "must be a JSON object"),
        (b"[]", "must be a JSON object"),
        (b"\xff\xfe", "is not UTF-8 (byte 0)"),
        (b"{" * 200_000, ""),
        (b"[" * 200_000, "is nested too deep"),
        (b'{"a":' * 100_000, "is nested too deep"),
        (b'{"schema": 1, "a": NaN}', "NaN is no number of JSON"),
        (b'{"schema": 1, "a": ' + b"9" * 100_000 + b"}", "a number has 100000 digits"),
        (b'{"schema": 1, "a": 1, "a": 2}', "the key 'a' stands there twice"),
        (b'{"schema": 1}\x00', "is not JSON"),
    ],
    ids=lambda value: str(value[:12]),
)
def test_what_is_no_json_is_one_fault_of_the_whole_file(data: bytes, says: str) -> None:
    found = parse_state(data)
    assert found.state == HostState()
    (fault,) = found.faults
    assert fault.path == "" and says in fault.rule


def test_a_byte_order_mark_does_no_harm() -> None:
    assert parse_state(b"\xef\xbb\xbf" + dump_state(full_state())).faults == ()


def test_what_is_nested_deeper_than_can_be_kept_is_a_fault_of_that_part() -> None:
    deep: Any = 1
    for _ in range(60):
        deep = [deep]
    found = parsed(plugins={"a": {"settings": {"deep": deep, "flat": 1}}})
    assert len(found.faults) == 1
    assert found.faults[0].path.startswith("plugins.a.settings.deep[0]")
    assert found.state.record("a").settings == {"flat": 1}


@given(st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_no_content_whatever_raises(data: bytes) -> None:
    found = parse_state(data)
    assert found.faults or dump_state(found.state)


@given(states, st.data())
def test_one_byte_changed_never_raises_and_what_is_understood_can_be_written(
    state: HostState, data: st.DataObject
) -> None:
    content = bytearray(dump_state(state))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] = data.draw(st.integers(0, 255))
    found = parse_state(bytes(content))
    assert parse_state(dump_state(found.state)).faults == ()


def test_an_older_schema_is_carried_over_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pkl.store.schema.SCHEMA", 3)
    steps = {
        1: lambda whole: {**whole, "plugins": {n: {"desired": d} for n, d in whole["old"].items()}},
        2: lambda whole: {
            "plugins": {
                n: {"desired": {"value": r["desired"]}} for n, r in whole["plugins"].items()
            }
        },
    }
    found = parse_state(b'{"schema": 1, "old": {"auth": "masked"}}', steps)
    assert (found.schema, found.faults, found.newer) == (1, (), False)
    assert found.state.desired == {"auth": Desired.MASKED}
    stumbled = parse_state(b'{"schema": 1, "old": 5}', steps)
    assert [fault.path for fault in stumbled.faults] == ["schema"]
    assert "cannot be carried over to schema 3" in stumbled.faults[0].rule


def test_every_earlier_schema_has_its_migration() -> None:
    assert sorted(MIGRATIONS) == list(range(1, SCHEMA))


def test_of_a_later_schema_what_is_understood_counts() -> None:
    whole = json.loads(dump_state(full_state()))
    whole["schema"] = SCHEMA + 1
    whole["plugins"]["auth"]["desired"]["value"] = "asleep"
    found = parse_state(json.dumps(whole).encode())
    assert found.newer
    assert found.state.desired == {"legacy": Desired.MASKED}


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), object(), b"x", (1,), {1: 2}, {"a": [set()]}, 10**500],
    ids=repr,
)
def test_what_json_has_no_value_for_is_refused_with_its_place(value: Any) -> None:
    (fault,) = json_faults(value, "settings")
    assert fault.path.startswith("settings")


@given(json_values)
def test_every_value_of_json_is_allowed(value: Any) -> None:
    assert json_faults(value, "x") == []
