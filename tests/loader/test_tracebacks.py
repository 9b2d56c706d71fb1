"""Tracebacks and ``inspect`` show each generation its own source."""

from __future__ import annotations

import gc
import inspect
import os
import sys
import traceback
import warnings
from typing import Any, Callable

import pytest

from pkl.loader.lines import text_for

from .fakes import World, write

OLD = "def fail():\n    raise ValueError  # the old text\n\nclass Shape:\n    old = 1\n"
NEW = (
    "# more\n# lines\n\ndef fail():\n    raise ValueError  # the new text\n\n"
    "class Shape:\n    new = 1\n"
)


def shown(function: Callable[[], Any]) -> str:
    """The last source line that a traceback shows."""
    try:
        function()
    except ValueError:
        return traceback.format_exc()
    raise AssertionError


def test_each_generation_shows_its_own_text(world: World) -> None:
    plugin = world.directory("alpha", {"plugin.py": OLD})
    old = world.load(plugin, 2).module
    world.edit(plugin, {"plugin.py": NEW})
    new = world.load(plugin, 3).module
    assert "the old text" in shown(old.fail)
    assert "the new text" in shown(new.fail)
    assert inspect.getsource(old.fail) == "def fail():\n    raise ValueError  # the old text\n"
    assert inspect.getsource(new.fail) == "def fail():\n    raise ValueError  # the new text\n"
    assert inspect.getsource(new) == NEW
    assert new.__loader__.get_source(new.__name__) == NEW
    assert old.__loader__.get_source(old.__name__) == OLD
    assert inspect.getsource(new.Shape) == "class Shape:\n    new = 1\n"


def test_an_edit_without_a_reload_changes_no_traceback(world: World) -> None:
    plugin = world.directory("alpha", {"plugin.py": OLD})
    module = world.load(plugin, 2).module
    world.edit(plugin, {"plugin.py": NEW})
    assert "the old text" in shown(module.fail)


def test_a_generation_from_a_pyc_shows_no_line_rather_than_a_wrong_one(world: World) -> None:
    import py_compile

    plugin = world.directory("alpha", {"plugin.py": OLD})
    path = os.path.join(plugin.candidate.location or "", "plugin.py")
    py_compile.compile(path)
    old = world.load(plugin).module
    assert "the old text" in shown(old.fail)
    world.edit(plugin, {"plugin.py": NEW})
    new = world.load(plugin).module
    assert "the new text" in shown(new.fail)
    assert "line 2, in fail" in shown(old.fail)
    assert "more" not in shown(old.fail) and "lines" not in shown(old.fail)


def test_a_text_read_later_is_shown_for_the_same_file(world: World) -> None:
    import py_compile

    plugin = world.directory("alpha", {"plugin.py": OLD})
    py_compile.compile(os.path.join(plugin.candidate.location or "", "plugin.py"))
    first = world.load(plugin).module
    second = world.load(plugin).module
    world.edit(plugin, {"plugin.py": NEW})
    assert first.__file__ == second.__file__
    assert "the old text" in shown(second.fail)


def test_a_generation_from_a_pyc_beside_one_of_another_text_is_named_apart(world: World) -> None:
    import py_compile

    plugin = world.directory("alpha", {"plugin.py": OLD})
    path = os.path.join(plugin.candidate.location or "", "plugin.py")
    old = world.load(plugin, 2).module
    world.edit(plugin, {"plugin.py": NEW})
    py_compile.compile(path)
    new = world.load(plugin, 1).module
    assert new.fail.__code__.co_filename == new.__file__ != old.__file__
    assert "the new text" in shown(new.fail)
    assert "the old text" in shown(old.fail)


def test_the_file_is_named_as_it_is_on_disk_or_by_another_spelling_of_it(world: World) -> None:
    plugin = world.directory("alpha", {"plugin.py": OLD})
    path = os.path.join(plugin.candidate.location or "", "plugin.py")
    old = world.load(plugin, 2).module
    same = world.load(plugin, 3).module
    world.edit(plugin, {"plugin.py": NEW})
    new = world.load(plugin, 4).module
    assert old.__file__ == same.__file__ == path
    assert new.__file__ == os.path.join(os.path.dirname(path), ".", "plugin.py")
    assert os.path.samefile(new.__file__, path)
    assert new.fail.__code__.co_filename == new.__file__


def test_the_plain_path_is_free_again_when_the_old_text_is_gone(world: World) -> None:
    plugin = world.directory("alpha", {"plugin.py": OLD})
    for number in range(2, 8):
        world.edit(plugin, {"plugin.py": f"# {number}\n{OLD}"})
        loaded = world.load(plugin, number)
        assert "/././" not in loaded.module.__file__.replace(os.sep, "/")
        while len(world.loaded) > 1:
            world.loaded.pop(0).drop()
        del loaded
        gc.collect()


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        (b"a\r\nb\rc\n", ["a\n", "b\n", "c\n"]),
        (b"a\x0cb\n\x1cc", ["a\x0cb\n", "\x1cc\n"]),
        (b"", []),
        (
            "# -*- coding: latin-1 -*-\n# \xe4".encode("latin-1"),
            ["# -*- coding: latin-1 -*-\n", "# \xe4\n"],
        ),
        ("# \u2028 \xe4\n".encode(), ["# \u2028 \xe4\n"]),
        (b"# coding: nowhere\n\xff", []),
    ],
)
def test_lines_are_split_as_python_splits_source(source: bytes, lines: Any) -> None:
    import linecache

    text = text_for("/no/where/at_all.py", source, (1, 2))
    assert linecache.getlines(text.name) == lines


def test_warnings_of_an_imported_module_point_at_the_plugins_import(world: World) -> None:
    """``stacklevel=2`` at module level means whoever imports it, and pkl is not that."""
    source = "from warnings import warn\nwarn('old', DeprecationWarning, stacklevel=2)"
    write(world.path, {"deprecated.py": source})
    files = {"plugin.py": "def run():\n    import deprecated"}
    module = world.load(world.directory("alpha", files)).module
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        module.run()
    assert [(each.filename, each.lineno) for each in caught] == [(module.__file__, 2)]
    assert "deprecated" in sys.modules
