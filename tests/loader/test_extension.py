"""C extension modules of a plugin's own: once in a process."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from typing import Iterator, Tuple

import pytest

from pkl.errors import RestartRequired
from pkl.loader import extensions

from .fakes import FakeHost, World

CANDIDATES = ("_heapq", "_bisect", "_json", "_struct", "_random", "_csv")


def built() -> Tuple[str, str]:
    """An extension module of the standard library that has a file of its own."""
    for name in CANDIDATES:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.has_location and spec.origin:
            return name, spec.origin
    return "", ""


NAME, FILE = built()
pytestmark = pytest.mark.skipif(not FILE, reason="this Python has no extension module in a file")


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """The files are gone with the test, and so may the record of them be."""
    before = dict(extensions._loaded)
    yield
    extensions._loaded.clear()
    extensions._loaded.update(before)


def put(directory: str) -> str:
    """Copies the extension module into a directory."""
    os.makedirs(directory, exist_ok=True)
    return shutil.copy(FILE, directory)


SOURCE = (
    f"from . import {NAME} as native\ndef late():\n    from .deep import {NAME}\n    return {NAME}"
)


def test_the_first_generation_loads_it_and_the_second_is_refused(world: World) -> None:
    counting = "import sys\nsys.probe = getattr(sys, 'probe', 0) + 1\n"
    plugin = world.directory("alpha", {"plugin.py": counting + SOURCE})
    file = put(plugin.candidate.location or "")
    loaded = world.load(plugin)
    assert loaded.module.native.__dict__["__pkl_generation__"].number == 1
    before = dict(sys.modules)
    with pytest.raises(RestartRequired) as caught:
        world.load(plugin)
    assert dict(sys.modules) == before
    assert sys.__dict__.pop("probe") == 1
    assert caught.value.file == file
    assert file in str(caught.value) and "plugin 'alpha'" in str(caught.value)
    assert "restart the process" in caught.value.hint
    loaded.drop()
    with pytest.raises(RestartRequired, match="an earlier load of plugin 'alpha' imported it"):
        world.load(plugin)
    assert "pkl_local_alpha" not in sys.modules
    assert not hasattr(sys, "probe"), "its code ran"


def test_another_host_is_refused_too(world: World) -> None:
    plugin = world.directory("alpha", {"plugin.py": SOURCE})
    put(plugin.candidate.location or "")
    world.load(plugin)
    with pytest.raises(RestartRequired):
        world.load(world.directory("alpha", {}, host=FakeHost()))


def test_one_that_was_imported_late_counts(world: World) -> None:
    plugin = world.directory("alpha", {"plugin.py": SOURCE})
    location = plugin.candidate.location or ""
    put(location)
    file = put(os.path.join(location, "deep"))
    os.remove(os.path.join(location, os.path.basename(FILE)))
    world.edit(plugin, {"plugin.py": SOURCE.partition("\n")[2]})
    loaded = world.load(plugin)
    loaded.module.late()
    with pytest.raises(RestartRequired, match="deep") as caught:
        world.load(plugin)
    assert caught.value.file == file


def test_a_generation_that_has_not_used_it_does_not_count(world: World) -> None:
    plugin = world.directory("alpha", {"plugin.py": SOURCE.partition("\n")[2]})
    put(os.path.join(plugin.candidate.location or "", "deep"))
    old = world.load(plugin)
    new = world.load(plugin)
    assert new.module.late().__dict__["__pkl_generation__"].number == 2
    with pytest.raises(RestartRequired):
        old.module.late()


def test_one_that_the_application_imported_is_refused(world: World) -> None:
    plugin = world.installed("audit", "acme", {"acme/__init__.py": "", "acme/x.py": ""})
    put(os.path.join(world.path, "acme"))
    copy = importlib.import_module(f"acme.{NAME}")
    with pytest.raises(RestartRequired, match="the application imported it already"):
        world.load(plugin)
    assert sys.modules[f"acme.{NAME}"] is copy


def test_extension_modules_of_libraries_are_nobodys_concern(world: World) -> None:
    plugin = world.directory("alpha", {"plugin.py": f"import {NAME}"})
    world.load(plugin)
    assert world.load(plugin).module.__dict__[NAME] is sys.modules[NAME]


def test_an_extension_module_may_be_the_root(world: World) -> None:
    file = put(world.path)
    target = os.path.basename(file).partition(".")[0]
    displaced = sys.modules.pop(target, None)
    try:
        plugin = world.installed("native", target)
        loaded = world.load(plugin)
        assert loaded.module.__dict__["__pkl_generation__"].number == 1
        loaded.drop()
        with pytest.raises(RestartRequired):
            world.load(plugin)
    finally:
        if displaced is not None:
            sys.modules[target] = displaced
