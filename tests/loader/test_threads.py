"""Loads, imports and drops in several threads at once."""

from __future__ import annotations

import os
import sys
import threading
from random import Random
from types import ModuleType
from typing import Any, Callable, List

import pytest

from pkl.kernel.generation import MARK
from pkl.loader.names import NAMES

from .fakes import FakeHost, World

SWAPS = int(os.environ.get("PKL_EXAMPLES", "6"))
"""How many swaps the longest races go through."""

FILES = {
    "acme/__init__.py": "import acme.a",
    "acme/a.py": "from . import b\nX = 1",
    "acme/b.py": "import acme",
    "acme/plugin.py": """
        import acme.a
        from acme import b
        def imports():
            from . import c
            import acme.d
            return c, acme.d
    """,
    "acme/c.py": "import acme.d",
    "acme/d.py": "",
}


def together(*calls: Callable[[], Any]) -> List[Any]:
    """Runs the calls in a thread each, let go at one moment; their results, or what they raised."""
    gate = threading.Barrier(len(calls))
    results: List[Any] = [None] * len(calls)

    def run(at: int) -> None:
        gate.wait()
        try:
            results[at] = calls[at]()
        except BaseException as e:
            results[at] = e

    threads = [threading.Thread(target=run, args=(at,), daemon=True) for at in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads), "deadlock"
    return results


