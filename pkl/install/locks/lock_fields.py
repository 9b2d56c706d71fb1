"""Taking values out of a lock; every fault is gathered, with its dotted path."""

from __future__ import annotations

import os
import re
from datetime import datetime
from typing import Any, List, Mapping, Optional, Sequence, Tuple

from ...model.checking import Checker
from ...names import canonical, is_valid
from ...registry.address import objection_to

__all__ = ["LockFields"]

_DIGEST = re.compile(r"[0-9a-f]{64}")
_DRIVE = re.compile(r"[A-Za-z]:")
_MAX_NAME = 200


class LockFields(Checker):
    """Takes values out of the tables of a lock.

    Args:
        directory: Where the lock lies, absolute; paths in it lead from there.
    """

    __slots__ = ("directory",)

    def __init__(self, directory: str) -> None:
        super().__init__(fold=True)
        self.directory = directory

    def table(self, path: str, value: Any) -> Mapping[str, Any]:
        """The table at a path."""
        if isinstance(value, dict):
            return value
        self.fault(path, value, "must be a table")
        return {}

    def list(self, path: str, value: Any) -> List[Any]:
        """The list at a path."""
        if isinstance(value, list):
            return value
        self.fault(path, value, "must be a list")
        return []

    def line(self, path: str, row: Mapping[str, Any], key: str) -> Optional[str]:
        """The text at a key, which has to be there."""
        return self.text(f"{path}.{key}", row.get(key), "one line of text")

    def word(self, path: str, row: Mapping[str, Any], key: str) -> str:
        """Text that may be left out."""
        return (self.line(path, row, key) or "") if key in row else ""

    def texts(self, path: str, row: Mapping[str, Any], key: str) -> Tuple[str, ...]:
        """The list of texts at a key; none if it is not there."""
        listed = self.list(f"{path}.{key}", row.get(key, []))
        texts = [
            self.text(f"{path}.{key}[{i}]", each, "one line of text")
            for i, each in enumerate(listed)
        ]
        return tuple(each for each in texts if each is not None)

    def name(self, path: str, value: Any) -> str:
        """A canonical name at a path."""
        valid = isinstance(value, str) and is_valid(value) and len(value) <= _MAX_NAME
        if valid and canonical(value) == value:
            return str(value)
        self.fault(path, value, "must be a name in small letters and with single hyphens")
        return ""

    def once(self, path: str, names: Sequence[str]) -> None:
        """Notes every name that is there more than once."""
        for name in sorted({each for each in names if each and names.count(each) > 1}):
            self.fault(path, name, "must be there only once")

    def place(self, path: str, value: Any) -> Optional[str]:
        """The absolute path of what lies below the lock's directory."""
        if not isinstance(value, str) or not value or any(ord(c) < 32 for c in value):
            self.fault(path, value, "must be a path")
            return None
        parts = value.replace("\\", "/").split("/")
        if value[0] in "/\\~" or _DRIVE.match(value) or os.pardir in parts:
            rule = "must be a path below the lock's directory, without '..' and not from the root"
            self.fault(path, value, rule)
            return None
        return os.path.normpath(os.path.join(self.directory, *parts))

    def url(self, path: str, value: str) -> str:
        """The URL of a file or of a registry at a path."""
        objection = objection_to(value)
        if not objection:
            return value
        rule = f"must be an https:// or file:// URL, or http:// on this machine: {objection}"
        self.fault(path, value, rule)
        return ""

    def number(self, path: str, row: Mapping[str, Any], key: str) -> int:
        """The whole number at a key; 0 if it is not there."""
        found = row.get(key, 0)
        if isinstance(found, int) and not isinstance(found, bool) and found >= 0:
            return found
        self.fault(f"{path}.{key}", found, "must be a whole number, 0 or more")
        return 0

    def digest(self, path: str, value: Any) -> str:
        """A SHA-256 at a path."""
        if isinstance(value, str) and _DIGEST.fullmatch(value):
            return value
        self.fault(path, value, "must be a SHA-256 of 64 small hex digits")
        return ""

    def moment(self, path: str, value: Any) -> Optional[int]:
        """A moment at a path, in seconds since 1970."""
        try:
            if isinstance(value, datetime) and value.tzinfo is not None:
                return int(value.timestamp())
        except (ValueError, OverflowError, OSError):
            pass
        self.fault(path, value, "must be a moment with a time zone, such as 2027-01-31T12:00:00Z")
        return None
