"""The cache: never stale, never required."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Set, Tuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pkl.discovery import cache as cache_module
from pkl.discovery import discover, environment
from pkl.discovery.cache import Cache
from pkl.model.candidate import Discovery

from .fakes import TRAP, install, plugin, write

ROOT = Path(__file__).resolve().parents[2]


class Later:
    """A clock that is ahead, so that what was just written counts as settled."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def time_ns(self) -> int:
        return time.time_ns() + int(self.seconds * 1e9)


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "time", Later(10))


@pytest.fixture
def read_anew(monkeypatch: pytest.MonkeyPatch) -> List[str]:
    """The entries that were read from the disk and not from the cache."""
    from pkl.discovery import directories, reading

    asked: List[str] = []
    read_entry, read_path = reading.read_entry, directories.read_path

    def entry(path: str, *args: Any, **more: Any) -> Any:
        asked.append(path)
        return read_entry(path, *args, **more)

    def directory(path: str, **more: Any) -> Any:
        asked.append(path)
        return read_path(path, **more)

    monkeypatch.setattr(reading, "read_entry", entry)
    monkeypatch.setattr(directories, "read_path", directory)
    return asked


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def found(site: Path, kept: Path, **more: Any) -> Discovery:
    """Discovery with the cache, which must say what discovery without it says."""
    more = {"sys_path": [str(site)], **more}
    cached = discover(cache=str(kept), **more)
    assert cached == discover(cache=False, **more)
    return cached


def fill(site: Path) -> None:
    plugin(site, "acme-audit", "1.4.0", 'name = "acme-audit"\nrequires = ["auth>=1"]')
    plugin(site, "plain")
    plugin(site, "faulty", manifest='name = "faulty"\nrequires = 3')
    plugin(site, "nometa", metadata="")
    install(site, "broken", entry_points=b"\xff")
    install(site, "unrelated", entry_points={"console_scripts": {"x": "y"}})
    install(site, "~eft")


def test_the_second_time_nothing_is_read(
    site: Path, kept: Path, settled: None, read_anew: List[str]
) -> None:
    fill(site)
    first = discover(sys_path=[str(site)], cache=str(kept))
    assert read_anew == [str(site)]
    assert discover(sys_path=[str(site)], cache=str(kept)) == first
    assert read_anew == [str(site)]
    assert len(first.candidates) == 4 and len(first.failures) == 1 and len(first.skipped) == 1


def test_what_comes_from_the_cache_is_whole(site: Path, kept: Path, settled: None) -> None:
    fill(site)
    write(site / "acme_audit" / "plugin.toml", '[contributes]\nx = [1, 2.5, true, {y = "z"}]')
    found(site, kept)
    cached, fresh = found(site, kept), discover(sys_path=[str(site)], cache=False)
    for one, other in zip(cached.candidates, fresh.candidates):
        assert one == other
        assert repr(one) == repr(other)
        assert one.metadata.__dict__ == other.metadata.__dict__
        assert type(one.metadata) is type(other.metadata)


def test_directories_are_cached_too(
    tmp_path: Path, kept: Path, settled: None, read_anew: List[str]
) -> None:
    plugins = tmp_path / "plugins"
    write(plugins / "a" / "plugin.json", '{"name": "a", "requires": ["b>=1"]}')
    write(plugins / "b" / "plugin.py", TRAP)
    write(plugins / "c" / "plugin.json", '{"name": "c", "x": 1}')
    write(plugins / "d" / "plugin.json", "{")
    (plugins / "e").mkdir()

    def look() -> Discovery:
        return discover(sys_path=[], paths=[str(plugins)], cache=str(kept))

    first = look()
    assert look() == first and len(first.candidates) == 3 and len(first.failures) == 1
    assert read_anew == [str(plugins)]
    write(plugins / "e" / "plugin.py", TRAP)
    assert [each.name for each in look().candidates] == ["a", "b", "c", "e"]
    assert read_anew == [str(plugins)] * 2


