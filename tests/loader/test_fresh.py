"""New code, never stale bytecode."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import shutil
import sys
from typing import Any, Callable

import pytest

from pkl.loader import GenerationLoader
from pkl.loader import source as loader_source
from pkl.loader.lines import CodeCache
from pkl.loader.source import RACY_NS

from .fakes import FakePlugin, World, rest

INVALIDATION = py_compile.PycInvalidationMode


@pytest.fixture(params=[False, True], ids=["bytecode", "no-bytecode"])
def _bytecode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With PYTHONDONTWRITEBYTECODE unset and set."""
    monkeypatch.setattr(sys, "dont_write_bytecode", request.param)


def source_of(plugin: FakePlugin) -> str:
    return os.path.join(plugin.candidate.location or "", "plugin.py")


def overwrite(path: str, text: str) -> None:
    """Changes a file in place, and leaves its times to the file system."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def pyc_of(path: str) -> str:
    return importlib.util.cache_from_source(path)


@pytest.mark.usefixtures("_bytecode")
@pytest.mark.parametrize("always_first", [False, True])
def test_an_edit_of_the_same_size_within_a_second_is_seen_every_time(
    world: World, always_first: bool
) -> None:
    """Forty times; importlib's own rule runs old code each time.

    Also where every load is a first generation, as after an unload.
    """
    plugin = world.directory("alpha", {"plugin.py": "VALUE = 100"})
    path = source_of(plugin)
    for number in range(100, 140):
        overwrite(path, f"VALUE = {number}")
        loaded = world.load(plugin, 1 if always_first else None)
        found = loaded.module.VALUE
        assert found == number
        if number % 2:
            loaded.drop()


@pytest.mark.usefixtures("_bytecode")
def test_an_edit_with_the_same_size_and_time_is_seen_by_the_next_generation(world: World) -> None:
    plugin = world.directory("alpha", {"plugin.py": "VALUE = 100"})
    path = source_of(plugin)
    py_compile.compile(path)
    assert world.load(plugin).module.VALUE == 100
    stat = os.stat(path)
    overwrite(path, "VALUE = 200")
    os.utime(path, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    assert world.load(plugin).module.VALUE == 200


def poison(path: str, mode: INVALIDATION = INVALIDATION.TIMESTAMP) -> str:
    """Writes a .pyc that fits the source's header but says ``VALUE = 'pyc'``."""
    other = path + ".other"
    with open(path, encoding="utf-8") as file:
        size = len(file.read())
    overwrite(other, "VALUE = 'pyc'".ljust(size))
    stat = os.stat(path)
    os.utime(other, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    pyc = pyc_of(path)
    py_compile.compile(other, cfile=pyc, dfile=path, invalidation_mode=mode, doraise=True)
    os.remove(other)
    return pyc


def test_a_pyc_that_fits_is_used_by_the_first_generation_only(world: World) -> None:
    plugin = world.directory("alpha", {"plugin.py": "VALUE = 'source'   "})
    poison(source_of(plugin))
    assert world.load(plugin).module.VALUE == "pyc"
    assert world.load(plugin).module.VALUE == "source"


def newer_source(path: str, pyc: str) -> None:
    rest(pyc, 2 * (os.stat(pyc).st_mtime - os.stat(path).st_mtime))


def racy_source(path: str, pyc: str) -> None:
    os.utime(path)
    with open(pyc, "r+b") as file:
        file.seek(8)
        file.write(int(os.stat(path).st_mtime).to_bytes(4, "little"))


def as_old_as_the_source(path: str, pyc: str) -> None:
    stat = os.stat(path)
    os.utime(pyc, ns=(stat.st_mtime_ns, stat.st_mtime_ns))


def other_time(path: str, pyc: str) -> None:
    rest(path, 50)


def cut_short(path: str, pyc: str) -> None:
    with open(pyc, "r+b") as file:
        file.truncate(20)


def no_header(path: str, pyc: str) -> None:
    overwrite(pyc, "short")


def other_python(path: str, pyc: str) -> None:
    with open(pyc, "r+b") as file:
        file.write(b"\x00\x00\r\n")


def unknown_flags(path: str, pyc: str) -> None:
    with open(pyc, "r+b") as file:
        file.seek(4)
        file.write(b"\x04\x00\x00\x00")


def not_code(path: str, pyc: str) -> None:
    import marshal

    with open(pyc, "r+b") as file:
        file.seek(16)
        file.truncate()
        file.write(marshal.dumps([1]))


@pytest.mark.parametrize(
    "spoil",
    [
        newer_source,
        racy_source,
        as_old_as_the_source,
        other_time,
        cut_short,
        no_header,
        other_python,
        unknown_flags,
        not_code,
    ],
)
def test_a_pyc_that_may_be_stale_is_not_used(
    world: World, spoil: Callable[[str, str], None]
) -> None:
    plugin = world.directory("alpha", {"plugin.py": "VALUE = 'source'   "})
    path = source_of(plugin)
    spoil(path, poison(path))
    assert world.load(plugin).module.VALUE == "source"


@pytest.mark.parametrize("mode", [INVALIDATION.CHECKED_HASH, INVALIDATION.UNCHECKED_HASH])
def test_a_pyc_with_a_hash_is_used_if_the_hash_is_the_sources(
    world: World, mode: INVALIDATION
) -> None:
    plugin = world.directory("alpha", {"plugin.py": "VALUE = 'source'   "})
    path = source_of(plugin)
    pyc = poison(path, mode)
    assert world.load(plugin, 1).module.VALUE == "source"
    with open(pyc, "r+b") as file, open(path, "rb") as source:
        file.seek(8)
        file.write(importlib.util.source_hash(source.read()))
    assert world.load(plugin, 1).module.VALUE == "pyc"


def test_a_pyc_made_elsewhere_shows_the_file_where_it_is_now(world: World) -> None:
    plugin = world.directory(
        "alpha", {"plugin.py": "def f(): pass\nclass A:\n    def g(self): pass"}
    )
    path = source_of(plugin)
    py_compile.compile(path, dfile="/elsewhere/plugin.py")
    module = world.load(plugin).module
    for function in (module.f, module.A.g):
        assert function.__code__.co_filename == path


def test_a_load_writes_no_bytecode(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    plugin = world.directory("alpha", {"__init__.py": "", "plugin.py": ""})
    world.load(plugin)
    world.load(plugin)
    assert sorted(os.listdir(plugin.candidate.location)) == ["__init__.py", "plugin.py"]


def test_bytecode_is_written_where_the_host_wants_it_and_nowhere_racy(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.loader = GenerationLoader(write_bytecode=True)
    plugin = world.directory("alpha", {"plugin.py": "VALUE = 1"})
    path = source_of(plugin)
    pyc = pyc_of(path)

    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    world.load(plugin, 1)
    assert not os.path.exists(pyc)

    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    world.load(plugin, 2)
    assert not os.path.exists(pyc)
    world.load(plugin, 1)
    assert os.path.exists(pyc)
    before = os.stat(pyc).st_mtime_ns
    world.load(plugin, 1)
    assert os.stat(pyc).st_mtime_ns == before

    os.remove(pyc)
    overwrite(path, "VALUE = 2")
    assert world.load(plugin, 1).module.VALUE == 2
    assert not os.path.exists(pyc)


def test_bytecode_written_for_a_host_is_what_importlib_would_have_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    world.loader = GenerationLoader(write_bytecode=True)
    plugin = world.directory("alpha", {"plugin.py": "VALUE = 1"})
    path = source_of(plugin)
    world.load(plugin, 1)
    with open(pyc_of(path), "rb") as file:
        ours = file.read()
    shutil.rmtree(os.path.dirname(pyc_of(path)))
    py_compile.compile(path, invalidation_mode=INVALIDATION.TIMESTAMP)
    with open(pyc_of(path), "rb") as file:
        assert file.read()[:16] == ours[:16]


def test_bytecode_is_not_written_for_a_source_that_changes_while_it_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    world.loader = GenerationLoader(write_bytecode=True)
    plugin = world.directory("alpha", {"plugin.py": "VALUE = 1"})
    path = source_of(plugin)
    read = loader_source._read

    def edited_first(name: str) -> Any:
        if name == path:
            overwrite(path, "VALUE = 2")
        return read(name)

    monkeypatch.setattr(loader_source, "_read", edited_first)
    assert world.load(plugin, 1).module.VALUE == 2
    assert not os.path.exists(pyc_of(path))


def test_a_clock_that_is_behind_makes_sources_racy_not_stale(world: World) -> None:
    plugin = world.directory("alpha", {"plugin.py": "VALUE = 'source'   "})
    path = source_of(plugin)
    rest(path, -1e6)
    pyc = poison(path)
    rest(pyc, -2e6)
    assert os.stat(pyc).st_mtime_ns > os.stat(path).st_mtime_ns + RACY_NS
    assert world.load(plugin, 1).module.VALUE == "source"


def test_unchanged_code_is_compiled_once() -> None:
    cache = CodeCache(limit=1000)
    first = cache.code("a.py", b"X = 1")
    assert cache.code("a.py", b"X = 1") is first
    assert cache.code("a.py", b"X = 2") is not first
    assert cache.code("b.py", b"X = 1").co_filename == "b.py"
    assert len(cache) == 3


def test_the_code_cache_forgets_what_was_used_longest_ago() -> None:
    cache = CodeCache(limit=25)
    kept = cache.code("a.py", b"VALUE = 11")
    dropped = cache.code("b.py", b"VALUE = 22")
    cache.code("a.py", b"VALUE = 11")
    cache.code("c.py", b"VALUE = 33")
    assert len(cache) == 2
    assert cache.code("a.py", b"VALUE = 11") is kept
    assert cache.code("b.py", b"VALUE = 22") is not dropped
    assert cache.code("d.py", b"#" * 100).co_filename == "d.py"
    assert len(cache) == 2


def test_plugin_code_takes_over_no_future_statements_of_the_loader(world: World) -> None:
    plugin = world.directory("alpha", {"plugin.py": "def f(x: int): pass"})
    world.load(plugin)
    assert world.load(plugin).module.f.__annotations__ == {"x": int}
