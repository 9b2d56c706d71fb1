"""A place to run the command in: an empty directory, a site directory, and plugins to put there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping

import pytest

from tests.cli.running import Pkl

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: empty."""
    directory = tmp_path / "work"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory on ``sys.path``, in this process and in those that are started."""
    directory = tmp_path / "site-packages"
    directory.mkdir()
    monkeypatch.syspath_prepend(str(directory))
    return directory


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which every trap of ``tests.discovery.fakes`` leaves its name."""
    marker = tmp_path / "imported"
    monkeypatch.setenv("PKL_TEST_MARKER", str(marker))
    return marker


@pytest.fixture
def pkl(
    work: Path, site: Path, imported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Pkl]:
    """Runs command lines in ``work``, with ``site`` on the path; none but ``run`` may import."""
    monkeypatch.setenv("PKL_HOME", str(tmp_path / "home"))
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    runner = Pkl(site)
    yield runner
    assert runner.may_import or not imported.exists(), f"imported: {imported.read_text()}"


@pytest.fixture
def process(site: Path, tmp_path: Path) -> "Iterator[Process]":
    """Starts ``python -m pkl`` as users do; what still runs in the end is killed."""
    found = Process(site, tmp_path / "home")
    yield found
    for each in found.started:
        if each.poll() is None:
            each.kill()
        each.communicate()


class Process:
    """Starts real processes."""

    def __init__(self, site: Path, home: Path) -> None:
        self.environment: Dict[str, str] = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("PKL_", "NO_COLOR"))},
            "PYTHONPATH": os.pathsep.join((str(site), str(ROOT))),
            "PKL_HOME": str(home),
            "PYTHONIOENCODING": "utf-8",
        }
        self.started: "List[subprocess.Popen[str]]" = []

    def start(
        self, *arguments: str, environment: Mapping[str, str] = {}, **more: Any
    ) -> "subprocess.Popen[str]":
        """A running process with its output piped, as text."""
        more.setdefault("stdout", subprocess.PIPE)
        more.setdefault("stderr", subprocess.PIPE)
        more.setdefault("encoding", "utf-8")
        running = subprocess.Popen(
            [sys.executable, "-m", "pkl", *arguments],
            stdin=subprocess.DEVNULL,
            env={**self.environment, **environment},
            **more,
        )
        self.started.append(running)
        return running

    def run(
        self, *arguments: str, environment: Mapping[str, str] = {}, **more: Any
    ) -> "subprocess.CompletedProcess[str]":
        """A process that has ended."""
        running = self.start(*arguments, environment=environment, **more)
        out, err = running.communicate(timeout=60)
        return subprocess.CompletedProcess(arguments, running.returncode, out, err)
