"""An entry point: its name, and whether what it points at is there."""

from __future__ import annotations

from typing import Iterator, Optional, Set

from ...discovery.entry_points import check_value
from ...names import canonical, is_valid
from .code import parsed
from .finding import ERROR, Finding
from .imports import bound_names
from .manifest import check_manifest
from .subject import Located, Point, Subject

__all__ = ["check_point", "target_of"]


def target_of(subject: Subject, point: Point) -> Optional[Located]:
    """Where the module of an entry point lies among the files, or None."""
    target = check_value(point.value)
    return subject.locate(target.module) if target is not None else None


def check_point(subject: Subject, point: Point, seen: Set[str]) -> Iterator[Finding]:
    """What is wrong with an entry point.

    Args:
        subject: What states it.
        point: The entry point.
        seen: The canonical names of those before it; its own is added.
    """

    def error(code: str, message: str, hint: str) -> Finding:
        text = f"{point.name!a} = {point.value!a} in [{point.group}] {message}"
        return Finding(ERROR, code, text, subject.points_file, point.line, None, hint)

    if not is_valid(point.name):
        rule = "is not a plugin name: ASCII letters and digits, with '.', '_' and '-' inside"
        yield error("entry-point-name", rule, "rename the plugin (PEP 508)")
    elif canonical(point.name) in seen:
        rule = "is there twice: names compare without case and separators"
        yield error("entry-point-duplicate", rule, "rename one of the two")
    seen.add(canonical(point.name))
    target = check_value(point.value)
    if target is None:
        yield error("entry-point-value", "names no module", "write pkg.mod or pkg.mod:obj")
        return
    where = subject.locate(target.module)
    if where is None:
        looked = ", ".join(root or "." for root in subject.roots)
        hint = f"correct it, or add the module (looked in: {looked})"
        yield error("entry-point-target", f"points nowhere: there is no {target.module}", hint)
        return
    if target.attribute:
        name = _entry_module(subject, where, point)
        tree, _ = parsed(subject.files, name)
        bound = bound_names(tree) if tree is not None else None
        first = target.attribute.split(".")[0]
        if bound is not None and first not in bound:
            message = f"points nowhere: {name} has no {first}"
            yield error("entry-point-target", message, f"define {first} in {name}")
    folder = where.name.rpartition("/")[0]
    if not where.package and folder and subject.manifest_in(folder):
        package = target.module.rpartition(".")[0]
        message = "names a module, so the manifest beside it is not read"
        yield error("manifest-unread", message, f'name the package: {point.name} = "{package}"')


def _entry_module(subject: Subject, where: Located, point: Point) -> str:
    """The file of the module that a start imports: with a manifest, the one that it names."""
    if not where.package:
        return where.name
    for name in subject.manifest_in(where.name):
        metadata, _ = check_manifest(name, subject.files.read(name) or b"", subject, point)
        entrypoint = metadata.entrypoint if metadata is not None else "plugin"
        return f"{where.name}/{entrypoint.replace('.', '/')}.py"
    return f"{where.name}/__init__.py"
