"""A plugin's settings: layers merged into one value, checked against its schema, secrets masked."""

from __future__ import annotations

import json
import re
from types import MappingProxyType
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..errors import Fault, SettingsError
from ..names import canonical
from .candidate import Candidate
from .json_schema import ABSENT, JsonSchema, Path, UnusableSchema, at, dotted, states

__all__ = [
    "ENVIRONMENT",
    "MASK",
    "Layer",
    "SettingValues",
    "at",
    "dotted",
    "environment_layer",
    "layers_of",
    "masked",
    "merged",
    "settings_of",
    "source_of",
    "states",
    "typed_at",
]

ENVIRONMENT = "PKL_CONFIG_"
"""How the names of environment variables with settings begin."""

MASK = "********"
"""What is shown for a secret."""


class Layer(NamedTuple):
    """One source of settings."""

    source: str
    """Where they are from, for people: ``the manifest``, a file, a variable."""
    values: Mapping[str, Any]


class SettingValues(NamedTuple):
    """Settings that are valid.

    Attributes:
        values: The settings, merged.
        schema: The schema, or None where the plugin states none.
    """

    values: Mapping[str, Any] = MappingProxyType({})
    schema: Any = None


def merged(layers: Sequence[Layer]) -> Dict[str, Any]:
    """One mapping of all layers, later ones before earlier ones; objects are merged, lists not."""
    found: Dict[str, Any] = {}
    for layer in layers:
        found = _merge(found, layer.values)
    return found


def _merge(below: Any, above: Any) -> Any:
    if not isinstance(above, Mapping):
        return above
    found = dict(below) if isinstance(below, Mapping) else {}
    for key, value in above.items():
        found[key] = _merge(found.get(key), value)
    return found


def settings_of(
    plugin: str, layers: Sequence[Layer], schema: Any, file: str = "", *, partial: bool = False
) -> SettingValues:
    """The settings that layers come to.

    Args:
        plugin: The plugin, for errors.
        layers: Those of the lowest precedence first.
        schema: The JSON Schema (draft 2020-12), or None for whatever is stated.
        file: Where the schema stands, for errors.
        partial: A layer is not known, so that what is missing is no fault.

    Raises:
        SettingsError: They break the schema, or the schema is none; every fault is named.
        MissingExtra: There is a schema, and the extra ``schema`` is not installed.
    """
    values = merged(layers)
    if schema is None:
        return SettingValues(values)
    faults = [
        Fault(dotted(path), _shown(values, path, schema), _rule(rule, source_of(layers, path)))
        for path, rule in _broken(plugin, values, schema, file, partial)
    ]
    if faults:
        raise SettingsError(plugin, faults)
    return SettingValues(values, schema)


def _rule(rule: str, source: str) -> str:
    return f"{rule} (from {source})" if source else rule


def _broken(
    plugin: str, values: Any, schema: Any, file: str, partial: bool
) -> List[Tuple[Path, str]]:
    """The places at which values break a schema, each with the rule."""
    try:
        return JsonSchema(schema, f"checking the settings of {plugin}").breaches(
            values, partial=partial
        )
    except UnusableSchema as e:
        raise SettingsError(plugin, [Fault("", None, str(e))], file=file) from None


def source_of(layers: Sequence[Layer], path: Path) -> str:
    """Which layer decided what stands at a path; empty if none states it."""
    for layer in reversed(layers):
        if path and states(layer.values, path):
            return str(layer.source)
    return ""


def _shown(values: Any, path: Path, schema: Any) -> Any:
    found = at(masked(values, schema), path)
    return None if found is ABSENT else found


def masked(values: Any, schema: Any) -> Any:
    """The values with every secret hidden: what the schema marks ``"writeOnly": true``.

    Where one of several alternatives of the schema marks it, it counts as marked. So does what
    the schema does not admit, such as a secret under a name that is misspelt or that an earlier
    version of the plugin had, and what a reference decides that leads out of the schema.
    """
    return _masked(values, [schema], schema, 0)


def _masked(value: Any, schemas: Sequence[Any], root: Any, depth: int) -> Any:
    every = list(_alternatives(schemas, root))
    if depth > 50 or any(each.get("writeOnly") is True for each in every):
        return MASK
    if isinstance(value, Mapping):
        return {
            key: MASK
            if _is_foreign(every, str(key))
            else _masked(each, _below(every, str(key)), root, depth + 1)
            for key, each in value.items()
        }
    if isinstance(value, (list, tuple)):
        inner = [each.get(word) for each in every for word in _ITEMS] + [
            part for each in every for part in _listed(each.get("prefixItems"))
        ]
        return [_masked(each, inner, root, depth + 1) for each in value]
    return value


_ITEMS = ("items", "contains", "unevaluatedItems")
_OTHERS = ("additionalProperties", "unevaluatedProperties")
"""Keywords for the items of a list, and for the keys of an object that are not named."""


def _below(schemas: Sequence[Mapping[str, Any]], key: str) -> List[Any]:
    """The schemas that hold for what stands under a key."""
    found: List[Any] = []
    for each in schemas:
        named = _named(each, key)
        found += named
        if not named:
            found.append(each.get("additionalProperties"))
        found.append(each.get("unevaluatedProperties"))
    return found


def _named(schema: Mapping[str, Any], key: str) -> List[Any]:
    """What a schema says of this very key."""
    properties, patterns = schema.get("properties"), schema.get("patternProperties")
    found = [properties[key]] if isinstance(properties, Mapping) and key in properties else []
    if isinstance(patterns, Mapping):
        found += [each for pattern, each in patterns.items() if _fits(str(pattern), key)]
    return found


def _fits(pattern: str, key: str) -> bool:
    try:
        return re.search(pattern, key) is not None
    except re.error:
        return True


