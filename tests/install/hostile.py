"""Wheels that no honest tool makes: what a row says and what is there are set one by one."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from pathlib import Path
from typing import Dict, Iterable, List, Mapping, Optional, Tuple, Union

__all__ = ["Member", "archive", "honest", "record_of", "wheel"]

Content = Union[str, bytes]
Member = Tuple[Union[str, zipfile.ZipInfo], bytes]

METADATA = "Metadata-Version: 2.1\nName: Acme_Audit\nVersion: 1.0\n\nText\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
INFO = "acme_audit-1.0.dist-info"
FILE = "acme_audit-1.0-py3-none-any.whl"


def honest(files: Mapping[str, Content] = {}) -> Dict[str, bytes]:
    """The members of a sound wheel, without its RECORD."""
    whole: Dict[str, Content] = {
        "acme_audit/__init__.py": "",
        "acme_audit/plugin.py": "x = 1\n",
        f"{INFO}/METADATA": METADATA,
        f"{INFO}/WHEEL": WHEEL,
        **files,
    }
    return {n: c if isinstance(c, bytes) else c.encode() for n, c in whole.items()}


def record_of(files: Mapping[str, bytes], info: str = INFO) -> bytes:
    """The RECORD of these files."""
    lines = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        quoted = f'"{name}"' if "," in name else name
        lines.append(f"{quoted},sha256={digest},{len(data)}")
    return "\n".join([*lines, f"{info}/RECORD,,", ""]).encode("utf-8", "surrogatepass")


def archive(members: Iterable[Member], comment: bytes = b"") -> bytes:
    """A zip archive of these, in this order; a name may come more than once."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members:
            made.writestr(name, data)
        made.comment = comment
    return buffer.getvalue()


def wheel(
    folder: Path,
    files: Mapping[str, Content] = {},
    *,
    without: Iterable[str] = (),
    record: Optional[Content] = None,
    more: Iterable[Member] = (),
    file: str = FILE,
    change: Iterable[Tuple[bytes, bytes]] = (),
) -> Path:
    """A wheel of ``acme-audit`` 1.0.

    Args:
        folder: Where it is put.
        files: What it holds beside what every wheel does, or instead of it.
        without: What is left out of it; RECORD knows nothing of that either.
        record: Its RECORD, if that is not to be right.
        more: Members that RECORD does not know, as they are.
        file: Its name.
        change: What is replaced in the bytes of the archive, each once.
    """
    folder.mkdir(parents=True, exist_ok=True)
    whole = {n: c for n, c in honest(files).items() if n not in set(without)}
    said = record_of(whole) if record is None else record
    members: List[Member] = [*whole.items(), *more]
    if f"{INFO}/RECORD" not in set(without):
        members.append((f"{INFO}/RECORD", said if isinstance(said, bytes) else said.encode()))
    data = archive(members)
    for old, new in change:
        assert old in data, f"{old!r} is not in the archive"
        data = data.replace(old, new, 1)
    path = folder / file
    path.write_bytes(data)
    return path
