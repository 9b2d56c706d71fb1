"""What docs/comparison.md says of pkl is what tests show."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "comparison.md").read_text(encoding="utf-8")
TABLES, LIST = PAGE.split("## What each yes rests on")


def rows(text: str) -> Iterator[List[str]]:
    """The rows of the tables in a text, without their heads."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0]:
            yield cells


def names_in(path: str) -> "set[str]":
    """The names of the tests in a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, functions)}


NAMED: Dict[str, Tuple[str, str]] = {}
for feature, test in rows(LIST):
    match = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", test)
    assert match is not None, test
    NAMED[feature] = (match[1], match[2])


def test_every_cell_is_yes_no_or_partly() -> None:
    tables = list(rows(TABLES))
    assert len(tables) > 40
    assert {len(row) for row in tables} == {9}
    assert {cell for row in tables for cell in row[1:]} == {"yes", "no", "partly"}


def test_behind_every_yes_of_pkl_stands_a_test_and_behind_nothing_else() -> None:
    said = [row[0] for row in rows(TABLES) if row[1] == "yes"]
    assert said == list(NAMED)


def test_every_test_that_is_named_exists() -> None:
    missing = [f"{file}::{name}" for file, name in NAMED.values() if name not in names_in(file)]
    assert not missing
