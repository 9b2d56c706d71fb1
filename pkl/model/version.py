"""Versions and version specifiers by PEP 440.

What manifests really use (``1.4.0``, ``>=1.2,<2``) is compared and matched here without importing
``packaging``, which costs more than a whole warm start; the rest goes to it. Both roads give the
same answers, and property tests hold that.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, List, Optional, Pattern, Tuple

from ..errors import RequirementError

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

__all__ = [
    "check_specifier",
    "is_version",
    "parse_version",
    "specifier_admits",
    "specifier_asks_for_prereleases",
    "specifier_contains",
    "version_key",
]

MAX_TEXT = 4096
"""The longest version, specifier or requirement that is looked at, in characters."""

_RELEASE = r"[0-9]+(?:\.[0-9]+)*"
_PRE_RANK = {"alpha": 0, "a": 0, "beta": 1, "b": 1, "preview": 2, "pre": 2, "c": 2, "rc": 2}
_PLAIN = re.compile(_RELEASE)
_PLAIN_CLAUSE = re.compile(rf"(>=|<=|<|>|==|!=|~=)({_RELEASE})(\.\*)?")
_BLANK = re.compile(r"\s+")

_Release = Tuple[int, ...]
_Test = Tuple[str, _Release, _Release]


@cache
def _version_pattern() -> Pattern[str]:
    return re.compile(
        rf"\s*v?(?a:(?:(?P<epoch>[0-9]+)!)?(?P<release>{_RELEASE})"
        r"(?:[._-]?(?P<pre_l>alpha|a|beta|b|preview|pre|c|rc)[._-]?(?P<pre_n>[0-9]+)?)?"
        r"(?P<post>-(?P<post_n1>[0-9]+)|[._-]?(?:post|rev|r)[._-]?(?P<post_n2>[0-9]+)?)?"
        r"(?P<dev>[._-]?dev[._-]?(?P<dev_n>[0-9]+)?)?)"
        r"(?a:\+(?P<local>[a-z0-9]+(?:[._-][a-z0-9]+)*))?\s*",
        re.IGNORECASE,
    )


@lru_cache(maxsize=16384)
def is_version(text: str) -> bool:
    """Whether the text is a version by PEP 440; blanks around it are allowed."""
    if len(text) > MAX_TEXT:
        return False
    return bool(_PLAIN.fullmatch(text) or _version_pattern().fullmatch(text))


@lru_cache(maxsize=16384)
def version_key(text: str) -> Tuple[Any, ...]:
    """A key that sorts versions as PEP 440 orders them; equal versions have equal keys.

    What is not a version sorts below every version, by its text.
    """
    match = _version_pattern().fullmatch(text) if len(text) <= MAX_TEXT else None
    if match is None:
        return (-1, text)
    epoch, release, pre_l, pre_n, post, post_n1, post_n2, dev, dev_n, local = match.groups()
    if pre_l is not None:
        pre = (_PRE_RANK[pre_l.lower()], int(pre_n or 0))
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


def _release(text: str) -> _Release:
    return tuple(map(int, text.split(".")))


@lru_cache(maxsize=16384)
def _plain_release(text: str) -> Optional[Tuple[_Release, _Release]]:
    """The release numbers of a version that has nothing else, with and without zeros at the end."""
    if not _PLAIN.fullmatch(text):
        return None
    release = _release(text)
    return release, _without_zeros(release)


def _without_zeros(release: _Release) -> _Release:
    end = len(release)
    while end and not release[end - 1]:
        end -= 1
    return release[:end]


def _local_key(local: Optional[str]) -> Tuple[Tuple[int, int, str], ...]:
    if local is None:
        return ()
    parts = re.split(r"[._-]", local.lower())
    return tuple((1, int(p), "") if p.isdigit() else (0, 0, p) for p in parts)


def _is_prerelease(key: Tuple[Any, ...]) -> bool:
    return bool(key[2][0] in (0, 1, 2) or key[4][0] == 0)


@lru_cache(maxsize=16384)
def parse_version(text: str) -> "Version":
    """The version as ``packaging`` represents it, which this imports.

    Raises:
        packaging.version.InvalidVersion: It is not a version by PEP 440 (a ``ValueError``).
    """
    from packaging.version import InvalidVersion, Version

    if len(text) > MAX_TEXT:
        raise InvalidVersion(f"a version of {len(text)} characters")
    return Version(text)


@cache
def clauses_pattern() -> str:
    """The pattern of version clauses that are valid beyond doubt; the rest is for packaging."""
    pre = r"(?:[._-]?(?:alpha|a|beta|b|preview|pre|c|rc)[._-]?[0-9]*)?"
    post = r"(?:-[0-9]+|[._-]?(?:post|rev|r)[._-]?[0-9]*)?"
    public = rf"v?(?:[0-9]+!)?{_RELEASE}{pre}{post}(?:[._-]?dev[._-]?[0-9]*)?"
    clause = (
        rf"(?:(?:>=|<=|<|>|==|!=)[ \t]*{public}"
        rf"|(?:==|!=)[ \t]*v?(?:[0-9]+!)?{_RELEASE}\.\*"
        r"|~=[ \t]*v?(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)+)"
    )
    return rf"{clause}(?:[ \t]*,[ \t]*{clause})*"


@cache
def _specifier_pattern() -> Pattern[str]:
    return re.compile(rf"[ \t]*(?:{clauses_pattern()})?[ \t]*", re.IGNORECASE | re.ASCII)


def check_specifier(text: str) -> str:
    """The specifier without its blanks, if it is one.

    Raises:
        RequirementError: It is not a version specifier by PEP 440.
    """
    if len(text) <= MAX_TEXT:
        if _specifier_pattern().fullmatch(text):
            return _BLANK.sub("", text)
        try:
            _specifier_set(text)
            return _BLANK.sub("", text)
        except ValueError:
            pass
    bare = text.strip()
    hint = ""
    if is_version(bare):
        hint = f"write >={bare} for this version or any later one, =={bare} for it only"
    shown = ascii(text)
    raise RequirementError(
        f"{shown if len(shown) <= 80 else shown[:77] + '...'}"
        " is not a version specifier (PEP 440) such as >=1.2,<2",
        hint=hint,
    )


@lru_cache(maxsize=4096)
def _specifier_set(text: str) -> "SpecifierSet":
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(text)


@lru_cache(maxsize=16384)
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
            operator += "*"
        tests.append((operator, _without_zeros(release), release if star else release[:-1]))
    return tuple(tests)


def _passes(test: _Test, release: _Release, stripped: _Release) -> bool:
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


def specifier_admits(specifier: str, version: Optional[str]) -> bool:
    """Whether a bound on a version, such as that of the host or of Python, lets it in.

    An unknown version speaks against nothing, and neither does a specifier that is not valid:
    old distributions hold ``>=3.6.*`` and the like.

    Args:
        specifier: As for ``specifier_contains``.
        version: The version; None if it is not known.
    """
    if not specifier or version is None:
        return True
    try:
        return specifier_contains(specifier, version, True)
    except ValueError:
        return True


def specifier_contains(specifier: str, version: str, prereleases: Optional[bool] = None) -> bool:
    """Whether a version fits a version specifier, by PEP 440.

    Args:
        specifier: Clauses such as ``>=1.2,<2``, without blanks; empty fits everything.
        version: The version; what is not one fits only ``===`` and the empty specifier.
        prereleases: False refuses pre-releases. True takes those within the bounds, and so does
            None, as ``packaging`` has it: a single version has no alternatives.

    Raises:
        ValueError: The specifier is not valid.
    """
    if not specifier:
        if prereleases is not False:
            return True
        key = version_key(version)
        return key[0] == -1 or not _is_prerelease(key)
    if len(version) > MAX_TEXT:
        return False
    plain = _plain_release(version)
    tests = _plain_tests(specifier) if plain is not None else None
    if plain is not None and tests is not None:
        return all(_passes(test, *plain) for test in tests)
    return _specifier_set(specifier).contains(version, prereleases=prereleases)


def specifier_asks_for_prereleases(specifier: str) -> bool:
    """Whether a bound is itself a pre-release, as in ``>=2.0a1``, which admits them (PEP 440)."""
    if _plain_tests(specifier) is not None:
        return False
    return bool(_specifier_set(specifier).prereleases)
