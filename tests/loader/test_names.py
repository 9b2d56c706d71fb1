"""Who has which names in ``sys.modules``: generations, plugins and hosts side by side."""

from __future__ import annotations

import gc
import importlib
import pickle
import sys
from typing import Any

import pytest

from pkl.errors import PluginNotRunning
from pkl.loader.names import NAMES, Names

from .fakes import FakeHost, World, write

PACKAGE = {
    "acme/__init__.py": "from .models import VERSION\nLATE = []",
    "acme/models.py": "VERSION = 1\nclass Model: pass",
    "acme/plugin.py": """
        import acme
        import acme.models
        import acme.models as m
        from acme import models
        from acme.models import Model
        def lazy():
            import acme.lazy
            from acme.lazy import VALUE
            return acme.lazy
        def version():
            from acme.models import VERSION
            return VERSION
        def relative():
            from . import lazy
            return lazy
    """,
    "acme/lazy.py": "VALUE = 1\nfrom acme.models import Model",
}


def test_the_next_generation_takes_the_real_names(world: World) -> None:
    plugin = world.installed("audit", "acme", PACKAGE, manifest=True)
    old = world.load(plugin)
    first = old.module
    new = world.load(plugin)
    assert sys.modules["acme.plugin"] is new.module is not first
    old.drop()
    assert sys.modules["acme.plugin"] is new.module
    assert sys.modules["acme"].plugin is new.module


def test_a_dropped_new_generation_gives_the_names_back_to_the_old_one(world: World) -> None:
    plugin = world.installed("audit", "acme", PACKAGE, manifest=True)
    old = world.load(plugin)
    world.load(plugin).drop()
    assert sys.modules["acme.plugin"] is old.module
    assert old.module.lazy() is sys.modules["acme.lazy"]
    assert old.module.relative() is sys.modules["acme.lazy"]
    assert old.module.Model is pickle.loads(pickle.dumps(old.module.Model))
    assert not [name for name in sys.modules if "__pkl_" in name]


def test_another_host_gets_private_names_and_absolute_imports_of_its_own(world: World) -> None:
    first = world.load(world.installed("audit", "acme", PACKAGE, manifest=True))
    other = world.load(world.installed("audit", "acme", manifest=True, host=FakeHost()))
    assert sys.modules["acme"] is first.api
    assert other.api.__name__.startswith("acme__pkl_")
    module = other.module
    assert module.acme is other.api
    assert module.m is module.models is other.api.models is not first.api.models
    assert module.Model is other.api.models.Model is not first.module.Model
    late = module.lazy()
    assert late is other.api.lazy is module.relative()
    assert late.Model is module.Model
    assert late.__dict__["__pkl_generation__"] is module.__dict__["__pkl_generation__"]
    assert "acme.lazy" not in sys.modules
    assert first.module.lazy().Model is first.module.Model


def test_the_other_host_keeps_working_when_the_first_is_gone(world: World) -> None:
    first = world.load(world.installed("audit", "acme", PACKAGE, manifest=True))
    other = world.load(world.installed("audit", "acme", manifest=True, host=FakeHost()))
    first.drop()
    assert "acme" not in sys.modules
    assert other.module.lazy().Model is other.module.Model
    assert "acme" not in sys.modules


def test_the_name_is_free_again_when_the_claim_ends(world: World) -> None:
    world.load(world.installed("audit", "acme", PACKAGE, manifest=True)).drop()
    host = FakeHost()
    loaded = world.load(world.installed("audit", "acme", manifest=True, host=host))
    assert loaded.api.__name__ == "acme"


def test_a_host_keeps_its_claim_through_reloads(world: World) -> None:
    plugin = world.installed("audit", "acme", PACKAGE, manifest=True)
    other = world.installed("audit", "acme", manifest=True, host=FakeHost())
    old = world.load(plugin)
    world.load(other)
    new = world.load(plugin)
    old.drop()
    world.load(other)
    assert sys.modules["acme"] is new.api


def test_the_claim_of_a_dead_host_ends(world: World) -> None:
    host = FakeHost()
    plugin = world.installed("audit", "acme", PACKAGE, manifest=True, host=host)
    loaded = world.load(plugin)
    old = loaded.module
    del host, plugin
    world.loaded.clear()
    gc.collect()
    new = world.load(world.installed("audit", "acme", manifest=True))
    assert sys.modules["acme.plugin"] is new.module is not old
    with pytest.raises(PluginNotRunning):
        old.lazy()
    loaded.drop()
    assert sys.modules["acme.plugin"] is new.module


