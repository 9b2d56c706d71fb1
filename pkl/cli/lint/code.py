"""A plugin's code: modules that cannot be parsed, and imports that nothing declares."""

from __future__ import annotations

import ast
import warnings
from typing import Iterator, Optional, Sequence, Set, Tuple

from ...model.manifest import PluginMetadata
from ...names import identifier
from .files import Files
from .finding import ERROR, Finding
from .imports import uses_of
from .known import Known
from .subject import nested_plugins

__all__ = ["check_code", "modules_of", "parsed"]


def modules_of(files: Files, folder: str) -> Sequence[str]:
    """The modules of a plugin's folder, those of its children and its tests left out."""
    inside = f"{folder}/" if folder else ""
    children = tuple(f"{child}/" for child in nested_plugins(files, folder))
    return [
        name
        for name in files.names()
        if name.startswith(inside)
        and name.endswith(".py")
        and not name.startswith(children)
        and not {"tests", "test"} & set(name[len(inside) :].split("/")[:-1])
    ]


def check_code(
    files: Files,
    modules: Sequence[str],
    metadata: Optional[PluginMetadata],
    known: Known,
    family: Sequence[str] = (),
) -> Iterator[Finding]:
    """Modules that cannot be parsed, and imports of plugins that the manifest does not name.

    Args:
        files: Where they lie.
        modules: The names of the modules.
        metadata: The plugin's manifest; without one no import is declared.
        known: What is installed here.
        family: Names of plugins that it may use all the same: its parents and children.
    """
    declared = {identifier(each) for each in family}
    if metadata is not None:
        declared.add(identifier(metadata.name))
        for each in (*metadata.requires, *metadata.wants):
            names = (each.name, *known.providers(each.name))
            declared |= {identifier(name) for name in names}
    for name in modules:
        tree, problem = parsed(files, name)
        if problem is not None:
            yield problem
        if tree is not None:
            yield from _undeclared(tree, files.shown(name), declared, metadata)


def _undeclared(
    tree: ast.Module, shown: str, declared: Set[str], metadata: Optional[PluginMetadata]
) -> Iterator[Finding]:
    for use in uses_of(tree):
        if use.identifier in declared:
            continue
        name = use.identifier.strip("_").replace("_", "-")
        what = f"imports pkl.plugins.{use.identifier}, which the manifest does not name"
        if metadata is None:
            what = f"imports pkl.plugins.{use.identifier}, and there is no manifest to name it"
        hint = f'add "{name}" to requires, or to wants if it can do without'
        yield Finding(ERROR, "undeclared-import", what, shown, use.line, None, hint)


def parsed(files: Files, name: str) -> Tuple[Optional[ast.Module], Optional[Finding]]:
    """The syntax tree of a module, or the finding that says why there is none.

    Args:
        files: Where it lies.
        name: The module's file; one that is not Python source has neither.
    """
    data = files.read(name)
    if data is None or not name.endswith(".py"):
        return None, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of invalid escapes and the like
            return ast.parse(data, name), None
    except SyntaxError as e:
        return None, Finding(ERROR, "syntax", e.msg, files.shown(name), e.lineno)
    except (ValueError, RecursionError, MemoryError) as e:
        return None, Finding(ERROR, "syntax", f"cannot be parsed: {e}", files.shown(name))
