"""``entry_points.txt``, read line by line: what is malformed is named with its line.

The format is the "entry points specification" of the Python packaging guides. Unlike the
standard library's reader this one accepts a byte order mark, any line ending and both comment
signs, and refuses what others pass over in silence: a key that stands twice in a group, a line
outside of any group.
"""

from __future__ import annotations

import re
from typing import Dict, List, NamedTuple, NoReturn, Optional, Tuple

__all__ = ["EntryPoint", "MalformedEntryPoints", "check_value", "parse_entry_points"]


class EntryPoint(NamedTuple):
    """One line ``name = value`` of a group; neither is checked yet, and either may be empty."""

    name: str
    value: str
    line: int


class MalformedEntryPoints(ValueError):
    """The file as a whole cannot be relied on.

    Attributes:
        code: ``entry-points-encoding``, ``entry-point-syntax`` or ``entry-point-duplicate``.
        message: What is wrong and what to do about it.
        line: The line at fault, counted from 1.
    """

    def __init__(self, code: str, message: str, line: int) -> None:
        super().__init__(f"line {line}: {message}")
        self.code = code
        self.message = message
        self.line = line


class Target(NamedTuple):
    """What an entry point's value names: a module, and an object in it or ``""``."""

    module: str
    attribute: str


# A file that this matches holds only blank lines, comments, [groups] and name = value lines,
# the first of them a group. Each line can match in one way only, so the time is linear.
_BLANK = r"[^\S\n]*(?:[#;][^\n]*)?(?:\n|\Z)"
_HEADER = r"[^\S\n]*\[[^\]\n]+\][^\S\n]*(?:\n|\Z)"
_PAIR = r"[^\S\n]*[^\s=\[#;][^=\n]*=[^\n]*(?:\n|\Z)"
_WELL_FORMED = re.compile(rf"(?:{_BLANK})*?(?:\Z|{_HEADER}(?:{_PAIR}|{_BLANK}|{_HEADER})*?\Z)")

_WORD = r"[^\W\d]\w*"
_VALUE = re.compile(
    rf"(?P<module>{_WORD}(?:\.{_WORD})*)\s*"
    rf"(?::\s*(?P<attribute>{_WORD}(?:\.{_WORD})*))?\s*"
    r"(?:\[[^\]]*\])?"
)


def parse_entry_points(
    data: bytes, group: Optional[str] = None
) -> Dict[str, Tuple[EntryPoint, ...]]:
    """The groups of an ``entry_points.txt`` and their entry points, in the file's order.

    Args:
        data: The file as it is on disk.
        group: Only this group, if given; the rest of the file must still be well-formed, but a
            key that stands twice in another group is that group's affair.

    Raises:
        MalformedEntryPoints: The file is not UTF-8, a line is neither group nor ``name = value``,
            or a name stands twice in a group.
    """
    text = decoded(data)
    if group is not None and group not in text and _WELL_FORMED.match(text):
        return {}
    groups: Dict[str, List[EntryPoint]] = {}
    current: Optional[str] = None
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            if line[-1] != "]" or not line[1:-1].strip() or "]" in line[1:-1]:
                _refuse(f"{_shown(line)} is not a group such as [pkl.plugins]", number)
            current = line[1:-1].strip()
            continue
        name, equals, value = line.partition("=")
        if not equals:
            _refuse(f"{_shown(line)} is neither [group] nor name = value", number)
        name = name.strip()
        if current is None:
            _refuse(f"{_shown(line)} stands outside of any [group]", number)
        if group is None or group == current:
            groups.setdefault(current, []).append(EntryPoint(name, value.strip(), number))
    for wanted, points in groups.items():
        _refuse_duplicates(wanted, points)
    return {wanted: tuple(points) for wanted, points in groups.items()}


def decoded(data: bytes) -> str:
    """The text of the file with ``\\n`` line ends and without a byte order mark.

    Raises:
        MalformedEntryPoints: It is not UTF-8.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as e:
        line = data.count(b"\n", 0, e.start) + 1
        raise MalformedEntryPoints(
            "entry-points-encoding",
            f"the file is not UTF-8: byte 0x{data[e.start]:02x} in line {line};"
            " reinstall the distribution, or save the file as UTF-8",
            line,
        ) from None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text[1:] if text.startswith("\ufeff") else text


def check_value(value: str) -> Optional[Target]:
    """What the value ``pkg.mod``, ``pkg.mod:obj`` or either with ``[extras]`` names; else None.

    Paths, hyphens and empty parts are no values, so no value can name a file outside a package.
    """
    match = _VALUE.fullmatch(value)
    return Target(match["module"], match["attribute"] or "") if match else None


def _refuse_duplicates(group: str, points: List[EntryPoint]) -> None:
    seen: Dict[str, EntryPoint] = {}
    for point in points:
        first = seen.setdefault(point.name, point)
        if first is not point:
            raise MalformedEntryPoints(
                "entry-point-duplicate",
                f"{_shown(point.name)} stands twice in [{group}], in line {first.line} as"
                f" {_shown(first.value)} and in line {point.line} as {_shown(point.value)};"
                " no one can say which is meant",
                point.line,
            )


def _refuse(message: str, line: int) -> NoReturn:
    raise MalformedEntryPoints("entry-point-syntax", message, line)


def _shown(text: str) -> str:
    shown = ascii(text)
    return shown if len(shown) <= 80 else shown[:76] + "..." + shown[0]
