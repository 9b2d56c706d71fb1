"""Plugins that contribute, written to a temporary directory, and hosts that declare points."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import Any, Callable, Iterator, List

import pytest

import pkl
from pkl.testing import FakeClock

Make = Callable[..., Path]
MakeHost = Callable[..., pkl.PluginHost]

COMMANDS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["id"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "string", "pattern": "^[a-z.]+$"},
            "title": {"type": "string"},
        },
    },
}
"""The schema of the point ``commands``."""


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes a plugin directory: ``make(name, {point: value}, code=…, requires=…)``."""

    def write(name: str, contributes: Any = None, code: str = "", **manifest: Any) -> Path:
        directory = tmp_path / "plugins" / name
        directory.mkdir(parents=True, exist_ok=True)
        keys = {key.replace("_", "-"): value for key, value in manifest.items()}
        whole = {"name": name, "version": "1.0", **keys}
        if contributes is not None:
            whole["contributes"] = contributes
        (directory / "plugin.json").write_text(json.dumps(whole, indent=1))
        (directory / "plugin.py").write_text(dedent(code))
        return directory

    return write


@pytest.fixture
def host_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeHost]:
    """Makes hosts over the directory that ``make`` writes to; closes them in the end."""
    monkeypatch.setenv("PKL_HOME", str(tmp_path / "home"))
    (tmp_path / "plugins").mkdir(exist_ok=True)
    hosts: List[pkl.PluginHost] = []

    def create(name: Any = None, **more: Any) -> pkl.PluginHost:
        more.setdefault("contributions", {"commands": COMMANDS, "menus": None})
        more.setdefault("clock", FakeClock())
        hosts.append(pkl.PluginHost(name, group="no.such", paths=[tmp_path / "plugins"], **more))
        return hosts[-1]

    yield create
    for each in hosts:
        each.close()


def names(entries: Any) -> List[str]:
    """The plugins that contribute, in order."""
    return [each.plugin for each in entries]
