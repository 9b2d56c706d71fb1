"""Runs the code of one page of the documentation, in the current folder, as its reader would.

``python tests/doc_page.py PAGE``. Python blocks run in order in one namespace. A comment in the
line before a block says what else to do with it:

- ``<!-- file: NAME -->``: it is written to that file;
- ``<!-- output -->``: it is what was printed since the page's last such block;
- ``<!-- run -->``: it is shell (``sh``) or a terminal (``console``: lines that start with ``$`` are
  run, the lines below each are what it prints, ``...`` for any lines); every command has to exit
  with 0, or with N where the comment is ``<!-- run: exits N -->``;
- ``<!-- no-run -->``: it is Python that only illustrates.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import textwrap
import types
from contextlib import redirect_stdout
from pathlib import Path
from typing import Iterator, List, NamedTuple, Sequence, Tuple

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^( *)```(\w*)\s*$")
MARKER = re.compile(r"^ *<!-- (?:(file): (\S+)|(output)|(run)(?:: exits (\d+))?|(no-run)) -->$")


class Block(NamedTuple):
    """A fenced block of a page."""

    line: int
    language: str
    duty: str
    """``file``, ``output``, ``run`` or ``no-run``; empty without a comment."""
    argument: str
    text: str


class PageError(Exception):
    """A page does not do what it says."""


def blocks_of(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order.

    Raises:
        PageError: A comment before a block is none of those that this module knows.
    """
    lines = page.read_text(encoding="utf-8").splitlines()
    number = 0
    while number < len(lines):
        fence = FENCE.match(lines[number])
        number += 1
        if not fence:
            continue
        before = lines[number - 2] if number > 1 else ""
        duty, argument = duty_of(before, f"{page.name}:{number - 1}")
        start = number
        while lines[number].strip() != "```":
            number += 1
        text = textwrap.dedent("\n".join(lines[start:number])) + "\n"
        number += 1
        yield Block(start + 1, fence.group(2), duty, argument, text)


def duty_of(comment: str, where: str) -> Tuple[str, str]:
    """What the line before a block asks for."""
    if not comment.lstrip().startswith("<!--"):
        return "", ""
    marker = MARKER.match(comment)
    if not marker:
        raise PageError(f"{where}: nothing is known of {comment.strip()}")
    file, name, output, run, status, no_run = marker.groups()
    return file or output or run or no_run, name or status or "0"


def run_page(page: Path) -> None:
    """Does what the page says, block by block.

    Raises:
        PageError: Something printed or exited otherwise than the page has it.
    """
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    printed = io.StringIO()
    for block in blocks_of(page):
        where = f"{page.name}:{block.line}"
        if block.duty == "file":
            path = Path(block.argument)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.duty == "output":
            compare(block.text, printed.getvalue(), where)
            printed.seek(0)
            printed.truncate()
        elif block.duty == "run":
            for command, expected in commands_of(block):
                run_command(command, expected, int(block.argument), where)
        elif block.language == "python" and not block.duty:
            # The empty lines make the numbers in a traceback those of the page.
            code = compile("\n" * (block.line - 1) + block.text, str(page), "exec", 0, True)
            with redirect_stdout(printed):
                exec(code, vars(main))


def commands_of(block: Block) -> List[Tuple[str, str]]:
    """The commands of a block, each with what it prints (empty: whatever)."""
    if block.language != "console":
        return [(block.text, "")]
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]
    return [(command, expected) for command, _, expected in (p.partition("\n") for p in parts)]


def run_command(command: str, expected: str, status: int, where: str) -> None:
    """Runs one command and holds it to its exit status and, where there is one, its output."""
    ran = subprocess.run(
        ["bash", "-ec", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PATH": f"{command_folder()}{os.pathsep}{os.environ['PATH']}"},
    )
    if ran.returncode != status:
        raise PageError(f"{where}: {command.strip()} exited with {ran.returncode}:\n{ran.stdout}")
    if expected.strip():
        compare(expected, ran.stdout, where)


def command_folder() -> Path:
    """A folder with the commands ``python`` and ``pkl`` of this interpreter."""
    folder = Path(sys.executable).parent
    if not (folder / "pkl").exists():
        folder = Path(".commands").resolve()
        folder.mkdir(exist_ok=True)
        for name, arguments in (("python", ""), ("pkl", "-m pkl")):
            script = folder / name
            script.write_text(
                f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" {arguments} "$@"\n',
                encoding="utf-8",
            )
            script.chmod(0o755)
    return folder


def compare(expected: str, got: str, where: str) -> None:
    """Holds ``got`` to ``expected``, in which a line ``...`` stands for any lines."""
    if not matches(expected.strip("\n").splitlines(), got.strip("\n").splitlines()):
        raise PageError(f"{where}: expected\n{expected}\nbut got\n{got}")


def matches(expected: Sequence[str], got: Sequence[str]) -> bool:
    """Whether the lines agree, ``...`` being any number of them."""
    if not expected:
        return not got
    if expected[0] == "...":
        return any(matches(expected[1:], got[start:]) for start in range(len(got) + 1))
    return expected[0] == next(iter(got), None) and matches(expected[1:], got[1:])


if __name__ == "__main__":
    sys.path[0] = os.getcwd()
    sys.path.append(str(ROOT))
    run_page(Path(sys.argv[1]))
