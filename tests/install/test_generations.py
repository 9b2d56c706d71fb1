"""Generations are made as a whole, counted in one step, cleaned up, and survive any damage."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List

import pytest

from pkl.errors import (
    Fault,
    GenerationDamaged,
    GenerationMissing,
    GenerationUnwritable,
    LockReentered,
    LockTimeout,
    WheelRefused,
)
from pkl.files import FileLock
from pkl.install.environment.generation import dump_generation, parse_generation
from pkl.install.environment.generations import KEPT, Generations
from pkl.install.environment.marks import mark_in_use
from pkl.install.environment.places import environment_tag, places_of
from pkl.install.environment.standing import standing
from pkl.model.manifest import PluginMetadata
from tests.install.solutions import filled_with, solution

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and fork are POSIX")


@pytest.fixture
def generations(tmp_path: Path) -> Generations:
    """Those of a host that has none yet."""
    return Generations("shop", directory=str(tmp_path / "hosts"), timeout=0, clock=lambda: 0.0)


def made(generations: Generations, *versions: str, by: str = "pkl install audit") -> None:
    """Builds a generation with each version of a plugin."""
    with generations.changing():
        for version in versions:
            each = solution(("audit", version))
            generations.build(each, filled_with(each), by=by, python="3.11.9")


def versions(generations: Generations) -> List[str]:
    """The version of the plugin in each generation that can be used."""
    return [each.distributions[0].version for each in generations.all()]


def test_a_host_has_no_generation_at_first_and_looking_makes_nothing(
    generations: Generations, tmp_path: Path
) -> None:
    assert generations.current() is None and generations.all() == ()
    assert generations.problems() == () and generations.leftovers() == ()
    assert standing("shop", str(tmp_path / "hosts")).entries == ()
    assert os.listdir(tmp_path) == []


def test_a_generation_is_read_back_as_it_was_made(generations: Generations, tmp_path: Path) -> None:
    each = solution(("audit", "1.0"), ("auth", "2.1"))
    with generations.changing():
        record = generations.build(
            each,
            filled_with(each),
            by="pkl install audit auth",
            python="3.11.9",
            paths=[str(tmp_path)],
            lock="ab" * 32,
        )
    assert generations.current() == record
    assert (record.number, record.previous, record.made) == (1, None, "1970-01-01T00:00:00Z")
    assert record.roots == each.roots and record.distributions == each.chosen
    assert list(record.plugins) == ["audit", "auth"]
    number, entries, problem = standing("shop", str(tmp_path / "hosts"))
    assert (number, problem) == (1, None)
    assert entries == (generations.places.site(1), str(tmp_path))
    assert sorted(os.listdir(entries[0])) == [
        "audit",
        "audit-1.0.dist-info",
        "auth",
        "auth-2.1.dist-info",
    ]


def test_the_directory_tells_pythons_and_environments_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = environment_tag()
    assert here.startswith(f"{sys.implementation.cache_tag}-") and len(here.split("-")[-1]) == 8
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert environment_tag() != here
    assert ".." not in places_of("../../etc", "/data").root


def test_what_fails_while_it_is_made_leaves_what_counted_and_nothing_of_itself(
    generations: Generations,
) -> None:
    made(generations, "1.0")

    def refuse(site: str) -> None:
        Path(site, "half").write_text("")
        raise WheelRefused("no", faults=[Fault("a.pth", "", "is not allowed")])

    with pytest.raises(WheelRefused), generations.changing():
        generations.build(solution(("audit", "2.0")), refuse, by="pkl install")
    assert versions(generations) == ["1.0"] and generations.numbers() == (1,)
    assert os.listdir(generations.places.generations) == ["1"]


@pytest.mark.parametrize("kind", ["mkdir", "rename", "replace", "fsync", "open"])
def test_a_full_disk_at_any_point_changes_nothing(
    generations: Generations, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    made(generations, "1.0")
    real = getattr(os, kind)
    left = [0]

    def full(*args: Any, **more: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            raise OSError(errno.ENOSPC, "No space left on device", args[0])
        return real(*args, **more)

    each = solution(("audit", "2.0"))
    failed = 0
    for nth in range(1, 9):
        left[0] = nth
        before = generations.current_number()
        with generations.changing(), monkeypatch.context() as patch:
            patch.setattr(os, kind, full)
            try:
                generations.build(each, one_file, by="x")
            except GenerationUnwritable as error:
                text = str(error)
            else:
                continue
        failed += 1
        assert "No space left on device; what was installed before still is" in text
        assert "make room" in text
        names = set(os.listdir(generations.places.generations))
        assert not [name for name in names if not name.isdigit()]
        # Where only flushing the flip itself failed, which had been done, the new one counts.
        assert generations.current_number() == before or str(generations.current_number()) in names
        assert generations.current() is not None
    assert failed >= {"mkdir": 2, "rename": 1, "replace": 2, "fsync": 5, "open": 5}[kind]
    assert generations.leftovers() == ()


def test_rolling_back_goes_to_what_counted_before_and_forward_by_number(
    generations: Generations,
) -> None:
    made(generations, "1.0", "1.1", "1.2")
    with generations.changing():
        assert generations.flip(generations.before().number, "pkl rollback").number == 2
        assert generations.flip(generations.before().number, "pkl rollback").number == 1
        with pytest.raises(GenerationMissing, match="no generation to go back to"):
            generations.before()
        generations.flip(3, "pkl rollback 3")
    assert generations.current_number() == 3
    made(generations, "2.0")
    assert generations.before().number == 3
    with pytest.raises(GenerationMissing) as caught, generations.changing():
        generations.flip(9, "pkl rollback 9")
    assert str(caught.value) == "the host 'shop' has no generation 9\nhint: there are: 1, 2, 3, 4"


def test_the_next_after_a_roll_back_goes_back_to_where_that_had_gone(
    generations: Generations,
) -> None:
    made(generations, "1.0", "1.1", "1.2")
    with generations.changing():
        generations.flip(1, "pkl rollback 1")
    made(generations, "1.3")
    assert generations.before().number == 1


def test_only_the_last_few_stay_and_what_is_in_use(generations: Generations) -> None:
    made(generations, "0.1")
    undo = mark_in_use(generations.places.generations, 1)
    assert undo is not None
    made(generations, *(f"1.{n}" for n in range(KEPT + 2)))
    assert generations.numbers() == (1, 4, 5, 6, 7, 8)
    assert generations.in_use() == {1: (os.getpid(),)}
    undo()
    undo()
    assert generations.in_use() == {}
    made(generations, "2.0")
    assert generations.numbers() == (5, 6, 7, 8, 9)


def test_two_marks_of_one_process_are_two(generations: Generations) -> None:
    made(generations, "1.0")
    first = mark_in_use(generations.places.generations, 1)
    second = mark_in_use(generations.places.generations, 1)
    assert first is not None and second is not None
    first()
    assert generations.in_use() == {1: (os.getpid(),)}
    second()
    assert generations.in_use() == {}


def test_the_mark_of_a_process_that_was_killed_holds_nothing(generations: Generations) -> None:
    made(generations, "1.0")
    code = (
        "import os, signal, sys\n"
        "from pkl.install.environment.marks import mark_in_use\n"
        "assert mark_in_use(sys.argv[1], 1)\n"
        "print(flush=True); sys.stdin.read(); os._exit(9)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, generations.places.generations],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    assert process.stdout is not None and process.stdout.readline()
    assert generations.in_use() == {1: (process.pid,)}
    process.kill()
    process.communicate()
    assert generations.in_use() == {}
    assert [each.what for each in generations.leftovers()] == [
        f"process {process.pid}, which has ended"
    ]
    with generations.changing():
        pass
    assert generations.leftovers() == () and os.listdir(generations.places.generations) == ["1"]


@posix
def test_a_forked_child_keeps_what_its_parent_let_go_of(generations: Generations) -> None:
    made(generations, "1.0")
    undo = mark_in_use(generations.places.generations, 1)
    assert undo is not None
    read, write = os.pipe()
    child = os.fork()
    if not child:  # pragma: no cover - another process
        os.close(write)
        os.read(read, 1)
        os._exit(0)
    os.close(read)
    try:
        undo()
        assert list(generations.in_use()) == [1]
    finally:
        os.close(write)
        os.waitpid(child, 0)
    assert generations.in_use() == {}


def test_one_at_a_time_changes_them_and_the_other_is_told_who(generations: Generations) -> None:
    with generations.changing(), pytest.raises(LockReentered), generations.changing():
        pass
    lock = FileLock(generations.places.lock)
    code = (
        "import sys\nfrom pkl.files import FileLock\n"
        "with FileLock(sys.argv[1]):\n    print(flush=True); sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, lock.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    try:
        assert process.stdout is not None and process.stdout.readline()
        held = pytest.raises(LockTimeout, match=f"process {process.pid} holds the lock")
        with held, generations.changing():
            pass
    finally:
        process.communicate()
    with generations.changing():
        pass


def test_changing_without_the_lock_is_refused(generations: Generations) -> None:
    each = solution(("audit", "1.0"))
    with pytest.raises(RuntimeError, match="inside of changing"):
        generations.build(each, filled_with(each), by="x")


def test_what_an_interrupted_change_left_is_named_and_deleted_by_the_next(
    generations: Generations,
) -> None:
    made(generations, "1.0")
    staging = Path(generations.places.generations, ".staging-4711-abcd")
    (staging / "site" / "locked").mkdir(parents=True)
    (staging / "site" / "locked" / "file").write_text("x")
    (staging / "site" / "locked").chmod(0o500)
    Path(generations.places.root, ".current.0123456789ab.tmp").write_text("7")
    assert len(generations.leftovers()) == 2
    with generations.changing():
        assert generations.leftovers() == ()
    assert versions(generations) == ["1.0"]


def spoil(generations: Generations, how: str) -> str:
    """Damages something; the file at fault."""
    places = generations.places
    number = generations.current_number() or 0
    record = places.record(number)
    if how in ("letters", "nothing", "zero", "minus", "long"):
        texts = {
            "letters": b"\xff\xfe",
            "nothing": b"",
            "zero": b"0\n",
            "minus": b"-1",
            "long": b"",
        }
        texts["long"] = b"1" * 4000
        Path(places.current).write_bytes(texts[how])
        return places.current
    if how == "current is a directory":
        os.unlink(places.current)
        os.mkdir(places.current)
        return places.current
    if how == "a generation that is not there":
        Path(places.current).write_text("77\n")
        return places.record(77)
    if how == "no record":
        os.unlink(record)
    elif how == "half a record":
        Path(record).write_bytes(Path(record).read_bytes()[:-40])
    elif how == "a list":
        Path(record).write_text("[]")
    elif how == "deep":
        Path(record).write_text("[" * 200_000)
    elif how == "a later schema":
        Path(record).write_text('{"schema": "pkl.generation/2"}')
    elif how == "another number":
        Path(record).write_text('{"schema": "pkl.generation/1", "number": 3}')
    elif how == "no site":
        os.rename(places.site(number), places.site(number) + "-gone")
        return places.site(number)
    else:
        raise AssertionError(how)
    return record


DAMAGE = ["letters", "nothing", "zero", "minus", "long", "current is a directory"]
DAMAGE += ["a generation that is not there", "no record", "half a record", "a list", "deep"]
DAMAGE += ["a later schema", "another number", "no site"]


@pytest.mark.parametrize("how", DAMAGE)
def test_damage_is_named_does_not_stop_a_start_and_is_repaired_by_what_comes_next(
    generations: Generations, tmp_path: Path, how: str
) -> None:
    made(generations, "1.0", "1.1")
    file = spoil(generations, how)
    with pytest.raises(GenerationDamaged) as caught:
        generations.current()
    error = caught.value
    assert error.file == file and "what is installed for the host 'shop'" in error.message
    assert error.hint.startswith("pkl rollback goes back")
    found = standing("shop", str(tmp_path / "hosts"))
    assert found.entries == () and found.problem is not None
    assert found.problem.file == file
    assert [each.file for each in generations.problems()][:1] == [file]
    if how != "current is a directory":
        with generations.changing():
            back = generations.before()
            generations.flip(back.number, "pkl rollback")
        assert generations.current() == back
        made(generations, "1.2")
        current = generations.current()
        assert current is not None and current.distributions[0].version == "1.2"


def test_every_fault_of_a_record_is_named_and_what_is_sound_is_read() -> None:
    whole: Dict[str, Any] = {
        "number": 4,
        "previous": 0,
        "paths": ["relative"],
        "roots": [{"name": "Not_Canonical", "requirement": "", "kind": "odd"}, 3],
        "distributions": [
            {"name": "audit", "version": "one", "wheel": {"file": "../x", "sha256": "zz"}},
            {"name": "audit", "version": "1", "plugins": [{"name": "a", "manifest": {"x": 1}}]},
            {"name": "b", "version": "1", "wheel": {"file": "b", "sha256": "0" * 64, "size": -1}},
        ],
        "made": 7,
    }
    record, faults = parse_generation(whole)
    assert [each.path for each in faults] == [
        "previous",
        "paths[0]",
        "made",
        "roots[0].kind",
        "roots[0].requirement",
        "roots[0].name",
        "roots[1]",
        "distributions[0].version",
        "distributions[0].wheel[0].file",
        "distributions[0].wheel[0].sha256",
        "distributions[1].plugins[0].manifest",
        "distributions[2].wheel[0].size",
        "distributions",
    ]
    assert record.number == 4 and len(record.distributions) == 3


def test_a_record_is_the_same_bytes_each_time(generations: Generations) -> None:
    made(generations, "1.0")
    record = generations.record(1)
    data = dump_generation(record)
    assert data == Path(generations.places.record(1)).read_bytes()
    assert parse_generation(json.loads(data)) == (record, ())


def test_what_the_manifest_of_a_plugin_says_is_kept_as_it_is(
    generations: Generations,
) -> None:
    each = solution(("audit", "1.0"))
    manifest = {"name": "Audit", "config": {"defaults": {"since": ["2026-01-02", 1.5, None]}}}
    plugin = PluginMetadata(manifest, default_version="1.0", default_summary="writes")
    each = replace(each, chosen=(replace(each.chosen[0], plugins=(plugin,)),))
    with generations.changing():
        generations.build(each, filled_with(each), by="x")
    (read,) = generations.record(1).distributions[0].plugins
    assert (read.name, read.display_name, read.version, read.summary) == (
        "audit",
        "Audit",
        "1.0",
        "writes",
    )
    assert read.config["defaults"] == {"since": ["2026-01-02", 1.5, None]}


def never(place: str) -> None:
    """A placing that must not be reached."""
    raise AssertionError(place)


@posix
def test_without_the_right_to_write_it_says_where(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("a file where a directory belongs")
    generations = Generations("shop", directory=str(tmp_path / "hosts"))
    made = solution(("a", "1"))
    with pytest.raises(GenerationUnwritable) as caught, generations.changing():
        generations.build(made, never, by="x")
    assert "Not a directory" in caught.value.message
    assert caught.value.exit_status == 8 and "PKL_HOME" in caught.value.hint


def one_file(site: str) -> None:
    """Places one empty file."""
    Path(site, "a").write_bytes(b"")


def test_what_may_not_be_read_is_to_be_made_readable(
    generations: Generations, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(generations, "1.0")

    def load(path: str, or_of_root: bool = False) -> bytes:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("pkl.install.environment.standing.load", load)
    with pytest.raises(GenerationDamaged, match="Permission denied") as caught:
        generations.current()
    assert caught.value.hint == "make it readable, or set PKL_HOME to a directory of your own"