def test_an_old_generation_goes_on_with_its_own_modules_while_a_new_one_is_there(
    world: World,
) -> None:
    plugin = world.installed("audit", "acme", PACKAGE, manifest=True)
    old = world.load(plugin)
    write(world.path, {"acme/models.py": "VERSION = 2\nclass Model: pass"})
    new = world.load(plugin)
    assert (old.module.version(), new.module.version()) == (1, 2)
    late = old.module.lazy()
    assert late.Model is old.module.Model
    assert late is old.module.relative()
    assert late.__dict__["__pkl_generation__"].number == 1
    assert new.module.lazy() is sys.modules["acme.lazy"] is not late
    new.drop()
    assert sys.modules["acme.lazy"] is late
    assert old.module.relative() is late


def test_a_module_first_imported_while_aside_imports_its_siblings_after_moving_back(
    world: World,
) -> None:
    files = {
        "__init__.py": "",
        "plugin.py": "def late():\n    from . import late\n    return late",
        "late.py": """
            def sibling():
                from .data import X
                from . import data
                return data
        """,
        "data.py": "X = []",
    }
    plugin = world.directory("alpha", files)
    old = world.load(plugin)
    new = world.load(plugin)
    late = old.module.late()
    new.drop()
    assert late.sibling() is sys.modules["pkl_local_alpha.data"]
    assert late.sibling().__dict__["__pkl_generation__"].number == 1


def test_code_of_a_dropped_generation_finds_what_it_has_and_no_more(world: World) -> None:
    plugin = world.installed("audit", "acme", PACKAGE, manifest=True)
    loaded = world.load(plugin)
    module = loaded.module
    loaded.drop()
    assert module.version() == 1
    for late in (module.lazy, module.relative):
        with pytest.raises(ImportError, match=r"'acme\.lazy'.*generation 1 of plugin 'audit'"):
            late()
    assert "acme" not in sys.modules


def test_code_of_a_dropped_generation_does_not_see_the_next_one(world: World) -> None:
    plugin = world.installed("audit", "acme", PACKAGE, manifest=True)
    loaded = world.load(plugin)
    module = loaded.module
    module.lazy()
    loaded.drop()
    write(world.path, {"acme/models.py": "VERSION = 2\nclass Model: pass"})
    new = world.load(plugin)
    assert (module.version(), new.module.version()) == (1, 2)
    assert module.lazy() is module.relative() is not new.module.lazy()


DOTTED = {
    "acme/__init__.py": "REGISTRY = []",
    "acme/lib.py": "",
    "acme/audit/__init__.py": "",
    "acme/audit/models.py": "class Model: pass",
    "acme/audit/plugin.py": """
        import acme.audit.models
        import acme.lib
        from acme import audit, lib
        from .. import audit as above
        from ..lib import __name__ as NAME
        MODEL = acme.audit.models.Model
        def lazy():
            import acme.audit.late as late
            return late
        def flag(value):
            acme.flag = value
        def again():
            import acme.audit
            return acme.audit.models.Model
    """,
    "acme/audit/late.py": "",
}


def test_a_root_with_dots_sees_itself_through_the_library_above_it(world: World) -> None:
    first = world.load(world.installed("audit", "acme.audit", DOTTED, manifest=True))
    other = world.load(world.installed("audit", "acme.audit", manifest=True, host=FakeHost()))
    library = sys.modules["acme"]
    assert library.audit is first.api
    for loaded in (first, other):
        module = loaded.module
        assert module.audit is module.above is loaded.api
        assert module.MODEL is loaded.api.models.Model
        assert module.lib is sys.modules["acme.lib"]
        assert module.acme.REGISTRY is library.REGISTRY
        assert module.acme.audit is loaded.api
        assert module.lazy() is loaded.api.late
    assert first.module.MODEL is not other.module.MODEL


def test_the_view_of_a_library_passes_assignments_on(world: World) -> None:
    loaded = world.load(world.installed("audit", "acme.audit", DOTTED, manifest=True))
    loaded.module.flag(7)
    assert loaded.module.again() is loaded.module.MODEL
    library = sys.modules["acme"]
    assert library.flag == 7
    view = loaded.module.acme
    assert view.__name__ == "acme" and view.__spec__ is library.__spec__
    assert set(dir(view)) == set(dir(library))
    del view.flag
    assert not hasattr(library, "flag")


def test_what_an_old_generation_bound_still_leads_to_itself(world: World) -> None:
    plugin = world.installed("audit", "acme.audit", DOTTED, manifest=True)
    old = world.load(plugin).module
    new = world.load(plugin).module
    assert old.acme.audit.models.Model is old.MODEL is not new.MODEL
    assert old.again() is old.MODEL
    assert old.lazy() is not new.lazy()
    assert sys.modules["acme"].audit is new.acme.audit


def test_a_new_generation_that_is_dropped_gives_the_parents_attribute_back(world: World) -> None:
    plugin = world.installed("audit", "acme.audit", DOTTED, manifest=True)
    old = world.load(plugin)
    world.load(plugin).drop()
    assert sys.modules["acme"].audit is old.api
    old.drop()
    assert not hasattr(sys.modules["acme"], "audit")


