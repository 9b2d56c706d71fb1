"""How a manifest is checked: faults are gathered, and what the rules of many keys share.

A rule takes what stands at a key and returns what it means. A value that breaks the rule is
noted as a fault and the rule returns nothing usable: the manifest is refused as a whole, once
every rule has been asked.
"""

from __future__ import annotations

import math
import re
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from ..errors import Fault
from ..names import canonical, did_you_mean

__all__ = ["Checker", "Rule", "dotted", "flag", "list_of", "one_of", "open_table", "table_of"]

MAX_GUESSES = 20
"""For how many unknown keys of one manifest a meaning is guessed, which takes time."""

_OTHER_WORDS = {
    "autostart": "activation",
    "dependencies": "requires",
    "depends": "requires",
    "description": "summary",
    "main": "entrypoint",
    "module": "entrypoint",
    "optional": "wants",
    "python": "requires-python",
    "recommends": "wants",
    "host": "requires-host",
}
"""What other systems call the keys."""

_BARE = re.compile(r"[A-Za-z0-9_$-]+")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Checker:
    """Gathers the faults of one manifest; every rule is handed it.

    Attributes:
        faults: What was found so far, in the order it was looked at.
        fold: Whether names are folded and must be valid; False in foreign groups.
    """

    __slots__ = ("_guesses", "faults", "fold")

    def __init__(self, fold: bool) -> None:
        self.faults: List[Fault] = []
        self.fold = fold
        self._guesses = MAX_GUESSES

    def fault(self, path: str, value: Any, rule: str) -> None:
        """Notes that ``value`` at ``path`` breaks ``rule``."""
        self.faults.append(Fault(path, value, rule))

    def unknown(self, path: str, key: Any, value: Any, known: Mapping[str, Any]) -> None:
        """Notes a key that has no meaning, with the one that was probably meant."""
        if not isinstance(key, str):
            self.fault(path, value, "keys must be strings")
            return
        meant = _OTHER_WORDS.get(canonical(key))
        if meant not in known:
            self._guesses -= 1
            meant = did_you_mean(key, known) if self._guesses >= 0 else None
        if meant is not None:
            self.fault(path, value, f"unknown key; did you mean {meant!r}?")
        else:
            self.fault(path, value, f"unknown key; those known here are {', '.join(sorted(known))}")

    def text(self, path: str, value: Any, what: str) -> Optional[str]:
        """The value if it is a string with something in it; ``what`` says what it is for."""
        if type(value) is str and value.isascii() and not value.isspace() and value:
            return value
        if not isinstance(value, str):
            rule = f"must be a string: {what}"
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                rule += "; put it in quotes"
            self.fault(path, value, rule)
        elif not value.strip():
            self.fault(path, value, f"must not be empty: {what}")
        elif _SURROGATE.search(value):
            self.fault(path, value, "must be text that UTF-8 can hold")
        else:
            return value
        return None


Rule = Callable[[Checker, str, Any], Any]
"""Checks the value at a path and returns what it means."""


def dotted(path: str, key: Any) -> str:
    """The dotted path of ``key`` below ``path``; a key that is no bare word is quoted."""
    if isinstance(key, str) and _BARE.fullmatch(key):
        word = key
    elif isinstance(key, (str, bool, float)):
        word = ascii(key)
    else:
        word = f"<{type(key).__name__}>"
    return f"{path}.{word}" if path else word


def table_of(rules: Mapping[str, Rule]) -> Rule:
    """The rule of a table whose keys have these rules, and which has no others."""

    def check(checker: Checker, path: str, value: Any) -> Dict[str, Any]:
        if not isinstance(value, dict):
            checker.fault(path, value, "must be a table")
            return {}
        found: Dict[str, Any] = {}
        for key, each in value.items():
            rule = rules.get(key) if isinstance(key, str) else None
            below = key if rule is not None and not path else dotted(path, key)
            if rule is None:
                checker.unknown(below, key, each, rules)
            else:
                found[key] = rule(checker, below, each)
        return found

    return check


def list_of(item: Rule, things: str, example: str) -> Rule:
    """The rule of a list whose items have this rule."""

    def check(checker: Checker, path: str, value: Any) -> Tuple[Any, ...]:
        if isinstance(value, list):
            return tuple([item(checker, f"{path}[{i}]", each) for i, each in enumerate(value)])
        shown = example
        if isinstance(value, str) and value.strip() and len(value) <= 60:
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            shown = f'["{escaped}"]'
        checker.fault(path, value, f"must be a list of {things}: write {shown}")
        return ()

    return check


def one_of(*words: str) -> Rule:
    """The rule of a word out of these."""
    listed = f"{', '.join(words[:-1])} or {words[-1]}"

    def check(checker: Checker, path: str, value: Any) -> Any:
        if isinstance(value, str) and value in words:
            return value
        meant = did_you_mean(value, words) if isinstance(value, str) else None
        checker.fault(
            path, value, f"must be {listed}" + (f"; did you mean {meant!r}?" if meant else "")
        )
        return None

    return check


def flag(checker: Checker, path: str, value: Any) -> bool:
    """The rule of what is true or false."""
    if value is not True and value is not False:
        checker.fault(path, value, "must be true or false")
    return value is True


def open_table(checker: Checker, path: str, value: Any) -> Any:
    """The rule of a table with any content that JSON can hold."""
    if not isinstance(value, dict):
        checker.fault(path, value, "must be a table")
        return {}
    return _json_value(checker, path, value)


def _json_value(checker: Checker, path: str, value: Any) -> Any:
    """Any value that JSON can hold; every other one inside it is a fault of its own."""
    if isinstance(value, dict):
        for key, each in value.items():
            below = dotted(path, key)
            if not isinstance(key, str) or _SURROGATE.search(key):
                checker.fault(below, each, "keys must be strings that UTF-8 can hold")
            else:
                _json_value(checker, below, each)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            _json_value(checker, f"{path}[{index}]", each)
    elif isinstance(value, str):
        if _SURROGATE.search(value):
            checker.fault(path, value, "must be text that UTF-8 can hold")
    elif isinstance(value, int):
        if value.bit_length() > 64:
            checker.fault(path, value, "must be an integer of at most 64 bits")
    elif isinstance(value, float):
        if not math.isfinite(value):
            checker.fault(path, value, "must be a finite number")
    elif value is not None:
        checker.fault(path, value, "must be something JSON can hold: write it as a string")
    return value
