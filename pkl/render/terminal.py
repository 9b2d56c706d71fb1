"""What a terminal can show: colour rules, glyphs with an ASCII fallback, escaping and widths."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Dict, Mapping, NamedTuple, Optional

from ..names import printable

__all__ = [
    "COLOR_MODES",
    "MARKS",
    "PLAIN",
    "Mark",
    "Terminal",
    "display_width",
    "mark_of",
    "wants_color",
]

COLOR_MODES = ("auto", "always", "never")
"""The values of ``--color``."""

_SGR: Mapping[str, str] = {
    "bold": "1",
    "muted": "2",
    "fail": "31",
    "ok": "32",
    "wait": "33",
    "accent": "34",
    "used": "35",
}


class Mark(NamedTuple):
    """How a state is shown: never by its colour alone."""

    word: str
    glyph: str
    letter: str
    """The glyph where only ASCII can be written."""
    role: str
    """What it means for the reader: ``ok``, ``wait``, ``fail`` or ``muted``; decides the colour."""


_RUNS, _RESTS, _FAILS, _HALF = ("●", "*"), ("○", "o"), ("✕", "x"), ("◐", "~")

MARKS: Mapping[str, Mark] = {
    word: Mark(word, glyph, letter, role)
    for word, (glyph, letter), role in (
        ("enabled", _RUNS, "ok"),
        ("loaded", _HALF, "wait"),
        ("enabling", _HALF, "wait"),
        ("disabling", _HALF, "wait"),
        ("disabled", _RESTS, "muted"),
        ("unloaded", _RESTS, "muted"),
        ("masked", _RESTS, "muted"),
        ("waiting", _HALF, "wait"),
        ("blocked", _HALF, "wait"),
        ("error", _FAILS, "fail"),
        ("missing", _FAILS, "fail"),
        ("unsatisfied", _FAILS, "fail"),
        ("cycle", _FAILS, "fail"),
        ("conflict", _FAILS, "fail"),
        ("absent", _RESTS, "muted"),
        ("fail", _FAILS, "fail"),
        ("warn", _HALF, "wait"),
        ("ok", _RUNS, "ok"),
    )
}
"""The mark of every state, and of what can be wrong with an edge or a finding."""


def mark_of(word: str) -> Mark:
    """The mark of a state; a word that has none of its own is shown muted with an open circle."""
    found = MARKS.get(str(word))
    return found if found is not None else Mark(str(word), *_RESTS, "muted")


def wants_color(mode: str, isatty: bool, environ: Optional[Mapping[str, str]] = None) -> bool:
    """Whether to write colour: ``--color``, then NO_COLOR, then FORCE_COLOR, then the terminal.

    Args:
        mode: ``auto``, ``always`` or ``never``; the last two settle it.
        isatty: Whether the stream is a terminal.
        environ: Environment variables; the process's own by default. A set, non-empty
            ``NO_COLOR`` wins over ``FORCE_COLOR`` and ``CLICOLOR_FORCE`` (https://no-color.org),
            of which "0" means no.
    """
    if mode != "auto":
        return mode == "always"
    env = os.environ if environ is None else environ
    if env.get("NO_COLOR"):
        return False
    if any(env.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return isatty and env.get("TERM") != "dumb"


@dataclass(frozen=True)
class Terminal:
    """What the place that text goes to can show; the default is a plain file in UTF-8.

    Attributes:
        color: Whether to write colours.
        unicode: Whether to write glyphs and box drawing; otherwise ASCII only.
        width: Columns, or None where nothing may be cut off: a file, a pipe.
    """

    color: bool = False
    unicode: bool = True
    width: Optional[int] = None

    @classmethod
    def of(
        cls, stream: Any, *, color: str = "auto", environ: Optional[Mapping[str, str]] = None
    ) -> Terminal:
        """What ``stream`` can show.

        Args:
            stream: A text stream; only ``isatty``, ``encoding`` and ``fileno`` are asked.
            color: The value of ``--color``.
            environ: Environment variables; the process's own by default.
        """
        env = os.environ if environ is None else environ
        try:
            tty = bool(stream.isatty())
        except (AttributeError, ValueError):
            tty = False
        encoding = str(getattr(stream, "encoding", None) or "ascii").lower()
        return cls(
            color=wants_color(color, tty, env),
            unicode=encoding.startswith("utf"),
            width=_columns(stream, env) if tty else None,
        )

    def clean(self, text: str) -> str:
        """What a plugin wrote, so that it can only be read: controls escaped, ASCII if need be."""
        shown = printable(text)
        if self.unicode or shown.isascii():
            return shown
        return shown.encode("ascii", "backslashreplace").decode("ascii")

    def paint(self, text: str, role: str) -> str:
        """The text in the colour of ``role``; unchanged without colour or for an unknown role."""
        code = _SGR.get(role)
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and code and text else text

    def glyph(self, word: str) -> str:
        """The glyph of a state, or its ASCII letter."""
        mark = mark_of(word)
        return mark.glyph if self.unicode else mark.letter

    def state(self, word: str) -> str:
        """A state as glyph, word and colour; empty for the empty word."""
        if not word:
            return ""
        return self.paint(f"{self.glyph(word)} {self.clean(str(word))}", mark_of(word).role)

    @property
    def ellipsis(self) -> str:
        """What stands for text that was cut off."""
        return "…" if self.unicode else "..."

    def cut(self, text: str, width: int) -> str:
        """The text in at most ``width`` columns, ending in an ellipsis if it was longer.

        Meant for clean, unpainted text and for terminals; what goes to a file is never cut.
        """
        if display_width(text) <= width:
            return text
        room = width - len(self.ellipsis)
        if room <= 0:
            return self.ellipsis[: max(0, width)]
        taken, used = 0, 0
        for character in text:
            used += display_width(character)
            if used > room:
                break
            taken += 1
        return text[:taken] + self.ellipsis


PLAIN = Terminal()
"""A file in UTF-8: no colour, no width, glyphs."""


def _columns(stream: Any, env: Mapping[str, str]) -> int:
    """The width of a terminal: COLUMNS, else what the system says, else 80."""
    stated = env.get("COLUMNS", "")
    if stated.isascii() and stated.isdigit() and int(stated) > 0:
        return int(stated)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (AttributeError, OSError, ValueError):
        return 80


_WIDTHS: Dict[str, int] = {}


def display_width(text: str) -> int:
    """How many columns the text takes: two for wide East Asian characters, none for combining."""
    if text.isascii():
        return len(text)
    total = 0
    for character in text:
        width = _WIDTHS.get(character)
        if width is None:
            width = _WIDTHS[character] = _character_width(character)
        total += width
    return total


def _character_width(character: str) -> int:
    import unicodedata

    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
