"""Dropping a generation: exactly its modules go, and pkl holds on to nothing of it."""

from __future__ import annotations

import gc
import importlib
import linecache
import sys
import traceback
import types
import weakref
from typing import Any, List

import pytest

from pkl.errors import PluginNotRunning
from pkl.loader.names import NAMES

from .fakes import FakeGeneration, FakeHost, World

PACKAGE = {
    "acme/__init__.py": "",
    "acme/plugin.py": """
        from dataclasses import dataclass
        from . import models
        @dataclass
        class Record:
            x: int
        def lazy():
            from . import late
            return late
        def fail():
            raise ValueError
    """,
    "acme/models.py": "import json",
    "acme/late.py": "",
}


def test_exactly_the_generations_modules_go(world: World) -> None:
    loaded = world.load(world.installed("audit", "acme", PACKAGE, manifest=True))
    before = set(sys.modules)
    loaded.drop()
    assert before - set(sys.modules) == {"acme", "acme.plugin", "acme.models"}
    assert loaded.module is None and loaded.api is None


def test_dropping_again_changes_nothing(world: World) -> None:
    plugin = world.installed("audit", "acme", PACKAGE, manifest=True)
    old = world.load(plugin)
    old.drop()
    new = world.load(plugin)
    old.drop()
    assert sys.modules["acme"] is new.api


def test_modules_imported_later_belong_to_the_generation_and_go_with_it(world: World) -> None:
    loaded = world.load(world.installed("audit", "acme", PACKAGE, manifest=True))
    late = loaded.module.lazy()
    assert late.__dict__["__pkl_generation__"] is loaded.api.__dict__["__pkl_generation__"]
    loaded.drop()
    assert "acme.late" not in sys.modules


def test_modules_that_the_application_imports_later_belong_to_it_too(world: World) -> None:
    loaded = world.load(world.installed("audit", "acme", PACKAGE, manifest=True))
    late = importlib.import_module("acme.late")
    assert late.__dict__["__pkl_generation__"] is loaded.api.__dict__["__pkl_generation__"]
    loaded.drop()
    assert "acme.late" not in sys.modules


def test_what_others_put_under_its_names_stays(world: World) -> None:
    loaded = world.load(world.installed("audit", "acme", PACKAGE, manifest=True))
    mine = types.ModuleType("acme.models")
    sys.modules["acme.models"] = mine
    loaded.drop()
    assert sys.modules["acme.models"] is mine


def test_an_attribute_that_others_put_into_the_parent_stays(world: World) -> None:
    files = {"acme/__init__.py": "", "acme/audit.py": ""}
    loaded = world.load(world.installed("audit", "acme.audit", files))
    sys.modules["acme"].audit = 5  # type: ignore[attr-defined]
    loaded.drop()
    assert sys.modules["acme"].audit == 5


def test_an_import_by_the_application_after_the_drop_is_the_applications(world: World) -> None:
    world.load(world.installed("audit", "acme", PACKAGE, manifest=True)).drop()
    module = importlib.import_module("acme.models")
    assert "__pkl_generation__" not in module.__dict__


def test_code_on_the_stack_may_finish_after_the_drop(world: World) -> None:
    files = {
        "acme/__init__.py": "",
        "acme/data.py": "X = 1",
        "acme/plugin.py": """
            def run(stop):
                from . import data
                stop()
                from .data import X
                import acme.data
                try:
                    from . import late
                except ImportError as e:
                    return X, acme.data is data, e
        """,
        "acme/late.py": "",
    }
    loaded = world.load(world.installed("audit", "acme", files, manifest=True))
    value, same, error = loaded.module.run(loaded.drop)
    assert value == 1 and same
    assert isinstance(error, PluginNotRunning)
    assert "cannot import 'acme.late'" in str(error)
    assert error.plugin == "audit" and error.distribution == "dist-audit"


class Watch:
    """Weak references to a generation's parts."""

    def __init__(self, world: World, host: FakeHost) -> None:
        plugin = world.installed("audit", "acme", PACKAGE, manifest=True, host=host)
        generation = FakeGeneration(1)
        loaded = world.loader.load(plugin, generation)
        loaded.module.lazy()
        owner = NAMES.holder(loaded.module.__name__)
        self.modules = owner
        self.loaded = loaded
        self.parts: List[weakref.ReferenceType[Any]] = [
            weakref.ref(part)
            for part in (
                generation,
                owner,
                loaded.module,
                loaded.module.fail,
                loaded.module.Record,
                sys.modules[f"{loaded.api.__name__}.late"],
                loaded.module.__spec__.loader,
            )
        ]

    def alive(self) -> List[object]:
        """What is left of it."""
        self.modules = None
        gc.collect()
        return [part() for part in self.parts if part() is not None]


def test_after_the_drop_nothing_of_it_is_kept_alive(world: World) -> None:
    host = FakeHost()
    watch = Watch(world, host)
    try:
        watch.loaded.module.fail()
    except ValueError as e:
        # traceback and linecache have caches of their own.
        traceback.format_exception(type(e), e, e.__traceback__)
    watch.loaded.drop()
    assert watch.alive() == []


def test_nothing_of_a_private_generation_is_kept_alive(world: World) -> None:
    first = world.load(world.installed("audit", "acme", PACKAGE, manifest=True))
    host = FakeHost()
    watch = Watch(world, host)
    assert watch.loaded.module is not first.module
    watch.loaded.drop()
    assert watch.alive() == []


def test_nothing_of_a_replaced_generation_is_kept_alive(world: World) -> None:
    watch = Watch(world, world.host)
    plugin = world.installed("audit", "acme", manifest=True)
    world.load(plugin, 2)
    watch.loaded.drop()
    assert watch.alive() == []


def test_nothing_of_a_failed_load_is_kept_alive(world: World) -> None:
    import builtins

    source = "class A: pass\nimport weakref, builtins\nbuiltins.probe = weakref.ref(A)\n1/0"
    files = {"plugin.py": source}

    with pytest.raises(ZeroDivisionError) as caught:
        world.load(world.directory("alpha", files))
    probe = builtins.probe  # type: ignore[attr-defined]
    del builtins.probe  # type: ignore[attr-defined]
    del caught
    gc.collect()
    assert probe() is None


def test_the_copy_of_the_application_is_not_kept_alive(world: World) -> None:
    plugin = world.installed("audit", "acme", {"acme.py": "class A: pass"})
    copy = weakref.ref(importlib.import_module("acme").A)
    with pytest.warns(Warning):
        loaded = world.load(plugin)
    gc.collect()
    assert copy() is None
    assert loaded.module.A is not None


def test_a_claim_does_not_keep_the_host_alive(world: World) -> None:
    host = FakeHost()
    plugin = world.directory("alpha", {"plugin.py": ""}, host=host)
    loaded = world.load(plugin)
    known = weakref.ref(host)
    del host, plugin
    gc.collect()
    assert known() is None
    loaded.drop()


def test_lines_of_a_dropped_generation_leave_linecache(world: World) -> None:
    plugin = world.directory("alpha", {"plugin.py": "X = 1"})
    loaded = world.load(plugin, 2)
    file = loaded.module.__file__
    assert linecache.getlines(file) == ["X = 1\n"]
    loaded.drop()
    del loaded
    world.loaded.clear()
    gc.collect()
    assert file not in linecache.cache