def _is_foreign(schemas: Sequence[Mapping[str, Any]], key: str) -> bool:
    """Whether no schema knows a key, and one admits none but those that are known."""
    if not any(each.get(word) is False for each in schemas for word in _OTHERS):
        return False
    return not any(_named(each, key) for each in schemas)


def _listed(value: Any) -> List[Any]:
    return value if isinstance(value, list) else []


def _alternatives(schemas: Sequence[Any], root: Any) -> Iterator[Mapping[str, Any]]:
    """All schemas that may hold for a value: these, and those that they lead to."""
    seen: List[Any] = []
    work = list(schemas)
    while work and len(seen) < 1000:
        each = work.pop()
        if not isinstance(each, Mapping) or any(each is other for other in seen):
            continue
        seen.append(each)
        yield each
        for key in ("allOf", "anyOf", "oneOf"):
            work += _listed(each.get(key))
        work += [each.get(key) for key in ("then", "else", "if")]
        dependent = each.get("dependentSchemas")
        work += dependent.values() if isinstance(dependent, Mapping) else ()
        work += [_led_to(each[key], root) for key in ("$ref", "$dynamicRef") if key in each]


def _led_to(reference: Any, root: Any) -> Any:
    """The schema that a reference leads to; one that marks all as secret if that is not known."""
    if isinstance(reference, str) and reference.startswith("#"):
        name = reference[1:]
        pointed = name == "" or name.startswith("/")
        found = _pointed(name, root) if pointed else _anchored(name, root)
        if found is not ABSENT:
            return found
    return {"writeOnly": True}


def _pointed(pointer: str, root: Any) -> Any:
    """What a JSON Pointer (RFC 6901) leads to; ``ABSENT`` if that is nothing."""
    found = root
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        found = at(found, (int(key) if isinstance(found, list) and key.isdecimal() else key,))
    return found


def _anchored(name: str, root: Any) -> Any:
    """The one schema in ``root`` with this anchor; ``ABSENT`` if there is none, or several."""
    found = []
    work = [root]
    while work:
        each = work.pop()
        if isinstance(each, Mapping):
            if name in (each.get("$anchor"), each.get("$dynamicAnchor")):
                found.append(each)
            work += each.values()
        elif isinstance(each, list):
            work += each
    return found[0] if len(found) == 1 else ABSENT


def layers_of(
    candidate: Candidate,
    schema: Any,
    given: Mapping[str, Any],
    kept: Mapping[str, Any],
    environ: Mapping[str, str],
) -> List[Layer]:
    """The sources of a plugin's settings, the lowest precedence first.

    Args:
        candidate: The plugin.
        schema: Its schema, or None.
        given: What the host says.
        kept: What people said, as it is kept on disk.
        environ: The environment.
    """
    defaults = candidate.metadata.config.get("defaults", {})
    layers = [
        Layer("the manifest's defaults", defaults),
        Layer("the host", given),
        Layer("pkl config", kept),
    ]
    layers = [each for each in layers if each.values]
    found = environment_layer(candidate.name, environ, schema, merged(layers))
    return [*layers, found] if found is not None else layers


def environment_layer(
    plugin: str, environ: Mapping[str, str], schema: Any, known: Mapping[str, Any]
) -> Optional[Layer]:
    """What environment variables say: ``PKL_CONFIG_<PLUGIN>__<KEY>__<SUB>``, or None.

    Upper case, with ``_`` for ``-`` and ``.``. A key is the one of the schema or of ``known`` that
    reads so, else in lower case. The value is text where the schema asks for text alone, else
    JSON, else text.

    Args:
        plugin: The plugin.
        environ: The variables.
        schema: Its schema, or None.
        known: The layers below, merged.
    """
    prefix = f"{ENVIRONMENT}{canonical(plugin).upper().replace('-', '_')}__"
    named = sorted(name for name in environ if name.startswith(prefix) and len(name) > len(prefix))
    if not named:
        return None
    found: Dict[str, Any] = {}
    for name in named:
        path, schemas = _path(name[len(prefix) :].split("__"), schema, known)
        place = found
        for part in path[:-1]:
            inner = place.get(part)
            place[part] = place = inner if isinstance(inner, dict) else {}
        place[path[-1]] = typed(environ[name], schemas)
    source = named[0] if len(named) == 1 else f"the variables {prefix}*"
    return Layer(source, found)


def _path(words: Sequence[str], schema: Any, known: Any) -> Tuple[List[str], List[Any]]:
    path: List[str] = []
    schemas: List[Any] = [schema]
    for word in words:
        every = list(_alternatives(schemas, schema))
        keys = [key for each in every for key in (each.get("properties") or {})]
        keys += [key for key in known if isinstance(key, str)] if isinstance(known, Mapping) else []
        key = next((key for key in keys if _folded(key) == _folded(word)), word.lower())
        path.append(key)
        schemas = _below(every, key)
        known = known.get(key) if isinstance(known, Mapping) else None
    return path, list(_alternatives(schemas, schema))


def _folded(key: str) -> str:
    return key.lower().replace("-", "_").replace(".", "_")


def typed_at(text: str, path: Sequence[str], schema: Any) -> Any:
    """A text as the value of the setting at a path; see ``typed``."""
    schemas: List[Any] = [schema]
    for key in path:
        schemas = _below(list(_alternatives(schemas, schema)), key)
    return typed(text, list(_alternatives(schemas, schema)))


def typed(text: str, schemas: Sequence[Any]) -> Any:
    """A text as a value: text where a schema asks for text alone, else JSON, else text."""
    kinds = [each.get("type") for each in schemas if isinstance(each, Mapping) and "type" in each]
    if kinds and all(kind == "string" for kind in kinds):
        return text
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text


def _no_constant(word: str) -> Any:
    raise ValueError(word)
