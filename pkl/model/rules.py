"""The rules of a manifest, one for each key, as tables; ``docs/manifest.md`` says them in prose.

A rule takes what stands at a key and returns what it means. A value that breaks the rule is
noted as a fault and the rule returns nothing usable: the manifest is refused as a whole, once
every rule has been asked.
"""

from __future__ import annotations

import math
import re
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Tuple

from ..errors import Fault, RequirementError
from ..names import canonical, did_you_mean, is_valid
from .requirement import (
    Provided,
    Requirement,
    check_specifier,
    is_version,
    parse_provided,
    parse_requirement,
)

__all__ = ["RULES", "Checker", "Rule"]

MAX_NAME = 200
"""The longest plugin name, in characters: it becomes the name of directories."""


class Checker:
    """Gathers the faults of one manifest; every rule is handed it.

    Attributes:
        faults: What was found so far, in the order of the keys.
        fold: Whether names are folded and must be valid; False in foreign groups.
    """

    __slots__ = ("faults", "fold")

    def __init__(self, fold: bool) -> None:
        self.faults: List[Fault] = []
        self.fold = fold

    def fault(self, path: str, value: Any, rule: str) -> None:
        """Notes that ``value`` at ``path`` breaks ``rule``."""
        self.faults.append(Fault(path, value, rule))

    def unknown(self, path: str, key: Any, value: Any, known: Iterable[str]) -> None:
        """Notes a key that has no meaning, with the one that was probably meant."""
        if not isinstance(key, str):
            self.fault(path, value, "keys must be strings")
            return
        meant = _OTHER_WORDS.get(canonical(key)) or did_you_mean(key, known)
        if meant is not None and meant in known:
            self.fault(path, value, f"unknown key; did you mean {meant!r}?")
        else:
            self.fault(path, value, f"unknown key; known here are {', '.join(sorted(known))}")


Rule = Callable[[Checker, str, Any], Any]

_OTHER_WORDS = {
    "autostart": "activation",
    "dependencies": "requires",
    "depends": "requires",
    "description": "summary",
    "entry": "entrypoint",
    "main": "entrypoint",
    "module": "entrypoint",
    "optional": "wants",
    "recommends": "wants",
    "python": "requires-python",
    "host": "requires-host",
}


def join(path: str, key: Any) -> str:
    """The dotted path of ``key`` below ``path``; a key that is no bare word is quoted."""
    if isinstance(key, str) and _BARE.fullmatch(key):
        word = key
    else:
        word = ascii(key) if isinstance(key, (str, int, float, bool)) else type(key).__name__
    return f"{path}.{word}" if path else word


_BARE = re.compile(r"[A-Za-z0-9_$-]+")


def _table(rules: Mapping[str, Rule]) -> Rule:
    def check(checker: Checker, path: str, value: Any) -> Dict[str, Any]:
        if not isinstance(value, dict):
            checker.fault(path, value, "must be a table")
            return {}
        found: Dict[str, Any] = {}
        for key, each in value.items():
            below = join(path, key)
            rule = rules.get(key) if isinstance(key, str) else None
            if rule is None:
                checker.unknown(below, key, each, rules)
            else:
                found[key] = rule(checker, below, each)
        return found

    return check


def _list(item: Rule, things: str, example: str) -> Rule:
    def check(checker: Checker, path: str, value: Any) -> Tuple[Any, ...]:
        if not isinstance(value, list):
            rule = f"must be a list of {things}"
            if isinstance(value, str):
                rule += f": write [{_quoted(value)}]"
            checker.fault(path, value, f"{rule}, such as {example}" if value == "" else rule)
            return ()
        return tuple([item(checker, f"{path}[{i}]", each) for i, each in enumerate(value)])

    return check


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(checker: Checker, path: str, value: Any, what: str) -> Optional[str]:
    """The value if it is a string with something in it."""
    if not isinstance(value, str):
        rule = f"must be a string: {what}"
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            rule += "; put it in quotes"
        checker.fault(path, value, rule)
    elif not value.strip():
        checker.fault(path, value, f"must not be empty: {what}")
    else:
        return value
    return None


