"""A host whose last start died says so before anything starts again."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, List

import pytest

import pkl
from pkl.store import dead_starts
from tests.cli.running import directory_plugin

ROOT = Path(__file__).resolve().parents[2]
CODE = "import pkl\n"
CRASH = "import os\nif 'CRASH' in os.environ: os._exit(3)\n"
CRASH_WHEN_ENABLED = (
    "import pkl, os\n@pkl.this.on_enable.on\ndef start():\n"
    "    if 'CRASH' in os.environ: os.abort()\n"
)
CRASH_LATER = (
    "import pkl, os, asyncio\n@pkl.this.on_enable.on\nasync def start():\n"
    "    await asyncio.sleep(0.05)\n"
    "    if 'CRASH' in os.environ: os._exit(3)\n"
)
LONG = (
    "import pkl, asyncio, os\n@pkl.this.on_enable.on\nasync def start():\n"
    "    await asyncio.sleep(30)\n"
)


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """Three plugins; auth requires db, and mail comes last."""
    directory = tmp_path / "plugins"
    directory_plugin(directory, "db", "", CODE)
    directory_plugin(directory, "auth", "", CODE, requires=["db"])
    directory_plugin(directory, "mail", "", CODE, requires=["auth"])
    return directory


def crash(plugins: Path, start: str = "host.start()", name: str = "'shop'") -> None:
    """Starts a host in a process of its own, which dies of it."""
    code = (
        "import pkl, asyncio\n"
        f"host = pkl.PluginHost({name}, group='none', paths=[{str(plugins)!r}])\n{start}"
    )
    environment = {**os.environ, "CRASH": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
    )
    assert ran.returncode not in (0, 1)


def started(plugins: Path, name: "str | None" = "shop", **more: Any) -> pkl.StartReport:
    """The report of a start in this process."""
    with pkl.PluginHost(name, group="none", paths=[plugins], **more) as host:
        return host.start()


@pytest.mark.parametrize("code", [CRASH, CRASH_WHEN_ENABLED])
def test_the_next_start_says_which_plugin_was_starting(
    plugins: Path, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    (plugins / "auth" / "plugin.py").write_text(code)
    crash(plugins)
    with caplog.at_level(logging.WARNING):
        report = started(plugins)
    (died,) = report.died
    assert (died.host, died.plugins) == ("shop", ("auth",))
    assert report.as_dict()["died"] == [died.as_dict()]
    assert f"{died.message}; {died.remedy}" in caplog.messages
    assert report.ok
    # It ended in order, so the one after it has nothing to tell.
    assert started(plugins).died == ()


def test_it_is_said_before_anything_starts_again(plugins: Path) -> None:
    (plugins / "auth" / "plugin.py").write_text(CRASH)
    crash(plugins)
    seen: List[str] = []

    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.getMessage())

    handler = Heard()
    logging.getLogger("pkl.host").addHandler(handler)
    try:
        code = "import pkl\nimport logging\nlogging.getLogger('pkl.host').warning('db starts')\n"
        (plugins / "db" / "plugin.py").write_text(code)
        started(plugins)
    finally:
        logging.getLogger("pkl.host").removeHandler(handler)
    assert seen[0].startswith("the last start of shop died while auth was starting")
    assert "db starts" in seen[1:]


def test_a_start_that_dies_again_replaces_the_mark(plugins: Path) -> None:
    (plugins / "auth" / "plugin.py").write_text(CRASH)
    crash(plugins)
    crash(plugins)
    assert [each.plugins for each in dead_starts("shop")] == [("auth",)]
    assert len(started(plugins).died) == 1


def test_on_a_loop_all_are_named_that_were_starting(plugins: Path) -> None:
    (plugins / "db" / "plugin.py").write_text(CRASH_LATER)
    directory_plugin(plugins, "other", "", LONG.replace("30", "30 * ('CRASH' in os.environ)"))
    crash(plugins, "asyncio.run(host.astart())")
    (died,) = started(plugins).died
    assert sorted(died.plugins) == ["db", "other"]


def test_a_plugin_that_fails_in_order_leaves_no_mark(plugins: Path) -> None:
    (plugins / "auth" / "plugin.py").write_text("raise SystemExit(3)\n")
    assert started(plugins).failed
    assert started(plugins).died == ()


def test_an_interrupted_start_leaves_no_mark(plugins: Path) -> None:
    (plugins / "auth" / "plugin.py").write_text("raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        started(plugins)
    assert dead_starts("shop") == ()

    async def cancelled() -> None:
        (plugins / "auth" / "plugin.py").write_text(LONG)
        async with pkl.PluginHost("shop", group="none", paths=[plugins]) as host:
            starting = asyncio.ensure_future(host.astart())
            while not (plugin := host.get_plugin("auth")) or not plugin.running:
                await asyncio.sleep(0)
            starting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await starting

    asyncio.run(cancelled())
    assert dead_starts("shop") == ()


def test_a_host_without_a_name_keeps_nothing(plugins: Path) -> None:
    (plugins / "auth" / "plugin.py").write_text(CRASH)
    crash(plugins, name="None")
    assert dead_starts() == ()
    assert started(plugins, None).died == ()


def test_another_host_is_none_the_wiser(plugins: Path) -> None:
    (plugins / "auth" / "plugin.py").write_text(CRASH)
    crash(plugins)
    assert started(plugins, "other").died == ()
    assert len(dead_starts("shop")) == 1


def test_a_host_that_starts_within_a_start_is_not_dead(plugins: Path) -> None:
    """Two hosts of one name in one process, one started by a plugin of the other."""
    inner = (
        "import pkl\n"
        f"with pkl.PluginHost('shop', group='none', paths=[{str(plugins / 'none')!r}]) as host:\n"
        "    assert host.start().died == ()\n"
    )
    (plugins / "auth" / "plugin.py").write_text(inner)
    assert started(plugins).ok
    assert dead_starts("shop") == ()


def test_where_nothing_can_be_written_the_host_starts_all_the_same(
    plugins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("pkl.store.start_marks.marks_directory", lambda: str(tmp_path / "file"))
    assert started(plugins).ok
