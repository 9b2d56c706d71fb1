"""Manifest text to a mapping: TOML, JSON or YAML, with syntax errors that name their line."""

from __future__ import annotations

import json
import re
import sys
from typing import Any, Dict, List, NoReturn, Optional, Tuple

from ..errors import Fault, ManifestError, MissingExtra

__all__ = ["MANIFEST_FILES", "parse_manifest_text"]

MANIFEST_FILES = ("plugin.toml", "plugin.json", "plugin.yaml", "plugin.yml")
"""The file names of a manifest; a plugin has one of them."""

MAX_TEXT = 256 * 1024
"""The longest manifest that is read, in characters."""

# tomllib takes quadratic time over the parts of one dotted key.
_ENDLESS_KEY = re.compile(r"""(?<![\w."'-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){100}""")


def parse_manifest_text(
    text: str, format: str, file: Optional[str] = None, *, limit: int = MAX_TEXT
) -> Dict[str, Any]:
    """Reads the text of a manifest into the mapping that ``PluginMetadata`` takes.

    Args:
        text: The content of the file; a byte order mark at its start is skipped.
        format: ``toml``, ``json`` or ``yaml`` (or ``yml``).
        file: Where it was read from, for errors.
        limit: The longest text that is read, in characters.

    Raises:
        ManifestError: The text is not in that format, or is not a table; with the line where
            that is known.
        MissingExtra: YAML, and the extra is not installed.
        ValueError: Another format.
    """
    if len(text) > limit:
        _refuse(f"must not be longer than {limit} characters", "", file)
    text = text[1:] if text.startswith("\ufeff") else text
    if format == "toml":
        data = _toml(text, file)
    elif format == "json":
        data = _json(text, file)
    elif format in ("yaml", "yml"):
        data = _yaml(text, file)
    else:
        raise ValueError(f"format must be toml, json or yaml, not {format!r}")
    if not isinstance(data, dict):
        _refuse("must be a table (a mapping of keys to values)", data, file)
    return data


def _toml(text: str, file: Optional[str]) -> Any:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    if _ENDLESS_KEY.search(text):
        _refuse("is nested too deeply", "", file)
    try:
        return tomllib.loads(text)
    except RecursionError:
        _refuse("is nested too deeply", "", file)
    except ValueError as e:
        _refuse(f"is not valid TOML: {e}", _line(text, str(e)), file)


class _NotJson(Exception):
    """What Python's reader of JSON would let pass; the value and what is wrong with it."""


def _object(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        for key, _ in reversed(pairs):
            if key not in found:
                raise _NotJson(key, "the key is there twice")
            del found[key]
    return found


def _constant(word: str) -> NoReturn:
    raise _NotJson(word, "not a JSON number")


def _json(text: str, file: Optional[str]) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except RecursionError:
        _refuse("is nested too deeply", "", file)
    except _NotJson as e:
        value, problem = e.args
        _refuse(f"is not valid JSON: {problem}", value, file)
    except ValueError as e:
        _refuse(f"is not valid JSON: {e}", _line(text, str(e)), file)


def _yaml(text: str, file: Optional[str]) -> Any:
    try:
        import yaml
    except ImportError:
        raise MissingExtra("yaml", f"reading {file or 'a YAML manifest'}") from None

    class Loader(yaml.SafeLoader):
        """Plain values only; no key twice, and no merge keys, which can grow without bound."""

        def flatten_mapping(self, node: Any) -> None:
            seen = set()
            for key, _ in node.value:
                if key.tag == "tag:yaml.org,2002:merge":
                    self.refuse("merge keys (<<) are not supported", key)
                if isinstance(key.value, str):
                    if key.value in seen:
                        self.refuse(f"the key {key.value!r} is there twice", key)
                    seen.add(key.value)

        def refuse(self, problem: str, node: Any) -> NoReturn:
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)

    try:
        return yaml.load(text, Loader)
    except RecursionError:
        _refuse("is nested too deeply", "", file)
    except Exception as e:  # Values such as "!!int x" fail in many ways within PyYAML.
        mark = getattr(e, "problem_mark", None)
        at = f" (at line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        problem = getattr(e, "problem", None) or str(e) or type(e).__name__
        _refuse(f"is not valid YAML: {problem}{at}", _line(text, at), file)


def _line(text: str, message: str) -> str:
    """The line that a message is about: ``... (at line 3, column 7)`` or the end of the text."""
    lines = text.rstrip().split("\n")
    match = re.search(r"line (\d+)", message)
    if match is None:
        return lines[-1].strip() if "end of document" in message else ""
    return lines[min(int(match[1]), len(lines)) - 1].strip()


def _refuse(rule: str, value: Any, file: Optional[str]) -> NoReturn:
    raise ManifestError([Fault("", value, rule)], file=file) from None
