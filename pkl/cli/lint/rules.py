"""Everything that is wrong with a subject: each of its plugins is held to every rule."""

from __future__ import annotations

import json
from typing import Dict, Iterator, List, NamedTuple, Optional, Set

from ...discovery.lines import line_of_key
from ...model.contributions import Points
from ...model.manifest import PluginMetadata
from ...names import canonical
from .audited import check_wheel
from .code import check_code, modules_of
from .contributions import breaches, unknown_points
from .dependencies import check_dependencies
from .finding import ERROR, WARNING, Finding, in_order
from .known import Known
from .manifest import check_manifest
from .packaging import left_behind
from .points import check_point, target_of
from .subject import Point, Subject, nested_plugins

__all__ = ["check_subject", "children_of"]

_COMPILED = (".so", ".pyd", ".pyc")


class _Plugin(NamedTuple):
    """A plugin of a subject: its folder, and the entry point that names it."""

    folder: str
    point: Optional[Point]


def check_subject(subject: Subject, known: Known, points: Optional[Points] = None) -> List[Finding]:
    """Everything that the rules find wrong with a subject.

    Args:
        subject: A plugin directory, a project or a wheel.
        known: What is installed here.
        points: The points of the host, or None if nobody knows them.
    """
    findings: List[Finding] = []
    plugins: Dict[str, _Plugin] = {}
    seen: Set[str] = set()
    if subject.kind == "wheel":
        findings += check_wheel(subject.files.root)
    if subject.kind == "directory":
        plugins[""] = _Plugin("", None)
    for point in subject.points:
        findings += check_point(subject, point, seen)
        where = target_of(subject, point)
        if where is not None and where.package:
            plugins.setdefault(where.name, _Plugin(where.name, point))
        elif where is not None:
            findings += check_code(subject.files, [where.name], None, known)
    for folder in list(plugins):
        for child in nested_plugins(subject.files, folder):
            plugins.setdefault(child, _Plugin(child, None))
    names = {plugin.folder: _name(subject, plugin) for plugin in plugins.values()}
    for plugin in plugins.values():
        family = [
            name
            for folder, name in names.items()
            if name and (_below(folder, plugin.folder) or _below(plugin.folder, folder))
        ]
        findings += _plugin(subject, plugin, family, seen, known, points)
    return in_order(findings)


def children_of(subject: Subject) -> List[str]:
    """The names of the plugins that lie in a plugin's own directory, as far as they can be read."""
    children = nested_plugins(subject.files, "")
    return [name for name in (_name(subject, _Plugin(each, None)) for each in children) if name]


def _below(inner: str, outer: str) -> bool:
    """Whether one folder is another or lies in it."""
    return not outer or f"{inner}/".startswith(f"{outer}/")


def _name(subject: Subject, plugin: _Plugin) -> str:
    """The plugin's name, as far as it can be read."""
    if plugin.point is not None:
        return canonical(plugin.point.name)
    for name in subject.manifest_in(plugin.folder):
        metadata, _ = check_manifest(name, subject.files.read(name) or b"", subject, None)
        if metadata is not None:
            return metadata.name
    return ""


def _plugin(
    subject: Subject,
    plugin: _Plugin,
    family: List[str],
    own: Set[str],
    known: Known,
    points: Optional[Points],
) -> Iterator[Finding]:
    files, folder, point = subject.files, plugin.folder, plugin.point
    manifests = subject.manifest_in(folder)
    metadata: Optional[PluginMetadata] = None
    if not manifests:
        yield from _without_manifest(subject, folder)
    elif len(manifests) > 1:
        listed = ", ".join(each.rpartition("/")[2] for each in manifests)
        message = f"there are several manifests, {listed}: a plugin has one"
        shown = files.shown(manifests[0])
        yield Finding(ERROR, "manifest", message, shown, hint="delete all but one")
    else:
        data, shown = files.read(manifests[0]) or b"", files.shown(manifests[0])
        metadata, found = check_manifest(shown, data, subject, point)
        yield from found
        if metadata is not None:
            text = data.decode("utf-8", "replace")
            yield from _files_of(subject, plugin, metadata, manifests[0], text)
            if points is not None and metadata.contributes:
                yield from breaches(points, metadata, shown, text)
                yield from unknown_points(points, metadata, shown, text)
            if point is not None:
                yield from check_dependencies(subject, metadata, own, known, shown, text)
    modules = modules_of(files, folder)
    for each in check_code(files, modules, metadata, known, family):
        # What a manifest declares that cannot be read is not known.
        if metadata is not None or not manifests or each.code != "undeclared-import":
            yield each


def _without_manifest(subject: Subject, folder: str) -> Iterator[Finding]:
    if (f"{folder}/plugin.py" if folder else "plugin.py") not in subject.files.names():
        return
    where = subject.files.shown(folder or ".")
    if subject.kind == "wheel":
        package = folder.replace("/", ".")
        message = "the package has a plugin.py but no manifest: plugin.toml was not packed"
        hint = f'with setuptools: [tool.setuptools.package-data] "{package}" = ["plugin.toml"]'
        yield Finding(ERROR, "package-data", message, where, hint=hint)
    else:
        message = "there is a plugin.py but no manifest, so what it requires is not known"
        hint = "add a plugin.toml with a name"
        yield Finding(WARNING, "no-manifest", message, where, hint=hint)


def _files_of(
    subject: Subject, plugin: _Plugin, metadata: PluginMetadata, name: str, text: str
) -> Iterator[Finding]:
    """What the manifest names, and whether it and the manifest will be in the wheel."""
    shown, names = subject.files.shown(name), subject.files.names()
    inside = f"{plugin.folder}/" if plugin.folder else ""
    module = inside + metadata.entrypoint.replace(".", "/")
    if not any(
        each in (f"{module}.py", f"{module}/__init__.py")
        or (each.startswith(f"{module}.") and each.endswith(_COMPILED))
        for each in names
    ):
        message = f"there is no module {metadata.entrypoint}, which a start would import"
        line = line_of_key(text, "entrypoint") or line_of_key(text, "name")
        hint = f"add {module}.py, or name another module as entrypoint"
        yield Finding(ERROR, "entry-point-target", message, shown, line, "entrypoint", hint)
    needed = [name]
    schema = metadata.config.get("schema")
    if isinstance(schema, str):
        needed.append(inside + schema)
        yield from _schema(subject, shown, inside + schema, line_of_key(text, "config.schema"))
    for each in needed if subject.kind == "project" else ():
        told = left_behind(subject, each) if each in names else None
        if told is not None:
            message = (
                f"{each} will not be in the wheel: setuptools packs only Python files by itself"
            )
            yield Finding(ERROR, "package-data", message, subject.metadata_file, hint=f"add {told}")


def _schema(subject: Subject, shown: str, name: str, line: Optional[int]) -> Iterator[Finding]:
    data = subject.files.read(name)
    if data is None:
        message = f"the schema of the settings is not there: {name}"
        yield Finding(ERROR, "package-data", message, shown, line, "config.schema", "add the file")
        return
    try:
        json.loads(data)
    except (ValueError, RecursionError) as e:
        message = f"the schema of the settings is not JSON: {e}"
        yield Finding(ERROR, "config-schema", message, subject.files.shown(name))
