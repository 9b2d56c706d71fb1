"""Stand-ins for what the environment has: an installer sees name, version and extras of it."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import zipfile
from typing import List

from ...discovery.distribution import Distribution
from ...discovery.tree import DirectoryTree
from ..wanted import Pinned

__all__ = ["stub_file", "stub_metadata", "stub_wheel"]

_EXTRA = re.compile(r"""\bextra\s*==\s*['"]([A-Za-z0-9._-]+)['"]""")
_WHEEL = b"Wheel-Version: 1.0\nGenerator: pkl\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def stub_file(pinned: Pinned) -> str:
    """The name of the wheel that stands for a distribution."""
    return f"{_stem(pinned)}-py3-none-any.whl"


def stub_metadata(pinned: Pinned) -> bytes:
    """Its METADATA: what its extras require, and nothing else.

    What it requires itself is the environment's affair: it runs as it is, also where something
    is missing. An extra of it may be what a plugin needs, and then it has to be complete.
    """
    lines = ["Metadata-Version: 2.1", f"Name: {pinned.name}", f"Version: {pinned.version}"]
    wanted = [each for each in _requires(pinned) if _EXTRA.search(each)]
    extras = sorted({extra for each in wanted for extra in _EXTRA.findall(each)})
    lines += [f"Provides-Extra: {each}" for each in extras]
    lines += [f"Requires-Dist: {each}" for each in wanted]
    return "\n".join([*lines, ""]).encode("utf-8")


def _requires(pinned: Pinned) -> List[str]:
    folder, info = os.path.split(pinned.location)
    if not os.path.isdir(pinned.location):
        return []
    return list(Distribution(DirectoryTree(folder), info).headers.requires_dist)


def stub_wheel(pinned: Pinned) -> bytes:
    """A wheel with that METADATA and no code; it is never installed."""
    info = f"{_stem(pinned)}.dist-info"
    files = {f"{info}/METADATA": stub_metadata(pinned), f"{info}/WHEEL": _WHEEL}
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def _stem(pinned: Pinned) -> str:
    return f"{pinned.name.replace('-', '_')}-{pinned.version.replace('-', '_')}"


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