Change = Callable[[Path], object]
CHANGES: Dict[str, Change] = {
    "install": lambda site: plugin(site, "new"),
    "uninstall": lambda site: shutil.rmtree(site / "plain-1.0.dist-info"),
    "edit-entry-points": lambda site: rewrite(
        site / "plain-1.0.dist-info" / "entry_points.txt", "[pkl.plugins]\nother = plain\n"
    ),
    "edit-metadata": lambda site: rewrite(
        site / "plain-1.0.dist-info" / "METADATA", "Name: plain\nVersion: 2.0\n"
    ),
    "remove-metadata": lambda site: (site / "plain-1.0.dist-info" / "METADATA").unlink(),
    "edit-manifest": lambda site: rewrite(
        site / "acme_audit" / "plugin.toml", 'name = "acme-audit"\nwants = ["x"]'
    ),
    "same-size-manifest": lambda site: rewrite(
        site / "acme_audit" / "plugin.toml", 'name = "acme-audit"\nrequires = ["auth>=2"]'
    ),
    "remove-manifest": lambda site: (site / "acme_audit" / "plugin.toml").unlink(),
    "add-manifest": lambda site: write(site / "plain" / "plugin.toml", 'wants = ["x"]'),
    "mend-metadata": lambda site: rewrite(
        site / "nometa-1.0.dist-info" / "METADATA", "Name: nometa\nVersion: 1.0\n"
    ),
    "move-module": lambda site: (site / "plain").rename(site / "moved"),
    "remove-leftover": lambda site: shutil.rmtree(site / "~eft-1.0.dist-info"),
    "second-copy": lambda site: install(site, "plain", "3.0"),
}


def rewrite(path: Path, content: str) -> None:
    """Writes in place: same inode, and the directory does not change."""
    with open(path, "r+b") as file:
        file.truncate()
        file.write(content.encode())


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_seen(site: Path, kept: Path, settled: None, change: str) -> None:
    fill(site)
    before = found(site, kept)
    CHANGES[change](site)
    after = found(site, kept)
    assert after != before
    assert found(site, kept) == after


def test_mending_a_broken_file_in_place_is_seen_because_it_was_reported(
    site: Path, kept: Path, settled: None
) -> None:
    fill(site)
    assert found(site, kept).failures
    mended = "[pkl.plugins]\nbroken = plain\n"
    rewrite(site / "broken-1.0.dist-info" / "entry_points.txt", mended)
    assert not found(site, kept).failures


def test_a_change_that_hides_behind_the_clock_is_seen(
    site: Path, kept: Path, read_anew: List[str]
) -> None:
    """Git's racy rule: what changed within two seconds before it was read is not believed."""
    plugin(site, "acme", manifest='name = "acme"\nsummary = "one"')
    for _ in range(3):
        discover(sys_path=[str(site)], cache=str(kept))
    assert read_anew == [str(site)] * 3
    assert not kept.exists()


