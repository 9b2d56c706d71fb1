"""A load that fails leaves nothing behind."""

from __future__ import annotations

import importlib
import sys
import traceback
from typing import Set

import pytest

from pkl.errors import ModuleReplacedWarning, PluginNotRunning
from pkl.loader.names import NAMES

from .fakes import FakeHost, World, write

FAILURES = {
    "raise ValueError('x')": ValueError,
    "raise SystemExit(3)": SystemExit,
    "raise KeyboardInterrupt": KeyboardInterrupt,
    "raise GeneratorExit": GeneratorExit,
    "this is no python": SyntaxError,
    "import nowhere_at_all": ModuleNotFoundError,
    "from . import nothing": ImportError,
    "X = '\\ud800'.encode()": UnicodeEncodeError,
}


def ours() -> Set[str]:
    return {name for name in sys.modules if name.startswith(("pkl_local_", "acme"))}


@pytest.mark.parametrize("code", FAILURES)
@pytest.mark.parametrize("where", ["__init__.py", "plugin.py", "deep/er.py"])
def test_whatever_the_code_raises_comes_out_and_no_module_stays(
    world: World, code: str, where: str
) -> None:
    files = {
        "__init__.py": "from . import fine",
        "fine.py": "",
        "plugin.py": "from .deep import er",
        "deep/er.py": "",
    }
    files[where] = f"from . import __name__\n{code}"
    with pytest.raises(FAILURES[code]) as caught:
        world.load(world.directory("alpha", files))
    assert type(caught.value) is FAILURES[code]
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    assert not ours()
    assert not NAMES.roots and not NAMES.claims


def test_the_very_exception_comes_out(world: World) -> None:
    plugin = world.directory("alpha", {"plugin.py": "import builtins\nraise builtins.probe"})
    import builtins

    builtins.probe = probe = ValueError("this one")  # type: ignore[attr-defined]
    try:
        with pytest.raises(ValueError) as caught:
            world.load(plugin)
    finally:
        del builtins.probe  # type: ignore[attr-defined]
    assert caught.value is probe


def test_the_traceback_shows_the_plugins_frames_and_the_call_that_loaded_it(world: World) -> None:
    files = {"__init__.py": "from . import inner", "inner.py": "1 / 0", "plugin.py": ""}
    with pytest.raises(ZeroDivisionError) as caught:
        world.load(world.directory("alpha", files))
    names = [f"{f.filename.rpartition('/')[2]}:{f.name}" for f in traceback.extract_tb(caught.tb)]
    assert names[-3:] == ["load.py:load", "__init__.py:<module>", "inner.py:<module>"]


def test_the_traceback_of_a_later_import_shows_one_frame_of_pkl(world: World) -> None:
    files = {
        "plugin.py": "def f():\n    from . import a",
        "a.py": "from . import b",
        "b.py": "1 / 0",
    }
    loaded = world.load(world.directory("alpha", files))
    with pytest.raises(ZeroDivisionError) as caught:
        loaded.module.f()
    names = [f.filename.rpartition("/")[2] for f in traceback.extract_tb(caught.tb)]
    assert names[1:] == ["plugin.py", "importlib_bootstrap.py", "a.py", "b.py"]


def test_modules_of_the_application_come_back(world: World) -> None:
    files = {
        "acme/__init__.py": "",
        "acme/models.py": "",
        "acme/plugin.py": "from . import models, other\n1 / 0",
        "acme/other.py": "",
    }
    plugin = world.installed("audit", "acme", files, manifest=True)
    copies = {name: importlib.import_module(name) for name in ("acme", "acme.models")}
    with pytest.raises(ZeroDivisionError):
        world.load(plugin)
    assert {name: sys.modules[name] for name in ours()} == copies
    assert copies["acme"].models is copies["acme.models"]


def test_the_attribute_of_the_package_above_comes_back(world: World) -> None:
    files = {
        "acme/__init__.py": "",
        "acme/audit.py": "if 'acme.first' in __import__('sys').modules: 1 / 0",
    }
    plugin = world.installed("audit", "acme.audit", files)
    copy = importlib.import_module("acme.audit")
    sys.modules["acme.first"] = copy
    with pytest.raises(ZeroDivisionError):
        world.load(plugin)
    assert sys.modules["acme"].audit is sys.modules["acme.audit"] is copy
    del sys.modules["acme.first"]
    with pytest.warns(ModuleReplacedWarning):
        world.load(plugin)


