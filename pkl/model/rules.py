"""The rule of every key of a manifest, as tables; ``docs/manifest.md`` says them in prose."""

from __future__ import annotations

import re
from typing import Any, List, Mapping, Optional

from ..errors import RequirementError
from ..names import canonical, did_you_mean, is_valid
from .checking import Checker, Rule, flag, list_of, one_of, open_table, table_of
from .requirement import Provided, Requirement, parse_provided, parse_requirement
from .version import check_specifier, is_version

__all__ = ["RULES"]

MAX_NAME = 200
"""The longest plugin name, in characters: it becomes the name of directories."""


def _name(checker: Checker, path: str, value: Any) -> Optional[str]:
    text = checker.text(path, value, "the name of the plugin")
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
    text = checker.text(path, value, "a version (PEP 440) such as 1.4.0")
    if text is not None and not is_version(text):
        checker.fault(path, value, "must be a version (PEP 440) such as 1.4.0")
        return None
    return text and text.strip()


def _summary(checker: Checker, path: str, value: Any) -> Optional[str]:
    return "" if value == "" else checker.text(path, value, "one line on what the plugin does")


def _entrypoint(checker: Checker, path: str, value: Any) -> Optional[str]:
    text = checker.text(path, value, "a module inside the package, such as plugin")
    if text is None:
        return None
    parts = text.split(".")
    named = all(part.isidentifier() for part in parts)
    if named and len(parts) > 1 and parts[-1] == "py":
        checker.fault(path, value, f'must be a module, not a file: write "{text[:-3]}"')
        return None
    if not named:
        checker.fault(
            path,
            value,
            "must be the dotted name of a module inside the package, such as plugin or main.entry",
        )
        return None
    return text


def _requirement(checker: Checker, path: str, value: Any) -> Optional[Requirement]:
    text = checker.text(path, value, "a requirement such as auth>=1.2,<2")
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
    text = checker.text(path, value, "a capability as name or name==V")
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
_ACTIVATION = "must be startup, import, idle, event:PLUGIN.EVENT, hook:NAME or capability:NAME"


def _activation(checker: Checker, path: str, value: Any) -> Optional[str]:
    if isinstance(value, str):
        if value in _MOMENTS:
            return value
        kind, colon, subject = value.partition(":")
        if kind == "capability" and is_valid(subject):
            return f"capability:{canonical(subject)}"
        owner, dot, own = subject.rpartition(".")
        if kind in ("event", "hook") and own.isidentifier() and (not dot or is_valid(owner)):
            return f"{kind}:{canonical(owner)}{dot}{own}"
        meant = did_you_mean(value, _MOMENTS) if not colon else None
        if meant is not None:
            checker.fault(path, value, f"{_ACTIVATION}; did you mean {meant!r}?")
            return None
    checker.fault(path, value, _ACTIVATION)
    return None


_activation_list = list_of(_activation, "activations", '["startup"]')


def _activations(checker: Checker, path: str, value: Any) -> Any:
    if value == []:
        checker.fault(path, value, "must name one at least; without the key it is startup")
    return _activation_list(checker, path, value)


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
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if number and 0 < value <= _LARGEST:  # Which is false for NaN and infinity.
            return value
        checker.fault(path, value, f"must be a number above 0, in {unit}")
        return 0

    return check


_DIRECTORIES = ("$data", "$cache", "$config")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


def _parts(path: str) -> List[str]:
    return re.split(r"[\\/]", path)


def _directory(checker: Checker, path: str, value: Any) -> Optional[str]:
    text = checker.text(path, value, 'a path such as "$data" or "/srv/files"')
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
    text = checker.text(path, value, 'a program such as "git" or "/usr/bin/git"')
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
    text = checker.text(path, value, 'a file of the package, such as "config.schema.json"')
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


_requirements = list_of(_requirement, "requirements", '["auth>=1.2,<2"]')
_paths = list_of(_directory, "paths", '["$data"]')
_calls = list_of(_call, "functions", '["auth.get_user"]')

PERMISSIONS: Mapping[str, Rule] = {
    "fs-read": _paths,
    "fs-write": _paths,
    "net-connect": list_of(_address(1), "addresses", '["api.example.org:443"]'),
    "net-bind": list_of(_address(0), "addresses", '["127.0.0.1:8080"]'),
    "net-udp": flag,
    "exec": list_of(_program, "programs", '["git"]'),
    "env": list_of(_variable, "environment variables", '["HOME"]'),
    "threads": flag,
    "native": flag,
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
    "provides": list_of(_provided, "capabilities", '["audit-log==1.1"]'),
    "requires-host": _specifier,
    "requires-python": _specifier,
    "tier": one_of("in-process", "process", "sandbox"),
    "activation": _activations,
    "critical": flag,
    "permissions": table_of(PERMISSIONS),
    "limits": table_of(LIMITS),
    "calls": table_of({"plugins": _calls, "host": _calls}),
    "supervision": table_of({"restart": one_of("never", "on-failure", "always")}),
    "config": table_of({"schema": _schema, "defaults": open_table}),
    "contributes": open_table,
}
"""Every key of a manifest and its rule."""
