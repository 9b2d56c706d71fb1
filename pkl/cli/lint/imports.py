"""Imports of ``pkl.plugins.x`` in a plugin's code, found in its syntax tree."""

from __future__ import annotations

import ast
from typing import Iterator, List, NamedTuple, Optional, Set

__all__ = ["Use", "bound_names", "uses_of"]

_PACKAGE = "pkl.plugins"


class Use(NamedTuple):
    """A place where code reaches for another plugin."""

    identifier: str
    """The plugin's name as an identifier, such as ``my_plugin``."""
    line: int


def uses_of(tree: ast.AST) -> List[Use]:
    """Every plugin that a module imports or takes as an attribute of ``pkl.plugins``.

    What only a type checker reads (``if TYPE_CHECKING:``) is left out; what stands inside a
    function counts.
    """
    found = _Reader()
    found.visit(tree)
    return found.uses


class _Reader(ast.NodeVisitor):
    def __init__(self) -> None:
        self.uses: List[Use] = []
        self.packages: Set[str] = {_PACKAGE}
        """The dotted names that mean ``pkl.plugins`` here."""

    def add(self, rest: str, line: int) -> None:
        name = rest.split(".")[0]
        if name and not name.startswith("_"):
            self.uses.append(Use(name, line))

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name.startswith(f"{_PACKAGE}."):
                self.add(alias.name[len(_PACKAGE) + 1 :], node.lineno)
            elif alias.name == "pkl" and alias.asname:
                self.packages.add(f"{alias.asname}.plugins")
            elif alias.name == _PACKAGE and alias.asname:
                self.packages.add(alias.asname)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level:
            return
        if module == _PACKAGE:
            for alias in node.names:
                if alias.name != "*":
                    self.add(alias.name, node.lineno)
        elif module.startswith(f"{_PACKAGE}."):
            self.add(module[len(_PACKAGE) + 1 :], node.lineno)
        elif module == "pkl":
            for alias in node.names:
                if alias.name == "plugins":
                    self.packages.add(alias.asname or "plugins")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if _dotted(node.value) in self.packages:
            self.add(node.attr, node.lineno)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        called = node.func
        name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
        first = node.args[0] if node.args else None
        if name in ("import_module", "__import__") and isinstance(first, ast.Constant):
            module = first.value
            if isinstance(module, str) and module.startswith(f"{_PACKAGE}."):
                self.add(module[len(_PACKAGE) + 1 :], node.lineno)
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        test = node.test
        if "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", "")):
            for child in node.orelse:
                self.visit(child)
        else:
            self.generic_visit(node)


def _dotted(node: ast.AST) -> Optional[str]:
    """``a.b.c`` as text, or None for anything else."""
    parts: List[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])


def bound_names(tree: ast.Module) -> Optional[Set[str]]:
    """The names that a module binds at its top level; None if that cannot be told.

    A star import or a module's own ``__getattr__`` may supply any name.
    """
    found: Set[str] = set()
    for node in _top_level(tree.body):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                if alias.name == "*":
                    return None
                found.add(alias.asname or alias.name.split(".")[0])
        else:
            # Assignments in any form, with walruses and loop variables among them.
            for each in ast.walk(node):
                if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                    found.add(each.id)
    return None if "__getattr__" in found else found


def _top_level(body: List[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        for name in ("body", "orelse", "finalbody"):
            if isinstance(node, (ast.If, ast.Try, ast.With, ast.For, ast.While)):
                yield from _top_level(getattr(node, name, []))
        if isinstance(node, ast.Try):
            for handler in node.handlers:
                yield from _top_level(handler.body)
