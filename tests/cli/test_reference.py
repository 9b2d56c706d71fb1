"""``docs/cli.md`` names every verb, option, finding and field."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict

import click
import pytest

from pkl.cli.app import VERBS, app
from pkl.cli.options import global_options

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
SOURCES = {
    path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "pkl" / "cli").rglob("*.py"))
}


def sections() -> Dict[str, str]:
    """The sections of the page by their headings."""
    parts = re.split(r"^## (.*)$", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def test_every_verb_has_its_section_in_the_order_of_the_help_page() -> None:
    verbs = [title[4:] for title in sections() if title.startswith("pkl ")]
    assert verbs == list(VERBS)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_option_of_a_verb_is_in_its_section(verb: str) -> None:
    command = app.get_command(click.Context(app), verb)
    assert command is not None
    text = sections()[f"pkl {verb}"]
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            assert f"`pkl {verb} {name}" in text
            inner = command.get_command(click.Context(command), name)
            assert inner is not None
            assert_explained(inner, text, f"{verb}.{name}")
    else:
        assert_explained(command, text, verb)


def assert_explained(command: click.Command, text: str, verb: str) -> None:
    """The text names every option of a verb, and the schema of what it answers."""
    named = [name for p in command.params if not getattr(p, "hidden", True) for name in p.opts]
    assert not [name for name in named if name.startswith("-") and f"`{name}" not in text]
    assert f"`pkl.{verb}/1`" in text or f"is `pkl {command.name}`" in text


def test_every_global_option_is_in_the_table() -> None:
    text = sections()["Options of every verb"]
    named = [name for p in global_options(hidden=False) for name in p.opts]
    assert not [name for name in named if f"`{name}" not in text]


def test_every_code_of_a_finding_is_explained() -> None:
    pattern = re.compile(
        r"(?:Finding\(\s*(?:ERROR|WARNING|NOTE|severity),|error\()\s*\"([a-z-]+)\"", re.DOTALL
    )
    codes = {code for text in SOURCES.values() for code in pattern.findall(text)}
    assert len(codes) > 15
    assert not sorted(code for code in codes if f"`{code}`" not in PAGE)


def test_every_key_of_the_table_is_explained() -> None:
    from pkl.cli.project import Project

    for field in Project._fields[:-1]:
        key = field.replace("_", "-")
        assert re.search(rf"^{key} = ", PAGE, re.MULTILINE), key
