"""Which file of a registry lies where, and how large each may be."""

from __future__ import annotations

from ..names import canonical

__all__ = [
    "FILES",
    "INDEX",
    "MAX_INDEX",
    "MAX_METADATA",
    "MAX_PAGE",
    "MAX_REVOKED",
    "MAX_SIGNATURE",
    "MAX_SIMPLE",
    "PAGES",
    "REVOKED",
    "SIGNATURE",
    "SIMPLE",
    "SIMPLE_ROOT",
    "file_path",
    "page_path",
]

INDEX = "pkl/v1/index.json"
SIGNATURE = "pkl/v1/index.json.sig"
REVOKED = "pkl/v1/revoked.json"
PAGES = "pkl/v1/p"
SIMPLE = "simple"
SIMPLE_ROOT = f"{SIMPLE}/index.v1.json"
FILES = "files"

MAX_INDEX = 64 * 1024 * 1024
"""The largest index that is read, in bytes: some 300,000 plugins."""
MAX_PAGE = 16 * 1024 * 1024
"""The largest page of a plugin that is read, in bytes."""
MAX_REVOKED = 16 * 1024 * 1024
"""The largest list of revoked versions that is read, in bytes."""
MAX_SIMPLE = 64 * 1024 * 1024
"""The largest part of the package index that is read, in bytes."""
MAX_METADATA = 8 * 1024 * 1024
"""The largest METADATA of a wheel that is read, in bytes."""
MAX_SIGNATURE = 64 * 1024
"""The largest signature that is read, in bytes."""


def page_path(name: str) -> str:
    """Where the page of a plugin lies, below the root of the registry."""
    return f"{PAGES}/{canonical(name)}.json"


def file_path(file: str) -> str:
    """Where a wheel lies, below the root of the registry."""
    return f"{FILES}/{file}"