def test_a_plugin_inside_another_ones_package_keeps_its_modules(world: World) -> None:
    files = {
        "acme/__init__.py": "",
        "acme/plugin.py": "",
        "acme/sub/__init__.py": "",
        "acme/sub/plugin.py": "import acme\nTOP = acme",
    }
    outer = world.installed("outer", "acme", files, manifest=True)
    world.load(outer)
    inner = world.load(world.installed("inner", "acme.sub", manifest=True))
    assert sys.modules["acme.sub"] is inner.api
    world.load(outer)
    assert sys.modules["acme.sub"] is inner.api
    assert importlib.import_module("acme.sub.plugin") is inner.module


def test_a_module_belongs_to_the_longest_root_it_is_below() -> None:
    for roots in (["a", "a.b", "a.b.c"], ["a.b.c", "a.b", "a"]):
        names = Names()
        for root in roots:
            names.put(root, Any)  # type: ignore[arg-type]
        found = [names.root_of(n) for n in ("a", "a.x", "a.b.x", "a.bc", "a.b.c.d", "ab")]
        assert found == ["a", "a", "a.b", "a", "a.b.c", None]


def test_a_package_without_init_is_found_when_the_real_names_are_free(world: World) -> None:
    files = {
        "acme/__init__.py": "",
        "acme/bare/x.py": "",
        "acme/plugin.py": "def late():\n    from .bare import x\n    return x",
    }
    first = world.load(world.installed("audit", "acme", files, manifest=True))
    other = world.load(world.installed("audit", "acme", manifest=True, host=FakeHost()))
    first.drop()
    assert other.module.late().__name__ == f"{other.api.__name__}.bare.x"


def test_private_names_leave_the_table_with_their_generation(world: World) -> None:
    plugin = world.installed("audit", "acme", PACKAGE, manifest=True)
    loads = [world.load(plugin) for _ in range(4)]
    other = world.load(world.installed("audit", "acme", manifest=True, host=FakeHost()))
    for loaded in (loads[1], loads[3], loads[0], other):
        loaded.drop()
    assert sys.modules["acme"] is loads[2].api
    assert loads[2]._modules is not None
    assert list(NAMES.roots) == ["acme", *loads[2]._modules.aliases]
    loads[2].drop()
    loads[2].drop()
    assert NAMES.roots == {} and NAMES.claims == {}
    assert not [name for name in sys.modules if name.partition(".")[0].startswith("acme")]


def test_star_imports_bring_the_listed_submodules(world: World) -> None:
    files = {
        "acme/__init__.py": "__all__ = ['one', 'two']\ntwo = 2",
        "acme/one.py": "",
        "acme/plugin.py": """
            def load():
                space = {}
                exec("from acme import *", {**globals()}, space)
                return space
        """,
    }
    plugin = world.installed("audit", "acme", files, manifest=True)
    old = world.load(plugin)
    other = world.load(world.installed("audit", "acme", manifest=True, host=FakeHost()))
    world.load(plugin)
    for loaded in (old, other):
        space = loaded.module.load()
        assert space["one"] is loaded.api.one and space["two"] == 2
        assert (
            space["one"].__dict__["__pkl_generation__"] is loaded.api.__dict__["__pkl_generation__"]
        )


def test_a_name_that_is_not_there_is_the_error_that_python_raises(world: World) -> None:
    files = {
        "acme/__init__.py": "",
        "acme/plugin.py": """
            def name():
                from acme import missing
            def module():
                import acme.missing
            def outside():
                import acme_missing
            def beyond():
                from ... import x
        """,
    }
    plugin = world.installed("audit", "acme", files, manifest=True)
    old = world.load(plugin).module
    other = world.load(world.installed("audit", "acme", manifest=True, host=FakeHost())).module
    new = world.load(plugin).module
    for module in (old, other, new):
        with pytest.raises(ImportError, match="cannot import name 'missing'"):
            module.name()
        with pytest.raises(ModuleNotFoundError, match="missing"):
            module.module()
        with pytest.raises(ModuleNotFoundError, match="No module named 'acme_missing'"):
            module.outside()
        with pytest.raises(ImportError, match="beyond top-level"):
            module.beyond()


def test_a_module_that_replaces_itself_is_taken_out_too(world: World) -> None:
    files = {
        "acme/__init__.py": "",
        "acme/lazy.py": "import sys, types\nsys.modules[__name__] = types.SimpleNamespace(X=1)",
        "acme/plugin.py": """
            from acme import lazy
            def again():
                from acme import lazy
                return lazy
        """,
    }
    loaded = world.load(world.installed("audit", "acme", files, manifest=True))
    module = loaded.module
    assert module.lazy.X == 1
    loaded.drop()
    assert "acme.lazy" not in sys.modules
    assert module.again() is module.lazy
