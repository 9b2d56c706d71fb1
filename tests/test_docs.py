"""The documentation holds: its code runs, its links lead somewhere, no error is missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

import pytest

import pkl.errors
from tests.doc_page import ROOT, PageError, blocks_of, compare

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def name_of(page: Path) -> str:
    """How a page is called in a test's name."""
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "tests" / "doc_page.py"), str(page)],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        env={**os.environ, "PKL_HOME": str(tmp_path / ".home")},
    )
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_links_of_a_page_lead_to_files(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (page.parent / target).exists()]


def error_sections() -> Dict[str, str]:
    """The sections of ``docs/errors.md`` by the name of the class."""
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    parts = [part.partition("\n") for part in re.split(r"^##+ ", text, flags=re.MULTILINE)]
    return {name: body for name, _, body in parts if name.isidentifier() and "lso a" in body}


ERRORS = [
    each
    for each in (getattr(pkl.errors, name) for name in pkl.errors.__all__)
    if issubclass(each, (Exception, Warning)) and each is not pkl.errors.PklError
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: str(error.__name__))
def test_an_error_is_documented_with_its_code_and_exit_status(error: type) -> None:
    facts, meaning, remedy = error_sections()[error.__name__].strip().split("\n\n")[:3]
    if issubclass(error, pkl.errors.PklError):
        assert facts.startswith(f"`{error.code}`, exit {error.exit_status}, also a")
    builtins = set(re.findall(r"`(\w+)`", facts.partition("lso a")[2]))
    assert builtins
    assert builtins <= {each.__name__ for each in error.__mro__}
    assert meaning.endswith(".")
    assert remedy.startswith("What to do: ")


def test_no_error_is_documented_that_is_gone() -> None:
    assert set(error_sections()) == {error.__name__ for error in ERRORS}


def write(page: Path, *lines: str) -> Path:
    """A page of these lines."""
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return page


def run(page: Path) -> "subprocess.CompletedProcess[str]":
    """Runs a page of its own."""
    return subprocess.run(
        [sys.executable, str(ROOT / "tests" / "doc_page.py"), str(page)],
        cwd=page.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_runner_shares_one_namespace_and_writes_files(tmp_path: Path) -> None:
    page = write(
        tmp_path / "page.md",
        *("<!-- file: there/mod.py -->", "```python", "x = 41", "```"),
        *("```python", "from there.mod import x", "y = x + 1", "```"),
        *("```python", "print(y)", "```"),
        *("<!-- output -->", "```text", "42", "```"),
        *("<!-- run -->", "```console", "$ cat there/mod.py", "x = 41", "```"),
        *("<!-- no-run -->", "```python", "nowhere()", "```"),
    )
    ran = run(page)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize(
    "lines",
    [
        ("```python", "nowhere()", "```"),
        ("```python", "print(1)", "```", "<!-- output -->", "```text", "2", "```"),
        ("<!-- run -->", "```console", "$ false", "```"),
        ("<!-- run -->", "```console", "$ echo a", "b", "```"),
        ("<!-- run: exits 3 -->", "```sh", "exit 2", "```"),
    ],
)
def test_the_runner_fails_on_a_page_that_does_not_hold(lines: List[str], tmp_path: Path) -> None:
    assert run(write(tmp_path / "page.md", *lines)).returncode != 0


def test_a_traceback_has_the_line_of_the_page(tmp_path: Path) -> None:
    page = write(tmp_path / "page.md", "Text.", "", "```python", "x = 1", "nowhere()", "```")
    assert 'page.md", line 5' in run(page).stdout


def test_a_misspelt_comment_is_refused(tmp_path: Path) -> None:
    page = write(tmp_path / "page.md", "<!-- norun -->", "```python", "```")
    with pytest.raises(PageError, match=r"page\.md:1"):
        list(blocks_of(page))


def test_dots_on_a_line_stand_for_any_lines() -> None:
    compare("a\n...\nd\n", "a\nb\nc\nd\n", "here")
    compare("a\n...\nd\n", "a\nd\n", "here")
    with pytest.raises(PageError):
        compare("a\n...\nd\n", "a\nb\n", "here")
