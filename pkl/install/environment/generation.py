"""One generation of what is installed for a host: the value, and its file, every fault named."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple, TypeVar

from ...errors import Fault, ManifestError
from ...model.manifest import PluginMetadata
from ...model.requirement import is_version
from ...names import canonical, is_valid
from ..solution import Chosen, WheelRef
from ..wanted import Root, RootKind
from .standing import SCHEMA

__all__ = ["GenerationRecord", "dump_generation", "parse_generation"]

_DIGEST = re.compile(r"[0-9a-f]{64}")
_T = TypeVar("_T")


@dataclass(frozen=True)
class GenerationRecord:
    """What a generation is made of.

    Attributes:
        number: Its number; a later one has a higher number.
        previous: The generation that counted when it was made; None of the first.
        made: When it was made, as ``2026-11-27T14:00:00Z``.
        by: The command that made it.
        python: The version of the Python that it was made for.
        roots: What was asked for.
        distributions: What is in it, sorted by name.
        paths: The directories that editable projects add to ``sys.path``, absolute.
        lock: The digest of the lock that it was made from, in hex; empty if it was none.
    """

    number: int
    previous: Optional[int]
    made: str
    by: str
    python: str
    roots: Tuple[Root, ...] = ()
    distributions: Tuple[Chosen, ...] = ()
    paths: Tuple[str, ...] = ()
    lock: str = ""

    def named(self, name: str) -> Optional[Chosen]:
        """The distribution of that canonical name, or None."""
        return next((each for each in self.distributions if each.name == name), None)

    @property
    def plugins(self) -> Mapping[str, Chosen]:
        """The distribution that carries each plugin, by the plugin's canonical name, sorted."""
        found = {p.name: each for each in self.distributions for p in each.plugins}
        return {name: found[name] for name in sorted(found)}


def dump_generation(record: GenerationRecord) -> bytes:
    """The record as the content of its file; the same record gives the same bytes."""
    whole = {
        "schema": SCHEMA,
        "number": record.number,
        "previous": record.previous,
        "made": record.made,
        "by": record.by,
        "python": record.python,
        "lock": record.lock,
        "paths": list(record.paths),
        "roots": [{**each._asdict(), "kind": str(each.kind)} for each in record.roots],
        "distributions": [_dump_chosen(each) for each in record.distributions],
    }
    return (json.dumps(whole, indent=1, sort_keys=True) + "\n").encode("ascii")


def _dump_chosen(each: Chosen) -> Dict[str, Any]:
    return {
        "name": each.name,
        "version": each.version,
        "wheel": each.wheel._asdict() if each.wheel is not None else None,
        "wheels": [wheel._asdict() for wheel in each.wheels],
        "requires": list(each.requires),
        "registry": each.registry,
        "signer": each.signer,
        "editable": each.editable,
        "plugins": [_dump_plugin(plugin) for plugin in each.plugins],
    }


def _dump_plugin(plugin: PluginMetadata) -> Dict[str, Any]:
    return {
        "name": plugin.display_name,
        "version": plugin.version,
        "summary": plugin.summary,
        "manifest": dict(plugin.data),
    }


def parse_generation(
    whole: Mapping[str, Any],
) -> Tuple[GenerationRecord, Tuple[Fault, ...]]:
    """The record that an object says, and every fault in it; never raises for what it says.

    Args:
        whole: The object of ``generation.json``, whose schema and number were looked at.
    """
    reader = _Reader()
    previous = whole.get("previous")
    if previous is not None and (type(previous) is not int or previous < 1):
        reader.fault("previous", previous, "must be a number from 1 on, or null")
        previous = None
    paths = reader.texts(whole, "paths")
    for i, path in enumerate(paths):
        if not os.path.isabs(path):
            reader.fault(f"paths[{i}]", path, "must be absolute")
    record = GenerationRecord(
        whole["number"],
        previous,
        reader.text(whole, "made"),
        reader.text(whole, "by"),
        reader.text(whole, "python"),
        tuple(reader.each(whole, "roots", reader.root)),
        tuple(reader.each(whole, "distributions", reader.chosen)),
        paths,
        reader.text(whole, "lock"),
    )
    names = [each.name for each in record.distributions]
    for name in sorted({each for each in names if names.count(each) > 1}):
        reader.fault("distributions", name, "is there twice")
    return record, tuple(reader.faults)


