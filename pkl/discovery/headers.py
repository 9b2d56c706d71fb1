"""The headers of METADATA and PKG-INFO that discovery needs, without an e-mail parser.

The fields are those of the "core metadata specifications"; ``requires.txt`` is what setuptools
writes beside an old PKG-INFO that cannot state dependencies.
"""

from __future__ import annotations

import re
from typing import Dict, List, NamedTuple, Tuple

__all__ = ["Headers", "read_headers", "read_requires_txt"]


class Headers(NamedTuple):
    """What a distribution says about itself; empty where it says nothing."""

    name: str = ""
    version: str = ""
    summary: str = ""
    requires_python: str = ""
    requires_dist: Tuple[str, ...] = ()


_FIELD = re.compile(
    r"^(Name|Version|Summary|Requires-Python|Requires-Dist)[ \t]*:(.*(?:\n[ \t].*)*)",
    re.MULTILINE | re.IGNORECASE,
)
_FOLD = re.compile(r"\s*\n\s*")


def read_headers(data: bytes) -> Headers:
    """The fields that matter, of what stands before the first empty line; never raises.

    Bytes that are not UTF-8 are replaced: an author's name in Latin-1 is no reason to lose the
    rest. The first of several fields of one name counts, as in the standard library.
    """
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    end = data.find(b"\n\n")
    head = (data if end < 0 else data[:end]).decode("utf-8", "replace")
    if head.startswith("\ufeff"):
        head = head[1:]
    first: Dict[str, str] = {}
    requires: List[str] = []
    for name, raw in _FIELD.findall(head):
        value = raw.strip()
        if "\n" in value:
            value = _FOLD.sub(" ", value)
        key = name.lower()
        if key == "requires-dist":
            if value:
                requires.append(value)
        elif value:
            first.setdefault(key, value)
    summary = first.get("summary", "")
    return Headers(
        first.get("name", ""),
        first.get("version", ""),
        "" if summary == "UNKNOWN" else summary,
        first.get("requires-python", ""),
        tuple(requires),
    )


def read_requires_txt(data: bytes) -> Tuple[str, ...]:
    """The lines of setuptools' ``requires.txt`` as ``Requires-Dist`` would state them.

    A section ``[extra]``, ``[:marker]`` or ``[extra:marker]`` becomes part of the marker.
    """
    found: List[str] = []
    marker = ""
    for raw in data.decode("utf-8", "replace").splitlines():
        line = raw.strip()
        if not line or line[0] == "#":
            continue
        if line[0] == "[" and line[-1] == "]":
            extra, _, condition = line[1:-1].partition(":")
            parts = [f"({condition.strip()})"] if condition.strip() else []
            if extra.strip():
                parts.append(f'extra == "{extra.strip()}"')
            marker = " and ".join(parts)
            if len(parts) == 1 and marker[0] == "(":
                marker = marker[1:-1]
        else:
            found.append(f"{line} ; {marker}" if marker else line)
    return tuple(found)
