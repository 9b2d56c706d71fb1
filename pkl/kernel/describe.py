"""How messages name a function."""

from __future__ import annotations

from typing import Any

__all__ = ["describe"]


def describe(function: Any) -> str:
    """A handler for people: its qualified name, with file and line where they are known."""
    try:
        name = getattr(function, "__qualname__", None) or repr(function)
        code = getattr(getattr(function, "__func__", function), "__code__", None)
        return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code is not None else name
    except Exception:
        return f"<{type(function).__name__} that cannot be shown>"