def _words(*words: str) -> Rule:
    listed = ", ".join(words[:-1]) + f" or {words[-1]}"

    def check(checker: Checker, path: str, value: Any) -> Any:
        if isinstance(value, str) and value in words:
            return value
        meant = did_you_mean(value, words) if isinstance(value, str) else None
        rule = f"must be {listed}"
        checker.fault(path, value, f"{rule}; did you mean {meant!r}?" if meant else rule)
        return words[0]

    return check


def _flag(checker: Checker, path: str, value: Any) -> bool:
    if not isinstance(value, bool):
        checker.fault(path, value, "must be true or false")
    return bool(value)


def _name(checker: Checker, path: str, value: Any) -> Optional[str]:
    text = _text(checker, path, value, "the name of the plugin")
    if text is None or not checker.fold:
        return text
    if not is_valid(text) or len(text) > MAX_NAME:
        checker.fault(
            path,
            value,
            "must be a name (PEP 508): ASCII letters and digits, with '.', '_' and '-' inside,"
            f" at most {MAX_NAME} characters",
        )
        return None
    return text


def _version(checker: Checker, path: str, value: Any) -> Optional[str]:
    text = _text(checker, path, value, "a version (PEP 440) such as 1.4.0")
    if text is not None and not is_version(text):
        checker.fault(path, value, "must be a version (PEP 440) such as 1.4.0")
        return None
    return text and text.strip()


def _summary(checker: Checker, path: str, value: Any) -> Optional[str]:
    if not isinstance(value, str):
        checker.fault(path, value, "must be a string: one line on what the plugin does")
        return None
    return value


def _entrypoint(checker: Checker, path: str, value: Any) -> Optional[str]:
    text = _text(checker, path, value, "a module inside the package, such as plugin")
    if text is None:
        return None
    if text.endswith(".py") and "/" not in text and "\\" not in text:
        checker.fault(path, value, f"must be a module, not a file: write {_quoted(text[:-3])}")
        return None
    if not all(part.isidentifier() for part in text.split(".")):
        checker.fault(
            path,
            value,
            "must be the dotted name of a module inside the package, such as plugin or main.entry",
        )
        return None
    return text


def _requirement(checker: Checker, path: str, value: Any) -> Optional[Requirement]:
    text = _text(checker, path, value, "a requirement such as auth>=1.2,<2")
    if text is None:
        return None
    try:
        return parse_requirement(text, fold=checker.fold)
    except RequirementError as e:
        where = f" at column {e.details['column']}" if e.details["column"] else ""
        advice = f"; {e.hint}" if e.hint else ""
        checker.fault(
            path, value, f"must be a requirement (PEP 508): {e.details['reason']}{where}{advice}"
        )
        return None


def _provided(checker: Checker, path: str, value: Any) -> Optional[Provided]:
    text = _text(checker, path, value, "a capability as name or name==V")
    if text is None:
        return None
    try:
        return parse_provided(text, "", fold=checker.fold)
    except RequirementError as e:
        checker.fault(path, value, f"must be name or name==V: {e.details['reason']}")
        return None


def _specifier(checker: Checker, path: str, value: Any) -> str:
    if not isinstance(value, str):
        checker.fault(path, value, "must be a string: a version specifier such as >=2,<3")
        return ""
    try:
        return check_specifier(value)
    except RequirementError as e:
        advice = f"; {e.hint}" if e.hint else ""
        checker.fault(path, value, f"must be a version specifier (PEP 440) such as >=2,<3{advice}")
        return ""


_MOMENTS = ("startup", "import", "idle")
_TRIGGERS = ("event", "hook", "capability")
_ACTIVATION = "must be startup, import, idle, event:PLUGIN.EVENT, hook:NAME or capability:NAME"
_DECLARED = re.compile(r"(?:(?P<owner>[A-Za-z0-9._-]+)\.)?(?P<own>[^\W\d]\w*)")


