"""Plugins of installed distributions: packages and modules under their real names."""

from __future__ import annotations

import importlib
import sys
import types
import warnings

import pytest

from pkl.errors import ModuleReplacedWarning, PluginLoadError

from .fakes import World, write


def test_with_a_manifest_the_package_is_the_api_and_its_entry_point_module_runs(
    world: World,
) -> None:
    files = {"acme/__init__.py": "API = 1", "acme/plugin.py": "import acme\nFOUND = acme.API"}
    loaded = world.load(world.installed("audit", "acme", files, manifest=True))
    assert loaded.api is sys.modules["acme"]
    assert loaded.module is sys.modules["acme.plugin"]
    assert loaded.module.FOUND == 1


def test_with_a_manifest_but_no_init_the_api_is_the_entry_point_module(world: World) -> None:
    plugin = world.installed("audit", "acme", {"acme/plugin.py": "X = 1"}, manifest=True)
    loaded = world.load(plugin)
    assert loaded.api is loaded.module
    assert loaded.module.X == 1


def test_with_a_manifest_a_package_must_have_the_entry_point_module(world: World) -> None:
    plugin = world.installed("audit", "acme", {"acme/__init__.py": ""}, manifest=True)
    with pytest.raises(PluginLoadError, match="has no module 'plugin'") as caught:
        world.load(plugin)
    assert "dist-audit 1.2" in str(caught.value)
    assert "acme" not in sys.modules


def test_without_a_manifest_the_named_package_is_the_entry_point_module(world: World) -> None:
    files = {"acme/__init__.py": "X = 1", "acme/plugin.py": "raise AssertionError"}
    loaded = world.load(world.installed("audit", "acme", files))
    assert loaded.module is loaded.api is sys.modules["acme"]


def test_without_a_manifest_a_generation_is_the_named_module_and_its_parent_a_library(
    world: World,
) -> None:
    files = {
        "acme/__init__.py": "",
        "acme/hook.py": "from . import other",
        "acme/other.py": "",
    }
    loaded = world.load(world.installed("audit", "acme.hook", files))
    marked = [
        n for n, m in sys.modules.items() if "__pkl_generation__" in getattr(m, "__dict__", ())
    ]
    assert marked == ["acme.hook"]
    library = sys.modules["acme"]
    loaded.drop()
    assert sys.modules["acme"] is library
    assert not hasattr(library, "hook")
    assert hasattr(library, "other")


def test_two_plugins_of_one_package_share_the_library_around_them(world: World) -> None:
    files = {
        "acme/__init__.py": "SHARED = []",
        "acme/one.py": "from acme import SHARED\nSHARED.append(1)",
        "acme/two.py": "from acme import SHARED\nSHARED.append(2)",
    }
    world.load(world.installed("one", "acme.one", files))
    world.load(world.installed("two", "acme.two"))
    assert sys.modules["acme"].SHARED == [1, 2]


def test_two_plugins_of_one_module_have_a_copy_each(world: World) -> None:
    files = {"acme.py": "class A: pass\nclass B: pass"}
    one = world.load(world.installed("one", "acme:A", files))
    two = world.load(world.installed("two", "acme:B"))
    assert sys.modules["acme"] is one.module
    assert two.module.A is not one.module.A
    one.drop()
    assert "acme" not in sys.modules
    assert sys.modules[two.module.__name__] is two.module


@pytest.mark.parametrize("target", ["acme:Thing", "acme : Thing.inner", "acme:Thing [extra]"])
def test_with_an_object_the_module_is_still_the_module(world: World, target: str) -> None:
    plugin = world.installed("audit", target, {"acme.py": "class Thing:\n    inner = 1"})
    assert world.load(plugin).module is sys.modules["acme"]


def test_an_object_that_is_not_there_is_named_with_the_entry_point(world: World) -> None:
    plugin = world.installed("audit", "acme:Thing.missing", {"acme.py": "class Thing: pass"})
    with pytest.raises(PluginLoadError) as caught:
        world.load(plugin)
    text = str(caught.value)
    assert "module 'acme' has no attribute 'Thing.missing'" in text
    assert "entry_points.txt says [pkl.plugins] audit = acme:Thing.missing" in text
    assert "dist-audit 1.2" in text
    assert "acme" not in sys.modules


@pytest.mark.parametrize("target", ["nowhere", "nowhere.sub", "acme.nowhere", "acme.mod.deeper"])
def test_an_entry_point_naming_no_module_says_so(world: World, target: str) -> None:
    files = {"acme/__init__.py": "", "acme/mod.py": ""}
    with pytest.raises(PluginLoadError) as caught:
        world.load(world.installed("audit", target, files))
    text = str(caught.value)
    assert f"entry_points.txt says [pkl.plugins] audit = {target}" in text
    assert "plugin 'audit' 1.2 of dist-audit 1.2" in text
    assert caught.value.__cause__ is None
    assert isinstance(caught.value, ImportError)


def test_a_parent_package_that_fails_raises_what_it_raised(world: World) -> None:
    files = {"acme/__init__.py": "import nowhere_either", "acme/hook.py": ""}
    with pytest.raises(ModuleNotFoundError, match="nowhere_either") as caught:
        world.load(world.installed("audit", "acme.hook", files))
    assert not isinstance(caught.value, PluginLoadError)


@pytest.mark.parametrize("target", ["json", "sys:path", "logging.handlers:SysLogHandler", "pkl"])
def test_an_entry_point_into_python_or_pkl_is_refused(world: World, target: str) -> None:
    before = dict(sys.modules)
    with pytest.raises(PluginLoadError, match="itself"):
        world.load(world.installed("audit", target))
    assert sys.modules["json"] is before["json"]