def test_that_attribute_comes_back_after_it_was_set_anew(world: World) -> None:
    files = {
        "acme/__init__.py": "",
        "acme/audit/__init__.py": "",
        "acme/audit/plugin.py": "import acme\nassert acme.audit\n1 / 0",
    }
    plugin = world.installed("audit", "acme.audit", files, manifest=True)
    copy = importlib.import_module("acme.audit")
    with pytest.raises(ZeroDivisionError):
        world.load(plugin)
    assert sys.modules["acme"].audit is sys.modules["acme.audit"] is copy


def test_the_old_generation_is_back_in_its_place(world: World) -> None:
    files = {"acme/__init__.py": "", "acme/audit/__init__.py": "", "acme/audit/plugin.py": ""}
    plugin = world.installed("audit", "acme.audit", files, manifest=True)
    old = world.load(plugin)
    write(world.path, {"acme/audit/plugin.py": "raise SystemExit"})
    for _ in range(3):
        with pytest.raises(SystemExit):
            world.load(plugin)
        assert sys.modules["acme.audit.plugin"] is old.module
        assert sys.modules["acme"].audit is old.api
        assert len(NAMES.claims["acme.audit"].living) == 1
    old.drop()
    assert ours() == {"acme"}


def test_a_private_generation_that_fails_leaves_nothing(world: World) -> None:
    files = {"acme/__init__.py": "", "acme/audit.py": ""}
    first = world.load(world.installed("audit", "acme.audit", files))
    write(world.path, {"acme/audit.py": "1 / 0"})
    with pytest.raises(ZeroDivisionError):
        world.load(world.installed("audit", "acme.audit", host=FakeHost()))
    assert ours() == {"acme", "acme.audit"}
    assert [name for name in vars(sys.modules["acme"]) if name.startswith("audit")] == ["audit"]
    assert sys.modules["acme"].audit is first.module


def test_a_submodule_that_fails_inside_a_running_generation_fails_as_in_python(
    world: World,
) -> None:
    source = """
        def bad():
            from . import bad
        def good():
            from . import good
            return good
    """
    files = {"plugin.py": source, "bad.py": "from . import good\n1 / 0", "good.py": ""}
    plugin = world.directory("alpha", files)
    loaded = world.load(plugin)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            loaded.module.bad()
    assert "pkl_local_alpha.bad" not in sys.modules
    assert loaded.module.good() is sys.modules["pkl_local_alpha.good"]
    world.edit(plugin, {"bad.py": "X = 1"})
    loaded.module.bad()
    assert sys.modules["pkl_local_alpha.bad"].X == 1


def test_a_plugin_may_fall_back_where_a_module_of_its_own_is_missing(world: World) -> None:
    source = "try:\n    from ._speedups import f\nexcept ImportError:\n    f = None"
    loaded = world.load(world.directory("alpha", {"plugin.py": source}))
    assert loaded.module.f is None


def test_code_of_a_failed_load_that_lives_on_is_told_that_it_is_stopped(world: World) -> None:
    source = """
        import builtins
        def late():
            from . import late
        builtins.probe = late
        1 / 0
    """
    import builtins

    plugin = world.directory("alpha", {"plugin.py": source, "late.py": ""})
    with pytest.raises(ZeroDivisionError):
        world.load(plugin)
    late = builtins.probe  # type: ignore[attr-defined]
    del builtins.probe  # type: ignore[attr-defined]
    with pytest.raises(PluginNotRunning, match="generation 1 of plugin 'alpha'"):
        late()
    assert not ours()


def test_a_generation_stopped_in_the_middle_of_its_load_imports_no_more(world: World) -> None:
    """A plugin may disable itself while it is imported."""
    source = """
        from pkl.loader.moving import take_out
        from pkl.loader.names import NAMES
        take_out(NAMES.holder(__name__))
        from . import late
    """
    plugin = world.directory("alpha", {"__init__.py": source, "plugin.py": "", "late.py": ""})
    with pytest.raises(PluginNotRunning):
        world.load(plugin)
    assert not ours()
