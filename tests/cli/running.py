"""Runs the command in this process, and lays out what it looks at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence

from click.testing import CliRunner

from pkl.cli.app import app
from tests.discovery.fakes import TRAP, write

__all__ = ["Pkl", "Ran", "directory_plugin"]


class Ran(NamedTuple):
    """What a command line came to."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> List[str]:
        """The lines of standard output."""
        return self.out.splitlines()

    @property
    def json(self) -> Dict[str, Any]:
        """The one object on standard output."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


class Pkl:
    """``pkl("list", "--json")`` runs that command line."""

    def __init__(self, site: Path) -> None:
        self.site = site
        self.may_import = False
        """Whether plugin code may run in this test."""
        self.stdin = ""
        """What standard input holds."""

    def __call__(self, *arguments: str) -> Ran:
        options: Dict[str, Any] = {"mix_stderr": False}
        try:
            runner = CliRunner(**options)
        except TypeError:  # from click 8.2 on they are never mixed
            runner = CliRunner()
        result = runner.invoke(app, list(arguments), input=self.stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    def ok(self, *arguments: str) -> Ran:
        """Runs it, and it has to exit with 0."""
        ran = self(*arguments)
        assert ran.status == 0, ran
        return ran

    def json(self, *arguments: str, status: int = 0) -> Dict[str, Any]:
        """Runs it with ``--json``, and gives the object; ``status`` is what it has to exit with."""
        ran = self(*arguments, "--json")
        assert ran.status == status, ran
        return ran.json


def directory_plugin(
    parent: Path, name: str, manifest: str = "", code: str = TRAP, *, requires: Sequence[str] = ()
) -> Path:
    """A plugin directory, named as the plugin, whose code is a trap by default."""
    text = f'name = "{name}"\n'
    if "version" not in manifest:
        text += 'version = "1.0"\n'
    if requires:
        text += f"requires = {json.dumps(list(requires))}\n"
    directory = parent / name
    write(directory / "plugin.toml", text + manifest)
    write(directory / "plugin.py", code)
    return directory