class _Reader:
    """Takes values out of objects and notes what is wrong; what is wrong is left out."""

    def __init__(self) -> None:
        self.faults: List[Fault] = []
        self._path = ""

    def fault(self, key: str, value: Any, rule: str) -> None:
        where = f"{self._path}.{key}" if self._path and key else self._path or key
        self.faults.append(Fault(where, value, rule))

    def text(self, table: Mapping[str, Any], key: str, *, needed: bool = False) -> str:
        value = table.get(key, "")
        if isinstance(value, str) and (value or not needed):
            return value
        self.fault(key, value, "must be text that is not empty" if needed else "must be text")
        return ""

    def texts(self, table: Mapping[str, Any], key: str) -> Tuple[str, ...]:
        value = table.get(key, [])
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return tuple(value)
        self.fault(key, value, "must be a list of texts")
        return ()

    def each(
        self, table: Mapping[str, Any], key: str, read: Callable[[Mapping[str, Any]], Optional[_T]]
    ) -> List[_T]:
        """What is read of each object of a list."""
        value = table.get(key, [])
        if not isinstance(value, list):
            self.fault(key, value, "must be a list of objects")
            return []
        found = []
        outer = self._path
        for i, inner in enumerate(value):
            self._path = f"{outer}.{key}[{i}]" if outer else f"{key}[{i}]"
            if isinstance(inner, dict):
                made = read(inner)
                if made is not None:
                    found.append(made)
            else:
                self.fault("", inner, "must be an object")
        self._path = outer
        return found

    def name(self, table: Mapping[str, Any]) -> str:
        name = self.text(table, "name", needed=True)
        if name and (not is_valid(name) or canonical(name) != name):
            self.fault("name", name, "must be a canonical name (PEP 503)")
        return name

    def root(self, table: Mapping[str, Any]) -> Root:
        kind = table.get("kind", "registry")
        words = [each.value for each in RootKind]
        if kind not in words:
            self.fault("kind", kind, f"must be one of: {', '.join(words)}")
            kind = "registry"
        requirement = self.text(table, "requirement", needed=True)
        path, registry = self.text(table, "path"), self.text(table, "registry")
        return Root(self.name(table), requirement, RootKind(kind), path, registry)

    def chosen(self, table: Mapping[str, Any]) -> Chosen:
        version = self.text(table, "version", needed=True)
        if version and not is_version(version):
            self.fault("version", version, "must be a version (PEP 440)")
        wheel = None
        if table.get("wheel") is not None:
            wheel = next(iter(self.each({"wheel": [table["wheel"]]}, "wheel", self.wheel)), None)
        return Chosen(
            self.name(table),
            version,
            wheel,
            tuple(self.each(table, "wheels", self.wheel)),
            self.texts(table, "requires"),
            self.text(table, "registry"),
            self.text(table, "signer"),
            tuple(self.each(table, "plugins", self.plugin)),
            self.text(table, "editable"),
        )

    def wheel(self, table: Mapping[str, Any]) -> WheelRef:
        file, url = self.text(table, "file", needed=True), self.text(table, "url")
        if "/" in file or "\\" in file:
            self.fault("file", file, "must be the name of a file")
        sha256 = self.text(table, "sha256", needed=True)
        if sha256 and not _DIGEST.fullmatch(sha256):
            self.fault("sha256", sha256, "must be 64 hexadecimal digits")
        return WheelRef(file, url, sha256, *(self._number(table, n) for n in ("size", "uploaded")))

    def _number(self, table: Mapping[str, Any], key: str) -> Optional[int]:
        value = table.get(key)
        if value is None or (type(value) is int and value >= 0):
            return value
        self.fault(key, value, "must be a number from 0 on, or null")
        return None

    def plugin(self, table: Mapping[str, Any]) -> Optional[PluginMetadata]:
        manifest = table.get("manifest", {})
        if not isinstance(manifest, dict):
            self.fault("manifest", manifest, "must be an object")
            return None
        name = self.text(table, "name", needed=True)
        version, summary = self.text(table, "version"), self.text(table, "summary")
        try:
            return PluginMetadata(
                manifest,
                default_name=name,
                default_version=version or None,
                default_summary=summary or None,
            )
        except ManifestError as e:
            self.fault("manifest", name, e.message)
            return None
