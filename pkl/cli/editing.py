"""Lets people edit settings as JSON in their editor, and loses nothing of what they wrote."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Tuple

from ..errors import MissingTool, PklError, UsageError

if TYPE_CHECKING:
    from .session import Session

__all__ = ["edit"]


def edit(
    session: "Session",
    name: str,
    settings: Mapping[str, Any],
    keep: Callable[[Mapping[str, Any]], None],
) -> None:
    """Keeps what people make of settings; if that is refused, their text stays in a file.

    Args:
        session: The options.
        name: The plugin, for the name of the file.
        settings: What they start from.
        keep: Keeps the result, or raises what is wrong with it.

    Raises:
        UsageError: Nobody may be asked, the editor failed, or the text is no JSON object.
        MissingTool: There is no editor.
        PklError: ``keep`` raised it.
    """
    if session.no_input:
        raise UsageError("edit asks, and --no-input forbids that", hint=f"pkl config {name} set")
    words = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    handle, path = tempfile.mkstemp(prefix=f"pkl-{name}-", suffix=".json")  # mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(json.dumps(settings, indent=2, ensure_ascii=False) + "\n")
    try:
        status = subprocess.run([*words, path]).returncode
    except OSError as e:
        os.unlink(path)
        raise MissingTool(
            f"the editor {words[0]} cannot be started: {e.strerror or e}",
            hint="set EDITOR to a program that edits a file",
        ) from None
    try:
        if status != 0:
            raise UsageError(f"the editor exited with {status}; nothing was changed")
        keep(_object(path))
    except PklError as e:
        session.warn(f"what you wrote is kept in {path}", "delete it when you have used it")
        raise e
    os.unlink(path)


def _object(path: str) -> Dict[str, Any]:
    """The JSON object in a file; the text of an error shows nothing of it, for secrets' sake."""
    try:
        with open(path, encoding="utf-8") as opened:
            found = json.load(opened, object_pairs_hook=_no_key_twice)
    except json.JSONDecodeError as e:
        raise UsageError(f"this is no JSON (line {e.lineno}, column {e.colno}): {e.msg}") from None
    except (OSError, ValueError, RecursionError) as e:
        raise UsageError(f"this is no JSON: {type(e).__name__}: {e}") from None
    if not isinstance(found, dict):
        raise UsageError("settings are a JSON object, as in {}")
    return found


def _no_key_twice(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands there twice")
    return found
