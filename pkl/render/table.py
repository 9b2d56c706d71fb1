"""Plain text tables: aligned columns without lines, cut only where a terminal is too narrow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, NamedTuple, Optional, Sequence, Union

from .terminal import PLAIN, Terminal, display_width, mark_of

__all__ = ["Cell", "Column", "fields", "state_cell", "table"]

_GAP = "  "


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: Its heading.
        right: Align to the right, for numbers.
        shrink: May be cut on a terminal that is too narrow; never below ``least`` columns.
        least: The narrowest a shrinking column becomes.
    """

    title: str
    right: bool = False
    shrink: bool = False
    least: int = 12


class Cell(NamedTuple):
    """A text with a role for its colour (``ok wait fail muted bold accent``), and a glyph's word.

    Attributes:
        text: What it says; escaped when it is shown.
        role: Decides the colour.
        glyph: The state whose glyph stands before the text; empty for none.
    """

    text: str
    role: str = ""
    glyph: str = ""


def state_cell(state: str) -> Cell:
    """A state as a cell: glyph, word and colour; empty for the empty state."""
    return Cell(str(state), mark_of(state).role, str(state)) if state else Cell("")


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Union[str, Cell]]],
    *,
    terminal: Terminal = PLAIN,
    heading: bool = True,
) -> str:
    """Rows under aligned headings, each line ending in a newline; cells are escaped.

    A column that is empty in every row is left out. Off a terminal (``terminal.width`` None)
    nothing is ever cut.

    Args:
        columns: The columns.
        rows: Their cells; a row may be shorter than ``columns``.
        terminal: What the destination can show.
        heading: Whether to write the headings.
    """
    cells = [[_written(each, terminal) for each in row[: len(columns)]] for row in rows]
    for row in cells:
        row.extend(Cell("") for _ in range(len(columns) - len(row)))
    kept = [i for i in range(len(columns)) if not rows or any(row[i].text for row in cells)]
    shown = [columns[i] for i in kept]
    body = [[row[i] for i in kept] for row in cells]
    if heading:
        body.insert(0, [Cell(column.title, "muted") for column in shown])
    widths = [
        max((display_width(row[i].text) for row in body), default=0) for i in range(len(kept))
    ]
    if terminal.width is not None:
        _narrow(widths, shown, terminal.width)
    return "".join(f"{_line(row, shown, widths, terminal)}\n" for row in body)


def _written(cell: Union[str, Cell], terminal: Terminal) -> Cell:
    """The cell as it will be shown, without colour yet."""
    if not isinstance(cell, Cell):
        return Cell(terminal.clean(str(cell)))
    text = terminal.clean(cell.text)
    return Cell(f"{terminal.glyph(cell.glyph)} {text}" if cell.glyph else text, cell.role)


def _narrow(widths: List[int], columns: Sequence[Column], width: int) -> None:
    """Take what is too much from the shrinking columns, always from the widest."""
    excess = sum(widths) + len(_GAP) * (len(widths) - 1) - width
    able = [i for i, each in enumerate(columns) if each.shrink]
    while excess > 0:
        able = [i for i in able if widths[i] > columns[i].least]
        if not able:
            return
        ordered = sorted({widths[i] for i in able}, reverse=True)
        widest = [i for i in able if widths[i] == ordered[0]]
        floor = max([columns[i].least for i in widest] + ordered[1:2])
        step = max(1, min(ordered[0] - floor, -(-excess // len(widest))))
        for i in widest:
            taken = min(step, excess)
            widths[i] -= taken
            excess -= taken


def _line(
    row: Sequence[Cell], columns: Sequence[Column], widths: Sequence[int], terminal: Terminal
) -> str:
    parts: List[str] = []
    last = max((i for i, cell in enumerate(row) if cell.text), default=-1)
    for i, cell in enumerate(row[: last + 1]):
        text = cell.text
        if terminal.width is not None and columns[i].shrink:
            text = terminal.cut(text, widths[i])
        padding = " " * (widths[i] - display_width(text))
        painted = terminal.paint(text, cell.role)
        if columns[i].right:
            parts.append(padding + painted)
        else:
            parts.append(painted if i == last else painted + padding)
    return _GAP.join(parts)


def fields(
    pairs: Sequence[Sequence[Union[str, Cell]]],
    *,
    terminal: Terminal = PLAIN,
    width: Optional[int] = None,
) -> str:
    """``name: value`` lines with the values aligned, as of ``pkl info``; empty values left out.

    Args:
        pairs: A name of ours and a value each; the value is escaped and never cut.
        terminal: What the destination can show.
        width: Columns for the names; by default the longest decides.
    """
    shown = [(str(pair[0]), _written(pair[1], terminal)) for pair in pairs]
    shown = [(name, value) for name, value in shown if value.text]
    room = width if width is not None else max((len(name) for name, _ in shown), default=0)
    return "".join(
        f"{terminal.paint(name + ':', 'muted')}{' ' * (room - len(name))} "
        f"{terminal.paint(value.text, value.role)}\n"
        for name, value in shown
    )
