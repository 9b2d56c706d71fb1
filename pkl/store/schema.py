"""A host's state to and from JSON: validated, every fault named, and carried to this version.

What cannot be understood is left out of the value and is a fault with its dotted path; the rest
of the file counts all the same. Keys that are not known are kept.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple, TypeVar

from ..errors import Fault
from ..model.requirement import is_version
from ..model.state import Desired
from ..model.strict_json import LONGEST_NUMBER, decode_json, why_no_json
from ..names import canonical, is_valid
from .state import Consent, HeldUpdate, HostFacts, HostState, Pin, PluginRecord, Quarantine, Wish

__all__ = ["DEEPEST", "MIGRATIONS", "SCHEMA", "Parsed", "dump_state", "json_faults", "parse_state"]

SCHEMA = 1
"""The number of the schema that this version of pkl writes."""

Migration = Callable[[Dict[str, Any]], Dict[str, Any]]

MIGRATIONS: Mapping[int, Migration] = {}
"""For each earlier schema, what makes the next one of it; takes and gives the whole object."""

DEEPEST = 50
"""How many objects and lists may stand inside each other."""

_T = TypeVar("_T")


class Parsed(NamedTuple):
    """What a file says."""

    state: HostState
    """What was understood of it."""
    faults: Tuple[Fault, ...]
    schema: int
    """The number of its schema; 0 if it has none."""

    @property
    def newer(self) -> bool:
        """Whether a later version of pkl wrote it."""
        return self.schema > SCHEMA


def dump_state(state: HostState) -> bytes:
    """The state as the content of a file; the same state gives the same bytes.

    Raises:
        TypeError: A setting is no JSON value.
        ValueError: A setting is no JSON value (NaN, or a structure that contains itself).
    """
    whole: Dict[str, Any] = {**state.extra, "schema": SCHEMA}
    facts = state.facts
    if facts is not None:
        whole["host"] = _without_none(
            {
                **facts.extra,
                "name": facts.name,
                "version": facts.version,
                "group": facts.group,
                "paths": list(facts.paths),
                "app": facts.app,
                "points": None if facts.points is None else dict(facts.points),
            }
        )
    whole["plugins"] = {name: _dump_record(each) for name, each in state.plugins.items()}
    text = json.dumps(whole, indent=2, sort_keys=True, allow_nan=False)
    return f"{text}\n".encode("ascii")


def _dump_record(record: PluginRecord) -> Dict[str, Any]:
    found: Dict[str, Any] = dict(record.extra)
    if record.wish is not None:
        wish = record.wish
        found["desired"] = {**_stamped(wish), "value": str(wish.desired)}
    if record.pin is not None:
        found["pin"] = {**_stamped(record.pin), "version": record.pin.version}
    if record.quarantine is not None:
        held = record.quarantine
        found["quarantine"] = {**held.extra, "since": held.since, "why": held.why}
    if record.consents:
        found["consents"] = {
            name: {**_stamped(each), "value": each.value, "version": each.version}
            for name, each in record.consents.items()
        }
    if record.held is not None:
        update = record.held
        found["held"] = {
            **_stamped(update),
            "version": update.version,
            "changes": list(update.changes),
            "consent": update.consent,
        }
    if record.settings:
        found["settings"] = dict(record.settings)
    return found


def _stamped(mark: Any) -> Dict[str, Any]:
    return {**mark.extra, "since": mark.since, "by": mark.by}


def _without_none(table: Dict[str, Any]) -> Dict[str, Any]:
    return {key: value for key, value in table.items() if value is not None}


def parse_state(data: bytes, migrations: Mapping[int, Migration] = MIGRATIONS) -> Parsed:
    """What a file says, and every fault in it; never raises for what is in the file.

    Args:
        data: Its content.
        migrations: What makes the next schema of each earlier one.
    """
    try:
        whole = decode_json(data)
    except (ValueError, RecursionError) as e:
        return Parsed(HostState(), (Fault("", _head(data), why_no_json(e)),), 0)
    if not isinstance(whole, dict):
        return Parsed(HostState(), (Fault("", whole, "must be a JSON object"),), 0)
    reader = _Reader()
    schema = whole.get("schema")
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        reader.faults.append(Fault("schema", schema, "must be a number from 1 on"))
        # It may be no file of pkl's at all; what it says beside is none of our business.
        return Parsed(replace(reader.state(whole), extra={}), tuple(reader.faults), 0)
    try:
        for number in range(schema, SCHEMA):
            whole = migrations[number](whole)
    except Exception as e:  # A migration may stumble over what nobody validated.
        rule = f"cannot be carried over to schema {SCHEMA} ({type(e).__name__}: {e})"
        return Parsed(HostState(), (Fault("schema", schema, rule),), schema)
    return Parsed(reader.state(whole), tuple(reader.faults), schema)


def json_faults(value: Any, path: str, depth: int = 0) -> List[Fault]:
    """Why a value cannot be kept as it is, and where; empty if it can.

    Args:
        value: Something that is to be a setting.
        path: The dotted path of it.
        depth: How deep it lies already.
    """
    if depth > DEEPEST:
        return [Fault(path, "...", f"is nested more than {DEEPEST} deep")]
    if isinstance(value, dict):
        odd = [
            Fault(path, key, "is a key that is not text") for key in value if type(key) is not str
        ]
        inner = [(f"{path}.{key}", each) for key, each in value.items() if type(key) is str]
        return odd + [f for where, each in inner for f in json_faults(each, where, depth + 1)]
    if isinstance(value, list):
        pairs = [(f"{path}[{i}]", each) for i, each in enumerate(value)]
        return [f for where, each in pairs for f in json_faults(each, where, depth + 1)]
    if value is None or type(value) in (bool, str):
        return []
    if type(value) is int:
        within = -(10**LONGEST_NUMBER) < value < 10**LONGEST_NUMBER
        return [] if within else [Fault(path, "...", "is too long a number")]
    if type(value) is float and value - value == 0:
        return []
    return [Fault(path, value, "must be null, a truth value, a number, text, a list or an object")]


def _head(data: bytes) -> str:
    return data[:40].decode("utf-8", "replace")


class _Reader:
    """Makes values of tables and notes what is wrong; whatever it takes, it takes out."""

    def __init__(self) -> None:
        self.faults: List[Fault] = []

    def state(self, whole: Mapping[str, Any]) -> HostState:
        rest = {key: value for key, value in whole.items() if key != "schema"}
        facts = self._part(rest, "", "host", self._facts)
        plugins: Dict[str, PluginRecord] = {}
        for name, value in self._table(rest, "", "plugins").items():
            path = f"plugins.{name}"
            if not is_valid(name):
                self._fault(path, name, "is not the name of a plugin")
            elif canonical(name) in plugins:
                self._fault(path, name, "is there in another spelling, too")
            elif not isinstance(value, dict):
                self._fault(path, value, "must be an object")
            else:
                plugins[canonical(name)] = self._record(dict(value), path)
        plugins = {name: record for name, record in plugins.items() if not record.empty}
        return HostState(facts, plugins, self._extra(rest, ""))

    def _facts(self, table: Dict[str, Any], path: str) -> Optional[HostFacts]:
        name = self._text(table, path, "name", needed=True)
        paths = table.pop("paths", [])
        if not isinstance(paths, list) or not all(isinstance(each, str) for each in paths):
            self._fault(f"{path}.paths", paths, "must be a list of directories")
            paths = []
        version, group, app = (
            self._text(table, path, key) or None for key in ("version", "group", "app")
        )
        points = self._points(table, path)
        extra = self._extra(table, path)
        if not name:
            return None
        return HostFacts(name, version, group, tuple(paths), app, extra, points)

    def _points(self, table: Dict[str, Any], path: str) -> Optional[Mapping[str, Any]]:
        if table.get("points") is None:
            table.pop("points", None)
            return None
        points = self._table(table, path, "points")
        faults = json_faults(points, f"{path}.points")
        self.faults += faults
        return None if faults else points

    def _record(self, table: Dict[str, Any], path: str) -> PluginRecord:
        wish = self._part(table, path, "desired", self._wish)
        pin = self._part(table, path, "pin", self._pin)
        quarantine = self._part(table, path, "quarantine", self._quarantine)
        consents: Dict[str, Consent] = {}
        granted = self._table(table, path, "consents")
        for name in granted:
            consent = self._part(dict(granted), f"{path}.consents", name, self._consent)
            if consent is not None:
                consents[name] = consent
        settings: Dict[str, Any] = {}
        for key, value in self._table(table, path, "settings").items():
            faults = json_faults(value, f"{path}.settings.{key}")
            self.faults += faults
            if not faults:
                settings[key] = value
        held = self._part(table, path, "held", self._held)
        rest = self._extra(table, path)
        return PluginRecord(wish, pin, quarantine, consents, settings, rest, held)

    def _wish(self, table: Dict[str, Any], path: str) -> Optional[Wish]:
        value = table.pop("value", None)
        words = [each.value for each in Desired]
        if value not in words:
            self._fault(f"{path}.value", value, f"must be one of: {', '.join(words)}")
            return None
        since, by = self._text(table, path, "since"), self._text(table, path, "by")
        return Wish(Desired(value), since, by, self._extra(table, path))

    def _pin(self, table: Dict[str, Any], path: str) -> Optional[Pin]:
        version = self._version(table, path)
        since, by = self._text(table, path, "since"), self._text(table, path, "by")
        return Pin(version, since, by, self._extra(table, path)) if version else None

    def _version(self, table: Dict[str, Any], path: str) -> str:
        version = self._text(table, path, "version", needed=True)
        if version and not is_version(version):
            self._fault(f"{path}.version", version, "must be a version (PEP 440)")
            return ""
        return version

    def _quarantine(self, table: Dict[str, Any], path: str) -> Quarantine:
        since, why = self._text(table, path, "since"), self._text(table, path, "why")
        return Quarantine(since, why, self._extra(table, path))

    def _held(self, table: Dict[str, Any], path: str) -> Optional[HeldUpdate]:
        version = self._version(table, path)
        changes = table.pop("changes", [])
        if not isinstance(changes, list) or not all(isinstance(each, str) for each in changes):
            self._fault(f"{path}.changes", changes, "must be a list of texts")
            changes = []
        consent, since, by = (self._text(table, path, key) for key in ("consent", "since", "by"))
        extra = self._extra(table, path)
        return HeldUpdate(version, tuple(changes), consent, since, by, extra) if version else None

    def _consent(self, table: Dict[str, Any], path: str) -> Optional[Consent]:
        if "value" not in table:
            self._fault(f"{path}.value", None, "must say what was granted")
            return None
        value = table.pop("value")
        faults = json_faults(value, f"{path}.value")
        self.faults += faults
        version, since, by = (self._text(table, path, key) for key in ("version", "since", "by"))
        extra = self._extra(table, path)
        return None if faults else Consent(value, version, since, by, extra)

    def _part(
        self,
        table: Dict[str, Any],
        path: str,
        key: str,
        read: Callable[[Dict[str, Any], str], Optional[_T]],
    ) -> Optional[_T]:
        """A part that may be missing, and is an object if it is there."""
        if key not in table:
            return None
        value = table.pop(key)
        where = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            return read(dict(value), where)
        self._fault(where, value, "must be an object")
        return None

    def _table(self, table: Dict[str, Any], path: str, key: str) -> Dict[str, Any]:
        return self._part(table, path, key, lambda value, _: value) or {}

    def _text(self, table: Dict[str, Any], path: str, key: str, *, needed: bool = False) -> str:
        value = table.pop(key, "")
        if isinstance(value, str) and (value or not needed):
            return value
        self._fault(
            f"{path}.{key}", value, "must be text that is not empty" if needed else "must be text"
        )
        return ""

    def _extra(self, table: Dict[str, Any], path: str) -> Dict[str, Any]:
        """What nobody took: keys of a later version, if they can be kept."""
        kept: Dict[str, Any] = {}
        for key, value in table.items():
            faults = json_faults(value, f"{path}.{key}" if path else key)
            self.faults += faults
            if not faults:
                kept[key] = value
        return kept

    def _fault(self, path: str, value: Any, rule: str) -> None:
        self.faults.append(Fault(path, value, rule))
