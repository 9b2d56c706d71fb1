"""What a plugin declares about itself, checked as a whole and kept as values."""

from __future__ import annotations

import re
from collections.abc import Mapping as AnyMapping
from types import MappingProxyType
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ..errors import Fault, ManifestError
from ..names import canonical
from .checking import Checker, dotted, table_of
from .manifest_text import MANIFEST_FILES, parse_manifest_text
from .requirement import Provided, Requirement
from .rules import RULES

__all__ = ["MANIFEST_FILES", "PluginMetadata", "parse_manifest_text"]

MAX_DEPTH = 32
"""How deep tables and lists of a manifest may be nested."""
MAX_VALUES = 100_000
"""How many values a manifest may hold, counted as often as they are reached."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_TABLES = {"permissions", "limits", "calls", "supervision", "config", "contributes"}
_HYPHENATED = {"requires-host", "requires-python"}
_read_all = table_of(RULES)
_ORDERED = ("requires", "wants", "after", "before")


class _TooMuch(Exception):
    """A value is nested too deeply or holds too much."""


class PluginMetadata:
    """A plugin's manifest, valid as a whole and immutable.

    ``PluginMetadata({"name": "audit", "version": "1.4.0", "requires": ["auth>=1.2,<2"]})``;
    the keys are those of a manifest file (``docs/manifest.md``).

    Attributes:
        name: The canonical name; with ``fold=False`` the name as it is.
        display_name: The name as it was written.
        version: The version text, ``"0"`` where none is stated.
        summary: One line on what the plugin does; may be empty.
        entrypoint: Dotted name of the module inside the package, ``plugin`` by default.
        requires: What it needs, and is bound to.
        wants: What it would like to have.
        after: What it starts after, if both are in the plan.
        before: What it starts before, if both are in the plan.
        conflicts: What it cannot run beside.
        provides: The capabilities it states, its own name not counted.
        requires_host: Version specifier of the host; empty for any.
        requires_python: Version specifier of Python; empty for any.
        tier: The least confinement it accepts: ``in-process``, ``process`` or ``sandbox``.
        activation: When it is started, such as ``startup`` or ``event:auth.user_login``.
        critical: Whether the host refuses to start without it.
        permissions: The permissions it asks for, by key.
        limits: Its limits by key; sizes in bytes, times in seconds.
        calls: What it may call, ``plugins`` and ``host``, where it restricts itself.
        supervision: How it is supervised: ``restart``.
        config: ``schema``, a path inside the package, and ``defaults``, as far as stated.
        contributes: What it states for the host to interpret.
        file: The file it was read from, or None.
        distribution: The distribution that carries it, or None.
        data: A copy of the mapping as it was given.

    Raises:
        ManifestError: With every fault that was found, not only the first.
    """

    name: str
    display_name: str
    version: str = "0"
    summary: str = ""
    entrypoint: str = "plugin"
    requires: Tuple[Requirement, ...] = ()
    wants: Tuple[Requirement, ...] = ()
    after: Tuple[Requirement, ...] = ()
    before: Tuple[Requirement, ...] = ()
    conflicts: Tuple[Requirement, ...] = ()
    provides: Tuple[Provided, ...] = ()
    requires_host: str = ""
    requires_python: str = ""
    tier: str = "in-process"
    activation: Tuple[str, ...] = ("startup",)
    critical: bool = False
    permissions: Mapping[str, Any] = _NOTHING
    limits: Mapping[str, Any] = _NOTHING
    calls: Mapping[str, Any] = _NOTHING
    supervision: Mapping[str, Any] = _NOTHING
    config: Mapping[str, Any] = _NOTHING
    contributes: Mapping[str, Any] = _NOTHING
    file: Optional[str]
    distribution: Optional[str]
    data: Mapping[str, Any]

    def __init__(
        self,
        data: Mapping[str, Any],
        *,
        file: Optional[str] = None,
        distribution: Optional[str] = None,
        default_name: Optional[str] = None,
        default_version: Optional[str] = None,
        default_summary: Optional[str] = None,
        fold: bool = True,
    ) -> None:
        """Checks the mapping against every rule.

        Args:
            data: The manifest, with the keys of a manifest file.
            file: Where it was read from, for errors.
            distribution: The distribution that carries it, for errors.
            default_name: The name if ``data`` states none; held to the same rule.
            default_version: The version if ``data`` states none; taken as it is, even where it
                is not one, for that is a fault of the distribution and not of the manifest.
            default_summary: The summary if ``data`` states none.
            fold: False in a foreign group: names are kept and accepted as they are.
        """
        checker = Checker(fold)
        given = _copied(checker, data)
        found = _read_all(checker, "", given)
        if isinstance(data, AnyMapping) and "name" not in data:
            if default_name is None:
                checker.fault("name", None, "is required: the name of the plugin")
            else:
                found["name"] = RULES["name"](checker, "name", default_name)
        display = found.get("name") or ""
        name = canonical(display) if fold else display
        version = found.get("version") or default_version or "0"
        if "provides" in found:
            found["provides"] = _capabilities(checker, name, version, found, given)
        if fold:
            _refuse_itself(checker, name, found, given)
        if checker.faults:
            raise ManifestError(
                _in_order(checker.faults, given),
                plugin=name or None,
                version=version if name else None,
                distribution=distribution,
                file=file,
                critical=given.get("critical") is True,
            )
        if default_summary and "summary" not in found:
            found["summary"] = default_summary
        for key in _TABLES & found.keys():
            found[key] = MappingProxyType(found[key])
        for key in _HYPHENATED & found.keys():
            found[key.replace("-", "_")] = found.pop(key)
        found.update(name=name, display_name=display, version=version)
        found.update(file=file, distribution=distribution, data=given)
        self.__dict__.update(found)

    @classmethod
    def bare(
        cls,
        name: str,
        version: str = "0",
        *,
        summary: str = "",
        file: Optional[str] = None,
        distribution: Optional[str] = None,
        fold: bool = True,
        critical: bool = False,
    ) -> "PluginMetadata":
        """What is left to say of a plugin whose manifest is faulty; nothing is checked.

        Args:
            name: Its name, folded unless ``fold`` is False.
            version: Its version text, whatever it is.
            summary: One line on what it does.
            file: The manifest that is at fault, or None.
            distribution: The distribution that carries it, or None.
            fold: Whether ``name`` is folded to its canonical form.
            critical: Whether it says at least that the host is not to start without it.
        """
        self = cls.__new__(cls)
        self.__dict__.update(
            name=canonical(name) if fold else name,
            display_name=name,
            version=version,
            summary=summary,
            file=file,
            distribution=distribution,
            data={"name": name, "version": version},
        )
        if critical:
            self.__dict__.update(critical=True, data={**self.data, "critical": True})
        return self

    @staticmethod
    def salvage(data: Any) -> Tuple[Optional[str], str]:
        """The name and version of a manifest that may be faulty; never raises.

        Args:
            data: Anything, such as the mapping that ``PluginMetadata`` refused.

        Returns:
            The name as written if it is a valid one, else None, and the version if it is one,
            else ``"0"``.
        """
        if not isinstance(data, AnyMapping):
            return None, "0"
        checker = Checker(fold=True)
        name, version = data.get("name"), data.get("version")
        return (
            RULES["name"](checker, "name", name),
            RULES["version"](checker, "version", version) or "0",
        )

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"PluginMetadata is immutable: cannot set {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"PluginMetadata is immutable: cannot delete {name!r}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PluginMetadata):
            return NotImplemented
        return self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((self.name, self.version, self.distribution, self.file))

    def __repr__(self) -> str:
        words = [f"name={self.display_name!r}", f"version={self.version!r}"]
        for key in ("requires", "wants", "provides"):
            if getattr(self, key):
                words.append(f"{key}={[str(each) for each in getattr(self, key)]}")
        for key in ("distribution", "file"):
            if getattr(self, key) is not None:
                words.append(f"{key}={getattr(self, key)!r}")
        return f"<PluginMetadata {' '.join(words)}>"


def _copied(checker: Checker, data: Any) -> Dict[Any, Any]:
    if not isinstance(data, AnyMapping):
        checker.fault("", data, "must be a table (a mapping of keys to values)")
        return {}
    budget = [MAX_VALUES]
    given: Dict[Any, Any] = {}
    for key, value in data.items():
        if type(value) is str:
            given[key] = value
            continue
        try:
            given[key] = _copy(value, MAX_DEPTH, budget)
        except _TooMuch as e:
            checker.fault(dotted("", key), f"<{type(value).__name__}>", str(e))
    return given


def _copy(value: Any, depth: int, budget: List[int]) -> Any:
    if isinstance(value, (list, tuple)):
        _spend(depth, budget, len(value))
        return [each if type(each) is str else _copy(each, depth - 1, budget) for each in value]
    if isinstance(value, AnyMapping):
        _spend(depth, budget, len(value))
        return {key: _copy(each, depth - 1, budget) for key, each in value.items()}
    return value


def _spend(depth: int, budget: List[int], count: int) -> None:
    if depth <= 0:
        raise _TooMuch(f"must not be nested more than {MAX_DEPTH} deep")
    budget[0] -= count
    if budget[0] < 0:
        raise _TooMuch(f"must not hold more than {MAX_VALUES} values")


def _refuse_itself(
    checker: Checker, name: str, found: Mapping[str, Any], given: Mapping[str, Any]
) -> None:
    for key in _ORDERED:
        for index, requirement in enumerate(found.get(key, ())):
            if requirement is not None and requirement.name == name:
                checker.fault(
                    f"{key}[{index}]", given[key][index], "must not name the plugin itself"
                )


def _capabilities(
    checker: Checker,
    name: str,
    version: str,
    found: Mapping[str, Any],
    given: Mapping[str, Any],
) -> Tuple[Provided, ...]:
    offered: Dict[str, Provided] = {}
    for index, each in enumerate(found["provides"]):
        if each is None:
            continue
        path, value = f"provides[{index}]", given["provides"][index]
        provided = Provided(each.name, each.version or version)
        if provided.name in offered:
            checker.fault(path, value, f"must provide {provided.name!r} only once")
        elif provided.name == name and provided.version != version:
            checker.fault(
                path, value, f"a plugin provides its own name at its own version, {version}"
            )
        offered[provided.name] = provided
    offered.pop(name, None)
    return tuple(offered.values())


def _in_order(faults: List[Fault], given: Mapping[Any, Any]) -> List[Fault]:
    """The faults in the order of the keys in the manifest, what is missing first."""
    places = {dotted("", key): place for place, key in enumerate(given)}

    def place(fault: Fault) -> int:
        top = re.split(r"[.\[]", fault.path)[0]
        return places.get(fault.path, places.get(top, -1))

    return sorted(faults, key=place)
