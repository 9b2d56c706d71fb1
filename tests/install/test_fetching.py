"""Wheels that are fetched: kept once under their digest, checked at every use, never half there."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Iterator, List, Optional, Tuple

import pytest

from pkl.errors import (
    RegistryAbsent,
    RegistryDenied,
    RegistryGarbage,
    RegistryUnreachable,
    StateUnavailable,
    WheelRefused,
)
from pkl.install.solution import Chosen, WheelRef
from pkl.install.wheels import fetching
from pkl.install.wheels.fetching import Fetcher, wheel_place
from pkl.registry.transport import Transport
from tests.registry.client.server import Handler, Server, answers, running

FILE = "acme_audit-1.0-py3-none-any.whl"
DATA = b"the wheel" * 1000
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that holds the wheel."""
    with running() as told:
        told.files[f"/files/{FILE}"] = DATA
        yield told


def chosen(url: str, **facts: Any) -> Chosen:
    facts = {"file": FILE, "sha256": SHA256, "size": len(DATA), **facts}
    wheel = WheelRef(facts["file"], url, facts["sha256"], facts["size"])
    return Chosen("acme-audit", "1.0", wheel=wheel, wheels=(wheel,), registry="main")


def at(server: Server, **facts: Any) -> Chosen:
    return chosen(f"{server.url}/files/{FILE}", **facts)


def fetcher(**more: Any) -> Fetcher:
    return Fetcher(transport=Transport(sleep=lambda seconds: None), **more)


def kept(home: Path) -> List[str]:
    """Every file in the cache of wheels."""
    return sorted(str(p.relative_to(home)) for p in (home / "cache").rglob("*") if p.is_file())


def test_a_wheel_is_fetched_once_and_kept_under_its_digest(server: Server, home: Path) -> None:
    path = fetcher().fetch(at(server))
    assert path == str(home / "cache" / "wheels" / SHA256[:2] / SHA256 / FILE)
    assert Path(path).read_bytes() == DATA
    assert fetcher().fetch(at(server)) == path
    assert server.paths == [f"/files/{FILE}"]
    assert len(kept(home)) == 1


def test_progress_is_told_in_bytes(server: Server) -> None:
    said: List[Tuple[str, int, Optional[int]]] = []
    progress = lambda which, done, total: said.append((which.name, done, total))  # noqa: E731
    fetcher(progress=progress).fetch(at(server))
    assert said[-1] == ("acme-audit", len(DATA), len(DATA))
    assert [done for _, done, _ in said] == sorted(done for _, done, _ in said)
    said.clear()
    fetcher(progress=progress).fetch(at(server, size=None))
    assert said == [("acme-audit", len(DATA), len(DATA))]


def test_a_directory_is_as_good_as_a_server_also_offline(tmp_path: Path, home: Path) -> None:
    (tmp_path / FILE).write_bytes(DATA)
    here = chosen((tmp_path / FILE).as_uri())
    assert fetcher(offline=True).is_here(here)
    path = fetcher(offline=True).fetch(here)
    assert Path(path).read_bytes() == DATA
    (tmp_path / FILE).unlink()
    assert fetcher().fetch(here) == path


def test_offline_what_is_kept_will_do_and_the_rest_is_named(server: Server) -> None:
    offline = fetcher(offline=True)
    assert not offline.is_here(at(server))
    with pytest.raises(RegistryUnreachable) as caught:
        offline.fetch(at(server))
    assert str(caught.value) == (
        f"{FILE} is not on this machine, and the network may not be used\n"
        "hint: run the same without --offline once; what it fetches is kept"
    )
    assert server.asked == []
    path = fetcher().fetch(at(server))
    assert offline.is_here(at(server))
    assert offline.fetch(at(server)) == path


@pytest.mark.parametrize("damage", [b"", DATA[:-1], DATA + b"x", b"X" + DATA[1:]])
def test_a_copy_that_is_damaged_is_fetched_anew(server: Server, damage: bytes) -> None:
    path = Path(fetcher().fetch(at(server)))
    path.write_bytes(damage)
    assert fetcher().fetch(at(server)) == str(path)
    assert path.read_bytes() == DATA
    assert len(server.asked) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="links as POSIX has them")
def test_a_link_in_the_place_of_a_copy_does_not_count(server: Server, tmp_path: Path) -> None:
    path = Path(fetcher().fetch(at(server)))
    (tmp_path / "elsewhere").write_bytes(DATA)
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    fetcher().fetch(at(server))
    assert not path.is_symlink()
    assert (tmp_path / "elsewhere").read_bytes() == DATA


