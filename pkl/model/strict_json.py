"""JSON from files that nobody vouches for: UTF-8, no key twice, no endless numbers."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Tuple

__all__ = ["LONGEST_NUMBER", "decode_json", "why_no_json"]

LONGEST_NUMBER = 400
"""How many digits a number may have."""


def decode_json(data: bytes) -> Any:
    """The value that the bytes say; a byte order mark at their start is skipped.

    Raises:
        ValueError: They are not UTF-8, not JSON, or hold a key twice, a number that JSON does not
            have, or one with too many digits.
        RecursionError: They are nested too deep.
    """
    return json.loads(
        data.decode("utf-8-sig"),
        object_pairs_hook=_no_key_twice,
        parse_constant=_no_constant,
        parse_int=_short_number,
    )


def _no_key_twice(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = sorted(key for key, _ in pairs)
        twice = next(key for key, after in zip(keys, keys[1:]) if key == after)
        raise ValueError(f"the key {twice[:60]!r} stands there twice")
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _short_number(text: str) -> int:
    # Python before 3.11 takes minutes for a number of a million digits.
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a number has {len(text)} digits")
    return int(text)


def why_no_json(error: Exception) -> str:
    """What ``decode_json`` objected to, as the rule of a fault."""
    if isinstance(error, UnicodeDecodeError):
        return f"is not UTF-8 (byte {error.start})"
    if isinstance(error, RecursionError):
        return "is nested too deep"
    return f"is not JSON: {error}"
