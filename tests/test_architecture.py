"""The house of pkl: what may import what, how large a module may be, and what ``import pkl`` costs.

The order is the one that the design states: a package imports only what stands above it here, and
packages on one line do not know each other.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from typing import Dict, Iterator, List, Sequence, Set

import pytest

import pkl
import pkl.errors
from tests.source_tree import (
    FUNCTION,
    MODULES,
    PACKAGE,
    ROOT,
    TYPING,
    UNKNOWN,
    Import,
    all_imports,
    parse,
    public_definitions,
)

ORDER: Sequence[Set[str]] = [
    {"version", "errors", "names"},
    {"paths", "files"},
    {"model"},
    {"resolver", "render"},
    {"kernel"},
    {"discovery", "registry", "store", "observe"},
    {"loader"},
    {"isolation", "supervision"},
    {"install"},
    {"control"},
    {"host"},
    {"plugins"},
    {"web", "testing"},
    {"cli"},
    {"__main__"},
    {"__init__"},
]

LATE: Dict[str, Set[str]] = {
    # The lazy public names.
    "pkl": {"pkl.version", "pkl.host", "pkl.plugins", "pkl.kernel.context", UNKNOWN},
    # Extras, and what Pythons before 3.11 need in place of tomllib.
    "pkl.model.manifest_text": {"tomli", "tomllib", "yaml"},
    # Libraries that cost more than a warm start.
    "pkl.model.marker": {"packaging.markers", "platform"},
    "pkl.model.requirement": {"packaging.requirements"},
    "pkl.model.json_schema": {
        "jsonschema",
        "jsonschema.exceptions",
        "referencing",
        "referencing.jsonschema",
    },
    "pkl.model.version": {"packaging.specifiers", "packaging.version"},
    "pkl.paths": {"platformdirs"},
    # Each verb is imported when it is used.
    "pkl.cli": {"pkl.cli.app"},
    "pkl.cli.app": {"pkl.errors", "traceback"},
    "pkl.cli.info": {"pkl.cli.uninstalled"},
    "pkl.cli.lazy_group": {UNKNOWN},
    "pkl.cli.application": {UNKNOWN, "pkl.host", "pkl.host.looking"},
    "pkl.cli.graph": {
        "pkl.render.dot",
        "pkl.render.html",
        "pkl.render.mermaid",
        "pkl.render.svg",
        "pkl.render.tree",
        "pkl.render.waves",
        "shutil",
        "subprocess",
    },
    "pkl.cli.resolve": {"pkl.cli.catalog", "pkl.registry.reaching"},
    "pkl.cli.scope": {
        "pkl.cli.application",
        "pkl.cli.points",
        "pkl.cli.recorded",
        "pkl.discovery",
        "pkl.install.environment.generations",
        "pkl.install.environment.standing",
        "pkl.registry.revocation",
        "pkl.store",
    },
    "pkl.cli.session": {"pkl.render.as_json", "pkl.render.terminal"},
    # The heavy part of the standard library, off the warm path.
    "pkl.discovery.archive": {"zipfile"},
    "pkl.discovery.backport": {"importlib_metadata"},
    "pkl.discovery.directories": {"pathlib"},
    "pkl.discovery.editable": {"ast", "json", "urllib.parse"},
    "pkl.discovery.package_manifest": {"base64", "hashlib"},
    # What a warm cache makes needless costs more to import than the whole warm discovery.
    "pkl.discovery": {UNKNOWN},
    "pkl.discovery.environment": {
        "pkl.discovery.directories",
        "pkl.discovery.editable",
        "pkl.discovery.reading",
        "pkl.discovery.unfound",
    },
    "pkl.host.host": {"asyncio"},
    # Most hosts know no registry.
    "pkl.host.planning": {
        "pkl.registry.catalog",
        "pkl.registry.client",
        "pkl.registry.reaching",
    },
    "pkl.host.wishes": {"pkl.registry.revocation"},
    # Most hosts have no generation.
    "pkl.install.environment.places": {"_sha2", "_sha256", "hashlib"},
    "pkl.install.environment.pinning": {"pkl.install.environment.marks"},
    "pkl.kernel.plugin": {"pathlib"},
    "pkl.kernel.runner": {"asyncio"},
    "pkl.loader.lines": {"linecache"},
    "pkl.loader.wrapped": {"importlib.readers"},
    "pkl.names": {"difflib"},
    "pkl.render.terminal": {"unicodedata"},
    "pkl.store.naming": {"hashlib"},
    # A registry is asked only on request, and one that is a directory needs no network.
    "pkl.registry.fitting": {"packaging.tags"},
    "pkl.registry.transport": {
        "email.utils",
        "http.client",
        "pkl.registry.address",
        "pkl.registry.connection",
        "socket",
        "ssl",
        "urllib.parse",
    },
    # Importing plugins is what the loader is for.
    "pkl.loader.importlib_bootstrap": {UNKNOWN},
    "pkl.loader.load": {UNKNOWN},
    "pkl.loader.target": {UNKNOWN, "zipimport"},
}
"""What each module may import inside a function: extras, what is heavy, and the lazy public names.