def test_another_digest_is_refused_with_both_and_leaves_nothing(server: Server, home: Path) -> None:
    evil = b"the wheel, but not that one".ljust(len(DATA), b"!")
    server.files[f"/files/{FILE}"] = evil
    with pytest.raises(WheelRefused) as caught:
        fetcher().fetch(at(server))
    found = hashlib.sha256(evil).hexdigest()
    assert str(caught.value) == (
        f"{FILE} is not what was announced (from {server.url}/files/{FILE})\n"
        f"  its sha256 must be the {SHA256} that was announced, and is {found}\n"
        "hint: nothing was installed; tell whoever runs the registry"
    )
    assert caught.value.exit_status == 8
    assert (caught.value.details["expected"], caught.value.details["found"]) == (SHA256, found)
    assert kept(home) == []


@pytest.mark.parametrize("data", [DATA[:-1], DATA + b"x", b""])
@pytest.mark.parametrize("where", ["server", "directory"])
def test_another_size_is_refused(
    server: Server, tmp_path: Path, home: Path, data: bytes, where: str
) -> None:
    server.files[f"/files/{FILE}"] = data
    (tmp_path / FILE).write_bytes(data)
    what = at(server) if where == "server" else chosen((tmp_path / FILE).as_uri())
    with pytest.raises(WheelRefused, match="its size must be the 9000 bytes that were announced"):
        fetcher().fetch(what)
    assert kept(home) == []


def test_a_server_that_sends_without_end_is_cut_off(server: Server, home: Path) -> None:
    def endless(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"\0" * 65536)

    server.does(f"/files/{FILE}", endless)
    with pytest.raises(WheelRefused, match="and is more"):
        fetcher().fetch(at(server))
    assert kept(home) == []


def test_what_is_cut_off_or_elsewhere_is_told_apart(server: Server, home: Path) -> None:
    def cut(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(DATA)))
        handler.end_headers()
        handler.wfile.write(DATA[:100])

    for behaviour, error in (
        (cut, RegistryGarbage),
        (answers(401), RegistryDenied),
        (answers(404), RegistryAbsent),
        (answers(503), RegistryUnreachable),
        (answers(302, Location="https://example.org/"), RegistryGarbage),
        (answers(200, DATA, Content_Encoding="gzip"), RegistryGarbage),
    ):
        server.does(f"/files/{FILE}", behaviour)
        with pytest.raises(error):
            fetcher().fetch(at(server))
        assert kept(home) == []


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"file": "../../evil.whl"}, "must be the name of a wheel of acme-audit 1.0"),
        ({"file": "acme_audit-1.1-py3-none-any.whl"}, "must be the name of a wheel of acme-audit"),
        ({"sha256": "../../../etc"}, "must be a SHA-256 in hex"),
        ({"sha256": ""}, "must be a SHA-256 in hex"),
        ({"url": "http://example.org/x.whl"}, "must be where pkl fetches from: http:// is for"),
        ({"url": "ftp://example.org/x.whl"}, "must be where pkl fetches from"),
        ({"url": "https://me:secret@example.org/x.whl"}, "user name or password"),
    ],
)
def test_what_is_announced_must_make_sense(facts: Any, rule: str, home: Path) -> None:
    url = facts.pop("url", "https://example.org/x.whl")
    with pytest.raises(WheelRefused, match=rule):
        fetcher().fetch(chosen(url, **facts))
    assert kept(home) == []


def test_a_full_disk_is_named_and_leaves_nothing(
    server: Server, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StateUnavailable, match="No space left on device; nothing was installed"):
        fetcher().fetch(at(server))
    assert kept(home) == []


def test_what_a_killed_process_left_is_swept_away_later(server: Server, home: Path) -> None:
    wheel = at(server).wheel
    assert wheel is not None
    folder = Path(wheel_place(wheel)).parent
    folder.mkdir(parents=True)
    old, new = folder / ".old.part", folder / ".new.part"
    for each in (old, new):
        each.write_bytes(b"half")
    os.utime(old, (0, time.time() - 2 * fetching._STALE))
    fetcher().fetch(at(server))
    assert (old.exists(), new.exists()) == (False, True)


def test_two_processes_may_fetch_at_once(server: Server, home: Path) -> None:
    code = (
        "import sys\n"
        "from pkl.install.wheels.fetching import Fetcher\n"
        "from pkl.install.solution import Chosen, WheelRef\n"
        f"wheel = WheelRef({FILE!r}, sys.argv[1], {SHA256!r}, {len(DATA)})\n"
        "print(Fetcher().fetch(Chosen('acme-audit', '1.0', wheel=wheel)))\n"
    )
    url = f"{server.url}/files/{FILE}"
    root = Path(__file__).resolve().parents[2]
    started = [
        subprocess.Popen(
            [sys.executable, "-B", "-c", code, url],
            stdout=subprocess.PIPE,
            text=True,
            cwd=str(root),
        )
        for _ in range(3)
    ]
    outs = {each.communicate(timeout=60)[0].strip() for each in started}
    assert [each.returncode for each in started] == [0, 0, 0]
    assert len(outs) == 1
    assert len(kept(home)) == 1


def test_an_editable_one_has_no_wheel() -> None:
    with pytest.raises(ValueError, match="has no wheel"):
        fetcher().fetch(Chosen("acme-audit", "1.0", editable="/src/audit"))
