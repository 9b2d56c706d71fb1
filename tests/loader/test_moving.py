"""Names that move in the middle of an import, step by step."""

from __future__ import annotations

import importlib
import sys
import threading
from importlib.machinery import ModuleSpec
from typing import Any, Callable, List, Optional

import pytest

from pkl.errors import PluginNotRunning
from pkl.loader import LoadedModules, importlib_bootstrap
from pkl.loader.finder import GenerationFinder
from pkl.loader.modules import GenerationModules
from pkl.loader.moving import repair
from pkl.loader.names import NAMES

from .fakes import FakePlugin, World, write

FILES = {
    "acme/__init__.py": "",
    "acme/plugin.py": """
        def names():
            from . import late
            return late
        def dotted():
            import acme.late
            return acme.late
        def deep():
            from acme.sub import leaf
            return leaf
    """,
    "acme/late.py": "import loader_probe\nloader_probe.run()\nDONE = True",
    "acme/sub/__init__.py": "",
    "acme/sub/leaf.py": "import loader_probe\nloader_probe.run()\nDONE = True",
}
CALLS = ["names", "dotted", "deep"]


class Once:
    """Calls a function the first time only."""

    def __init__(self) -> None:
        self.call: Optional[Callable[[], Any]] = None

    def run(self) -> None:
        call, self.call = self.call, None
        if call is not None:
            call()


