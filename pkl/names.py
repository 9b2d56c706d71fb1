"""Names: one canonical form, one rule of validity, and how to show what a plugin wrote."""

from __future__ import annotations

import keyword
import re
from functools import lru_cache
from typing import Iterable, Optional

__all__ = ["canonical", "did_you_mean", "identifier", "is_valid", "printable"]

_SEPARATORS = re.compile(r"[-_.]+")
_VALID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_NOT_WORD = re.compile(r"[^A-Za-z0-9_]")

# What a terminal or a reader may take for something it is not: Cc, Cf, Cs, Zl and Zp, and the
# letters that draw nothing. Spelled out, so that the answer does not change with the Unicode
# tables of the running Python.
_UNSEEN = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    "\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001345f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_UNSEEN_CHARACTER = re.compile(f"[{_UNSEEN}]")


@lru_cache(maxsize=65536)
def canonical(name: str) -> str:
    """The form in which names compare: ``My.Plugin`` and ``my_plugin`` are ``my-plugin`` (PEP 503).

    Any text is accepted; ``is_valid`` says whether it is a name at all.
    """
    return _SEPARATORS.sub("-", name).lower()


def is_valid(name: str) -> bool:
    """Whether this is a plugin name: ASCII letters and digits, inside them ``.``, ``_`` and ``-``.

    The rule is that of PEP 508 for distribution names.
    """
    return _VALID.fullmatch(name) is not None


def did_you_mean(name: str, known: Iterable[str]) -> Optional[str]:
    """The one of ``known`` that was probably meant by ``name``, spelled as it is there, or None.

    Case and separators are ignored; a name equal but for these wins over any other. The answer
    does not depend on the order of ``known``.
    """
    if len(name) > 100:
        return None
    wanted = canonical(name)
    spelled = {canonical(each): each for each in sorted(known, reverse=True)}
    if wanted in spelled:
        return spelled[wanted]
    import difflib

    close = difflib.get_close_matches(wanted, sorted(spelled), n=1, cutoff=0.6)
    return spelled[close[0]] if close else None


def identifier(name: str) -> str:
    """The name as a Python identifier, as in ``pkl.plugins.<identifier>``.

    ``my-plugin`` becomes ``my_plugin``, ``3d`` becomes ``_3d``, ``class`` becomes ``class_``.
    """
    word = _NOT_WORD.sub("_", canonical(name))
    if not word or word[0].isdigit():
        word = f"_{word}"
    return f"{word}_" if keyword.iskeyword(word) else word


def printable(text: str) -> str:
    r"""The text with every character that is not seen as itself written as an escape.

    Control characters (also newline and tab), those that change the direction of the text,
    those without width, and lone surrogates become ``\x1b``, ``\u202e`` or ``\U000e0041``. What
    a plugin wrote goes through here before it reaches a terminal, a log or a drawing; text of
    several lines is passed line by line.
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN_CHARACTER.sub(_escape, text)


def _escape(match: "re.Match[str]") -> str:
    code = ord(match.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