@pytest.fixture(autouse=True)
def _switching() -> Any:
    """Threads take turns far more often than usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def test_two_hosts_may_load_one_package_at_once(world: World) -> None:
    for _ in range(30):
        plugins = [
            world.installed("audit", "acme", FILES, manifest=True, host=FakeHost())
            for _ in range(2)
        ]
        one, two = together(*[lambda p=p: world.load(p) for p in plugins])
        names = sorted(each.api.__name__ for each in (one, two))
        assert names[0] == "acme" and names[1].startswith("acme__pkl_")
        for each in (one, two):
            assert each.module.acme is each.api
            assert each.module.b.acme is each.api
            assert each.api.a.X == 1
        together(one.drop, two.drop)
        assert "acme" not in sys.modules


def test_submodules_may_be_imported_in_many_threads(world: World) -> None:
    for _ in range(20):
        loaded = world.load(world.installed("audit", "acme", FILES, manifest=True))
        results = together(*[loaded.module.imports] * 6)
        assert {id(c) for c, _ in results} == {id(sys.modules["acme.c"])}
        assert {id(d) for _, d in results} == {id(sys.modules["acme.d"])}
        loaded.drop()


def test_old_code_keeps_to_its_own_modules_while_generations_come_and_go(world: World) -> None:
    """Reloads of which every other one is rolled back, and old code that imports all the while."""
    plugin = world.installed("audit", "acme", FILES, manifest=True)
    old = world.load(plugin)
    module = old.module
    mark = module.__dict__["__pkl_generation__"]
    done = threading.Event()
    wrong: List[Any] = []

    def imports() -> int:
        count = 0
        while True:
            for each in module.imports():
                if each.__dict__["__pkl_generation__"] is not mark:
                    wrong.append(each)
            count += 1
            if done.is_set():
                return count

    def reloads() -> None:
        try:
            for _ in range(SWAPS):
                world.load(plugin).drop()
        finally:
            done.set()

    counts = together(imports, imports, reloads)
    assert counts[2] is None
    assert min(counts[:2]) > 0
    assert not wrong


def test_old_code_first_importing_a_module_in_the_middle_of_a_swap_gets_its_own(
    world: World,
) -> None:
    for _ in range(40):
        plugin = world.installed("audit", "acme", FILES, manifest=True)
        old = world.load(plugin)
        mark = old.module.__dict__["__pkl_generation__"]
        found, new = together(old.module.imports, lambda: world.load(plugin))  # noqa: B023
        assert [each.__dict__["__pkl_generation__"] for each in found] == [mark, mark]
        assert sys.modules["acme"] is new.api
        old.drop()
        new.drop()


def test_a_drop_during_an_import_ends_in_a_module_or_an_import_error(world: World) -> None:
    for _ in range(60):
        loaded = world.load(world.installed("audit", "acme", FILES, manifest=True))
        module = loaded.module
        found, dropped = together(module.imports, loaded.drop)
        assert dropped is None
        if not isinstance(found, tuple):
            assert isinstance(found, ImportError), repr(found)
        left = [name for name in sys.modules if name.partition(".")[0] == "acme"]
        assert not left


def test_a_thread_started_while_loading_may_import_and_be_waited_for(world: World) -> None:
    files = {
        "plugin.py": """
            import threading
            found = []
            def work():
                from . import other
                found.append(other)
            thread = threading.Thread(target=work)
            thread.start()
            thread.join(30)
        """,
        "other.py": "",
    }
    loaded = world.load(world.directory("alpha", files))
    assert loaded.module.found == [sys.modules["pkl_local_alpha.other"]]
    assert not loaded.module.thread.is_alive()


def test_the_application_may_import_the_package_while_a_plugin_is_loaded_from_it(
    world: World,
) -> None:
    """Whoever is first, the plugin's copy is the one that stays."""
    import importlib
    import warnings

    for _ in range(30):
        plugin = world.installed("audit", "acme", FILES, manifest=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _, loaded = together(
                lambda: importlib.import_module("acme.d"),
                lambda: world.load(plugin),  # noqa: B023
            )
        assert sys.modules["acme"] is loaded.api, repr(loaded)
        loaded.drop()
        for name in list(sys.modules):
            if name.partition(".")[0] == "acme":
                del sys.modules[name]


TREE = {
    "{}/__init__.py": "from . import a",
    "{}/a.py": "from . import b",
    "{}/b.py": "import {dotted}",
    "{}/plugin.py": """
        def imports():
            from . import c
            import {dotted}.d as d
            from {dotted} import sub
            from {dotted}.sub import e
            return c, d, sub, e, sub.e
    """,
    "{}/c.py": "import {dotted}.d",
    "{}/d.py": "",
    "{}/sub/__init__.py": "",
    "{}/sub/e.py": "from . import f",
    "{}/sub/f.py": "",
}


@pytest.mark.parametrize("root", ["acme", "corp.acme"])
def test_a_package_never_keeps_the_module_of_another_generation(world: World, root: str) -> None:
    """Generations of several hosts, loaded, moved, imported from and dropped by several threads."""
    files = {
        name.format(root.replace(".", "/")): text.replace("{dotted}", root)
        for name, text in TREE.items()
    }
    if root != "acme":
        files["corp/__init__.py"] = ""
    plugins = [
        world.installed("audit", root, files, manifest=True, host=FakeHost()) for _ in range(3)
    ]
    locks = [threading.Lock() for _ in plugins]
    given: List[Any] = []

    def own(loaded: Any) -> None:
        mark = loaded.module.__dict__[MARK]
        for real, module in list(loaded._modules.created.items()):
            for name, value in list(module.__dict__.items()):
                if isinstance(value, ModuleType) and MARK in value.__dict__:
                    assert value.__dict__[MARK] is mark, f"{real}.{name}"

    def work(seed: int) -> None:
        chance = Random(seed)
        mine: List[Any] = []
        for _ in range(5 * SWAPS):
            at = chance.choice((0, seed))
            with locks[at]:  # the kernel loads a plugin in one thread at a time
                mine.append(world.load(plugins[at]))
            if chance.random() < 0.7:
                mark = mine[-1].module.__dict__[MARK]
                assert {m.__dict__[MARK] for m in mine[-1].module.imports()} == {mark}
            own(mine[-1])
            if chance.random() < 0.3:
                given.append(mine.pop())
            while len(given) > 3:
                given.pop(0).drop()
            while mine and (len(mine) > 2 or chance.random() < 0.5):
                mine.pop(chance.randrange(len(mine))).drop()
        for loaded in mine:
            own(loaded)
            loaded.drop()

    results = together(*[lambda s=seed: work(s) for seed in range(3)])
    assert results == [None, None, None]
    for loaded in given:
        loaded.drop()
    assert not [name for name in sys.modules if name.startswith(root)]
    assert not NAMES.roots
    if root != "acme":
        assert not [name for name in vars(sys.modules["corp"]) if name.startswith("acme")]
