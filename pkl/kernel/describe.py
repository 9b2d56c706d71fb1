"""How messages name a function."""

from __future__ import annotations

from typing import Any, Optional, Tuple

__all__ = ["describe", "place_of"]


def describe(function: Any) -> str:
    """A handler for people: its qualified name, with file and line where they are known."""
    try:
        name = getattr(function, "__qualname__", None) or repr(function)
        code = getattr(getattr(function, "__func__", function), "__code__", None)
        return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code is not None else name
    except Exception:
        return f"<{type(function).__name__} that cannot be shown>"


def place_of(function: Any) -> Tuple[Optional[str], Optional[int]]:
    """The file and line where a handler is defined, as far as they are known."""
    try:
        code = getattr(getattr(function, "__func__", function), "__code__", None)
        return (None, None) if code is None else (code.co_filename, code.co_firstlineno)
    except Exception:
        return None, None
