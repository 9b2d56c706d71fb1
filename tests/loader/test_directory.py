"""Plugin directories as packages."""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

import pytest

from pkl.errors import PluginLoadError
from pkl.loader import GenerationLoader
from pkl.loader.names import NAMES

from .fakes import FakeGeneration, World


def test_the_api_is_the_init_and_the_entry_point_module_is_plugin(world: World) -> None:
    plugin = world.directory("alpha", {"__init__.py": "API = 1", "plugin.py": "from . import API"})
    loaded = world.load(plugin)
    assert loaded.api.__name__ == "pkl_local_alpha"
    assert loaded.module.__name__ == "pkl_local_alpha.plugin"
    assert loaded.module.API == 1
    assert sys.modules["pkl_local_alpha.plugin"] is loaded.module
    assert loaded.api.plugin is loaded.module


def test_without_an_init_the_api_is_the_entry_point_module(world: World) -> None:
    loaded = world.load(
        world.directory("alpha", {"plugin.py": "from . import other", "other.py": ""})
    )
    assert loaded.api is loaded.module
    assert loaded.module.other.__name__ == "pkl_local_alpha.other"


def test_the_init_runs_before_the_entry_point_module(world: World) -> None:
    files = {
        "__init__.py": "LOG = ['init']",
        "plugin.py": "from . import LOG\nLOG.append('plugin')",
    }
    assert world.load(world.directory("alpha", files)).api.LOG == ["init", "plugin"]


def test_the_init_may_import_the_entry_point_module(world: World) -> None:
    files = {
        "__init__.py": "VALUE = 3\nfrom . import plugin\nfrom .plugin import DOUBLE",
        "plugin.py": "from . import VALUE\nDOUBLE = 2 * VALUE\nRUNS = []\nRUNS.append(1)",
    }
    loaded = world.load(world.directory("alpha", files))
    assert loaded.api.DOUBLE == 6
    assert loaded.api.plugin is loaded.module
    assert loaded.module.RUNS == [1]


def test_relative_imports_reach_subpackages_with_and_without_an_init(world: World) -> None:
    files = {
        "plugin.py": "from .sub.mod import Y\nfrom .bare.mod import Z\nfrom .sub import mod",
        "sub/__init__.py": "",
        "sub/mod.py": "from .. import plugin\nfrom ..data import X\nY = X + 1",
        "bare/mod.py": "from ..sub.mod import Y\nZ = Y + 1",
        "data.py": "X = 1",
    }
    loaded = world.load(world.directory("alpha", files))
    assert (loaded.module.Y, loaded.module.Z) == (2, 3)
    assert loaded.module.mod.plugin is loaded.module


def test_the_entry_point_module_may_have_a_dotted_name(world: World) -> None:
    plugin = world.directory(
        "alpha", {"inner/start.py": "HERE = __name__"}, entrypoint="inner.start"
    )
    assert world.load(plugin).module.HERE == "pkl_local_alpha.inner.start"


@pytest.mark.parametrize("name", ["json", "my-plugin", "class", "3d"])
def test_a_directory_never_takes_a_name_that_others_import(world: World, name: str) -> None:
    loaded = world.load(world.directory(name, {"plugin.py": "import json\nDUMP = json.dumps"}))
    assert loaded.module.DUMP is json.dumps
    assert sys.modules["json"] is json
    assert loaded.module.__package__.startswith("pkl_local_")
    assert loaded.module.__package__.isidentifier()


def test_every_module_is_marked_before_its_code_runs(world: World) -> None:
    source = "SEEN = globals()['__pkl_generation__']\ndef f(): pass"
    plugin = world.directory(
        "alpha", dict.fromkeys(("__init__.py", "plugin.py", "late.py"), source)
    )
    generation = FakeGeneration(1)
    loaded = GenerationLoader().load(plugin, generation)
    world.loaded.append(loaded)
    late = importlib.import_module("pkl_local_alpha.late")
    for module in (loaded.api, loaded.module, late):
        assert module.SEEN is generation
        assert module.f.__globals__["__pkl_generation__"] is generation


def test_packages_without_code_are_marked_too(world: World) -> None:
    plugin = world.directory("alpha", {"plugin.py": "from .bare import x", "bare/x.py": ""})
    world.load(plugin)
    for name in ("pkl_local_alpha", "pkl_local_alpha.bare"):
        assert sys.modules[name].__dict__["__pkl_generation__"].number == 1


def test_a_child_in_a_subdirectory_is_a_plugin_of_its_own(world: World) -> None:
    parent = world.load(
        world.directory("parent", {"plugin.py": "", "kids/child/plugin.py": "from . import aid"})
    )
    child = world.load(
        world.directory(
            "child", {"plugin.py": "from . import aid", "aid.py": ""}, folder="parent/kids/child"
        )
    )
    assert child.module.__name__ == "pkl_local_child.plugin"
    child.drop()
    assert sys.modules["pkl_local_parent.plugin"] is parent.module