``*`` is an ``import_module`` or ``__import__`` whose argument is computed.
"""

TOP_LEVEL = {"LICENSE", "README.md", "docs", "pkl", "pkl_plugins_examples", "pyproject.toml"}
TOP_LEVEL |= {"tests", "tox.ini"}

LONGEST = 400
"""Lines that a module may have."""

NAMELESS = {"common", "helper", "helpers", "misc", "util", "utils"}
"""File names that say nothing."""

HEAVY = ["asyncio", "click", "importlib_metadata", "inspect", "logging", "packaging"]
HEAVY += ["platformdirs", "ssl", "yaml"]
"""What a plain ``import pkl`` must leave alone."""

IMPORTS = [each for each in all_imports() if each.target.split(".")[0] == "pkl"]


def package_of(module: str) -> str:
    """The part of ``pkl`` that a module is in: ``kernel`` for ``pkl.kernel.event``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def line_of(module: str) -> int:
    """The line of ORDER on which a module's package stands."""
    return next(i for i, line in enumerate(ORDER) if package_of(module) in line)


def report(imports: Sequence[Import]) -> str:
    """One line for each import."""
    return "\n".join(sorted(map(str, imports)))


def test_every_package_has_its_place_in_the_order() -> None:
    placed = set().union(*ORDER)
    assert {package_of(name) for name in MODULES} <= placed


def test_a_package_imports_only_what_stands_above_it() -> None:
    """Imports for the type checker and those inside functions are no exception."""
    wrong = [
        each
        for each in IMPORTS
        if package_of(each.importer) not in ("__init__", package_of(each.target))
        and line_of(each.target) >= line_of(each.importer)
    ]
    assert not wrong, f"against the order of the packages:\n{report(wrong)}"


def test_no_module_imports_itself_through_others() -> None:
    """Inside packages too; imports that only the type checker sees do not run, so they may."""
    edges: Dict[str, List[str]] = {name: [] for name in MODULES}
    for each in IMPORTS:
        if each.kind != TYPING and each.importer != "pkl":
            edges[each.importer].append(each.target)
    assert not (cycle := first_cycle(edges)), " -> ".join(cycle)


