"""Values to TOML 1.0 text: what a lock needs of it, the same text for the same values."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, List, Mapping, Tuple

from ...registry.moments import moment_text

__all__ = ["toml_inline", "toml_key", "toml_table"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_LARGEST = 2**63


def toml_key(*names: str) -> str:
    """A key, dotted if there are several names; each is quoted where it has to be."""
    return ".".join(name if _BARE.fullmatch(name) else _string(name) for name in names)


def toml_inline(value: Any) -> str:
    """A value on one line.

    Args:
        value: Text, a number, true or false, a moment (``datetime`` with a time zone), a list, or
            a mapping with text for keys.

    Raises:
        ValueError: TOML cannot hold it: None, text that UTF-8 cannot hold, an integer of more
            than 64 bits, or another type.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, int):
        if not -_LARGEST <= value < _LARGEST:
            raise ValueError("TOML holds integers of 64 bits")
        return str(value)
    if isinstance(value, float):
        # repr writes 1e+16, which TOML reads as well; inf and nan are words of TOML, too.
        return repr(value)
    if isinstance(value, datetime):
        return moment_text(value.timestamp())
    if isinstance(value, Mapping):
        inside = ", ".join(f"{toml_key(name)} = {toml_inline(value[name])}" for name in value)
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(toml_inline, value))}]"
    raise ValueError(f"TOML has no {type(value).__name__}")


def toml_table(table: Mapping[str, Any], *header: str, repeated: bool = False) -> List[str]:
    """The lines of a table with its header, and of the tables in it.

    A list of mappings has each on a line of its own. A mapping in the table becomes a table of its
    own behind it.

    Args:
        table: What stands in it.
        header: The names that lead to it; none for the top of the file.
        repeated: Whether it is one of a list of tables.

    Raises:
        ValueError: TOML cannot hold a value.
    """
    inside: List[Tuple[str, Mapping[str, Any]]] = []
    lines = []
    for name, value in table.items():
        if isinstance(value, Mapping):
            inside.append((name, value))
        elif isinstance(value, (list, tuple)) and any(isinstance(v, Mapping) for v in value):
            rows = "".join(f"    {toml_inline(each)},\n" for each in value)
            lines.append(f"{toml_key(name)} = [\n{rows}]")
        else:
            lines.append(f"{toml_key(name)} = {toml_inline(value)}")
    if header and (lines or repeated or not inside):
        name = toml_key(*header)
        lines[:0] = [f"[[{name}]]" if repeated else f"[{name}]"]
    for name, value in inside:
        below = toml_table(value, *header, name)
        lines += ["", *below] if lines else below
    return lines


def _string(text: str) -> str:
    if not text.isascii():
        text.encode("utf-8")  # a lone surrogate is a UnicodeEncodeError, which is a ValueError
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(match: "re.Match[str]") -> str:
    character = match.group()
    return _SHORT.get(character) or f"\\u{ord(character):04x}"
