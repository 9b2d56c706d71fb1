"""Plugins written to a temporary directory, and a host with a clock that stands still."""

from __future__ import annotations

import builtins
import json
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from typing import Any, Callable, Iterator, List, Optional

import pytest

import pkl
from pkl.testing import FakeClock

from .running import PATIENCE

Make = Callable[..., Path]


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> List[str]:
    """What plugins note in ``builtins.pkl_starts``: names as they start, ``-`` as they stop."""
    seen: List[str] = []
    monkeypatch.setattr(builtins, "pkl_starts", seen, raising=False)
    return seen


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, starts: List[str]) -> "set[str]":
    """The names in ``builtins.pkl_broken``, of the plugins that fail when they are enabled."""
    names: "set[str]" = set()
    monkeypatch.setattr(builtins, "pkl_broken", names, raising=False)
    return names


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes a directory plugin: ``make(name, code, init=…, requires=…)``; gives its path."""

    def write(
        name: str,
        code: str = "",
        *,
        init: Optional[str] = None,
        version: str = "1.0.0",
        under: Optional[Path] = None,
        **manifest: Any,
    ) -> Path:
        directory = (under or tmp_path / "plugins") / name
        directory.mkdir(parents=True, exist_ok=True)
        keys = {key.replace("_", "-"): value for key, value in manifest.items()}
        text = json.dumps({"name": name, "version": version, **keys})
        (directory / "plugin.json").write_text(text)
        (directory / "plugin.py").write_text(dedent(code))
        if init is not None:
            (directory / "__init__.py").write_text(dedent(init))
        return directory

    return write


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture
def host(clock: FakeClock, tmp_path: Path) -> Iterator[pkl.PluginHost]:
    """The default host, on the fake clock, over the directory that ``make`` writes to."""
    (tmp_path / "plugins").mkdir(exist_ok=True)
    made = pkl.PluginHost(paths=[tmp_path / "plugins"], clock=clock, stop_timeout=PATIENCE)
    pkl.set_default_host(made)
    yield made
    with suppress(pkl.CleanupError):  # tests about failing clean-up leave failures behind
        made.close()
    pkl.set_default_host(None)


@pytest.fixture
def faults(host: pkl.PluginHost) -> List[Any]:
    """Every error that the host contained, in order."""
    seen: List[Any] = []
    host.on_error.subscribe(seen.append)
    return seen


def enabled(host: pkl.PluginHost, path: Path) -> pkl.Plugin:
    """Loads and enables the plugin at a path."""
    return host.load_plugin(path=path).enable()


def state(plugin: Optional[pkl.Plugin]) -> str:
    """The state of a plugin that must be there, as a word that type checkers do not narrow."""
    assert plugin is not None
    return plugin.state.value