def before_finding(name: str, probe: Once, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs the probe when the import system comes to look for a module."""
    find = GenerationFinder.find_spec

    def finding(self: GenerationFinder, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname == name:
            probe.run()
        return find(self, fullname, path, target)

    monkeypatch.setattr(GenerationFinder, "find_spec", finding)


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Once:
    """What the modules run while they are imported."""
    once = Once()
    monkeypatch.setitem(sys.modules, "loader_probe", once)
    return once


@pytest.fixture
def plugin(world: World) -> FakePlugin:
    """A plugin whose modules run the probe."""
    return world.installed("audit", "acme", FILES, manifest=True)


def modules_of(loaded: LoadedModules) -> GenerationModules:
    """The loader's own record of a generation."""
    found = loaded._modules
    assert found is not None
    return found


def mark(module: Any) -> Any:
    """The generation that a module carries."""
    return module.__dict__["__pkl_generation__"]


def nothing_left() -> bool:
    """Whether no module of the package is in ``sys.modules``."""
    return not [name for name in sys.modules if name.partition(".")[0].startswith("acme")]


@pytest.mark.parametrize("call", CALLS)
def test_a_swap_while_a_modules_code_runs_leaves_it_to_the_old_generation(
    world: World, plugin: FakePlugin, probe: Once, call: str
) -> None:
    old = world.load(plugin)
    probe.call = lambda: world.load(plugin)
    found = getattr(old.module, call)()
    assert mark(found) is mark(old.module)
    assert found is getattr(old.module, call)()
    new = world.loaded[-1]
    assert mark(getattr(new.module, call)()) is mark(new.module)
    old.drop()
    new.drop()
    assert nothing_left()


@pytest.mark.parametrize("call", CALLS)
def test_a_swap_that_is_rolled_back_while_a_modules_code_runs_changes_nothing(
    world: World, plugin: FakePlugin, probe: Once, call: str
) -> None:
    old = world.load(plugin)

    def swap() -> None:
        new = world.load(plugin)
        getattr(new.module, call)()
        new.drop()

    probe.call = swap
    found = getattr(old.module, call)()
    assert mark(found) is mark(old.module)
    assert found is getattr(old.module, call)() is sys.modules[found.__name__]
    old.drop()
    assert nothing_left()


@pytest.mark.parametrize("call", CALLS)
def test_a_drop_while_a_modules_code_runs_gives_it_the_module_all_the_same(
    world: World, plugin: FakePlugin, probe: Once, call: str
) -> None:
    loaded = world.load(plugin)
    module = loaded.module
    probe.call = loaded.drop
    assert getattr(module, call)().DONE
    assert nothing_left()


@pytest.mark.parametrize("call", CALLS)
def test_a_swap_just_before_importlib_binds_a_module_gives_it_to_no_other_package(
    world: World, plugin: FakePlugin, probe: Once, call: str
) -> None:
    """importlib looks the package up by a name that is another generation's by then."""
    old = world.load(plugin)
    name = "acme.sub.leaf" if call == "deep" else "acme.late"

    def swap() -> None:
        world.load(plugin)
        if call == "deep":
            importlib.import_module("acme.sub")

    def returning(frame: Any, event: str, arg: Any) -> Any:
        if event == "return" and frame.f_locals["spec"].name == name:
            late.run()
        return returning

    def tracing(frame: Any, event: str, arg: Any) -> Any:
        return returning if frame.f_code.co_name == "_load_unlocked" else None

    before = sys.gettrace()
    late = Once()  # the other one is for the module's own code
    late.call = swap
    sys.settrace(tracing)
    try:
        found = getattr(old.module, call)()
    finally:
        sys.settrace(before)
    assert mark(found) is mark(old.module) and late.call is None
    new = world.loaded[-1]
    package = sys.modules["acme.sub"] if call == "deep" else new.api
    assert mark(package) is mark(new.module)
    assert name.rpartition(".")[2] not in package.__dict__
    assert mark(getattr(new.module, call)()) is mark(new.module)
    assert getattr(old.module, call)() is found


def test_a_generation_keeps_one_private_name_however_often_it_moves(
    world: World, plugin: FakePlugin, probe: Once
) -> None:
    old = world.load(plugin)
    for _ in range(5):
        world.load(plugin).drop()
    assert len(modules_of(old).aliases) == 1
    assert mark(old.module.names()) is mark(old.module) is mark(sys.modules["acme.late"])


@pytest.mark.parametrize("call", CALLS)
def test_a_drop_before_the_module_is_found_is_an_import_error(
    world: World, plugin: FakePlugin, probe: Once, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no copy of the package that belongs to nobody comes of it."""
    loaded = world.load(plugin)
    module = loaded.module
    name = "acme.sub.leaf" if call == "deep" else "acme.late"
    before_finding(name, probe, monkeypatch)
    probe.call = loaded.drop
    with pytest.raises(PluginNotRunning):
        getattr(module, call)()
    assert nothing_left()
    assert not NAMES.roots


@pytest.mark.parametrize("call", CALLS)
def test_a_swap_before_the_module_is_found_gives_old_code_the_old_module(
    world: World, plugin: FakePlugin, probe: Once, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = world.load(plugin)
    name = "acme.sub.leaf" if call == "deep" else "acme.late"
    before_finding(name, probe, monkeypatch)
    probe.call = lambda: world.load(plugin)
    found = getattr(old.module, call)()
    assert mark(found) is mark(old.module)
    assert mark(sys.modules[name]) is mark(world.loaded[-1].module)


@pytest.mark.parametrize("call", CALLS)
def test_a_swap_between_making_a_module_and_running_it(
    world: World, plugin: FakePlugin, probe: Once, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = world.load(plugin)
    make = GenerationModules.new_module

    def making(self: GenerationModules, spec: ModuleSpec) -> Any:
        module = make(self, spec)
        if spec.name.endswith(("late", "leaf")):
            probe.run()
        return module

    monkeypatch.setattr(GenerationModules, "new_module", making)
    probe.call = lambda: world.load(plugin)
    found = getattr(old.module, call)()
    assert mark(found) is mark(old.module)
    new = world.loaded[-1]
    assert mark(getattr(new.module, call)()) is mark(new.module)
    old.drop()
    new.drop()
    assert nothing_left()


def test_a_drop_between_making_a_module_and_running_it(
    world: World, plugin: FakePlugin, probe: Once, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = world.load(plugin)
    module = loaded.module
    make = GenerationModules.new_module

    def making(self: GenerationModules, spec: ModuleSpec) -> Any:
        found = make(self, spec)
        probe.run()
        return found

    monkeypatch.setattr(GenerationModules, "new_module", making)
    probe.call = loaded.drop
    for _ in range(2):
        with pytest.raises(PluginNotRunning):
            module.names()
    assert nothing_left()


FAILING = "import loader_probe\nloader_probe.run()\nraise {}"


@pytest.mark.parametrize("error", [ValueError, ImportError, KeyError, SystemExit])
@pytest.mark.parametrize("call", CALLS)
def test_a_module_that_fails_after_the_drop_is_never_handed_out(
    world: World, plugin: FakePlugin, probe: Once, call: str, error: type
) -> None:
    write(
        world.path,
        dict.fromkeys(["acme/late.py", "acme/sub/leaf.py"], FAILING.format(error.__name__)),
    )
    loaded = world.load(plugin)
    module = loaded.module
    probe.call = loaded.drop
    with pytest.raises((error, PluginNotRunning)):
        getattr(module, call)()
    with pytest.raises(PluginNotRunning):
        getattr(module, call)()
    assert nothing_left()


@pytest.mark.parametrize("error", ["ValueError", "ImportError", "KeyError", "SystemExit"])
@pytest.mark.parametrize("call", CALLS)
def test_a_module_that_fails_after_a_swap_takes_nothing_from_the_new_generation(
    world: World, plugin: FakePlugin, probe: Once, call: str, error: str
) -> None:
    names = ["acme/late.py", "acme/sub/leaf.py"]
    write(world.path, dict.fromkeys(names, FAILING.format(error)))
    old = world.load(plugin)
    found: List[Any] = []

    def swap() -> None:
        write(world.path, dict.fromkeys(names, "DONE = True"))
        found.append(getattr(world.load(plugin).module, call)())

    probe.call = swap
    try:
        again = getattr(old.module, call)()
    except (ValueError, SystemExit):
        again = getattr(old.module, call)()
    assert again.DONE and mark(again) is mark(old.module)
    assert sys.modules[found[0].__name__] is found[0]
    assert mark(found[0]) is not mark(old.module)
    old.drop()
    world.loaded[-1].drop()
    assert nothing_left()


def stray(world: World, plugin: FakePlugin, loaded: LoadedModules) -> Any:
    """Brings about what importlib leaves if names move between its taking out and putting in."""
    late = loaded.module.names()
    world.load(plugin).drop()
    modules = modules_of(loaded)
    sys.modules[f"{modules.aliases[-1]}.late"] = sys.modules.pop("acme.late")
    return late


def test_a_module_under_a_name_that_is_gone_is_put_where_it_belongs(
    world: World, plugin: FakePlugin, probe: Once
) -> None:
    loaded = world.load(plugin)
    late = stray(world, plugin, loaded)
    repair(modules_of(loaded))
    assert sys.modules["acme.late"] is late
    loaded.drop()
    assert nothing_left()


def test_a_module_of_a_dropped_generation_is_taken_from_any_name(
    world: World, plugin: FakePlugin, probe: Once
) -> None:
    loaded = world.load(plugin)
    stray(world, plugin, loaded)
    loaded.drop()
    assert nothing_left()


def test_a_module_under_another_name_is_not_imported_a_second_time(
    world: World, plugin: FakePlugin, probe: Once
) -> None:
    loaded = world.load(plugin)
    late = stray(world, plugin, loaded)
    del loaded.api.late
    assert loaded.module.names() is late
    assert loaded.module.dotted() is late


def test_a_package_given_the_child_of_another_generation_gets_its_own_back(
    world: World, plugin: FakePlugin, probe: Once
) -> None:
    old = world.load(plugin)
    late = old.module.names()
    new = world.load(plugin)
    old.api.late = new.module.names()
    new.api.late = late
    repair(modules_of(old))
    assert old.api.late is late
    assert mark(new.api.late) is mark(new.api)


def test_a_module_that_importlib_puts_back_under_an_old_name_leaves_it(
    world: World, plugin: FakePlugin, probe: Once
) -> None:
    old = world.load(plugin)
    alias: List[str] = []

    def swap() -> None:
        world.load(plugin)
        alias.append(f"{modules_of(old).aliases[-1]}.late")
        sys.modules["acme.late"] = sys.modules.pop(alias[0])

    probe.call = swap
    late = old.module.names()
    assert sys.modules[alias[0]] is late
    assert "acme.late" not in sys.modules


def test_a_module_of_a_dropped_generation_that_importlib_puts_back_is_replaced(
    world: World, plugin: FakePlugin, probe: Once
) -> None:
    old = world.load(plugin)

    def swap() -> None:
        new = world.load(plugin)
        late = new.module.names()
        new.drop()
        sys.modules["acme.late"] = late

    probe.call = swap
    late = old.module.names()
    assert mark(late) is mark(old.module)
    assert sys.modules["acme.late"] is late is old.api.late


def test_a_module_that_importlib_puts_back_after_the_stop_is_taken_out_again(
    world: World, plugin: FakePlugin, probe: Once
) -> None:
    loaded = world.load(plugin)
    module = loaded.module

    def stop() -> None:
        late = sys.modules["acme.late"]
        loaded.drop()
        sys.modules["acme.late"] = late

    probe.call = stop
    assert module.names().DONE
    assert nothing_left()


@pytest.mark.parametrize("call", CALLS)
def test_an_import_under_a_name_that_goes_before_the_search_makes_no_module_of_nobody(
    world: World,
    plugin: FakePlugin,
    probe: Once,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
) -> None:
    """The swap is rolled back when old code has begun to import under its private name."""
    old = world.load(plugin)
    new = world.load(plugin)
    alias = modules_of(old).exposed
    below = "sub" if call == "deep" else "late"
    before_finding(f"{alias}.{below}", probe, monkeypatch)
    probe.call = new.drop
    found = getattr(old.module, call)()
    assert probe.call is None, "it was not imported under the private name"
    assert mark(found) is mark(old.module)
    assert found.DONE and sys.modules[f"acme.{found.__name__.partition('.')[2]}"] is found
    assert not [name for name in sys.modules if name.partition(".")[0] == alias]
    old.drop()
    assert nothing_left() and not NAMES.roots


class Blocked:
    """A module whose import is stopped half-way in one thread while another asks for it."""

    def __init__(self, module: Any, probe: Once, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waiting, self.begun, self.go_on = (threading.Event() for _ in range(3))
        self.found: List[Any] = []
        self.module = module
        wait_for = importlib_bootstrap.wait_for  # type: ignore[attr-defined]

        def waited_for(asked: Any) -> None:
            if getattr(asked, "__name__", "").endswith("late") and not hasattr(asked, "DONE"):
                self.waiting.set()
            wait_for(asked)

        monkeypatch.setattr(importlib_bootstrap, "wait_for", waited_for)
        probe.call = self.block
        self.threads = [threading.Thread(target=self.ask, daemon=True) for _ in range(2)]
        self.threads[0].start()
        assert self.begun.wait(30)

    def block(self) -> None:
        """Called by the module's code."""
        self.begun.set()
        assert self.go_on.wait(30)

    def ask(self) -> None:
        """What both threads do."""
        try:
            self.found.append(self.module.names())
        except Exception as e:
            self.found.append(e)

    def both(self) -> List[Any]:
        """What the threads got, after the second one has waited."""
        self.threads[1].start()
        assert self.waiting.wait(30)
        assert self.found == []
        self.go_on.set()
        for thread in self.threads:
            thread.join(30)
        return self.found


def test_a_thread_waits_for_a_module_whose_import_began_under_another_name(
    world: World, plugin: FakePlugin, probe: Once, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = world.load(plugin)
    blocked = Blocked(old.module, probe, monkeypatch)
    world.load(plugin)
    one, two = blocked.both()
    assert one is two
    assert one.DONE and mark(one) is mark(old.module)


@pytest.mark.parametrize("fails", [False, True])
def test_a_thread_waits_for_a_module_that_is_being_imported_at_the_stop(
    world: World, plugin: FakePlugin, probe: Once, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    if fails:
        write(world.path, {"acme/late.py": FAILING.format("ValueError")})
    loaded = world.load(plugin)
    blocked = Blocked(loaded.module, probe, monkeypatch)
    loaded.drop()
    found = blocked.both()
    if fails:
        assert {type(each) for each in found} == {ValueError, PluginNotRunning}
    else:
        assert found[0].DONE and found[0] is found[1]
    assert nothing_left()
