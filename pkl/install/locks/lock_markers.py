"""For which environments a solution holds: those in which every marker decides as it did here.

A solution holds what is required here. What ``tomli; python_version < "3.11"`` adds elsewhere is
not in it, so a lock says where it is good (``environments`` of PEP 751), and pip and uv refuse it
in other places instead of leaving something out.
"""

from __future__ import annotations

import re
from typing import Dict, Iterable, List, Mapping, Optional, Tuple

from packaging.markers import default_environment

from ...errors import RequirementError
from ...model.marker import marker_applies, simple_marker
from ...model.requirement import Requirement, parse_requirement
from ...names import canonical

__all__ = ["environments_of", "requirement_of"]

_VARIABLES = re.compile(
    r"\b(os_name|sys_platform|platform_machine|platform_python_implementation|platform_release"
    r"|platform_system|platform_version|python_version|python_full_version|implementation_name"
    r"|implementation_version)\b"
)
_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def requirement_of(text: str) -> Requirement:
    """A ``Requires-Dist``; one that names a URL as the name alone."""
    try:
        return parse_requirement(text)
    except RequirementError:
        return parse_requirement(text, fold=False)


def environments_of(
    requirements: Iterable[str], environment: Optional[Mapping[str, str]] = None
) -> Tuple[str, ...]:
    """One marker that holds wherever these requirements ask for the same as here; empty: anywhere.

    Args:
        requirements: Every requirement of a solution (PEP 508), of distributions and of plugins.
        environment: Marker values that replace those of the running Python.
    """
    read = [requirement_of(each) for each in requirements]
    extras = {extra for each in read for extra in each.extras}
    conditions = {_condition(each.marker, extras, environment) for each in read if each.marker}
    conditions.discard("")
    if len(conditions) > 1:
        conditions = {f"({each})" if " or " in each else each for each in conditions}
    return (" and ".join(sorted(conditions)),) if conditions else ()


def _condition(marker: str, extras: Iterable[str], environment: Optional[Mapping[str, str]]) -> str:
    """What has to stay as it is for a marker to decide as it does; empty if it always does."""
    simple = simple_marker(marker)
    if simple is None:
        return _pinned(marker, extras, environment)
    groups = []
    for group in simple.split(" or "):
        left = _without_extra(group.split(" and "), set(extras))
        if left == []:
            return ""  # It holds in every environment.
        if left is not None:
            groups.append(left)
    if not groups:
        return ""
    if any(all(marker_applies(each, environment) for each in group) for group in groups):
        return " or ".join(" and ".join(group) for group in groups)
    nots = [" or ".join(dict.fromkeys(map(_negated, group))) for group in groups]
    several = len(nots) > 1
    return " and ".join(f"({each})" if several and " or " in each else each for each in nots)


def _without_extra(group: List[str], extras: Iterable[str]) -> Optional[List[str]]:
    """A group of comparisons without those of ``extra``; None if one of these does not hold."""
    left = []
    for each in group:
        variable, operator, value = each.split(" ")
        if variable != "extra":
            left.append(each)
        elif (value.strip('"') in extras) is not (operator == "=="):
            return None
    return left


def _negated(comparison: str) -> str:
    variable, operator, value = comparison.split(" ")
    return f"{variable} {_OPPOSITE[operator]} {value}"


def _pinned(marker: str, extras: Iterable[str], environment: Optional[Mapping[str, str]]) -> str:
    """Every variable of a marker that is not simple, held to its value here."""
    if re.search(r"\bextra\b", marker):
        quoted = {canonical(each) for each in re.findall(r"""["']([^"']*)["']""", marker)}
        if not quoted & set(extras):
            return ""
    values = _here(environment)
    named = sorted(set(_VARIABLES.findall(marker)))
    return " and ".join(f'{each} == "{values[each]}"' for each in named)


def _here(environment: Optional[Mapping[str, str]]) -> Dict[str, str]:
    values = {name: str(value) for name, value in default_environment().items()}
    return {**values, **(environment or {})}
