"""The common part of JSON Schema as functions that know of most valid values that they are valid.

Holding 4,000 values against a schema by the library takes as long as starting 200 plugins. What a
function says yes to is valid; everything else, and every other keyword, is for the library.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, Mapping, Optional, Sized, Type

__all__ = ["Match", "match_of"]

Match = Callable[[Any], bool]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SAY_NOTHING = frozenset(
    (
        "$comment",
        "$defs",
        "default",
        "deprecated",
        "description",
        "examples",
        "format",
        "readOnly",
        "title",
        "writeOnly",
    )
)
"""Keywords that refuse no value; ``$defs`` because a schema with a ``$ref`` is left alone."""
_KINDS: Mapping[str, type] = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "null": type(None),
    "object": dict,
    "string": str,
}


class _Other(Exception):
    """The schema holds something that only the library knows."""


def match_of(schema: Any) -> Optional[Match]:
    """The function of a schema that is valid itself, or None if it is for the library alone."""
    try:
        return _match(schema)
    except _Other:
        return None


def _match(schema: Any) -> Match:
    if schema is True:
        return _anything
    if not isinstance(schema, Mapping):
        raise _Other
    checks: List[Match] = []
    for keyword, wanted in schema.items():
        if keyword in _SAY_NOTHING or (keyword == "$schema" and wanted == _DIALECT):
            continue
        if keyword in ("properties", "additionalProperties"):
            continue
        make = _KEYWORDS.get(keyword)
        if make is None:
            raise _Other
        checks.append(make(wanted))
    if "properties" in schema or "additionalProperties" in schema:
        checks.append(_members(schema.get("properties", {}), schema.get("additionalProperties")))
    if len(checks) == 1:
        return checks[0]

    def check(value: Any) -> bool:
        for each in checks:  # noqa: SIM110 - all() with a generator takes twice as long
            if not each(value):
                return False
        return True

    return check


def _anything(_: Any) -> bool:
    return True


def _type(wanted: Any) -> Match:
    # A float without a fraction is an integer, too: that is for the library.
    names = wanted if isinstance(wanted, list) else [wanted]
    kinds = {_KINDS[name] for name in names if name in _KINDS}
    if "number" in names:
        kinds |= {int, float}
    if len(kinds) == 1:
        (kind,) = kinds
        return lambda value: type(value) is kind
    return lambda value: type(value) in kinds


def _members(properties: Mapping[str, Any], others: Any) -> Match:
    known: Dict[str, Match] = {name: _match(each) for name, each in properties.items()}
    rest = _match(others) if others is not None and others is not False else None

    def check(value: Any) -> bool:
        if type(value) is not dict:
            return True
        for name, each in value.items():
            own = known.get(name, rest)
            if own is None:
                if others is False:
                    return False
            elif not own(each):
                return False
        return True

    return check


def _items(wanted: Any) -> Match:
    each = _match(wanted)

    def check(value: Any) -> bool:
        if type(value) is list:
            for item in value:
                if not each(item):
                    return False
        return True

    return check


def _required(wanted: Any) -> Match:
    names = tuple(wanted)

    def check(value: Any) -> bool:
        if type(value) is dict:
            for name in names:
                if name not in value:
                    return False
        return True

    return check


def _pattern(wanted: Any) -> Match:
    try:
        search = re.compile(wanted).search
    except re.error:
        raise _Other from None
    return lambda value: type(value) is not str or search(value) is not None


def _words(wanted: Any) -> Match:
    # What equals what is not as in Python for anything but text.
    words = frozenset(each for each in wanted if type(each) is str)
    return lambda value: type(value) is str and value in words


def _sized(kind: Type[Sized], least: bool) -> Callable[[Any], Match]:
    def make(wanted: Any) -> Match:
        if least:
            return lambda value: type(value) is not kind or len(value) >= wanted
        return lambda value: type(value) is not kind or len(value) <= wanted

    return make


def _bound(least: bool) -> Callable[[Any], Match]:
    def make(wanted: Any) -> Match:
        if least:
            return lambda value: type(value) not in (int, float) or value >= wanted
        return lambda value: type(value) not in (int, float) or value <= wanted

    return make


_KEYWORDS: Mapping[str, Callable[[Any], Match]] = {
    "const": lambda wanted: _words([wanted]),
    "enum": _words,
    "items": _items,
    "maxItems": _sized(list, False),
    "maxLength": _sized(str, False),
    "maximum": _bound(False),
    "minItems": _sized(list, True),
    "minLength": _sized(str, True),
    "minimum": _bound(True),
    "pattern": _pattern,
    "required": _required,
    "type": _type,
}
"""What each keyword asks for; of those that are not here only the library knows."""
