"""The application by itself, with plugins of its own making."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Iterator, List

import pkl
import pytest

from desk.account import SwitchCount
from desk.app import Desk, make_host
from desk.command import main
from desk.events import desk_opened, ticket_closed, ticket_opened
from desk.lines import OneLine, shorten
from desk.ticket import Ticket

INK = Ticket(1, "The printer is out of ink", "ana")

CLERK = """
from desk.events import desk_opened, ticket_opened
from desk.home import plugin_folder
from pkl import log

@desk_opened.on
def opened(name):
    log.info("%s is open", name)

@ticket_opened.on
def note(ticket):
    (plugin_folder() / "last").write_text(ticket.title)
"""


@pytest.fixture
def lines() -> List[str]:
    return []


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: List[str]) -> Iterator[Desk]:
    monkeypatch.setenv("DESK_HOME", str(tmp_path / "home"))
    clerk = tmp_path / "clerk"
    clerk.mkdir()
    (clerk / "plugin.toml").write_text('name = "clerk"\nversion = "1.0"\n')
    (clerk / "plugin.py").write_text(CLERK)
    # Another group than the desk's, so that nothing that is installed takes part.
    host = pkl.PluginHost(version="2.1", group="desk.tests", paths=[clerk])
    with Desk(lines.append, host) as desk:
        yield desk


def test_the_host_has_the_name_version_and_group_that_plugins_rely_on() -> None:
    with make_host() as host:
        assert (host.name, host.version, host.group) == ("desk", "2.1", "desk.plugins")
        assert host.points == {"pages": None}


def test_opening_starts_the_plugins_and_tells_them(desk: Desk, lines: List[str]) -> None:
    assert desk.report is not None
    assert desk.report.enabled == ("clerk",)
    assert lines == ["enabled   clerk 1.0"]


def test_a_plugin_hears_of_tickets_and_has_a_folder(desk: Desk, tmp_path: Path) -> None:
    ticket_opened(INK)
    assert (tmp_path / "home/unnamed/clerk/last").read_text() == INK.title


def test_only_the_application_may_say_that_the_desk_opens(desk: Desk) -> None:
    clerk = desk.host.get_plugin("clerk")
    with pkl.plugin_context(desk.host, clerk), pytest.raises(pkl.NotPermitted):
        desk_opened("desk")


def test_the_account_names_what_is_taken_back_in_reverse(desk: Desk, lines: List[str]) -> None:
    clerk = desk.host.get_plugin("clerk")
    assert clerk is not None
    held = [shorten(f"clerk: {r!r}") for r in desk.host.resource_manager.get_resources(clerk)]
    clerk.disable()
    assert desk.account.taken_back == held[::-1]
    assert lines[-1] == "disabled  clerk 1.0"
    desk.account.end()
    clerk.enable()
    assert lines[-1] == "disabled  clerk 1.0"


def test_switches_are_counted_while_asked_for(desk: Desk) -> None:
    with SwitchCount(desk.host) as count:
        ticket_opened(INK)
        ticket_opened(INK)
    ticket_opened(INK)
    assert count.entered == {"clerk": 2}


def test_closing_a_ticket_is_timed_around_the_handlers(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "pkl.host"):
        ticket_closed(INK)
    assert caplog.messages[-1].startswith("ticket 1: everybody was told in ")


def test_a_log_line_says_who_speaks(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    handler = OneLine.to_stdout()
    try:
        desk_opened("the desk")
    finally:
        logger = logging.getLogger("pkl")
        logger.removeHandler(handler)
        logger.propagate = True
    assert capsys.readouterr().out == "info      clerk 1.0: the desk is open\n"


def test_code_outside_of_plugins_is_outside_of_their_folders() -> None:
    from desk.home import plugin_folder

    with pytest.raises(pkl.NoCurrentPlugin):
        plugin_folder()


def test_places_in_files_are_shortened_to_folder_file_and_line() -> None:
    assert shorten("a (/x y/desk_auth/plugin.py:7) of b") == "a (desk_auth/plugin.py:7) of b"
    assert shorten(r"a (C:\x\desk_auth\plugin.py:7)") == r"a (desk_auth\plugin.py:7)"
    assert shorten("every (third) one") == "every (third) one"


def test_the_command_closes_by_itself_and_names_what_was_not_cleaned_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    untidy = tmp_path / "untidy"
    untidy.mkdir()
    (untidy / "plugin.toml").write_text('name = "untidy"\n')
    (untidy / "plugin.py").write_text(
        "from pkl import Resource, this\n"
        "class Mess(Resource):\n"
        "    def _cleanup(self):\n"
        "        raise OSError('it stays')\n"
        "this.host.resource_manager.register(Mess())\n"
    )
    host = pkl.PluginHost(version="2.1", group="desk.tests", paths=[untidy])
    monkeypatch.setattr("desk.command.Desk", lambda: Desk(host=host))
    monkeypatch.setattr(OneLine, "to_stdout", lambda: None)
    assert main(["--seconds", "0"]) == 1
    said = capsys.readouterr()
    assert "ok: 1 enabled" in said.out
    assert said.err == "not cleaned up: OSError: it stays\n"
