"""A solution to the text of a lock (PEP 751): the same solution, the same bytes."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

from ...errors import UsageError
from ...model.manifest import PluginMetadata
from ...registry.address import join
from ...registry.layout import SIMPLE
from ..solution import Chosen, Solution, WheelRef
from ..wanted import HostSide, Root
from .lock import SCHEMA, Consents, LockedRegistry, file_url, path_below
from .lock_markers import environments_of, requirement_of
from .toml_text import toml_table

__all__ = ["FACTS", "facts_of", "lock_text"]

FACTS = (
    "name",
    "version",
    "requires",
    "wants",
    "after",
    "before",
    "conflicts",
    "provides",
    "requires-host",
    "requires-python",
    "tier",
    "activation",
    "critical",
    "permissions",
    "limits",
)
"""What of a manifest is in a lock: all that decides whether, when and with which rights it runs."""

_HEAD = """\
# Made by pkl: "pkl lock" renews it, "pkl sync" installs it, and so do pip and uv.
lock-version = "1.0"
"""


def lock_text(
    solution: Solution,
    *,
    host: HostSide,
    directory: str,
    registries: Iterable[LockedRegistry] = (),
    consents: Optional[Consents] = None,
    environment: Optional[Mapping[str, str]] = None,
) -> str:
    """The text of the lock for a solution.

    Files below the lock's directory are named by relative paths, others by their URL.

    Args:
        solution: What was solved.
        host: For which host.
        directory: Where the lock will lie, absolute.
        registries: Those that are known; the ones that something is from are in the lock.
        consents: What was consented to; that of the plugins in it is in the lock.
        environment: Marker values that replace those of the running Python.

    Raises:
        UsageError: An editable project lies outside of the lock's directory.
    """
    chosen = sorted(solution.chosen, key=lambda each: each.name)
    known = {each.name: each for each in registries}
    used = {each.registry for each in chosen}
    asked = [text for each in chosen for text in _asked(each)]
    top: Dict[str, Any] = {}
    environments = environments_of(asked, environment)
    if environments:
        top["environments"] = list(environments)
    pythons = _specifiers(plugin.requires_python for each in chosen for plugin in each.plugins)
    if pythons:
        top["requires-python"] = pythons
    top["created-by"] = "pkl"
    lines = toml_table(top)
    if not chosen:
        lines.append("packages = []")
    for each in chosen:
        package = _package(each, chosen, known, directory)
        lines += ["", *toml_table(package, "packages", repeated=True)]
        own = _own(each)
        if own:
            lines += ["", *toml_table(own, "packages", "tool", "pkl")]
    lines += ["", *_tool(solution, chosen, host, directory, consents or {})]
    for registry in sorted(each for each in known.values() if each.name in used):
        row = {key: value for key, value in registry._asdict().items() if value}
        lines += ["", *toml_table(row, "tool", "pkl", "registries", repeated=True)]
    return _HEAD + "\n".join(lines) + "\n"


def _asked(each: Chosen) -> List[str]:
    """Every requirement that a distribution or a plugin of it states."""
    own = [r.text for plugin in each.plugins for r in (*plugin.requires, *plugin.wants)]
    return [*each.requires, *own]


def _specifiers(texts: Iterable[str]) -> str:
    clauses = {clause.strip() for text in texts for clause in text.split(",") if clause.strip()}
    return ",".join(sorted(clauses))


def _package(
    each: Chosen,
    chosen: Sequence[Chosen],
    registries: Mapping[str, LockedRegistry],
    directory: str,
) -> Dict[str, Any]:
    """A distribution as PEP 751 has it."""
    package: Dict[str, Any] = {"name": each.name}
    if not each.editable:
        package["version"] = each.version
    pythons = _specifiers(plugin.requires_python for plugin in each.plugins)
    if pythons:
        package["requires-python"] = pythons
    locked = {other.name for other in chosen}
    needed = {requirement_of(text).name for text in each.requires if _counts(text)}
    if needed & locked:
        package["dependencies"] = [{"name": name} for name in sorted(needed & locked - {each.name})]
    if each.editable:
        path = path_below(directory, each.editable)
        if path is None:
            raise UsageError(
                f"the lock would lie in {directory}, and cannot name the editable project "
                f"{each.editable}, which is outside of it",
                hint=f"pkl uninstall {_called(each)}, or --lock FILE in a directory above both",
            )
        package["directory"] = {"path": path, "editable": True}
        return package
    registry = registries.get(each.registry)
    if registry is not None:
        package["index"] = join(registry.url, SIMPLE)
    wheels = each.wheels or ((each.wheel,) if each.wheel is not None else ())
    package["wheels"] = [_wheel(wheel, directory) for wheel in sorted(wheels)]
    return package


def _counts(text: str) -> bool:
    """Whether a requirement may ask for something that is in the lock."""
    marker = requirement_of(text).marker
    return marker is None or "extra" not in marker


def _called(each: Chosen) -> str:
    return each.plugins[0].name if each.plugins else each.name


def _wheel(wheel: WheelRef, directory: str) -> Dict[str, Any]:
    row: Dict[str, Any] = {"name": wheel.file}
    if wheel.uploaded is not None:
        row["upload-time"] = datetime.fromtimestamp(wheel.uploaded, timezone.utc)
    path = path_below(directory, wheel.url)
    row.update({"path": path} if path is not None else {"url": wheel.url})
    if wheel.size is not None:
        row["size"] = wheel.size
    row["hashes"] = {"sha256": wheel.sha256}
    return row


def _own(each: Chosen) -> Dict[str, Any]:
    """What pkl has to know of a distribution, beyond what PEP 751 has."""
    row: Dict[str, Any] = {}
    if each.editable:
        row["version"] = each.version  # That of PEP 751 is for what cannot change.
    if each.requires:
        row["requires"] = list(each.requires)
    if each.registry:
        row["registry"] = each.registry
    if each.signer:
        row["signer"] = each.signer
    if each.plugins:
        row["plugins"] = [facts_of(plugin) for plugin in each.plugins]
    return row


def facts_of(plugin: PluginMetadata) -> Dict[str, Any]:
    """What a lock has of a plugin's manifest."""
    found = {key: plugin.data[key] for key in FACTS if key in plugin.data}
    found.update(name=plugin.name, version=plugin.version)
    return {key: found[key] for key in FACTS if found.get(key) not in (None, [], (), {}, "")}


def _tool(
    solution: Solution,
    chosen: Sequence[Chosen],
    host: HostSide,
    directory: str,
    consents: Consents,
) -> List[str]:
    plugins = {plugin.name for each in chosen for plugin in each.plugins}
    table: Dict[str, Any] = {
        "schema": SCHEMA,
        "host": host.name,
        "group": host.group,
        "order": [step.name for step in solution.plan.steps if step.name in plugins],
        "roots": [_root(each, directory) for each in sorted(solution.roots)],
    }
    kept = {name: dict(sorted(consents[name].items())) for name in sorted(consents)}
    kept = {name: each for name, each in kept.items() if name in plugins and each}
    if kept:
        table["consents"] = kept
    return toml_table(table, "tool", "pkl")


def _root(root: Root, directory: str) -> Dict[str, Any]:
    row: Dict[str, Any] = {"name": root.name, "requirement": root.requirement}
    row["kind"] = str(root.kind)
    if root.path:
        path = path_below(directory, root.path)
        row["path"] = file_url(root.path) if path is None else path
    if root.registry:
        row["registry"] = root.registry
    return row
