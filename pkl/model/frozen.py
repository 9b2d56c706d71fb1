"""Plain values that cannot be changed any more."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

__all__ = ["freeze"]


def freeze(value: Any) -> Any:
    """The value with mappings that cannot be changed, and tuples for lists."""
    if isinstance(value, Mapping):
        return MappingProxyType({key: freeze(each) for key, each in value.items()})
    if isinstance(value, (list, tuple)):
        return tuple(freeze(each) for each in value)
    return value
