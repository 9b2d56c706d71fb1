"""Where an editable installation says its modules lie, read and never executed.

Each build backend has its own way: a line in a ``.pth`` file (flit, hatchling, poetry-core,
uv_build, pdm-backend, setuptools with a ``src`` layout), a generated finder module with a table
in it (setuptools with a flat layout or in strict mode, and whoever uses ``editables``), and in
any case ``direct_url.json`` (PEP 610), which installers write.
"""

from __future__ import annotations

import os
import re
from typing import Any, Iterator, List, NamedTuple, Optional, Tuple

from .distribution import Distribution
from .tree import DirectoryTree

__all__ = ["Place", "editable_project", "is_editable", "places"]

_PROJECT_LAYOUTS = ("src", "", "lib", "python")


class Place(NamedTuple):
    """Somewhere that a module may lie.

    Attributes:
        module: The dotted module that ``path`` is; empty if ``path`` holds top-level modules.
        path: An absolute path.
        declared_in: The file that says so.
    """

    module: str
    path: str
    declared_in: str


def editable_project(distribution: Distribution) -> Optional[str]:
    """The directory of the project that was installed in editable mode; None if it was not."""
    text = distribution.text("direct_url.json")
    if not text or '"editable"' not in text:
        return None
    import json

    try:
        found = json.loads(text)
        if found["dir_info"]["editable"] is not True:
            return None
        url = found["url"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return _path_of(url) if isinstance(url, str) and url.startswith("file:") else None


def is_editable(path: str, info: str) -> bool:
    """Whether the distribution whose information directory is ``info`` in ``path`` is editable."""
    return editable_project(Distribution(DirectoryTree(path), info)) is not None


def _path_of(url: str) -> str:
    from urllib.parse import unquote

    path = url[5:]
    if path.startswith("//"):
        path = "/" + path[2:].partition("/")[2]
    path = unquote(path)
    if os.name == "nt":
        return os.path.normpath(path.lstrip("/"))
    return path


def places(distribution: Distribution, project: Optional[str]) -> Iterator[Place]:
    """Where the modules of an editable distribution may lie, best first.

    Args:
        distribution: An installed distribution; files are looked for through its RECORD.
        project: What ``editable_project`` says of it.
    """
    if distribution.tree.archive:
        return
    recorded = _recorded(distribution)
    for name in recorded:
        if name.endswith(".pth"):
            yield from _pth(distribution, name)
    for name in recorded:
        if name.endswith(".py"):
            yield from _finder(distribution, name)
    if project is not None:
        declared_in = os.path.join(distribution.location, "direct_url.json")
        for layout in _PROJECT_LAYOUTS:
            yield Place("", os.path.join(project, layout) if layout else project, declared_in)


def _recorded(distribution: Distribution) -> List[str]:
    """The ``.pth`` files and top-level modules that RECORD lists."""
    names: List[str] = []
    for line in distribution.text("RECORD").splitlines():
        name = line[1:].partition('"')[0] if line.startswith('"') else line.partition(",")[0]
        if name.endswith((".pth", ".py")) and "/" not in name and "\\" not in name:
            names.append(name)
    return names


def _text(distribution: Distribution, name: str) -> str:
    """A file beside the information directory as text; empty if it cannot be read."""
    try:
        data = distribution.tree.read(name)
    except OSError:
        return ""
    return data.decode("utf-8", "replace") if data else ""


def _pth(distribution: Distribution, name: str) -> Iterator[Place]:
    base = distribution.tree.root
    for raw in _text(distribution, name).splitlines():
        line = raw.strip()
        if line and not line.startswith(("#", "import ", "import\t")):
            path = os.path.normpath(os.path.join(base, line))
            yield Place("", path, os.path.join(base, name))


_MAY_BE_FINDER = re.compile(r"MAPPING|map_module|add_to_path")


def _finder(distribution: Distribution, name: str) -> Iterator[Place]:
    """What a generated finder module maps, taken from its syntax tree."""
    text = _text(distribution, name)
    if not _MAY_BE_FINDER.search(text):
        return
    import ast

    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    base = distribution.tree.root
    for statement in body:
        for module, where in _mapped(ast, statement):
            yield Place(module, os.path.join(base, where), os.path.join(base, name))


def _mapped(ast: Any, statement: Any) -> Iterator[Tuple[str, str]]:
    """The (module, path) pairs of ``MAPPING =``, ``NAMESPACES =`` or ``F.map_module()``."""
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        named = {target.id for target in targets if isinstance(target, ast.Name)}
        if not named & {"MAPPING", "NAMESPACES"} or statement.value is None:
            return
        try:
            table = ast.literal_eval(statement.value)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            return
        for module, value in table.items() if isinstance(table, dict) else ():
            for where in value if isinstance(value, list) else [value]:
                if isinstance(module, str) and isinstance(where, str):
                    yield module, where
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        called = getattr(call.func, "attr", "")
        values = [getattr(argument, "value", None) for argument in call.args]
        words = [value for value in values if isinstance(value, str)]
        if called == "map_module" and len(words) == len(values) == 2:
            yield words[0], words[1]
        elif called == "add_to_path" and len(words) == len(values) == 1:
            yield "", words[0]
