"""The terminal rules: colour precedence, escaping, widths; tables cut on terminals only."""

from __future__ import annotations

import io
from typing import Dict, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkl.model.state import PluginState
from pkl.render.table import Cell, Column, fields, state_cell, table
from pkl.render.terminal import MARKS, PLAIN, Terminal, display_width, mark_of, wants_color


class Stream(io.StringIO):
    """A text stream that says of itself what it is told to say."""

    def __init__(self, tty: bool, encoding: Optional[str]) -> None:
        super().__init__()
        self.tty = tty
        self.stated = encoding

    def isatty(self) -> bool:
        return self.tty

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.stated  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("mode", "tty", "env", "expected"),
    [
        ("always", False, {"NO_COLOR": "1"}, True),
        ("never", True, {"FORCE_COLOR": "1"}, False),
        ("auto", True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", False, {"FORCE_COLOR": "1"}, True),
        ("auto", False, {"CLICOLOR_FORCE": "1", "TERM": "dumb"}, True),
        ("auto", False, {"FORCE_COLOR": "0"}, False),
        ("auto", True, {"FORCE_COLOR": "0"}, True),
        ("auto", True, {"TERM": "dumb"}, False),
        ("auto", True, {"TERM": "xterm"}, True),
        ("auto", True, {}, True),
        ("auto", False, {}, False),
    ],
)
def test_the_option_beats_no_color_which_beats_force_color_which_beats_the_terminal(
    mode: str, tty: bool, env: Dict[str, str], expected: bool
) -> None:
    assert wants_color(mode, tty, env) is expected


def test_a_pipe_has_no_width_and_a_terminal_has_the_one_it_states() -> None:
    assert Terminal.of(Stream(False, "utf-8"), environ={"COLUMNS": "40"}).width is None
    assert Terminal.of(Stream(True, "utf-8"), environ={"COLUMNS": "40"}).width == 40
    assert Terminal.of(Stream(True, "utf-8"), environ={"COLUMNS": "many"}).width == 80


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", True), ("UTF8", True), ("ascii", False), ("latin-1", False), (None, False)],
)
def test_glyphs_are_written_only_where_the_encoding_is_utf(
    encoding: Optional[str], expected: bool
) -> None:
    terminal = Terminal.of(Stream(False, encoding), environ={})
    assert terminal.unicode is expected
    assert terminal.state("enabled") == ("● enabled" if expected else "* enabled")
    assert terminal.state("enabled").isascii() is not expected


def test_a_closed_stream_is_no_terminal() -> None:
    stream = io.StringIO()
    stream.close()
    assert Terminal.of(stream, environ={}).width is None


def test_every_state_has_a_mark_of_its_own() -> None:
    assert {state.value for state in PluginState} <= set(MARKS)
    assert mark_of("strange").role == "muted"
    assert mark_of("strange").word == "strange"


def test_state_is_word_and_glyph_and_colour() -> None:
    assert Terminal(color=True).state("error") == "\x1b[31m✕ error\x1b[0m"
    assert PLAIN.state("blocked") == "◐ blocked"
    assert PLAIN.state("") == ""


@given(st.text())
def test_what_a_plugin_wrote_holds_no_control_character_once_clean(text: str) -> None:
    for terminal in (Terminal(), Terminal(unicode=False)):
        shown = terminal.clean(text)
        assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in shown)
        assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200f")
    assert Terminal(unicode=False).clean(text).isascii()


def test_a_paint_ends_what_it_began_and_an_empty_text_has_none() -> None:
    assert Terminal(color=True).paint("x", "ok") == "\x1b[32mx\x1b[0m"
    assert Terminal(color=True).paint("", "ok") == ""
    assert Terminal(color=True).paint("x", "no such role") == "x"
    assert Terminal(color=False).paint("x", "ok") == "x"


def test_wide_and_combining_characters_take_the_columns_a_terminal_gives_them() -> None:
    assert display_width("abc") == 3
    assert display_width("日本") == 4
    assert display_width("e\u0301") == 1


@given(st.text(), st.integers(min_value=0, max_value=30))
def test_a_cut_text_fits_and_one_that_fits_is_not_cut(text: str, width: int) -> None:
    for terminal in (Terminal(), Terminal(unicode=False)):
        cut = terminal.cut(text, width)
        assert display_width(cut) <= width
        if display_width(text) <= width:
            assert cut == text


COLUMNS = (Column("NAME"), Column("VERSION", right=True), Column("WHY", shrink=True, least=8))


def test_a_table_is_aligned_and_has_no_trailing_blanks() -> None:
    text = table(COLUMNS, [("auth", "1.2", ""), ("a", "10.0.1", "needs b, which is missing")])
    assert text == ("NAME  VERSION  WHY\nauth      1.2\na      10.0.1  needs b, which is missing\n")


def test_a_table_is_cut_on_a_narrow_terminal_only() -> None:
    rows = [("auth", "1.2", "a reason that goes on " * 20)]
    assert rows[0][2].strip() in table(COLUMNS, rows)
    narrow = table(COLUMNS, rows, terminal=Terminal(width=40))
    assert max(len(line) for line in narrow.splitlines()) == 40
    assert "…" in narrow
    tiny = table(COLUMNS, rows, terminal=Terminal(width=5))
    assert "auth" in tiny and "1.2" in tiny


def test_two_shrinking_columns_share_the_loss() -> None:
    columns = (Column("A", shrink=True, least=4), Column("B", shrink=True, least=4))
    text = table(columns, [("x" * 50, "y" * 20)], terminal=Terminal(width=32), heading=False)
    assert text == "x" * 14 + "…  " + "y" * 14 + "…\n"


def test_an_empty_column_is_left_out_and_a_table_without_rows_is_its_headings() -> None:
    assert table(COLUMNS, [("a", "", "why")]) == "NAME  WHY\na     why\n"
    assert table(COLUMNS, []) == "NAME  VERSION  WHY\n"
    assert table(COLUMNS, [("a", "", "why")], heading=False) == "a  why\n"


def test_colour_does_not_disturb_the_columns() -> None:
    columns = (Column("STATE"), Column("NAME"))
    rows = [(state_cell("enabled"), "a"), (state_cell("error"), "b")]
    plain = table(columns, rows)
    painted = table(columns, rows, terminal=Terminal(color=True))
    assert plain == "STATE      NAME\n● enabled  a\n✕ error    b\n"
    assert "\x1b[31m✕ error\x1b[0m    b\n" in painted


def test_a_cell_cannot_break_its_line_nor_paint() -> None:
    text = table((Column("NAME"),), [("a\nb\x1b[31m\u202e",), (Cell("c\td", "ok"),)])
    assert text == "NAME\na\\x0ab\\x1b[31m\\u202e\nc\\x09d\n"


def test_fields_are_aligned_and_empty_ones_left_out() -> None:
    text = fields([("name", "auth"), ("summary", ""), ("state", state_cell("enabled"))])
    assert text == "name:  auth\nstate: ● enabled\n"
