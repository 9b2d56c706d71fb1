"""What plugins contribute, by their manifests, to the points that a host declares.

A point has a name and, if the host gives one, a JSON Schema. ``[contributes]`` of a manifest holds
a value for each point that the plugin contributes to.
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

from ..errors import Fault, ManifestError, PointNotFound, PointRefused
from ..names import canonical, did_you_mean, is_valid
from .candidate import Candidate
from .checking import MAX_GUESSES, Checker, dotted, open_table
from .json_schema import ABSENT, JsonSchema, UnusableSchema, at
from .manifest import MAX_DEPTH, PluginMetadata
from .state import Reason

__all__ = ["Contribution", "Points", "Unknown", "undeclared"]

LONGEST = 200
"""The longest name of a point, in characters."""


class Contribution(NamedTuple):
    """What one plugin contributes to a point."""

    plugin: str
    """The plugin's canonical name."""
    version: str
    """Its version."""
    value: Any
    """The value, read-only: mappings that cannot be changed, and tuples for lists."""
    file: Optional[str]
    """The manifest that states it, or None if it is not known."""


class Unknown(NamedTuple):
    """A key of ``[contributes]`` that is no point of the host."""

    key: str
    meant: Optional[str]
    """The point that was probably meant, or None."""

    @property
    def path(self) -> str:
        """The dotted path of the key in the manifest."""
        return dotted("contributes", self.key)

    @property
    def hint(self) -> str:
        """What to do about it."""
        guess = f"did you mean {self.meant!r}? " if self.meant else ""
        return f"{guess}a key that is for another host may stay"


class Points:
    """The points that one host declares. Immutable, but for what it remembers of plugins.

    Args:
        declared: For each point, by its exact name, a JSON Schema (draft 2020-12), or None for
            any value.
        file: Where they are declared, for errors.
        checked: Whether values are held against the schemas; else only the names count.

    Raises:
        PointRefused: A name or a schema makes no sense; every fault is named.
        MissingExtra: There is a schema, and the extra ``schema`` is not installed.
    """

    def __init__(
        self, declared: Mapping[str, Any], file: str = "", *, checked: bool = True
    ) -> None:
        faults: List[Fault] = []
        self.declared: Mapping[str, Any] = MappingProxyType(_plain(declared, faults))
        self._schemas: Dict[str, Optional[JsonSchema]] = {}
        for name, schema in self.declared.items():
            self._schemas[name] = None
            if schema is None or not checked:
                continue
            try:
                made = JsonSchema(schema, f"checking what is contributed to {name!r}")
                made.prove()
                self._schemas[name] = made
            except UnusableSchema as e:
                faults.append(Fault(name, schema, str(e)))
        if faults:
            raise PointRefused(faults, file=file)
        self._seen: Dict[str, Tuple[PluginMetadata, Optional[Reason]]] = {}

    def __contains__(self, point: object) -> bool:
        return point in self.declared

    def check(self, point: str, host: str) -> None:
        """Refuses what is no point.

        Args:
            point: The name.
            host: The host's name, for the error.

        Raises:
            PointNotFound: There is no such point.
        """
        if point in self.declared:
            return
        meant = did_you_mean(point, self.declared) if isinstance(point, str) else None
        known = ", ".join(self.declared) or "none"
        raise PointNotFound(
            f"the host {host!r} declares no point {point!r}"
            + (f"; did you mean {meant!r}?" if meant else ""),
            hint=f"its points: {known}; PluginHost(contributions={{...}}) declares them",
            point=str(point),
            did_you_mean=meant,
        )

    def unknown(self, metadata: PluginMetadata) -> List[Unknown]:
        """The keys of a manifest's ``[contributes]`` that are no points, in its order."""
        keys = [key for key in metadata.contributes if key not in self.declared]
        known = self.declared
        return [
            Unknown(key, did_you_mean(key, known) if place < MAX_GUESSES else None)
            for place, key in enumerate(keys)
        ]

    def faults(self, metadata: PluginMetadata) -> List[Fault]:
        """Where a manifest's ``[contributes]`` breaks the schemas of the host."""
        found: List[Fault] = []
        for name, value in metadata.contributes.items():
            schema = self._schemas.get(name)
            if schema is None:
                continue
            start = dotted("contributes", name)
            try:
                breaches = schema.breaches(value)
            except UnusableSchema as e:
                found.append(Fault(start, value, str(e)))
                continue
            for path, rule in breaches:
                text = start
                for part in path:
                    text = f"{text}[{part}]" if isinstance(part, int) else dotted(text, part)
                there = at(value, path)
                there = None if there is ABSENT else there
                found.append(Fault(text, there, f"{rule} (by the schema of the host)"))
        return found

    def marked(self, candidate: Candidate) -> Candidate:
        """The candidate; with a fault of its manifest if it breaks a schema of the host.

        What is unusable anyway keeps the fault that it has.
        """
        if not candidate.metadata.contributes or candidate.fault is not None:
            return candidate
        reason = self._reason(candidate)
        return candidate if reason is None else replace(candidate, fault=reason)

    def _reason(self, candidate: Candidate) -> Optional[Reason]:
        metadata = candidate.metadata
        # Discovery reads a manifest anew each time, and it is mostly the one of before.
        known = self._seen.get(candidate.name)
        if known is not None and known[0] == metadata:
            return known[1]
        faults = self.faults(metadata)
        reason: Optional[Reason] = None
        if faults:
            file = candidate.manifest_file or candidate.location
            error = ManifestError(
                faults,
                plugin=candidate.name,
                version=candidate.version,
                distribution=candidate.distribution,
                file=file,
            )
            cause = f"{candidate.name} {candidate.version}: {faults[0]}"
            reason = Reason("manifest", error.message, cause, error.hint)
        self._seen[candidate.name] = (metadata, reason)
        return reason