@pytest.mark.parametrize("seconds", [1.9, 2.5])
def test_the_racy_rule_looks_back_two_seconds(
    site: Path, kept: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    plugin(site, "acme", manifest='name = "acme"')
    newest = max(path.stat().st_ctime_ns for path in [site, *site.rglob("*")])
    monkeypatch.setattr(environment, "time", Later(0))
    monkeypatch.setattr(Later, "time_ns", lambda self: newest + int(seconds * 1e9))
    discover(sys_path=[str(site)], cache=str(kept))
    assert kept.exists() is (seconds > 2)


def test_mtimes_that_were_set_back_deceive_no_one(site: Path, kept: Path, settled: None) -> None:
    plugin(site, "acme", manifest='name = "acme"\nsummary = "one"')
    manifest = site / "acme" / "plugin.toml"
    before = manifest.stat()
    assert found(site, kept).candidates[0].metadata.summary == "one"
    rewrite(manifest, 'name = "acme"\nsummary = "two"')
    os.utime(manifest, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert found(site, kept).candidates[0].metadata.summary == "two"


def test_the_documented_hole_is_closed_by_refresh(site: Path, kept: Path, settled: None) -> None:
    """Editing the entry points of a distribution that offered nothing changes no stamp we keep."""
    info = install(site, "acme", entry_points={"console_scripts": {"x": "y"}})
    plugin(site, "other")
    write(site / "acme.py", TRAP)
    discover(sys_path=[str(site)], cache=str(kept))
    rewrite(info / "entry_points.txt", "[pkl.plugins]\nacme = acme\n")

    def names(**more: Any) -> List[str]:
        discovery = discover(sys_path=[str(site)], cache=str(kept), **more)
        return [each.name for each in discovery.candidates]

    assert names() == ["other"]
    assert names(refresh=True) == ["acme", "other"]
    assert names() == ["acme", "other"]


def test_editable_projects_are_watched_where_they_lie(
    site: Path, kept: Path, tmp_path: Path, settled: None
) -> None:
    project = tmp_path / "project"
    write(project / "src" / "acme" / "plugin.toml", 'name = "acme"')
    pth = write(site / "acme.pth", f"{project / 'src'}\n")
    points = {"pkl.plugins": {"acme": "acme"}}
    url = {"direct_url.json": json.dumps({"url": project.as_uri(), "dir_info": {"editable": True}})}
    info = install(site, "acme", entry_points=points, extra=url)
    write(info / "RECORD", "acme.pth,,\n")
    assert found(site, kept).candidates[0].location == str(project / "src" / "acme")
    rewrite(project / "src" / "acme" / "plugin.toml", 'name = "acme"\nsummary = "x"')
    assert found(site, kept).candidates[0].metadata.summary == "x"
    write(project / "src" / "acme" / "plugin.json", '{"name": "acme"}')
    assert found(site, kept).candidates[0].fault is not None
    project.rename(tmp_path / "elsewhere")
    fault = found(site, kept).candidates[0].fault
    assert fault is not None and fault.code == "stale"
    rewrite(pth, f"{tmp_path / 'elsewhere' / 'src'}\n")
    (tmp_path / "elsewhere" / "src" / "acme" / "plugin.json").unlink()
    assert found(site, kept).candidates[0].fault is None


def test_a_module_that_lies_elsewhere_is_watched_there(
    site: Path, kept: Path, tmp_path: Path, settled: None
) -> None:
    points = {"pkl.plugins": {"acme": "deep.acme"}}
    install(site, "acme", entry_points=points)
    other, third = tmp_path / "other", tmp_path / "third"
    other.mkdir()
    write(third / "deep" / "x", "")

    def look(*entries: Path) -> Any:
        return found(site, kept, sys_path=[str(each) for each in entries]).candidates[0].location

    assert look(site, other, third) is None
    write(third / "deep" / "acme.py", TRAP)
    assert look(site, other, third) == str(third / "deep" / "acme.py")
    assert look(site, other) is None
    write(other / "deep" / "acme" / "__init__.py", TRAP)
    assert look(site, other) == str(other / "deep" / "acme")
    assert look(site, third) == str(third / "deep" / "acme.py")


def test_groups_and_kinds_do_not_mix(site: Path, kept: Path, settled: None) -> None:
    plugin(site, "acme", entry_points={"a": {"x_y": "acme"}, "b": {"z": "acme"}})
    assert [c.name for c in found(site, kept, group="a").candidates] == ["x-y"]
    assert [c.name for c in found(site, kept, group="b").candidates] == ["z"]
    assert [c.name for c in found(site, kept, group="a", foreign=True).candidates] == ["x_y"]
    assert [c.name for c in found(site, kept, group="a").candidates] == ["x-y"]
    assert found(site, kept, sys_path=[], paths=[str(site)]).candidates[0].name == "acme"


def test_without_the_cache_the_disk_is_not_touched(site: Path) -> None:
    fill(site)
    before = sorted(Path(os.environ["PKL_HOME"]).rglob("*"))
    discover(sys_path=[str(site)], cache=False)
    assert sorted(Path(os.environ["PKL_HOME"]).rglob("*")) == before


def test_by_default_the_cache_is_in_the_users_cache_directory(site: Path, settled: None) -> None:
    plugin(site, "acme")
    discover(sys_path=[str(site)])
    [file] = (Path(os.environ["PKL_HOME"]) / "cache" / "discovery").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def body_of(file: Path) -> Tuple[Dict[str, Any], Any, bytes]:
    head, body, names = file.read_bytes().split(b"\n")
    return json.loads(head), json.loads(body), names


def put_back(file: Path, head: Dict[str, Any], body: Any, names: bytes) -> None:
    """A file with the right checksum, whatever it says."""
    import binascii

    rest = json.dumps(body).encode() + b"\n" + names
    head["crc32"] = binascii.crc32(rest)
    file.write_bytes(json.dumps(head).encode() + b"\n" + rest)


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


CORRUPTIONS: Dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "one-bit": lambda data: data[:-40] + bytes([data[-40] ^ 1]) + data[-39:],
    "no-json": lambda data: b"\x00\xff" * 100,
    "other-json": lambda data: b'{"a": 1}\n{}\n[]',
    "a-list": lambda data: b"[]\n[]\n[]",
    "deep": lambda data: deep(100_000).encode(),
    "not-a-number": lambda data: b'{"key": NaN}\n\n',
    "other-schema": lambda data: data.replace(b"cache/1", b"cache/0", 1),
    "huge-number": lambda data: b"9" * 5000 + b"\n\n",
}


@pytest.mark.parametrize("case", CORRUPTIONS)
def test_a_corrupt_cache_is_ignored_and_replaced(
    site: Path, kept: Path, settled: None, read_anew: List[str], case: str
) -> None:
    fill(site)
    found(site, kept)
    [file] = kept.iterdir()
    file.write_bytes(CORRUPTIONS[case](file.read_bytes()))
    found(site, kept)
    read_anew.clear()
    discover(sys_path=[str(site)], cache=str(kept))
    assert read_anew == []


POISON: List[Any] = [None, 7, "x", [], {}, [None], [[]], [{}], [7], True]
PLACES = [
    ("inside",),
    ("outside",),
    ("search",),
    ("candidates",),
    ("failures",),
    ("skipped",),
    ("source_trees",),
    *(
        ("candidates", column)
        for column in [
            "key",
            "name",
            "display_name",
            "version",
            "summary",
            "origin",
            "target",
            "location",
            "distribution",
            "distribution_version",
            "manifest_file",
            "group",
            "file",
            "carrier",
            "data",
            "bare",
            "requires_dist",
            "fault",
            "notes",
        ]
    ),
]


@pytest.mark.parametrize("place", PLACES, ids="-".join)
def test_a_cache_of_another_shape_is_ignored_even_with_the_right_checksum(
    site: Path, kept: Path, settled: None, place: Tuple[str, ...]
) -> None:
    fill(site)
    fresh = found(site, kept)
    [file] = kept.iterdir()
    original = file.read_bytes()
    for poison in [*POISON, *([each] * 4 for each in POISON)]:
        file.write_bytes(original)
        head, body, names = body_of(file)
        where = body
        for step in place[:-1]:
            where = where[step]
        if where[place[-1]] == poison:
            continue
        where[place[-1]] = poison
        put_back(file, head, body, names)
        discovery = discover(sys_path=[str(site)], cache=str(kept))
        assert all(type(each.name) is str for each in discovery.candidates)
        if place not in (("failures",), ("skipped",), ("source_trees",), ("search",)):
            assert len(discovery.candidates) == len(fresh.candidates)


@pytest.mark.parametrize("names", [b"", b"[]", b"[1, 2]", b'["a", "b", "c"]', b"[" * 100_000])
def test_forged_names_of_distributions_do_no_harm(
    site: Path, kept: Path, tmp_path: Path, settled: None, names: bytes
) -> None:
    """They are looked at only where several entries of ``sys.path`` hold distributions."""
    fill(site)
    plugin(tmp_path / "other", "other")
    entries = [str(site), str(tmp_path / "other")]
    found(site, kept, sys_path=entries)
    for file in kept.iterdir():
        head, body, _ = body_of(file)
        put_back(file, head, body, names)
    assert len(discover(sys_path=entries, cache=str(kept)).candidates) == 5


def test_a_missing_extra_is_not_remembered(
    site: Path, kept: Path, tmp_path: Path, settled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installing it elsewhere changes nothing that is watched."""
    pytest.importorskip("yaml", reason="YAML manifests need the extra pkl[yaml]")
    files = {"acme/__init__.py": TRAP, "acme/plugin.yaml": "name: acme"}
    install(site, "acme", entry_points={"pkl.plugins": {"acme": "acme"}}, files=files)
    write(tmp_path / "plugins" / "a" / "plugin.yml", "name: a")

    def faults() -> List[bool]:
        paths = [str(tmp_path / "plugins")]
        discovery = found(site, kept, paths=paths)
        return [each.fault is not None for each in discovery.candidates]

    with monkeypatch.context() as without:
        without.setitem(sys.modules, "yaml", None)
        assert faults() == [True]
    assert faults() == [False, False]


def test_a_cache_that_others_may_write_to_is_ignored(
    site: Path, kept: Path, settled: None, read_anew: List[str]
) -> None:
    fill(site)
    found(site, kept)
    [file] = kept.iterdir()
    read_anew.clear()
    file.chmod(0o666)
    discover(sys_path=[str(site)], cache=str(kept))
    assert read_anew == [str(site)]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to chown")
def test_a_cache_of_another_user_is_ignored(
    site: Path, kept: Path, settled: None, read_anew: List[str]
) -> None:
    fill(site)
    found(site, kept)
    [file] = kept.iterdir()
    read_anew.clear()
    os.chown(file, 65534, 65534)
    discover(sys_path=[str(site)], cache=str(kept))
    assert read_anew == [str(site)]


@pytest.mark.parametrize("kind", ["link", "pipe", "directory", "huge"])
def test_what_is_no_plain_file_is_no_cache(
    site: Path, kept: Path, settled: None, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(site)
    found(site, kept)
    [file] = kept.iterdir()
    content = file.read_bytes()
    file.unlink()
    if kind == "link":
        file.symlink_to(write(kept.parent / "target", content))
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "directory":
        file.mkdir()
    else:
        file.write_bytes(content)
        monkeypatch.setattr(cache_module, "MAX_BYTES", 10)
    found(site, kept)


def test_a_cache_directory_that_cannot_be_made_is_done_without(
    site: Path, tmp_path: Path, settled: None
) -> None:
    fill(site)
    found(site, write(tmp_path / "file", "") / "cache")


def test_a_full_disk_is_done_without(
    site: Path, kept: Path, settled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **more: Any) -> None:
        raise OSError(28, "No space left on device")

    fill(site)
    monkeypatch.setattr(cache_module, "atomic_write", full)
    found(site, kept)
    assert list(kept.iterdir()) == []


def test_two_pythons_and_two_versions_of_pkl_keep_apart(
    site: Path, kept: Path, settled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(site)
    found(site, kept)
    monkeypatch.setattr(cache_module, "VERSION", "99")
    found(site, kept)
    monkeypatch.setattr(sys.implementation, "cache_tag", "cpython-99")
    found(site, kept)
    assert len(list(kept.iterdir())) == 3


def test_two_keys_with_one_file_name_do_not_mix(
    site: Path, tmp_path: Path, kept: Path, settled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cache, "_file", lambda self, key: os.path.join(self.directory, "x.json"))
    other = tmp_path / "other"
    plugin(site, "one")
    plugin(other, "two")
    for _ in range(2):
        assert [each.name for each in found(site, kept).candidates] == ["one"]
        assert [each.name for each in found(other, kept).candidates] == ["two"]


def test_old_files_make_room(
    site: Path, kept: Path, settled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "MAX_FILES", 5)
    plugin(site, "acme")
    for number in range(12):
        discover(sys_path=[str(site)], cache=str(kept), group=f"g{number}")
    assert len(list(kept.iterdir())) == 5


def _look(site: str, kept: str, group: str) -> int:
    setattr(environment, "time", Later(10))  # noqa: B010
    return sum(
        len(discover(sys_path=[site], cache=kept, group=group, refresh=turn % 3 == 0).candidates)
        for turn in range(30)
    )


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_many_writers_at_once_do_not_disturb_each_other(site: Path, kept: Path) -> None:
    for number in range(5):
        plugin(site, f"acme{number}", manifest=f'name = "acme{number}"')
    context = multiprocessing.get_context("fork")
    with context.Pool(4) as pool:
        sums = pool.starmap(_look, [(str(site), str(kept), "pkl.plugins")] * 4)
    assert sums == [150] * 4
    assert len(list(kept.iterdir())) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(sorted(CHANGES)), max_size=4))
def test_after_any_changes_the_cache_says_what_the_disk_says(
    tmp_path_factory: pytest.TempPathFactory, settled: None, changes: List[str]
) -> None:
    directory = tmp_path_factory.mktemp("any")
    site = directory / "site"
    fill(site)
    for change in changes:
        found(site, directory / "cache")
        try:
            CHANGES[change](site)
        except OSError:
            continue  # an earlier change took away what this one needs
    found(site, directory / "cache")


HEAVY = ["packaging", "importlib_metadata", "importlib.metadata", "platformdirs", "email"]
HEAVY += ["zipfile", "tomllib", "tomli", "yaml", "hashlib", "pkl.discovery.reading"]


def test_a_warm_discovery_imports_nothing_heavy(site: Path, kept: Path, tmp_path: Path) -> None:
    plugin(site, "acme", manifest='name = "acme"\nrequires = ["auth>=1.2,<2"]')
    write(tmp_path / "plugins" / "a" / "plugin.toml", 'name = "a"')
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pkl.discovery import discover, environment\n"
        "class Later:\n"
        "    def time_ns(self): import time; return time.time_ns() + 10**10\n"
        "environment.time = Later()\n"
        "found = discover(sys_path=[sys.argv[2]], paths=[sys.argv[4]], cache=sys.argv[3])\n"
        "assert [each.name for each in found.candidates] == ['a', 'acme'], found\n"
        "print(' '.join(sorted(sys.modules)))\n"
    )
    arguments = [str(ROOT), str(site), str(kept), str(tmp_path / "plugins")]
    loaded: Dict[str, Set[str]] = {}
    for turn in ("cold", "warm"):
        done = subprocess.run(
            [sys.executable, "-S", "-c", code, *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        assert done.returncode == 0, done.stderr
        loaded[turn] = set(done.stdout.split())
    assert "pkl.discovery.reading" in loaded["cold"]
    assert not loaded["warm"].intersection(HEAVY)
