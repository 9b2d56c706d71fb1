"""Reads the source of pkl without importing it: modules, and what each imports, where and how."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Union

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "pkl"

RUN, TYPING, FUNCTION = "run", "typing", "function"
"""Imported when the module is; only under ``if TYPE_CHECKING``; when some function is called."""

UNKNOWN = "*"
"""The target of an ``import_module`` whose argument is not a literal."""


class Import(NamedTuple):
    """One import statement, or one literal ``import_module`` call."""

    importer: str
    target: str
    kind: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"


def module_name(path: Path) -> str:
    """The dotted name of a file of pkl."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES: Dict[str, Path] = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def parse(path: Path) -> ast.Module:
    """The syntax tree of a source file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


class _Reader(ast.NodeVisitor):
    def __init__(self, name: str, is_package: bool) -> None:
        self.name = name
        self.package = name if is_package else name.rpartition(".")[0]
        self.kind = RUN
        self.found: List[Import] = []

    def add(self, target: str, line: int) -> None:
        self.found.append(Import(self.name, target, self.kind, line))

    def absolute(self, level: int, module: Optional[str]) -> str:
        if not level:
            return module or ""
        base = self.package.split(".")[: len(self.package.split(".")) - level + 1]
        return ".".join(base + ([module] if module else []))

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.add(alias.name, node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = self.absolute(node.level, node.module)
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            self.add(inner if inner in MODULES else base, node.lineno)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        called = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        if called in ("import_module", "__import__"):
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                dots = len(first.value) - len(first.value.lstrip("."))
                self.add(self.absolute(dots, first.value.lstrip(".")), node.lineno)
            else:
                self.add(UNKNOWN, node.lineno)
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        test = node.test
        typing = "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", ""))
        if not typing:
            self.generic_visit(node)
            return
        self.within(TYPING, node.body)
        for child in node.orelse:
            self.visit(child)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.enter(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.enter(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.within(FUNCTION, [node.body])

    def enter(self, node: ast.AST) -> None:
        self.within(FUNCTION, list(ast.iter_child_nodes(node)))

    def within(self, kind: str, nodes: Sequence[ast.AST]) -> None:
        outer, self.kind = self.kind, kind
        for node in nodes:
            self.visit(node)
        self.kind = outer


def imports_of(name: str, path: Path) -> List[Import]:
    """Every import of one module, in order of appearance."""
    reader = _Reader(name, path.name == "__init__.py")
    reader.visit(parse(path))
    return reader.found


def all_imports() -> List[Import]:
    """Every import of every module of pkl."""
    return [each for name, path in MODULES.items() for each in imports_of(name, path)]


Definition = Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef]


def public_definitions(body: Sequence[ast.stmt]) -> Iterator[Definition]:
    """Public functions and classes of a module, and the public methods of its public classes."""
    for node in body:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        if node.name.startswith("_") or _is_variant(node):
            continue
        yield node
        if isinstance(node, ast.ClassDef):
            yield from public_definitions(node.body)


def _is_variant(node: Definition) -> bool:
    """An overload or a property's setter: its docstring is on the other definition."""
    decorators = {getattr(each, "attr", getattr(each, "id", "")) for each in node.decorator_list}
    return bool(decorators & {"overload", "setter", "deleter"})
