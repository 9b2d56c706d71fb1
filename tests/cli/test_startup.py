"""What starting a verb imports: little, and never a plugin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Set

import pytest

from tests.cli.conftest import ROOT
from tests.discovery.fakes import plugin

CODE = """
import json, sys
sys.path.insert(0, {root!r})
before = set(sys.modules)
from pkl.cli import main
status = main({arguments!r})
sys.stdout.flush()
print("|" + json.dumps(sorted(set(sys.modules) - before)))
"""


def modules_after(work: Path, *arguments: str) -> Set[str]:
    """The modules that a command line imports, in a fresh interpreter."""
    code = CODE.format(root=str(ROOT), arguments=list(arguments))
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=str(work),
        env={**os.environ, "PKL_HOME": str(work / "home")},
        capture_output=True,
        encoding="utf-8",
    )
    assert ran.returncode == 0, ran.stderr
    return set(json.loads(ran.stdout.rpartition("|")[2]))


HEAVY = {"packaging", "importlib_metadata", "platformdirs", "asyncio", "ssl", "yaml", "starlette"}


@pytest.mark.parametrize("line", [("--help",), ("--version",)])
def test_help_and_version_import_no_verb_and_nothing_heavy(
    work: Path, line: "tuple[str, ...]"
) -> None:
    found = modules_after(work, *line)
    assert not found & HEAVY
    ours = {name for name in found if name.startswith("pkl.")}
    assert ours <= {
        "pkl.cli",
        "pkl.cli.app",
        "pkl.cli.lazy_group",
        "pkl.cli.options",
        "pkl.cli.session",
        "pkl.names",
        "pkl.version",
    }
    assert "dataclasses" not in found


@pytest.mark.parametrize("verb", ["list", "graph", "resolve"])
def test_looking_at_plugins_imports_neither_them_nor_anything_heavy(
    work: Path, site: Path, verb: str
) -> None:
    plugin(site, "auth", manifest='name = "auth"\nrequires = ["db>=1,<2"]\n')
    plugin(site, "db", manifest='name = "db"\n')
    found = modules_after(work, verb, "--path", str(site))
    assert not found & HEAVY
    assert not found & {"auth", "db", "auth.plugin", "pkl.host", "pkl.kernel", "pkl.loader"}
