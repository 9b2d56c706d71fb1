"""Reads the JSON Schema of a plugin's settings, which its manifest names; imports nothing."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Tuple

from ..errors import Fault, SettingsError

if TYPE_CHECKING:
    from ..model.candidate import Candidate

__all__ = ["read_schema"]

LARGEST = 1024 * 1024
"""The largest schema that is read, in bytes."""


def read_schema(candidate: "Candidate") -> Tuple[Any, str]:
    """The schema and its file; None and the empty text for a plugin that states none.

    Raises:
        SettingsError: It cannot be read, or it is not JSON.
    """
    name = candidate.metadata.config.get("schema")
    if name is None:
        return None, ""
    beside = os.path.dirname(candidate.manifest_file or candidate.location or "")
    file = os.path.join(beside, *name.split("/"))
    try:
        with open(file, "rb") as opened:
            data = opened.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ValueError(f"is larger than {LARGEST} bytes")
        return json.loads(data), file
    except (OSError, ValueError, RecursionError) as e:
        why = getattr(e, "strerror", None) or str(e) or type(e).__name__
        rule = f"the schema {name} cannot be read: {why}"
        raise SettingsError(candidate.name, [Fault("", None, rule)], file=file) from None
