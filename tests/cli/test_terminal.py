"""On a real terminal: colours, and lines that fit; a pipe gets neither."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Process
from tests.cli.running import directory_plugin

pty = pytest.importorskip("pty", reason="terminals are those of POSIX")


def on_a_terminal(process: Process, *arguments: str, **environment: str) -> str:
    """What a command line writes to a terminal of 60 columns."""
    ours, theirs = pty.openpty()
    try:
        running = process.start(
            *arguments,
            environment={"COLUMNS": "60", "TERM": "xterm", **environment},
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        written = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux says so when the other end is closed
                break
            if not part:
                break
            written += part
        running.wait(timeout=30)
    finally:
        os.close(ours)
    return written.decode("utf-8").replace("\r\n", "\n")


@pytest.mark.skipif(sys.platform == "win32", reason="terminals are those of POSIX")
def test_a_terminal_gets_colours_and_lines_that_fit_and_a_pipe_gets_all(
    process: Process, work: Path
) -> None:
    directory_plugin(work / "p", "lost", requires=["a-plugin-with-a-rather-long-name>=1.2,<2"])
    shown = on_a_terminal(process, "list", "--path", "p")
    assert "\x1b[33m" in shown
    assert "…" in shown
    plain = on_a_terminal(process, "list", "--path", "p", NO_COLOR="1")
    assert "\x1b" not in plain
    assert max(map(len, plain.splitlines())) <= 60
    piped = process.run("list", "--path", "p", environment={"COLUMNS": "60"}).stdout
    assert "a-plugin-with-a-rather-long-name>=1.2,<2" in piped
    assert "\x1b" not in piped


@pytest.mark.skipif(sys.platform == "win32", reason="terminals are those of POSIX")
def test_a_picture_of_bytes_does_not_go_to_a_terminal(process: Process, work: Path) -> None:
    directory_plugin(work / "p", "auth")
    folder = work / "bin"
    folder.mkdir()
    (folder / "dot").write_text("#!/bin/sh\n")
    (folder / "dot").chmod(0o755)
    path = os.pathsep.join((str(folder), os.environ["PATH"]))
    shown = on_a_terminal(process, "graph", "--path", "p", "--format", "png", PATH=path)
    assert "does not go to a terminal" in shown