def test_a_missing_entry_point_module_is_named_with_the_file_to_create(world: World) -> None:
    plugin = world.directory("alpha", {"__init__.py": "", "other.py": ""}, entrypoint="sub.main")
    with pytest.raises(PluginLoadError) as caught:
        world.load(plugin)
    location = plugin.candidate.location or ""
    assert f"plugin 'alpha' 0 cannot be loaded: {location} has no module 'sub.main'" in str(
        caught.value
    )
    assert caught.value.file == os.path.join(location, "sub", "main.py")
    assert isinstance(caught.value, ImportError)
    assert "pkl_local_alpha" not in sys.modules


def test_an_import_that_fails_inside_the_entry_point_module_is_not_a_missing_one(
    world: World,
) -> None:
    plugin = world.directory("alpha", {"plugin.py": "import nowhere_to_be_found"})
    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found") as caught:
        world.load(plugin)
    assert not isinstance(caught.value, PluginLoadError)


def test_a_file_made_a_moment_ago_is_found(world: World) -> None:
    """Directory listings are cached by modification time, which moves in ticks."""
    source = """
        from importlib import import_module
        def late(number):
            return import_module(f"{__package__}.m{number}").N
    """
    plugin = world.directory("alpha", {"plugin.py": source})
    module = world.load(plugin).module
    for number in range(40):
        world.edit(plugin, {f"m{number}.py": f"N = {number}"})
        found = module.late(number)
        assert found == number


def test_bare_bytecode_is_loaded(world: World) -> None:
    import py_compile

    plugin = world.directory("alpha", {"plugin.py": "from . import hidden", "hidden.py": "X = 5"})
    location = plugin.candidate.location or ""
    source = os.path.join(location, "hidden.py")
    py_compile.compile(source, cfile=source + "c", doraise=True)
    os.remove(source)
    module = world.load(plugin).module
    assert module.hidden.X == 5
    assert module.hidden.__dict__["__pkl_generation__"].number == 1


def test_data_files_are_read_as_resources(world: World) -> None:
    reader = """
        import importlib.resources, pkgutil
        def read():
            return importlib.resources.read_text(__package__, "data.txt")
    """
    for name, extra in (("alpha", {"__init__.py": ""}), ("beta", {})):
        files = {"plugin.py": reader, "data.txt": "hello", **extra}
        plugin = world.directory(name, files)
        if sys.version_info < (3, 13):
            import warnings

            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                assert world.load(plugin).module.read() == "hello"
        else:
            assert world.load(plugin).module.read() == "hello"


def test_importing_pkl_loader_installs_no_finder_and_a_load_only_one(world: World) -> None:
    from pkl.loader import finder

    sys.meta_path.remove(finder._FINDER)
    world.load(world.directory("alpha", {"plugin.py": ""}))
    world.load(world.directory("beta", {"plugin.py": ""}))
    assert sys.meta_path.count(finder._FINDER) == 1


def test_a_hook_that_was_put_before_the_finder_does_not_get_the_modules(world: World) -> None:
    from importlib.machinery import PathFinder

    plugin = world.directory(
        "alpha", {"plugin.py": "def f():\n    from . import late", "late.py": ""}
    )
    module = world.load(plugin).module
    sys.meta_path.insert(0, PathFinder)
    module.f()
    assert "__pkl_generation__" in sys.modules["pkl_local_alpha.late"].__dict__
    sys.meta_path.insert(0, PathFinder)
    assert "__pkl_generation__" in world.load(plugin).module.__dict__


def test_the_finder_leaves_other_names_alone(world: World) -> None:
    from pkl.loader.finder import _FINDER

    world.load(world.directory("alpha", {"plugin.py": ""}))
    assert _FINDER.find_spec("json") is None
    assert _FINDER.find_spec("pkl_local_alphabet.plugin") is None
    spec: Any = _FINDER.find_spec("pkl_local_alpha.plugin", sys.modules["pkl_local_alpha"].__path__)
    assert spec.name == "pkl_local_alpha.plugin"
    assert NAMES.root_of("pkl_local_alpha.plugin") == "pkl_local_alpha"


def test_find_spec_and_reload_of_importlib_work_on_a_plugin(world: World) -> None:
    plugin = world.directory("alpha", {"plugin.py": "COUNT = globals().get('COUNT', 0) + 1"})
    module = world.load(plugin).module
    found = importlib.util.find_spec("pkl_local_alpha.plugin")
    assert found is not None and found.origin == module.__file__
    assert importlib.reload(module).COUNT == 2
    assert module.__dict__["__pkl_generation__"].number == 1
    world.edit(plugin, {"plugin.py": "1 / 0"})
    with pytest.raises(ZeroDivisionError):
        importlib.reload(module)
    assert sys.modules["pkl_local_alpha.plugin"] is module
