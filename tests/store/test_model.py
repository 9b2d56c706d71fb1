"""Any sequence of changes, some of them cut short, against a dictionary that does the same."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Optional

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pkl.errors import StateUnavailable
from pkl.store import StateStore

FACTOR = int(os.environ.get("PKL_EXAMPLES", "1"))

HOSTS = st.sampled_from(["shop", "Shop", "../shop"])
PLUGINS = st.sampled_from(["a", "b", "c"])
STEPS = st.sampled_from(["open", "write", "fchmod", "fsync", "replace", "directory", "after"])


class Cut(BaseException):
    """The process is gone."""


class StoreMachine(RuleBasedStateMachine):
    """Each change is done, refused by the system, or cut; the next store finds old or new."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.mkdtemp()
        self.store = StateStore(self.directory)
        self.model: Dict[str, Dict[str, Dict[str, Any]]] = {}
        self.cut: Optional[str] = None
        self.dies = False

    def teardown(self) -> None:
        """Deletes the files."""
        shutil.rmtree(self.directory)

    @rule(step=st.none() | STEPS, dies=st.booleans())
    def break_the_next_change(self, step: Optional[str], dies: bool) -> None:
        """The next change fails at a step, or is killed there and cleans nothing up."""
        self.cut, self.dies = step, dies

    @rule(host=HOSTS, plugin=PLUGINS, word=st.sampled_from(["enabled", "disabled", "masked"]))
    def desire(self, host: str, plugin: str, word: str) -> None:
        """People say what they want."""
        self._do(
            host,
            plugin,
            "desired",
            word,
            lambda: self.store.set_desired(host, {plugin: word}),
        )

    @rule(host=HOSTS, plugin=PLUGINS, version=st.none() | st.sampled_from(["1", "2.0"]))
    def pin(self, host: str, plugin: str, version: Optional[str]) -> None:
        """A version is pinned, or none."""
        self._do(host, plugin, "pin", version, lambda: self.store.pin(host, plugin, version))

    @rule(host=HOSTS, plugin=PLUGINS, why=st.sampled_from(["crashed", "hung"]))
    def quarantine(self, host: str, plugin: str, why: str) -> None:
        """A plugin goes into quarantine."""
        self._do(host, plugin, "why", why, lambda: self.store.quarantine(host, plugin, 0.0, why))

    @rule(host=HOSTS, plugin=PLUGINS)
    def reset(self, host: str, plugin: str) -> None:
        """It leaves it."""
        self._do(host, plugin, "why", None, lambda: self.store.reset(host, plugin))

    @rule(host=HOSTS, plugin=PLUGINS, value=st.integers(0, 3) | st.text(max_size=3))
    def set(self, host: str, plugin: str, value: Any) -> None:
        """A setting changes."""

        def edit(now: Mapping[str, Any]) -> Mapping[str, Any]:
            return {"x": value}

        self._do(host, plugin, "x", value, lambda: self.store.change_settings(host, plugin, edit))

    @rule(host=HOSTS)
    def damage(self, host: str) -> None:
        """Somebody cuts the file in half: all is gone, and it is said."""
        path = Path(self.store.path_of(host))
        if path.exists():
            content = path.read_bytes()
            path.write_bytes(content[: len(content) // 2])
            self.model.pop(host, None)
            changed = self.store.repair(self.store.path_of(host))
            assert changed.problem is not None and changed.problem.aside is not None
            assert Path(changed.problem.aside).read_bytes() == content[: len(content) // 2]

    def _do(
        self, host: str, plugin: str, key: str, value: Any, change: Callable[[], object]
    ) -> None:
        cut, self.cut = self.cut, None
        done = True
        if cut is None:
            change()
        else:
            with pytest.MonkeyPatch.context() as patch:
                _break(patch, cut, self.dies)
                try:
                    change()
                except (Cut, StateUnavailable):
                    done = cut in ("directory", "after") and self._says(host, plugin, key) == value
        # Another process comes and finds it.
        self.store = StateStore(self.directory)
        if done:
            record = self.model.setdefault(host, {}).setdefault(plugin, {})
            record[key] = value

    def _says(self, host: str, plugin: str, key: str) -> Any:
        record = StateStore(self.directory).read(host).state.record(plugin)
        return {
            "desired": str(record.wish.desired) if record.wish is not None else "enabled",
            "pin": record.pin.version if record.pin is not None else None,
            "why": record.quarantine.why if record.quarantine is not None else None,
            "x": record.settings.get("x"),
        }[key]

    @invariant()
    def what_is_kept_is_what_was_said(self) -> None:
        """Every host, every plugin, nothing of another's."""
        nothing = {"desired": "enabled", "pin": None, "why": None, "x": None}
        for host in ("shop", "Shop", "../shop"):
            assert self.store.read(host).problem is None
            for plugin in ("a", "b", "c"):
                said = {**nothing, **self.model.get(host, {}).get(plugin, {})}
                assert {key: self._says(host, plugin, key) for key in said} == said


def _break(patch: pytest.MonkeyPatch, step: str, dies: bool) -> None:
    """Makes a step of the next write fail; one that dies leaves its temporary file behind."""
    failure = Cut() if dies else OSError(28, "No space left on device")
    name = {"directory": "fsync", "after": "replace"}.get(step, step)
    real = getattr(os, name)

    def fail(*arguments: Any) -> Any:
        first = arguments[0]
        if name == "open" and not str(first).endswith(".tmp"):
            return real(*arguments)
        if name == "write" and arguments[1] == str(os.getpid()).encode():
            return real(*arguments)
        if name == "fsync" and os.path.isdir(f"/dev/fd/{first}") != (step == "directory"):
            return real(*arguments)
        if step == "after":
            real(*arguments)
        raise failure

    patch.setattr(os, name, fail)
    if dies:
        patch.setattr(os, "unlink", lambda path: None)


StoreMachine.TestCase.settings = settings(
    max_examples=20 * FACTOR, stateful_step_count=20, deadline=None
)
test_what_is_kept_is_what_was_said = StoreMachine.TestCase
