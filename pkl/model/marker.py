"""Environment markers (PEP 508): those that metadata really uses, without importing packaging.

Comparisons such as ``python_version < "3.11"`` or ``extra == "test"``, joined by ``and`` and
``or`` without parentheses, are read and decided here; every other marker goes to ``packaging``.
Both roads give the same answers, and a property test holds that.
"""

from __future__ import annotations

import os
import re
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, List, Mapping, NamedTuple, Optional, Tuple

from ..names import canonical
from .version import specifier_contains

if TYPE_CHECKING:
    from packaging.markers import Marker

__all__ = ["marker_applies", "simple_marker"]


class _Comparison(NamedTuple):
    variable: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f'{self.variable} {self.operator} "{self.value}"'


_Alternatives = Tuple[Tuple[_Comparison, ...], ...]

_TEXT_VARIABLES = "extra|sys_platform|os_name|platform_system|platform_python_implementation"
_COMPARISON = re.compile(
    r"[ \t]*(?:"
    r"(?P<number>python_version)[ \t]*(?P<order>>=|<=|==|!=|<|>)[ \t]*"
    r"(?P<q>['\"])(?P<bound>[0-9]+(?:\.[0-9]+)*)(?P=q)"
    rf"|(?P<text>{_TEXT_VARIABLES})[ \t]*(?P<same>==|!=)[ \t]*"
    r"(?P<r>['\"])(?P<value>[A-Za-z0-9._-]*)(?P=r)"
    r")[ \t]*"
)
_JOIN = re.compile(r"(and|or)\b")


@lru_cache(maxsize=4096)
def simple_marker(text: str) -> Optional[str]:
    """The marker as ``packaging`` would write it, or None if it is not one of the simple ones."""
    found = _alternatives(text)
    return None if found is None else " or ".join(" and ".join(map(str, group)) for group in found)


@lru_cache(maxsize=4096)
def _alternatives(text: str) -> Optional[_Alternatives]:
    """The comparisons, those joined by ``and`` together, or None if the marker is not simple."""
    groups: List[List[_Comparison]] = [[]]
    position = 0
    while True:
        match = _COMPARISON.match(text, position)
        if match is None:
            return None
        if match["number"]:
            groups[-1].append(_Comparison(match["number"], match["order"], match["bound"]))
        else:
            value = canonical(match["value"]) if match["text"] == "extra" else match["value"]
            groups[-1].append(_Comparison(match["text"], match["same"], value))
        position = match.end()
        if position == len(text):
            return tuple(map(tuple, groups))
        join = _JOIN.match(text, position)
        if join is None:
            return None
        if join[1] == "or":
            groups.append([])
        position = join.end()


def marker_applies(text: str, environment: Optional[Mapping[str, str]] = None) -> bool:
    """Whether a valid marker holds.

    Args:
        text: The marker.
        environment: Values that replace those of the running Python, by marker name. ``extra``
            is empty unless it is stated here.

    Returns:
        False also for a marker that compares what has no order, such as
        ``sys_platform ~= "linux"``.
    """
    given = environment or {}
    groups = _alternatives(text)
    if groups is not None:
        return any(all(_holds(each, given) for each in group) for group in groups)
    try:
        return bool(_marker(text).evaluate(dict(given) if given else None))
    except (ValueError, LookupError):  # UndefinedComparison and UndefinedEnvironmentName.
        return False


@lru_cache(maxsize=4096)
def _marker(text: str) -> "Marker":
    from packaging.markers import Marker

    return Marker(text)


def _holds(comparison: _Comparison, given: Mapping[str, str]) -> bool:
    variable, operator, value = comparison
    actual = given[variable] if variable in given else _current(variable)
    if variable == "python_version":
        return specifier_contains(operator + value, actual, prereleases=True)
    if variable == "extra":
        actual = canonical(actual)
    return (actual == value) is (operator == "==")


def _current(variable: str) -> str:
    if variable == "python_version":
        return f"{sys.version_info[0]}.{sys.version_info[1]}"
    if variable == "sys_platform":
        return sys.platform
    if variable == "os_name":
        return os.name
    if variable == "extra":
        return ""
    import platform

    return platform.system() if variable == "platform_system" else platform.python_implementation()
