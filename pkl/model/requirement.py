"""Requirements and capabilities: PEP 508 over the names of plugins.

The forms that manifests really use (``auth``, ``auth>=1.2,<2``) are read here without importing
``packaging``; every other goes to it. Both roads give the same answers, and a property test holds
that.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any, Mapping, NamedTuple, Optional, Pattern, Tuple

from ..errors import RequirementError
from ..names import canonical, is_valid, printable
from .marker import marker_applies, simple_marker
from .version import (
    MAX_TEXT,
    check_specifier,
    clauses_pattern,
    is_version,
    parse_version,
    specifier_admits,
    specifier_asks_for_prereleases,
    specifier_contains,
    version_key,
)

__all__ = [
    "Provided",
    "Requirement",
    "check_specifier",
    "is_version",
    "parse_provided",
    "parse_requirement",
    "parse_version",
    "specifier_admits",
    "specifier_contains",
    "version_key",
]

_NAME = r"[ \t]*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
_CLAUSE = r"(?:>=|<=|<|>|==|!=)[0-9]+(?:\.[0-9]+)*"
_USUAL = re.compile(rf"{_NAME}[ \t]*({_CLAUSE}(?:,[ ]?{_CLAUSE})*)?[ \t]*")
_BLANK = re.compile(r"\s+")
_HEAD = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*")


class Requirement:
    """What a plugin asks of another name: versions, extras and the environments it holds in.

    Made by ``parse_requirement``. Two are equal if they ask the same in the same words; blanks,
    and with folded names the spelling of the name, make no difference.

    Attributes:
        text: The requirement as it was written, without blanks around it.
        name: The name asked for, canonical unless it was read with ``fold=False``.
        display: The name as it was written.
        specifier: The version clauses without blanks, as in ``>=1.2,<2``; empty for any version.
        marker: The environment marker without its semicolon, or None.
        extras: The extras asked for, in canonical form and sorted.
    """

    __slots__ = ("display", "extras", "marker", "name", "specifier", "text")

    text: str
    name: str
    display: str
    specifier: str
    marker: Optional[str]
    extras: Tuple[str, ...]

    def __init__(
        self,
        text: str,
        name: str,
        display: str,
        specifier: str,
        marker: Optional[str],
        extras: Tuple[str, ...],
    ) -> None:
        put = object.__setattr__
        put(self, "text", text)
        put(self, "name", name)
        put(self, "display", display)
        put(self, "specifier", specifier)
        put(self, "marker", marker)
        put(self, "extras", extras)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Requirement is immutable: cannot set {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a Requirement is immutable: cannot delete {name!r}")

    def _asked(self) -> Tuple[str, str, Optional[str], Tuple[str, ...]]:
        return (self.name, self.specifier, self.marker, self.extras)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Requirement):
            return NotImplemented
        return self._asked() == other._asked()

    def __hash__(self) -> int:
        return hash(self._asked())

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Requirement({self.text!r})"

    @property
    def asks_for_prereleases(self) -> bool:
        """Whether a bound is itself a pre-release, which admits pre-releases (PEP 440)."""
        return specifier_asks_for_prereleases(self.specifier)

    def contains(self, version: str, prereleases: Optional[bool] = None) -> bool:
        """Whether a version fits, by PEP 440.

        Args:
            version: The version; what is not one fits only ``===`` and a requirement without
                version clauses.
            prereleases: False refuses pre-releases. True takes those within the bounds, and so
                does None, as ``packaging`` has it: a single version has no alternatives.
                Whoever chooses between several passes False first.
        """
        return specifier_contains(self.specifier, version, prereleases)

    def applies(self, environment: Optional[Mapping[str, str]] = None) -> bool:
        """Whether its marker holds; True without one.

        Args:
            environment: Values that replace those of the running Python, by marker name
                (PEP 508), such as ``{"python_version": "3.9"}``. ``extra`` is empty unless it
                is stated here.
        """
        return self.marker is None or marker_applies(self.marker, environment)


@lru_cache(maxsize=16384)
def parse_requirement(text: str, *, fold: bool = True) -> Requirement:
    """Reads a requirement such as ``auth>=1.2,<2; python_version>="3.10"`` (PEP 508).

    Args:
        text: The requirement. A direct reference (``auth @ URL``) is refused: a requirement
            names a plugin, where it comes from is for sources to say.
        fold: Whether the name is folded to its canonical form and must be a valid one. False,
            for foreign groups, takes any name as it is: what cannot be read is a name as a
            whole, and the URL of a direct reference is left out.

    Raises:
        RequirementError: It cannot be read; the text has a caret under the place.
    """
    match = _USUAL.fullmatch(text) if len(text) <= MAX_TEXT else None
    if match is not None:
        display, specifier = match.groups("")
        name = canonical(display) if fold else display
        return Requirement(text.strip(), name, display, specifier.replace(" ", ""), None, ())
    try:
        return _simple(text, fold) or _read(text, fold)
    except RequirementError:
        bare = text.strip()
        if fold or not bare:
            raise
        return Requirement(bare, bare, bare, "", None, ())


@cache
def _simple_pattern() -> Pattern[str]:
    return re.compile(
        rf"{_NAME}[ \t]*(?P<open>\()?[ \t]*({clauses_pattern()})?[ \t]*(?(open)\))[ \t]*",
        re.IGNORECASE | re.ASCII,
    )


def _simple(text: str, fold: bool) -> Optional[Requirement]:
    """The requirement, or None if it takes packaging to read it."""
    head, semicolon, tail = text.partition(";")
    match = _simple_pattern().fullmatch(head) if len(text) <= MAX_TEXT else None
    if match is None:
        return None
    marker = simple_marker(tail.strip(" \t")) if semicolon else None
    if semicolon and marker is None:
        return None
    display, clauses = match[1], match[3] or ""
    name = canonical(display) if fold else display
    return Requirement(text.strip(), name, display, _BLANK.sub("", clauses), marker, ())


def _read(text: str, fold: bool) -> Requirement:
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as Parsed

    if not text.strip():
        raise _refused(text, "it is empty", None)
    if len(text) > MAX_TEXT:
        raise _refused(text[:40], f"it is longer than {MAX_TEXT} characters", None)
    try:
        parsed = Parsed(text)
    except InvalidRequirement as e:
        raise _refused(text, *_diagnosis(text, e.__cause__ or e)) from None
    except (RecursionError, SyntaxError, ValueError):
        raise _refused(text, "its marker cannot be read", None) from None
    if parsed.url is not None and fold:
        rule = "a URL has no place in it: a requirement names a plugin and its versions"
        raise _refused(text, rule, text.index("@"))
    if not is_valid(parsed.name):
        at = text.index(parsed.name) + len(parsed.name) - 1
        raise _refused(text, "a name ends with a letter or a digit", at)
    if parsed.marker is not None and fold:
        try:
            parsed.marker.evaluate()
        except (ValueError, LookupError) as e:
            raise _refused(text, f"its marker cannot be decided: {e}", None) from None
    marker = str(parsed.marker) if parsed.marker is not None else None
    extras = tuple(sorted({canonical(extra) for extra in parsed.extras}))
    name = canonical(parsed.name) if fold else parsed.name
    specifier = "" if parsed.url else _written_specifier(text)
    return Requirement(text.strip(), name, parsed.name, specifier, marker, extras)


_COMPARE = re.compile(r"(?:===|[<>!=~]=|[<>])[ \t]*")


def _diagnosis(text: str, error: Any) -> Tuple[str, Optional[int]]:
    """What packaging objects to and where, or what is plainer to say."""
    reason, span = str(getattr(error, "message", error)), getattr(error, "span", None)
    at: Optional[int] = span[1] if span else None
    if at is not None and reason.startswith(("Expected semicolon", "Expected comma")):
        compare = _COMPARE.match(text, at)
        if compare is not None and text[compare.end() : compare.end() + 1].isdigit():
            return "expected a comma between two comparisons", at
        if compare is not None:
            return "expected a version (PEP 440) after the comparison", compare.end()
        if not text[at:].startswith(";") and text[at:].strip():
            return "expected a comparison such as >= or ==, a comma, a semicolon or the end", at
    return reason[:1].lower() + reason[1:], at


def _written_specifier(text: str) -> str:
    """The clauses of a valid requirement in the order they were written."""
    head = text.partition(";")[0]
    match = _HEAD.match(head)
    clauses = _BLANK.sub("", head[match.end() :] if match else "")
    return (clauses[1:-1] if clauses.startswith("(") else clauses).rstrip(",")


def _refused(text: str, reason: str, at: Optional[int]) -> RequirementError:
    message = f"{_brief(text)} is not a requirement (PEP 508): {reason}"
    if at is not None:
        at = min(at, len(text))
        message += f"\n    {printable(text)}\n    {' ' * len(printable(text[:at]))}^"
    return RequirementError(
        message,
        hint=_hint(text),
        reason=reason,
        column=None if at is None else at + 1,
    )


_ALMOST = re.compile(r"\s*([A-Za-z0-9._-]*[A-Za-z0-9])\s*(=|\^|~|@)?\s*v?([0-9]+(?:\.[0-9]+)*)\s*")


def _hint(text: str) -> str:
    """What was probably meant by the ways in which other tools write versions."""
    match = _ALMOST.fullmatch(text)
    if match is None:
        return ""
    name, sign, number = match.groups()
    if sign == "^":
        return f"write {name}>={number},<{int(number.partition('.')[0][:9]) + 1}"
    if sign == "~" and "." in number:
        return f"write {name}~={number}"
    return f"write {name}>={number} for this version or any later one, {name}=={number} for it only"


def _brief(text: str) -> str:
    shown = ascii(text)
    return shown if len(shown) <= 80 else shown[:77] + "..."


class Provided(NamedTuple):
    """A capability that a plugin provides: a name that others may require, and its version."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


def parse_provided(text: str, default_version: str, *, fold: bool = True) -> Provided:
    """Reads a capability: ``name``, which has the version of the plugin, or ``name==V``.

    Args:
        text: The capability.
        default_version: The version of one that states none.
        fold: Whether the name is folded to its canonical form.

    Raises:
        RequirementError: It is anything else, a range or an extra included.
    """
    name, separator, version = text.partition("==")
    name, version = name.strip(), version.strip()
    if not name:
        raise _refused_capability(text, "it names nothing")
    if fold and not is_valid(name):
        raise _refused_capability(text, "it is a name, or a name and one version as name==V")
    if not separator:
        return Provided(canonical(name) if fold else name, default_version)
    if not is_version(version):
        raise _refused_capability(text, f"{_brief(version)} is not one version (PEP 440)")
    return Provided(canonical(name) if fold else name, version)


def _refused_capability(text: str, reason: str) -> RequirementError:
    return RequirementError(
        f"{_brief(text)} is not a capability: {reason}",
        hint="write name, or name==1.2",
        reason=reason,
        column=None,
    )
