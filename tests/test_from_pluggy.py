"""docs/from-pluggy.md knows every name of pluggy's; that its code runs, test_docs.py shows."""

from __future__ import annotations

import inspect
import re
from typing import Iterator

import pluggy

from tests.doc_page import ROOT

PAGE = (ROOT / "docs" / "from-pluggy.md").read_text(encoding="utf-8")
TABLE = PAGE.split("## Every name of pluggy's")[1]
ROWS = re.findall(r"^\| (.*?) \| (.*) \|$", TABLE, flags=re.MULTILINE)[1:]
INTERFACE = (pluggy.PluginManager, pluggy.HookCaller, pluggy.Result)
MARKS = (pluggy.HookspecMarker, pluggy.HookimplMarker)


def names() -> Iterator[str]:
    """The public names of the package, of its classes, and of the options of its marks."""
    yield from (name for name in pluggy.__all__ if not name.startswith("_"))
    for each in INTERFACE:
        yield from (name for name in vars(each) if not name.startswith("_"))
    for mark in MARKS:
        yield from inspect.signature(mark.__call__).parameters


def test_every_name_of_pluggys_has_a_counterpart_or_a_reason() -> None:
    known = set(re.findall(r"\w+", " ".join(name for name, _ in ROWS)))
    assert sorted(set(names()) - known - {"self", "function"}) == []


def test_a_name_without_a_counterpart_has_a_reason() -> None:
    empty = [name for name, counterpart in ROWS if not re.search(r"\w", counterpart)]
    bare = [name for name, counterpart in ROWS if counterpart.strip() == "none"]
    assert ROWS and empty == bare == []
