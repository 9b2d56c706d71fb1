"""RECORD: what a wheel says that it holds, with the digest of each file."""

from __future__ import annotations

import base64
import binascii
import csv
import io
import re
from typing import Dict, List, NamedTuple, Optional

from ...errors import Fault

__all__ = ["ALGORITHMS", "Row", "rows_of"]

ALGORITHMS = ("sha256", "sha384", "sha512")
"""The digests that a RECORD may have; the specification wants SHA-256 or better."""
_DIGEST = re.compile(r"(sha256|sha384|sha512)=([A-Za-z0-9_-]+)")


class Row(NamedTuple):
    """What RECORD says of a file.

    Attributes:
        algorithm: Of its digest; empty if there is none.
        digest: Its digest.
        size: How many bytes it has; None if that is not said.
    """

    algorithm: str
    digest: bytes
    size: Optional[int]


def rows_of(data: bytes, name: str, faults: List[Fault]) -> Dict[str, Row]:
    """What a RECORD says, by the path of the file.

    Args:
        data: Its content.
        name: Its path in the wheel, for faults.
        faults: Takes every line that is none.
    """
    found: Dict[str, Row] = {}
    try:
        lines = list(csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as e:
        faults.append(Fault(name, str(e), "must be a table of comma-separated values in UTF-8"))
        return found
    for number, cells in enumerate(lines, 1):
        if not cells:
            continue
        row = _row(cells)
        where = f"{name}:{number}"
        if row is None:
            faults.append(
                Fault(where, ",".join(cells), "must be a path, sha256=DIGEST, and a size")
            )
        elif cells[0] in found:
            faults.append(Fault(where, cells[0], "must list each file once"))
        else:
            found[cells[0]] = row
    return found


def _row(cells: List[str]) -> Optional[Row]:
    if len(cells) != 3 or not cells[0]:
        return None
    _, stated, size = cells
    if size and not (size.isascii() and size.isdigit() and len(size) < 20):
        return None
    number = int(size) if size else None
    if not stated:
        return Row("", b"", number)
    match = _DIGEST.fullmatch(stated)
    if match is None:
        return None
    text = match[2]
    try:
        digest = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    return Row(match[1], digest, number)
