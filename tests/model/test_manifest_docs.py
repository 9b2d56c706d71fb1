"""``docs/manifest.md`` has every key, and its examples are valid."""

from __future__ import annotations

import re
from typing import Mapping

import pytest

from pkl.model.checking import Rule
from pkl.model.manifest import PluginMetadata, parse_manifest_text
from pkl.model.rules import LIMITS, PERMISSIONS, RULES
from tests.doc_page import ROOT, blocks_of

PAGE = ROOT / "docs" / "manifest.md"
SECTIONS = {
    title: body
    for title, _, body in (
        part.partition("\n") for part in re.split(r"^### ", PAGE.read_text("utf-8"), flags=re.M)[1:]
    )
}


def test_every_key_has_a_section() -> None:
    assert SECTIONS.keys() == RULES.keys()


@pytest.mark.parametrize(("section", "rules"), [("permissions", PERMISSIONS), ("limits", LIMITS)])
def test_every_key_of_a_table_has_a_row_with_a_valid_example(
    section: str, rules: Mapping[str, Rule]
) -> None:
    rows = re.findall(r"^\| `([^`]+)` \|.*\| `([^`]+)` \|$", SECTIONS[section], flags=re.M)
    assert {key for key, _ in rows} == rules.keys()
    text = f'name = "a"\n[{section}]\n' + "".join(f"{key} = {value}\n" for key, value in rows)
    PluginMetadata(parse_manifest_text(text, "toml"))


def test_every_example_of_a_whole_manifest_is_valid_and_one_has_every_key() -> None:
    found = [
        parse_manifest_text(block.text, block.language)
        for block in blocks_of(PAGE)
        if block.language in ("toml", "json")
    ]
    for data in found:
        PluginMetadata(data)
    assert any(data.keys() == RULES.keys() for data in found)


def test_every_activation_and_requirement_of_the_tables_is_valid() -> None:
    words = re.findall(r'^\| `"([^`]+)"` \|', SECTIONS["activation"], flags=re.M)
    needs = re.findall(r'^\| `"([^`]+)"` \|', PAGE.read_text("utf-8"), flags=re.M)
    needs = [each for each in needs if each not in words]
    assert len(words) > 5
    assert len(needs) > 5
    PluginMetadata({"name": "a", "activation": words, "requires": needs})
