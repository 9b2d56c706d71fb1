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

MAX_TEXT = 1024 * 1024
"""The longest manifest that is read, in characters."""


def parse_manifest_text(text: str, format: str, file: Optional[str] = None) -> Dict[str, Any]:
    """Reads the text of a manifest into the mapping that ``PluginMetadata`` takes.

    Args:
        text: The content of the file; a byte order mark at its start is skipped.
        format: ``toml``, ``json`` or ``yaml``.
        file: Where it was read from, for errors.

    Raises:
        ManifestError: The text is not in that format, or is not a table; with the line where
            that is known.
        MissingExtra: YAML, and the extra is not installed.
        ValueError: Another format.
    """
    if len(text) > MAX_TEXT:
        _refuse(f"must not be longer than {MAX_TEXT} characters", "", file)
    text = text[1:] if text.startswith("\ufeff") else text
    if format == "toml":
        data = _toml(text, file)
    elif format == "json":
        data = _json(text, file)
    elif format == "yaml":
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
    try:
        return tomllib.loads(text)
    except RecursionError:
        _refuse("is nested too deeply", "", file)
    except ValueError as e:
        _refuse(f"is not valid TOML: {e}", _line(text, str(e)), file)


class _Twice(Exception):
    """A JSON object or YAML mapping has a key two times."""


def _pairs(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen = set()
        for key, _ in pairs:
            if key in seen:
                raise _Twice(key)
            seen.add(key)
    return found


def _constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a JSON number")


def _json(text: str, file: Optional[str]) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_pairs, parse_constant=_constant)
    except RecursionError:
        _refuse("is nested too deeply", "", file)
    except _Twice as e:
        _refuse("is there twice in one object; a key may stand once", e.args[0], file)
    except ValueError as e:
        _refuse(f"is not valid JSON: {e}", _line(text, str(e)), file)


def _yaml(text: str, file: Optional[str]) -> Any:
    try:
        import yaml
    except ImportError:
        raise MissingExtra("yaml", f"reading {file or 'a YAML manifest'}") from None

    class Loader(yaml.SafeLoader):
        """Refuses a key that is there twice, which YAML 1.2 forbids and PyYAML lets pass."""

        def construct_mapping(self, node: Any, deep: bool = False) -> Dict[Any, Any]:
            seen = set()
            for key_node, _ in node.value:
                key = getattr(key_node, "value", None)
                if isinstance(key, str):
                    if key in seen and key != "<<":
                        raise yaml.constructor.ConstructorError(
                            None, None, f"the key {key!r} is there twice", key_node.start_mark
                        )
                    seen.add(key)
            found: Dict[Any, Any] = super().construct_mapping(node, deep)
            return found

    try:
        return yaml.load(text, Loader)
    except RecursionError:
        _refuse("is nested too deeply", "", file)
    except (yaml.YAMLError, ValueError, TypeError) as e:
        mark = getattr(e, "problem_mark", None)
        problem = getattr(e, "problem", None) or str(e)
        at = f" (at line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        _refuse(f"is not valid YAML: {problem}{at}", _line(text, at), file)


def _line(text: str, message: str) -> str:
    """The line that a message such as ``... (at line 3, column 7)`` is about."""
    match = re.search(r"line (\d+)", message)
    lines = text.splitlines()
    number = int(match[1]) if match else 0
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def _refuse(rule: str, value: Any, file: Optional[str]) -> NoReturn:
    raise ManifestError([Fault("", value, rule)], file=file)
