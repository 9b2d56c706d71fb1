"""The copies of a registry's files: used only if they are what they were, and never required."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Callable

import pytest

from pkl.registry.cache import Cache, Copy
from pkl.registry.layout import INDEX, page_path

URL = "https://example.org/plugins"
COPY = Copy(b"the index\nof it\n", 1000.5, '"abc"')


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """The copies of one registry; there is one of the index."""
    cache = Cache(URL, str(tmp_path / "cache"))
    cache.save(INDEX, COPY)
    return cache


def _file(cache: Cache) -> Path:
    (file,) = Path(cache.directory).iterdir()
    return file


def test_what_was_kept_is_found_again(cache: Cache) -> None:
    assert cache.load(INDEX, 100) == COPY
    assert cache.load(page_path("audit"), 100) is None
    assert (os.stat(_file(cache)).st_mode & 0o777) == 0o600


def test_the_copies_of_two_registries_are_apart(cache: Cache, tmp_path: Path) -> None:
    other = Cache("https://example.org/other", str(tmp_path / "cache"))
    assert other.load(INDEX, 100) is None
    os.makedirs(other.directory)
    os.replace(_file(cache), Path(other.directory) / _file(cache).name)
    assert other.load(INDEX, 100) is None


def test_a_copy_in_the_place_of_another_does_not_count(cache: Cache) -> None:
    index = _file(cache)
    data = index.read_bytes()
    index.unlink()
    cache.save(page_path("audit"), COPY)
    _file(cache).write_bytes(data)
    assert cache.load(page_path("audit"), 100) is None


def test_a_copy_that_is_cut_off_anywhere_does_not_count(cache: Cache) -> None:
    file = _file(cache)
    whole = file.read_bytes()
    for end in range(len(whole)):
        file.write_bytes(whole[:end])
        assert cache.load(INDEX, 100) is None, end
    file.write_bytes(whole)
    assert cache.load(INDEX, 100) == COPY


@pytest.mark.parametrize("head", [b"[]", b"1", b"{}", b"\xff", b"[" * 8000, b'{"schema": 2}'])
def test_a_copy_with_any_other_head_does_not_count(cache: Cache, head: bytes) -> None:
    _file(cache).write_bytes(head + b"\nthe index\n")
    assert cache.load(INDEX, 100) is None


def _writable_by_all(file: Path) -> None:
    file.chmod(0o666)


def _link(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to(file.with_name("elsewhere"))


def _pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.skipif(sys.platform == "win32", reason="rights and pipes as POSIX has them")
@pytest.mark.parametrize("change", [_writable_by_all, _link, _pipe, _directory])
def test_what_is_no_file_of_ours_alone_does_not_count(
    cache: Cache, change: Callable[[Path], None]
) -> None:
    change(_file(cache))
    assert cache.load(INDEX, 100) is None


def test_more_than_a_file_may_have_is_not_read(cache: Cache) -> None:
    cache.save(INDEX, Copy(b"x" * 20_000, 1.0))
    assert cache.load(INDEX, 20_000) is not None
    assert cache.load(INDEX, 10_000) is None


def test_where_nothing_can_be_kept_nothing_is_raised(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = Cache(URL, str(tmp_path / "file"))
    cache.save(INDEX, COPY)
    assert cache.load(INDEX, 100) is None


@pytest.mark.parametrize("path", ["../../x", "/etc/passwd", "a/..", "", "p/\0", "p/" + "y" * 300])
def test_no_path_of_a_registry_leads_out(tmp_path: Path, path: str) -> None:
    cache = Cache(URL, str(tmp_path / "cache"))
    cache.save(path, COPY)
    assert cache.load(path, 100) == COPY
    assert _file(cache).parent == Path(cache.directory)
