"""Who sits at a terminal is asked, sees how far it is, and may say no."""

from __future__ import annotations

import io
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Callable

import pytest

from pkl.cli.progress import ProgressBar
from pkl.cli.session import Session
from pkl.install.environment.generations import Generations
from tests.cli.running import Pkl
from tests.discovery.fakes import plugin
from tests.install.making import GROUP
from tests.install.market import Shop
from tests.install.solutions import chosen


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("\n", 0), ("n\n", 1)])
def test_at_a_terminal_it_asks(
    pkl: Pkl,
    shop: Shop,
    publish: Callable[[], None],
    generations: Generations,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    status: int,
) -> None:
    shop.plugin("auth", "1.0")
    publish()
    monkeypatch.setattr("pkl.cli.installing._can_ask", lambda: True)
    pkl.stdin = answer
    ran = pkl("install", "auth")
    assert ran.status == status and ran.lines[0].startswith("+ auth 1.0")
    assert "go ahead?" in ran.err
    assert generations.numbers() == ((1,) if status == 0 else ())
    if status:
        assert "nothing was changed" in ran.err


def test_an_interrupt_leaves_nothing(
    pkl: Pkl,
    shop: Shop,
    publish: Callable[[], None],
    generations: Generations,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop.plugin("auth", "1.0")
    publish()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tests.install.fake_backend.FakeBackend.place", interrupt)
    ran = pkl("install", "auth", "-y")
    assert ran.status == 130
    assert generations.numbers() == () and generations.leftovers() == ()


class Screen(io.StringIO):
    """A terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_a_bar_says_how_far_it_is_and_is_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "60")
    bar = ProgressBar(Session())
    bar.fetched(chosen("audit"), 0, 4_000_000)
    bar.fetched(chosen("audit"), 1000, 4_000_000)
    bar.fetched(chosen("audit"), 2_000_000, 4_000_000)
    bar.fetched(chosen("audit"), 4_000_000, 4_000_000)
    bar.fetched(replace(chosen("audit"), name="evil\x1b[2J"), 300_000, None)
    bar.done()
    bar.done()
    drawn = screen.getvalue().split("\r\x1b[K")
    assert drawn[1] == "░" * 24 + " audit 1.0 4.0 MB"
    assert drawn[2] == "█" * 12 + "░" * 12 + " audit 1.0 4.0 MB"
    assert drawn[3] == "█" * 24 + " audit 1.0 4.0 MB"
    assert "\x1b" not in drawn[4] and drawn[5:] == [""]


@pytest.mark.parametrize("quiet", ["json", "verbosity", "file"])
def test_nothing_is_drawn_where_nobody_looks(monkeypatch: pytest.MonkeyPatch, quiet: str) -> None:
    screen = io.StringIO() if quiet == "file" else Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    session = Session()
    if quiet == "json":
        session.json = True
    elif quiet == "verbosity":
        session.verbosity = -1
    bar = ProgressBar(session)
    bar.step("looking")
    bar.fetched(chosen("audit"), 1, 2)
    bar.done()
    assert screen.getvalue() == ""


def test_what_the_environment_has_is_there_already(
    pkl: Pkl,
    shop: Shop,
    publish: Callable[[], None],
    tmp_path: Path,
    generations: Generations,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = tmp_path / "site"
    plugin(site, "acme-auth", "1.5", 'name = "auth"\n', entry_points={GROUP: {"auth": "acme_auth"}})
    monkeypatch.syspath_prepend(str(site))
    shop.plugin("auth", "1.0")
    shop.plugin("audit", "1.0", requires=["auth>=1"])
    publish()
    ran = pkl.ok("install", "auth")
    assert ran.lines == ["auth 1.5 is there already: acme-auth 1.5 has it"]
    assert generations.numbers() == ()
    assert pkl.ok("install", "audit", "-y").lines == ["+ audit 1.0 (acme-audit)"]
    states = {each["name"]: each["version"] for each in pkl.json("list")["plugins"]}
    assert states == {"audit": "1.0", "auth": "1.5"}


def test_a_library_of_the_host_is_never_moved(
    pkl: Pkl,
    shop: Shop,
    publish: Callable[[], None],
    tmp_path: Path,
    generations: Generations,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = tmp_path / "site"
    plugin(site, "libx", "1.0", entry_points={})
    monkeypatch.syspath_prepend(str(site))
    shop.plugin("audit", "1.0", libraries=["libx>=2"])
    shop.library("libx", "2.0")
    publish()
    ran = pkl("install", "audit", "-y")
    assert ran.status == 5 and "libx" in ran.err and "1.0" in ran.err
    assert generations.numbers() == ()


def test_wheels_that_no_generation_is_made_of_are_deleted_after_a_while(
    pkl: Pkl, shop: Shop, generations: Generations, monkeypatch: pytest.MonkeyPatch
) -> None:
    pkl.ok("install", str(shop.plugin("auth", "1.0")), "-y")
    local = Path(generations.places.local)
    (kept,) = local.iterdir()
    (local / "stray").mkdir()
    pkl.ok("install", str(shop.plugin("mail", "1.0")), "-y")
    assert kept.exists() and (local / "stray").exists()
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 2 * 86400)
    pkl.ok("uninstall", "mail", "-y")
    assert kept.exists() and not (local / "stray").exists()
