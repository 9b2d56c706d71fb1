"""JSON Schema (draft 2020-12): where a value breaks one, and how. Nothing is ever fetched."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any, Iterator, List, Mapping, Tuple

from ..errors import MissingExtra
from .schema_match import match_of

__all__ = ["JsonSchema", "Path", "UnusableSchema", "at", "dotted", "states"]

Path = Tuple[Any, ...]
"""Keys and indices, from the outside in."""

MOST = 1000
"""How many breaches of one value are told."""

_MISSING = ("required", "dependentRequired", "minProperties")
"""Keywords by which a schema asks for keys."""

_DATA = ("const", "enum", "default", "examples")
"""Keywords whose values are no schemas, whatever they look like."""


class UnusableSchema(ValueError):
    """What was given as a schema is none, or cannot be used; the text says why."""


class JsonSchema:
    """A schema that values are held against.

    Args:
        schema: The schema, as JSON has it.
        purpose: What it is needed for, such as ``checking the settings of mail``.

    Raises:
        MissingExtra: The extra ``schema`` is not installed.
        UnusableSchema: It is no JSON Schema.
    """

    def __init__(self, schema: Any, purpose: str) -> None:
        try:
            from jsonschema import Draft202012Validator
            from jsonschema.exceptions import SchemaError
            from referencing import Registry
        except ImportError:
            raise MissingExtra("schema", purpose) from None
        try:
            Draft202012Validator.check_schema(schema)
            # An empty registry, so that no reference is ever fetched from anywhere.
            self._validator = Draft202012Validator(schema, registry=Registry())
        except SchemaError as e:
            raise _no_schema(e) from None
        except Exception as e:
            raise _unusable(e) from None
        self._match = match_of(schema)

    def breaches(self, value: Any, *, partial: bool = False) -> List[Tuple[Path, str]]:
        """The places at which a value breaks it, each with the rule; the first thousand.

        Args:
            value: The value, as JSON has it.
            partial: Only a part of the value is known, so that what is missing is no breach.

        Raises:
            UnusableSchema: A reference in it leads nowhere, a pattern is none, and so on.
        """
        if self._match is not None and self._match(value):
            return []
        try:
            errors = list(islice(self._validator.iter_errors(value), MOST))
        except Exception as e:
            raise _unusable(e) from None
        found = {
            (tuple(each.absolute_path), _words(each))
            for each in errors
            if not (partial and each.validator in _MISSING)
        }
        return sorted(found, key=lambda pair: (dotted(pair[0]), pair[1]))

    def prove(self) -> None:
        """Makes sure that every reference in it leads somewhere, and that its patterns are some.

        Raises:
            UnusableSchema: One does not.
        """
        from jsonschema.exceptions import SchemaError
        from referencing import Registry
        from referencing.jsonschema import DRAFT202012

        schema, kind = self._validator.schema, type(self._validator)
        try:  # patterns, too
            kind.check_schema(schema, format_checker=kind.FORMAT_CHECKER)
        except SchemaError as e:
            raise _no_schema(e) from None
        root = DRAFT202012.create_resource(schema)
        try:
            resolver = Registry().with_resource("", root).resolver_with_root(root)
            for reference in _references(schema):
                resolver.lookup(reference)
        except Exception as e:
            raise _unusable(e) from None
        probes: List[Any] = [None, {}, []]
        for value in probes:
            self.breaches(value)


def _references(schema: Any) -> Iterator[str]:
    """The references in a schema; not those below an ``$id``, which count from there."""
    work = [schema]
    while work:
        each = work.pop()
        if isinstance(each, Mapping):
            if "$id" in each and each is not schema:
                continue
            if isinstance(each.get("$ref"), str):
                yield each["$ref"]
            work += [inner for key, inner in each.items() if key not in _DATA]
        elif isinstance(each, list):
            work += each


def _no_schema(error: Any) -> UnusableSchema:
    where = dotted(tuple(error.absolute_path))
    return UnusableSchema(
        f"the schema is no JSON Schema: {where + ': ' if where else ''}{error.message}"
    )


def _unusable(error: Exception) -> UnusableSchema:
    return UnusableSchema(f"the schema cannot be used: {type(error).__name__}: {error}")


def _words(error: Any) -> str:
    """What a value must be, without the value: it may be a secret, or hold one."""
    wanted, keyword = error.validator_value, str(error.validator)
    if keyword == "type":
        kinds = wanted if isinstance(wanted, list) else [wanted]
        return f"must be {' or '.join(map(str, kinds))}"
    if keyword in ("required", "additionalProperties"):
        return str(error.message)
    if keyword == "enum":
        return f"must be one of {json.dumps(wanted)}"
    text = json.dumps(wanted)
    return f"must satisfy {keyword}: {text if len(text) <= 200 else text[:200] + '...'}"


def dotted(path: Path) -> str:
    """A path as people write it: ``servers[0].port``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


ABSENT = object()
"""What ``at`` gives where nothing stands."""


def at(values: Any, path: Path) -> Any:
    """What stands at a path; ``ABSENT`` if nothing does."""
    for part in path:
        try:
            values = values[part] if isinstance(values, (Mapping, list, tuple)) else ABSENT
        except (LookupError, TypeError):
            return ABSENT
    return values


def states(values: Any, path: Path) -> bool:
    """Whether something stands at a path."""
    return at(values, path) is not ABSENT