def _activation(checker: Checker, path: str, value: Any) -> Any:
    if isinstance(value, str):
        if value in _MOMENTS:
            return value
        kind, separator, subject = value.partition(":")
        if separator and kind in _TRIGGERS:
            if kind == "capability":
                if is_valid(subject):
                    return f"capability:{canonical(subject)}"
            else:
                match = _DECLARED.fullmatch(subject)
                if match is not None:
                    owner = match["owner"]
                    if owner is None:
                        return value
                    if is_valid(owner):
                        return f"{kind}:{canonical(owner)}.{match['own']}"
        elif not separator:
            meant = did_you_mean(value, _MOMENTS)
            if meant:
                checker.fault(path, value, f"{_ACTIVATION}; did you mean {meant!r}?")
                return None
    checker.fault(path, value, _ACTIVATION)
    return None


_moments = _list(_activation, "activations", '["startup"]')


def _activations(checker: Checker, path: str, value: Any) -> Any:
    if value == []:
        checker.fault(path, value, "must name at least one; leave the key out for startup")
    return _moments(checker, path, value)


_UNITS = {"B": 1}
for _power, _letter in enumerate("kMGT", 1):
    _UNITS[f"{_letter}B"] = 1000**_power
    _UNITS[f"{_letter.upper()}iB"] = 1024**_power
_SIZE = re.compile(r"([0-9]{1,18})[ ]?([A-Za-z]*)")
_SIZE_RULE = (
    'must be bytes as a positive integer, or a size such as "256MiB"'
    " (units B kB MB GB TB KiB MiB GiB TiB)"
)
_LARGEST = 2**63 - 1