def test_a_copy_that_the_application_imported_is_replaced_with_one_warning(world: World) -> None:
    files = {
        "acme/__init__.py": "",
        "acme/plugin.py": "from . import models",
        "acme/models.py": "",
    }
    plugin = world.installed("audit", "acme", files, manifest=True)
    copy = importlib.import_module("acme.models")
    with pytest.warns(ModuleReplacedWarning) as caught:
        loaded = world.load(plugin)
    assert len(caught) == 1
    text = str(caught[0].message)
    assert "'acme' and 1 more" in text and "'audit' 1.2" in text and "dist-audit 1.2" in text
    assert sys.modules["acme.models"] is loaded.module.models is not copy


def test_that_warning_is_one_that_python_shows_unasked() -> None:
    hidden = (DeprecationWarning, ImportWarning, PendingDeprecationWarning, ResourceWarning)
    assert not issubclass(ModuleReplacedWarning, hidden)


def test_a_subpackage_that_the_application_imported_is_replaced_in_its_parent(
    world: World,
) -> None:
    files = {
        "acme/__init__.py": "",
        "acme/audit/__init__.py": "",
        "acme/audit/plugin.py": "",
    }
    plugin = world.installed("audit", "acme.audit", files, manifest=True)
    copy = importlib.import_module("acme.audit")
    parent = sys.modules["acme"]
    with pytest.warns(ModuleReplacedWarning):
        loaded = world.load(plugin)
    assert parent.audit is loaded.api is not copy
    loaded.drop()
    assert not hasattr(parent, "audit")


def test_leftovers_of_a_failed_import_of_the_application_are_replaced(world: World) -> None:
    """Python leaves ``acme.sub`` behind where ``acme`` raised."""
    files = {"acme/__init__.py": "import acme.sub\nif FAIL: raise ValueError", "acme/sub.py": ""}
    plugin = world.installed("audit", "acme", files)
    with pytest.raises(NameError):
        importlib.import_module("acme")
    left = sys.modules["acme.sub"]
    write(world.path, {"acme/__init__.py": "import acme.sub"})
    with pytest.warns(ModuleReplacedWarning):
        world.load(plugin, 2)
    assert sys.modules["acme.sub"] is not left


def test_the_warning_as_an_error_is_a_load_that_did_not_happen(world: World) -> None:
    plugin = world.installed("audit", "acme", {"acme.py": ""})
    copy = importlib.import_module("acme")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ModuleReplacedWarning):
            world.load(plugin)
    assert sys.modules["acme"] is copy


def test_a_forbidden_module_stays_forbidden(world: World) -> None:
    """``sys.modules[name] = None`` is how a test or an application forbids an import."""
    plugin = world.installed("audit", "acme", {"acme/__init__.py": "", "acme/sub.py": ""})
    sys.modules["acme.sub"] = None  # type: ignore[assignment]
    loaded = world.load(plugin)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("acme.sub")
    loaded.drop()
    del sys.modules["acme.sub"]


def test_a_module_that_the_application_is_importing_cannot_be_replaced(world: World) -> None:
    source = "import tests_loader_hook\ntests_loader_hook.run()"
    plugin = world.installed("audit", "acme", {"acme.py": source})
    hook = types.ModuleType("tests_loader_hook")
    sys.modules["tests_loader_hook"] = hook
    hook.run = lambda: world.load(plugin)  # type: ignore[attr-defined]
    with pytest.raises(PluginLoadError, match="is importing its module 'acme'"):
        importlib.import_module("acme")


def test_a_package_installed_a_moment_ago_is_found(world: World) -> None:
    with pytest.raises(ImportError):
        importlib.import_module("acme_listed")
    for number in range(20):
        plugin = world.installed(f"p{number}", f"acme{number}", {f"acme{number}.py": ""})
        world.load(plugin)


def test_an_instrumenting_loader_is_asked_for_its_code(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As typeguard and its like do: a subclass of SourceFileLoader that rewrites the source."""
    from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
    from typing import Any, Optional

    class Loader(SourceFileLoader):
        def source_to_code(self, data: Any, path: Any, **_: Any) -> Any:  # type: ignore[override]
            return super().source_to_code(data.replace(b"PLAIN", b"INSTRUMENTED"), path)

    class Finder:
        def find_spec(
            self, name: str, path: Any = None, target: Any = None
        ) -> Optional[ModuleSpec]:
            spec = PathFinder.find_spec(name, path) if name.startswith("acme") else None
            if spec is not None and spec.origin is not None:
                spec.loader = Loader(name, spec.origin)
            return spec

    sys.meta_path.insert(0, Finder())
    plugin = world.installed("audit", "acme", {"acme.py": "X = 'PLAIN'"})
    other = world.installed("audit2", "acme")
    for each in (plugin, other):
        module = world.load(each).module
        assert module.X == "INSTRUMENTED"
        assert module.__dict__["__pkl_generation__"].number == 1
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    for number in range(100, 105):
        with open(world.path + "/acme.py", "w") as file:
            file.write(f"X = {number}")
        assert number == world.load(plugin).module.X


def test_a_loader_that_only_runs_code_is_let_run_it(world: World) -> None:
    from importlib.machinery import ModuleSpec
    from typing import Any, Optional

    class Loader:
        def create_module(self, spec: ModuleSpec) -> None:
            return None

        def exec_module(self, module: Any) -> None:
            exec("SEEN = __pkl_generation__.number", module.__dict__)

    class Finder:
        def find_spec(
            self, name: str, path: Any = None, target: Any = None
        ) -> Optional[ModuleSpec]:
            return ModuleSpec(name, Loader()) if name == "acme" else None  # type: ignore[arg-type]

    sys.meta_path.append(Finder())
    assert world.load(world.installed("audit", "acme")).module.SEEN == 1