def undeclared(plugin: Union[Candidate, PluginMetadata], unknown: Unknown) -> str:
    """What to say of a key that is no point of the host."""
    return (
        f"plugin {plugin.name!r} {plugin.version} contributes to {unknown.key!r}, which is "
        "no point of this host"
    )


def _plain(declared: Any, faults: List[Fault]) -> Dict[str, Any]:
    """The points with schemas as JSON has them; what makes no sense is a fault."""
    if not isinstance(declared, AnyMapping):
        faults.append(Fault("contributions", declared, "must be a mapping of points to schemas"))
        return {}
    found: Dict[str, Any] = {}
    folded: Dict[str, str] = {}
    for name, schema in declared.items():
        if not isinstance(name, str) or not is_valid(name) or len(name) > LONGEST:
            rule = "must be the name of a point: ASCII letters and digits, with '.', '_' and '-'"
            faults.append(
                Fault(str(name) or repr(name), name, f"{rule} inside, at most {LONGEST} characters")
            )
            continue
        other = folded.setdefault(canonical(name), name)
        if other != name:
            rule = f"differs from {other!r} in case or separators only"
            faults.append(Fault(name, name, rule))
            continue
        if schema is not None and not isinstance(schema, (bool, AnyMapping)):
            rule = "must be a JSON Schema, true or false, or None for any value"
            faults.append(Fault(name, schema, rule))
            continue
        found[name] = schema if schema is None else _schema(name, schema, faults)
    return found


def _schema(name: str, schema: Any, faults: List[Fault]) -> Any:
    """A copy of a schema as JSON has it; what JSON cannot hold is a fault."""
    try:
        copy = _copy(schema, MAX_DEPTH)
    except RecursionError:
        faults.append(Fault(name, "...", f"must not be nested more than {MAX_DEPTH} deep"))
        return None
    checker = Checker(fold=True)
    open_table(checker, name, {"schema": copy})
    faults += checker.faults
    return copy if not checker.faults else None


def _copy(value: Any, depth: int) -> Any:
    if not isinstance(value, (AnyMapping, list, tuple)):
        return value
    if depth <= 0:
        raise RecursionError
    if isinstance(value, AnyMapping):
        return {key: _copy(each, depth - 1) for key, each in value.items()}
    return [_copy(each, depth - 1) for each in value]