def _size(checker: Checker, path: str, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST:
        return value
    rule = _SIZE_RULE
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        number, unit = match.groups()
        if unit in _UNITS and 0 < int(number) * _UNITS[unit] <= _LARGEST:
            return int(number) * _UNITS[unit]
        letter = unit[:1].upper()
        if unit not in _UNITS and letter and letter in "KMGT":
            rule += f'; did you mean "{number}{letter}iB"?'
    checker.fault(path, value, rule)
    return 0


def _count(checker: Checker, path: str, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST:
        return value
    checker.fault(path, value, "must be a count: an integer, 0 or more")
    return 0


def _positive(unit: str) -> Rule:
    def check(checker: Checker, path: str, value: Any) -> Any:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if 0 < value <= _LARGEST and math.isfinite(value):
                return value
        checker.fault(path, value, f"must be a number above 0, in {unit}")
        return 0

    return check


_DIRECTORIES = ("$data", "$cache", "$config")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


def _parts(path: str) -> List[str]:
    return re.split(r"[\\/]", path)


def _directory(checker: Checker, path: str, value: Any) -> Optional[str]:
    text = _text(checker, path, value, 'a path such as "$data" or "/srv/files"')
    if text is None:
        return None
    if ".." in _parts(text) or "\0" in text:
        checker.fault(path, value, "must be a path without '..' in it")
    elif not (_parts(text)[0] in _DIRECTORIES or text.startswith("/") or _DRIVE.match(text)):
        checker.fault(
            path, value, f"must be an absolute path or begin with {', '.join(_DIRECTORIES)}"
        )
    return text


def _program(checker: Checker, path: str, value: Any) -> Optional[str]:
    text = _text(checker, path, value, 'a program such as "git" or "/usr/bin/git"')
    if text is None:
        return None
    relative = len(_parts(text)) > 1 and not (text.startswith("/") or _DRIVE.match(text))
    if relative or ".." in _parts(text) or "\0" in text:
        checker.fault(path, value, "must be the name of a program, or its absolute path")
    return text


_ADDRESS = re.compile(
    r"(?:\*|\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?):([0-9]{1,5})"
)


def _address(lowest: int) -> Rule:
    def check(checker: Checker, path: str, value: Any) -> Any:
        match = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
        if match is None or not lowest <= int(match[1]) <= 65535:
            checker.fault(
                path,
                value,
                f'must be HOST:PORT, such as "api.example.org:443" or "*:443", PORT {lowest}-65535',
            )
        return value

    return check


_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _variable(checker: Checker, path: str, value: Any) -> Any:
    if not isinstance(value, str) or not _VARIABLE.fullmatch(value):
        checker.fault(path, value, "must be the name of an environment variable")
    return value


_CALL = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.(?:[^\W\d]\w*|\*)|\*|[^\W\d]\w*")


def _call(checker: Checker, path: str, value: Any) -> Any:
    if not isinstance(value, str) or not _CALL.fullmatch(value):
        checker.fault(path, value, 'must be a function such as "auth.get_user", or "auth.*"')
    return value


def _schema(checker: Checker, path: str, value: Any) -> Optional[str]:
    text = _text(checker, path, value, 'a file of the package, such as "config.schema.json"')
    if text is None:
        return None
    parts = _parts(text)
    if "\\" in text or "\0" in text or ":" in text or not all(p.strip(".") for p in parts):
        checker.fault(
            path,
            value,
            "must be a relative path inside the package, with / between its parts and no '..'",
        )
        return None
    return text


def plain(checker: Checker, path: str, value: Any) -> Any:
    """Any value that JSON can hold; every other one inside it is a fault of its own."""
    if isinstance(value, dict):
        for key, each in value.items():
            below = join(path, key)
            if not isinstance(key, str):
                checker.fault(below, each, "keys must be strings")
            else:
                plain(checker, below, each)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            plain(checker, f"{path}[{index}]", each)
    elif isinstance(value, float) and not math.isfinite(value):
        checker.fault(path, value, "must be a finite number")
    elif value is not None and not isinstance(value, (str, int, float)):
        checker.fault(path, value, "must be something JSON can hold; write it as a string")
    return value


def _open_table(checker: Checker, path: str, value: Any) -> Any:
    if not isinstance(value, dict):
        checker.fault(path, value, "must be a table")
        return {}
    return plain(checker, path, value)


_requirements = _list(_requirement, "requirements", '["auth>=1.2,<2"]')
_paths = _list(_directory, "paths", '["$data"]')
_calls = _list(_call, "functions", '["auth.get_user"]')

PERMISSIONS: Mapping[str, Rule] = {
    "fs-read": _paths,
    "fs-write": _paths,
    "net-connect": _list(_address(1), "addresses", '["api.example.org:443"]'),
    "net-bind": _list(_address(0), "addresses", '["127.0.0.1:8080"]'),
    "net-udp": _flag,
    "exec": _list(_program, "programs", '["git"]'),
    "env": _list(_variable, "environment variables", '["HOME"]'),
    "threads": _flag,
    "native": _flag,
}
LIMITS: Mapping[str, Rule] = {
    "memory": _size,
    "cpu-seconds": _positive("seconds"),
    "cpu-percent": _positive("percent of one processor"),
    "processes": _count,
    "threads": _count,
    "open-files": _count,
    "file-size": _size,
    "disk": _size,
    "calls-per-second": _positive("calls a second"),
    "events-per-second": _positive("events a second"),
    "handlers": _count,
    "timers": _count,
    "call-timeout": _positive("seconds"),
    "message-bytes": _size,
}
RULES: Mapping[str, Rule] = {
    "name": _name,
    "version": _version,
    "summary": _summary,
    "entrypoint": _entrypoint,
    "requires": _requirements,
    "wants": _requirements,
    "after": _requirements,
    "before": _requirements,
    "conflicts": _requirements,
    "provides": _list(_provided, "capabilities", '["audit-log==1.1"]'),
    "requires-host": _specifier,
    "requires-python": _specifier,
    "tier": _words("in-process", "process", "sandbox"),
    "activation": _activations,
    "critical": _flag,
    "permissions": _table(PERMISSIONS),
    "limits": _table(LIMITS),
    "calls": _table({"plugins": _calls, "host": _calls}),
    "supervision": _table({"restart": _words("never", "on-failure", "always")}),
    "config": _table({"schema": _schema, "defaults": _open_table}),
    "contributes": _open_table,
}
"""Every key of a manifest and its rule."""
