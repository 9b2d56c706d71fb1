"""What depends on modules being where Python expects them."""

from __future__ import annotations

import builtins
import importlib
import pickle
import sys
import typing
from typing import List

import pytest

from pkl.loader import LoadedModules

from .fakes import FakeHost, World

PACKAGE = {
    "acme/__init__.py": "",
    "acme/plugin.py": '''
        from __future__ import annotations
        import dataclasses, enum, importlib, inspect, typing
        from typing import NamedTuple, Optional
        from . import shapes
        if typing.TYPE_CHECKING:
            from .shapes import Shape

        class Colour(enum.Enum):
            RED = 1

        @dataclasses.dataclass(order=True)
        class Base:
            x: int = 0
            kind: typing.ClassVar[int] = 1
            start: dataclasses.InitVar[Optional[int]] = None

        @dataclasses.dataclass
        class Record(Base):
            shape: Optional[shapes.Shape] = None

        class Pair(NamedTuple):
            a: int
            b: Colour

        class Typed(typing.TypedDict):
            a: int

        class Proto(typing.Protocol):
            def m(self) -> int: ...

        def function(record: Record, colour: Colour = Colour.RED) -> shapes.Shape:
            """A docstring."""
            return shapes.Shape()

        def lazily():
            return importlib.import_module(".late", __package__)

        async def coroutine() -> None:
            from .late import VALUE
            return VALUE
    ''',
    "acme/shapes.py": "class Shape: pass",
    "acme/late.py": "VALUE = 1",
}


@pytest.fixture(params=["first", "private", "aside", "newest"])
def loaded(world: World, request: pytest.FixtureRequest) -> LoadedModules:
    """A generation under real names, private ones, replaced by another, and the other."""
    plugin = world.installed("audit", "acme", PACKAGE, manifest=True)
    first = world.load(plugin)
    if request.param == "private":
        return world.load(world.installed("audit", "acme", manifest=True, host=FakeHost()))
    if request.param in ("aside", "newest"):
        second = world.load(plugin)
        return second if request.param == "newest" else first
    return first


def test_dataclasses_enums_and_named_tuples_work(loaded: LoadedModules) -> None:
    module = loaded.module
    record = module.Record(1, None, module.shapes.Shape())
    assert record == module.Record(1, None, record.shape)
    assert [f.name for f in module.dataclasses.fields(record)] == ["x", "shape"]
    assert module.Colour(1) is module.Colour.RED
    assert module.Pair(1, module.Colour.RED).b is module.Colour.RED
    assert module.Base(1) < module.Base(2)


def test_type_hints_resolve_in_their_own_module(loaded: LoadedModules) -> None:
    module = loaded.module
    hints = typing.get_type_hints(module.function)
    assert hints == {
        "record": module.Record,
        "colour": module.Colour,
        "return": module.shapes.Shape,
    }
    if sys.modules[module.__name__] != module:
        return  # A class's hints are looked up by its module's name, and that is the newest's.
    assert typing.get_type_hints(module.Typed) == {"a": int}
    assert typing.get_type_hints(module.Pair)["b"] is module.Colour


def test_source_and_signature_can_be_inspected(loaded: LoadedModules) -> None:
    module = loaded.module
    inspect = module.inspect
    assert '"""A docstring."""' in inspect.getsource(module.function)
    assert inspect.getsource(module.Record).startswith("@dataclasses.dataclass")
    assert inspect.getmodule(module.lazily).__name__ == module.__name__
    assert list(inspect.signature(module.function).parameters) == ["record", "colour"]


def test_a_coroutine_imports_from_its_own_generation(loaded: LoadedModules) -> None:
    coroutine = loaded.module.coroutine()
    with pytest.raises(StopIteration) as caught:
        coroutine.send(None)
    assert caught.value.value == 1
    assert (
        loaded.api.late.__dict__["__pkl_generation__"] is loaded.api.__dict__["__pkl_generation__"]
    )


def test_instances_of_the_newest_generation_pickle(world: World) -> None:
    plugin = world.installed("audit", "acme", PACKAGE, manifest=True)
    world.load(plugin)
    module = world.load(plugin).module
    value = [module.Base(3), module.Pair(1, module.Colour.RED), module.function]
    assert pickle.loads(pickle.dumps(value)) == value
    assert module.lazily() is importlib.import_module("acme.late")


def test_instances_of_a_private_generation_pickle_while_it_lives(world: World) -> None:
    """Under its private name, which nobody knows later: not something to store."""
    world.load(world.installed("audit", "acme", PACKAGE, manifest=True))
    host = FakeHost()
    module = world.load(world.installed("audit", "acme", manifest=True, host=host)).module
    data = pickle.dumps(module.Base(3))
    assert pickle.loads(data) == module.Base(3)
    assert b"acme__pkl_" in data


def test_builtins_are_those_of_the_moment_of_loading(world: World) -> None:
    """Own ``__import__`` needs own builtins; names that are patched later are not seen."""
    plugin = world.directory("alpha", {"plugin.py": "def f(): return ascii('abc'), __import__"})
    old = world.load(plugin).module
    original = builtins.ascii
    builtins.ascii = lambda _: "patched"
    try:
        new = world.load(plugin).module
        assert (old.f()[0], new.f()[0]) == ("'abc'", "patched")
    finally:
        builtins.ascii = original
    assert old.f()[1] is not builtins.__import__


def test_a_patched_import_function_is_called_for_everything_else(world: World) -> None:
    module = world.load(world.directory("alpha", {"plugin.py": "def f():\n    import json"})).module
    asked: List[str] = []
    original = builtins.__import__

    def spying(name: str, *args: object, **options: object) -> object:
        asked.append(name)
        return original(name, *args, **options)  # type: ignore[arg-type]

    builtins.__import__ = spying  # type: ignore[assignment]
    try:
        module.f()
    finally:
        builtins.__import__ = original
    assert asked == ["json"]


def test_the_import_function_can_be_called_by_hand(loaded: LoadedModules) -> None:
    space = loaded.module.__dict__
    call = space["__builtins__"]["__import__"]
    assert call("acme") is loaded.api
    assert call("acme.shapes") is loaded.api
    assert call("acme.shapes", fromlist=["Shape"]) is loaded.api.shapes
    assert call("shapes", space, None, None, 1) is loaded.api.shapes
    assert call("", space, None, ["shapes"], 1) is loaded.api
    assert call("json", None, None, None, 0) is sys.modules["json"]
    with pytest.raises(ImportError):
        call("shapes", {"__package__": ""}, None, ["Shape"], 1)
    with pytest.raises(ImportError):
        call("x", space, None, ["y"], 3)