def first_cycle(edges: Dict[str, List[str]]) -> List[str]:
    """The modules of one import cycle, or nothing."""
    done: Set[str] = set()
    trail: List[str] = []

    def visit(name: str) -> List[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done:
            return []
        trail.append(name)
        found = next(filter(None, map(visit, edges.get(name, ()))), [])
        trail.pop()
        done.add(name)
        return found

    return next(filter(None, map(visit, sorted(edges))), [])


def test_the_cycle_finder_finds_a_cycle_behind_a_tail() -> None:
    assert first_cycle({"a": ["b"], "b": ["c"], "c": ["d"], "d": ["b"]}) == ["b", "c", "d", "b"]
    assert first_cycle({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}) == []


def test_functions_import_only_what_is_listed_here() -> None:
    wrong = [
        each
        for each in all_imports()
        if each.kind == FUNCTION and each.target not in LATE.get(each.importer, ())
    ]
    assert not wrong, f"add to LATE only extras and what is heavy:\n{report(wrong)}"


def test_no_listed_late_import_is_gone() -> None:
    used = {(each.importer, each.target) for each in all_imports() if each.kind == FUNCTION}
    listed = {(module, target) for module, targets in LATE.items() for target in targets}
    assert not listed - used


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_module_is_short(name: str) -> None:
    lines = len(MODULES[name].read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST, f"{name} has {lines} lines: split it by duty"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_everything_public_says_what_it_is(name: str) -> None:
    """A method may leave it to the base class or Protocol of pkl that it implements."""
    tree = parse(MODULES[name])
    assert ast.get_docstring(tree), f"{name} has no docstring"
    bare = [
        f"{name}:{each.lineno} {each.name}"
        for each in public_definitions(tree.body)
        if not ast.get_docstring(each) and each.name not in PROMISED
    ]
    assert not bare, "without a docstring:\n" + "\n".join(bare)


def promised() -> Iterator[str]:
    """The documented methods of pkl's Protocols and base classes (of classes that have heirs)."""
    classes = {
        node.name: node
        for path in MODULES.values()
        for node in parse(path).body
        if isinstance(node, ast.ClassDef)
    }
    heirs = {base.id for c in classes.values() for base in c.bases if isinstance(base, ast.Name)}
    for name, node in classes.items():
        bases = {getattr(base, "id", "") for base in node.bases}
        if name in heirs or "Protocol" in bases:
            for each in public_definitions(node.body):
                if ast.get_docstring(each):
                    yield each.name


PROMISED = set(promised())


def test_the_top_level_holds_nothing_else() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    names = listed.stdout.splitlines() if listed.returncode == 0 else os.listdir(ROOT)
    found = {name.split("/")[0] for name in names}
    assert {name for name in found if not name.startswith(".")} <= TOP_LEVEL


def test_every_file_is_named_after_what_it_does() -> None:
    folders = [PACKAGE, ROOT / "tests", ROOT / "docs", ROOT / "pkl_plugins_examples"]
    stems = {path.stem: path for folder in folders for path in folder.rglob("*.*")}
    assert not [str(stems[stem]) for stem in NAMELESS & set(stems)]


def in_a_fresh_interpreter(code: str) -> Dict[str, object]:
    """What ``code`` puts into ``out``; ``before`` holds the modules of a bare start."""
    lines = [
        "import json, sys, _thread",
        f"sys.path.insert(0, {str(PACKAGE.parent)!r})",
        "before, out = set(sys.modules), {}",
        code,
        "sys.stdout.write(json.dumps(out))",
    ]
    ran = subprocess.run(
        [sys.executable, "-I", "-B", "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    loaded = json.loads(ran.stdout)
    assert isinstance(loaded, dict)
    return loaded


def test_import_pkl_imports_nothing_heavy_and_creates_no_host() -> None:
    out = in_a_fresh_interpreter(
        "import pkl\n"
        "out['new'] = sorted(n for n in set(sys.modules) - before if n.startswith('pkl'))\n"
        f"out['heavy'] = sorted((set(sys.modules) - before) & set({HEAVY!r}))\n"
        "out['threads'] = _thread._count()"
    )
    assert out == {"new": ["pkl"], "heavy": [], "threads": 0}


def test_import_pkl_opens_no_file_but_its_own_source() -> None:
    out = in_a_fresh_interpreter(
        "opened = []\n"
        "sys.addaudithook(lambda name, args: name == 'open' and opened.append(str(args[0])))\n"
        "import pkl\n"
        "out['opened'] = [n for n in opened if not n.endswith(('.py', '.pyc'))]"
    )
    assert out == {"opened": []}


def test_using_every_public_name_starts_no_thread_and_imports_no_click_and_no_asyncio() -> None:
    out = in_a_fresh_interpreter(
        "import pkl\n"
        "for name in pkl.__all__: getattr(pkl, name)\n"
        "heavy = {'click', 'asyncio', 'ssl', 'yaml', 'importlib_metadata'}\n"
        "out['heavy'] = sorted((set(sys.modules) - before) & heavy)\n"
        "out['threads'] = _thread._count()"
    )
    assert out == {"heavy": [], "threads": 0}


def test_a_kernel_name_alone_is_enough_to_declare_a_host_event() -> None:
    """The first name that anybody takes from pkl wires the default host."""
    in_a_fresh_interpreter("from pkl import event\n@event\ndef opened(): pass\nopened()")


@pytest.mark.parametrize("name", sorted(pkl.__all__))
def test_a_public_name_can_be_imported(name: str) -> None:
    assert getattr(pkl, name) is not None


def test_dir_and_all_agree() -> None:
    assert sorted(dir(pkl)) == sorted(pkl.__all__)


def test_every_error_is_public() -> None:
    assert set(pkl.errors.__all__) <= set(pkl.__all__)


def test_type_checkers_see_every_public_name() -> None:
    declared = {
        name
        for node in ast.walk(parse(PACKAGE / "__init__.py"))
        if isinstance(node, ast.ImportFrom) and node.level
        for name in [alias.asname for alias in node.names]
    }
    assert declared | {"__version__", "plugins"} == set(pkl.__all__)


def test_a_misspelt_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="PlugnHost"):
        pkl.PlugnHost  # type: ignore[attr-defined]  # noqa: B018


def test_the_current_plugin_is_asked_for_at_each_access() -> None:
    """Outside of any plugin it raises, and it is never kept in the module."""
    with pytest.raises(pkl.NoCurrentPlugin):
        pkl.this  # noqa: B018
    assert "this" not in vars(pkl)
