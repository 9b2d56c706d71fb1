"""Versions and requirements: PEP 440 and PEP 508 over the names of plugins and capabilities.

The forms that manifests really use (``auth``, ``auth>=1.2,<2``) are read, compared and matched
here without importing ``packaging``, which costs more than a whole warm start; everything else
goes to it. Both roads give the same answers, and the property tests hold that.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, List, Mapping, NamedTuple, Optional, Tuple

from ..errors import RequirementError
from ..names import canonical, is_valid, printable

if TYPE_CHECKING:
    from packaging.markers import Marker
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

__all__ = [
    "Provided",
    "Requirement",
    "check_specifier",
    "is_version",
    "parse_provided",
    "parse_requirement",
    "parse_version",
    "specifier_contains",
    "version_key",
]

MAX_TEXT = 4096
"""The longest version or requirement that is looked at, in characters."""

_PRE = r"(?:[._-]?(?:alpha|a|beta|b|preview|pre|c|rc)[._-]?[0-9]*)?"
_POST = r"(?:-[0-9]+|[._-]?(?:post|rev|r)[._-]?[0-9]*)?"
_DEV = r"(?:[._-]?dev[._-]?[0-9]*)?"
_PUBLIC = rf"v?(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)*{_PRE}{_POST}{_DEV}"
_VERSION = re.compile(
    r"\s*v?(?a:(?:(?P<epoch>[0-9]+)!)?(?P<release>[0-9]+(?:\.[0-9]+)*)"
    r"(?:[._-]?(?P<pre_l>alpha|a|beta|b|preview|pre|c|rc)[._-]?(?P<pre_n>[0-9]+)?)?"
    r"(?P<post>-(?P<post_n1>[0-9]+)|[._-]?(?:post|rev|r)[._-]?(?P<post_n2>[0-9]+)?)?"
    r"(?P<dev>[._-]?dev[._-]?(?P<dev_n>[0-9]+)?)?)"
    r"(?a:\+(?P<local>[a-z0-9]+(?:[._-][a-z0-9]+)*))?\s*",
    re.IGNORECASE,
)
_PRE_RANK = {"alpha": 0, "a": 0, "beta": 1, "b": 1, "preview": 2, "pre": 2, "c": 2, "rc": 2}

_CLAUSE = (
    rf"(?:(?:>=|<=|<|>|==|!=)[ \t]*{_PUBLIC}"
    r"|(?:==|!=)[ \t]*v?(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)*\.\*"
    r"|~=[ \t]*v?(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)+)"
)
_CLAUSES = rf"{_CLAUSE}(?:[ \t]*,[ \t]*{_CLAUSE})*"
_SIMPLE_SPECIFIER = re.compile(rf"[ \t]*(?:{_CLAUSES})?[ \t]*", re.IGNORECASE | re.ASCII)
_SIMPLE = re.compile(
    rf"[ \t]*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)[ \t]*({_CLAUSES})?[ \t]*",
    re.IGNORECASE | re.ASCII,
)
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_PLAIN_CLAUSE = re.compile(r"(>=|<=|<|>|==|!=|~=)([0-9]+(?:\.[0-9]+)*)(\.\*)?")
_BLANK = re.compile(r"\s+")
_HEAD = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*")

Release = Tuple[int, ...]
_Test = Tuple[str, Release, Release]


@lru_cache(maxsize=16384)
def is_version(text: str) -> bool:
    """Whether the text is a version by PEP 440; blanks around it are allowed."""
    return len(text) <= MAX_TEXT and _VERSION.fullmatch(text) is not None


@lru_cache(maxsize=16384)
def version_key(text: str) -> Tuple[Any, ...]:
    """A key that sorts versions as PEP 440 orders them; equal versions have equal keys.

    What is not a version sorts below every version, by its text.
    """
    match = _VERSION.fullmatch(text) if len(text) <= MAX_TEXT else None
    if match is None:
        return (-1, text)
    epoch, release, pre_l, pre_n, post, post_n1, post_n2, dev, dev_n, local = match.groups()
    if pre_l is not None:
        pre: Tuple[int, int] = (_PRE_RANK[pre_l.lower()], int(pre_n or 0))
    else:
        # A bare development release comes before the pre-releases of its version.
        pre = (-1, 0) if post is None and dev is not None else (3, 0)
    return (
        int(epoch or 0),
        _without_zeros(_release(release)),
        pre,
        -1 if post is None else int(post_n1 or post_n2 or 0),
        (1, 0) if dev is None else (0, int(dev_n or 0)),
        _local_key(local),
    )


def _release(text: str) -> Release:
    return tuple(map(int, text.split(".")))


def _without_zeros(release: Release) -> Release:
    end = len(release)
    while end and not release[end - 1]:
        end -= 1
    return release[:end]


def _local_key(local: Optional[str]) -> Tuple[Tuple[int, int, str], ...]:
    if local is None:
        return ()
    parts = re.split(r"[._-]", local.lower())
    return tuple((1, int(p), "") if p.isdigit() else (0, 0, p) for p in parts)


@lru_cache(maxsize=16384)
def parse_version(text: str) -> "Version":
    """The version as ``packaging`` represents it, which this imports.

    Raises:
        packaging.version.InvalidVersion: It is not a version by PEP 440 (a ``ValueError``).
    """
    from packaging.version import Version

    return Version(text)


@lru_cache(maxsize=4096)
def _specifier_set(text: str) -> "SpecifierSet":
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(text)


@lru_cache(maxsize=8192)
def _plain_tests(specifier: str) -> Optional[Tuple[_Test, ...]]:
    """The clauses as comparisons of release numbers, or None where PEP 440 has more to say."""
    tests: List[_Test] = []
    for clause in specifier.split(",") if specifier else ():
        match = _PLAIN_CLAUSE.fullmatch(clause)
        if match is None:
            return None
        operator, number, star = match.groups()
        release = _release(number)
        if star:
            operator, prefix = operator + "*", release
        else:
            prefix = release[:-1]
        tests.append((operator, _without_zeros(release), prefix))
    return tuple(tests)


def _passes(test: _Test, release: Release, stripped: Release) -> bool:
    operator, bound, prefix = test
    if operator == ">=":
        return stripped >= bound
    if operator == "<":
        return stripped < bound
    if operator == "==":
        return stripped == bound
    if operator == "!=":
        return stripped != bound
    if operator == "<=":
        return stripped <= bound
    if operator == ">":
        return stripped > bound
    padded = release + (0,) * (len(prefix) - len(release))
    alike = padded[: len(prefix)] == prefix
    if operator == "~=":
        return alike and stripped >= bound
    return alike if operator == "==*" else not alike


def specifier_contains(specifier: str, version: str, prereleases: Optional[bool] = None) -> bool:
    """Whether a version fits a version specifier, by PEP 440.

    Args:
        specifier: Clauses such as ``>=1.2,<2``; empty fits every version.
        version: The version; what is not one fits only ``===`` and the empty specifier.
        prereleases: False refuses pre-releases, True takes them. None, as ``packaging``
            has it, takes one that is within the bounds: a single version has no alternatives.

    Raises:
        ValueError: The specifier is not valid.
    """
    if not specifier:
        if prereleases is not False:
            return True
        key = version_key(version)
        return key[0] == -1 or not _is_prerelease(key)
    if len(version) <= MAX_TEXT and _PLAIN.fullmatch(version):
        tests = _plain_tests(specifier)
        if tests is not None:
            release = _release(version)
            stripped = _without_zeros(release)
            return all(_passes(test, release, stripped) for test in tests)
    return _specifier_set(specifier).contains(version, prereleases=prereleases)


def _is_prerelease(key: Tuple[Any, ...]) -> bool:
    return bool(key[2][0] in (0, 1, 2) or key[4][0] == 0)


def check_specifier(text: str) -> str:
    """The specifier without its blanks, if it is one.

    Raises:
        RequirementError: It is not a version specifier by PEP 440.
    """
    if len(text) <= MAX_TEXT and _SIMPLE_SPECIFIER.fullmatch(text):
        return _BLANK.sub("", text)
    try:
        if len(text) > MAX_TEXT:
            raise ValueError
        _specifier_set(text)
    except ValueError:
        raise RequirementError(
            f"{_brief(text)} is not a version specifier (PEP 440) such as >=1.2,<2",
            hint=_specifier_hint(text),
        ) from None
    return _BLANK.sub("", text)


def _specifier_hint(text: str) -> str:
    bare = text.strip()
    if is_version(bare):
        return f"write >={bare} for this version or any later one, =={bare} for this one only"
    return ""


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
        """Whether a bound is itself a pre-release, as in ``>=2.0a1``, which admits them (PEP 440)."""
        if _plain_tests(self.specifier) is not None:
            return False
        return bool(_specifier_set(self.specifier).prereleases)

    def contains(self, version: str, prereleases: Optional[bool] = None) -> bool:
        """Whether a version fits, by PEP 440.

        Args:
            version: The version; what is not one fits only ``===`` and a requirement without
                version clauses.
            prereleases: False refuses pre-releases, True takes them. None takes one that is
                within the bounds, as a single version has no alternatives; whoever chooses
                between several passes False first.
        """
        return specifier_contains(self.specifier, version, prereleases)

    def applies(self, environment: Optional[Mapping[str, str]] = None) -> bool:
        """Whether its marker holds; True without one.

        Args:
            environment: Values that replace those of the running Python, by marker name
                (PEP 508), such as ``{"python_version": "3.9", "extra": "test"}``.
        """
        if self.marker is None:
            return True
        return bool(_marker(self.marker).evaluate(dict(environment) if environment else None))


@lru_cache(maxsize=4096)
def _marker(text: str) -> "Marker":
    from packaging.markers import Marker

    return Marker(text)


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
    match = _SIMPLE.fullmatch(text) if len(text) <= MAX_TEXT else None
    if match is not None:
        display, clauses = match.groups()
        specifier = _BLANK.sub("", clauses) if clauses else ""
        name = canonical(display) if fold else display
        return Requirement(text.strip(), name, display, specifier, None, ())
    try:
        return _read(text, fold)
    except RequirementError:
        if fold or not text.strip():
            raise
        bare = text.strip()
        return Requirement(bare, bare, bare, "", None, ())


def _read(text: str, fold: bool) -> Requirement:
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as Parsed

    if not text.strip():
        raise _refused(text, "it is empty", 0)
    if len(text) > MAX_TEXT:
        raise _refused(text, f"it is longer than {MAX_TEXT} characters", None)
    try:
        parsed = Parsed(text)
    except InvalidRequirement as e:
        syntax = e.__cause__
        reason = str(getattr(syntax, "message", e))
        span = getattr(syntax, "span", None)
        raise _refused(text, reason[:1].lower() + reason[1:], span[1] if span else None) from None
    except RecursionError:
        raise _refused(text, "its marker is nested too deeply", None) from None
    if parsed.url is not None and fold:
        raise _refused(
            text,
            "a URL has no place in it: a requirement names a plugin and its versions",
            text.index("@"),
        )
    if not is_valid(parsed.name):
        raise _refused(text, "a name ends with a letter or a digit", text.index(parsed.name))
    marker = str(parsed.marker) if parsed.marker is not None else None
    extras = tuple(sorted({canonical(extra) for extra in parsed.extras}))
    name = canonical(parsed.name) if fold else parsed.name
    specifier = "" if parsed.url else _written_specifier(text)
    return Requirement(text.strip(), name, parsed.name, specifier, marker, extras)


def _written_specifier(text: str) -> str:
    """The clauses of a valid requirement in the order they were written."""
    head = text.split(";", 1)[0]
    match = _HEAD.match(head)
    clauses = head[match.end() :] if match else ""
    return _BLANK.sub("", clauses).strip("(),")


def _refused(text: str, reason: str, column: Optional[int]) -> RequirementError:
    message = f"{_brief(text)} is not a requirement (PEP 508): {reason}"
    if column is not None:
        column = min(column, len(text))
        message += f"\n    {printable(text)}\n    {' ' * len(printable(text[:column]))}^"
    return RequirementError(
        message,
        hint=_requirement_hint(text),
        reason=reason,
        column=None if column is None else column + 1,
    )


def _requirement_hint(text: str) -> str:
    single = re.match(r"\s*([A-Za-z0-9._-]+)\s*(=|\^|~|@)?\s*v?([0-9][0-9.]*)\s*$", text)
    if single is None:
        return ""
    name, sign, number = single.groups()
    if sign == "^":
        major = int(number.split(".")[0])
        return f"write {name}>={number},<{major + 1}"
    if sign == "~" and "." in number.strip("."):
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
