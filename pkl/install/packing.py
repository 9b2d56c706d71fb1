"""Makes a wheel of a plain plugin directory; nothing of it is run, and nothing is built."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import stat
from typing import Dict, Iterator, List, Tuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from ..discovery.directories import read_directory
from ..errors import ManifestError, UsageError
from ..model.requirement import is_version
from .environment.places import Places
from .local_wheels import keep_bytes

__all__ = ["pack_directory", "wheel_of_directory"]

_WHEEL = "Wheel-Version: 1.0\nGenerator: pkl\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_MOST_BYTES = 256 * 1024 * 1024
"""The largest plugin directory that is packed."""


def pack_directory(directory: str, group: str, places: Places) -> str:
    """Makes a wheel of a plugin directory, and keeps it; its path.

    Args:
        directory: The directory, absolute.
        group: The entry-point group of the host's plugins.
        places: Where the host's generations are.

    Raises:
        UsageError: It cannot be packed: a link, a name that is no module's, too much.
        ManifestError: Its manifest is faulty.
        PathError: There is no plugin in it.
        GenerationUnwritable: The wheel cannot be kept.
    """
    return keep_bytes(*wheel_of_directory(directory, group), places)


def wheel_of_directory(directory: str, group: str) -> Tuple[str, bytes]:
    """The name of the wheel that a plugin directory makes, and its content.

    The same directory makes the same wheel. The distribution is called as the plugin.

    Args:
        directory: The directory, absolute.
        group: The entry-point group of the host's plugins.

    Raises:
        UsageError: It cannot be packed.
        ManifestError: Its manifest is faulty.
        PathError: There is no plugin in it.
    """
    candidate = read_directory(directory)
    if candidate.fault is not None:
        if candidate.fault.code == "manifest":
            raise ManifestError([], plugin=candidate.name, file=candidate.manifest_file)
        raise UsageError(candidate.fault.message, file=directory, hint=candidate.fault.remedy)
    name, version = candidate.name, candidate.version
    if not is_version(version):
        raise UsageError(
            f"the version {version!r} of {name} is not one (PEP 440)",
            file=candidate.manifest_file,
            hint="correct the manifest",
        )
    package = name.replace("-", "_").replace(".", "_")
    if not package.isidentifier():
        raise UsageError(
            f"{name} cannot be packed: no module can be called {package}",
            file=directory,
            hint="a package's name begins with a letter",
        )
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    files: Dict[str, bytes] = {}
    left = _MOST_BYTES
    for below, path in _files(directory):
        with open(path, "rb") as file:
            data = file.read(left + 1)
        left -= len(data)
        if left < 0:
            raise UsageError(
                f"{directory} has more than {_MOST_BYTES} bytes",
                file=directory,
                hint="leave what is no part of the plugin out of it",
            )
        files[f"{package}/{below}"] = data
    files.setdefault(f"{package}/__init__.py", b"")
    headers = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    if candidate.metadata.summary:
        headers += f"Summary: {' '.join(candidate.metadata.summary.split())}\n"
    if candidate.metadata.requires_python:
        headers += f"Requires-Python: {candidate.metadata.requires_python}\n"
    files[f"{info}/METADATA"] = headers.encode("utf-8")
    files[f"{info}/WHEEL"] = _WHEEL.encode("ascii")
    files[f"{info}/entry_points.txt"] = f"[{group}]\n{name} = {package}\n".encode()
    return f"{stem}-py3-none-any.whl", _zipped(files, f"{info}/RECORD")


def _files(directory: str) -> Iterator[Tuple[str, str]]:
    """The files of a plugin directory, as (path in it, path); what others left is passed over."""
    for parent, inner, names in os.walk(directory):
        inner[:] = sorted(each for each in inner if each != "__pycache__" and each[0] != ".")
        for name in sorted((*names, *inner)):
            path = os.path.join(parent, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISDIR(mode) or name[0] == "." or name.endswith((".pyc", ".pyo")):
                continue
            if not stat.S_ISREG(mode):
                raise UsageError(
                    f"{path} is no regular file, so {directory} cannot be packed",
                    file=path,
                    hint="put the file itself there, or leave it out",
                )
            yield os.path.relpath(path, directory).replace(os.sep, "/"), path


def _zipped(files: Dict[str, bytes], record: str) -> bytes:
    lines: List[str] = []
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for path, data in sorted(files.items()):
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
            quoted = f'"{path}"' if "," in path else path
            lines.append(f"{quoted},sha256={digest.decode('ascii')},{len(data)}\n")
            archive.writestr(_member(path), data)
        archive.writestr(_member(record), "".join((*lines, f"{record},,\n")))
    return out.getvalue()


def _member(path: str) -> ZipInfo:
    made = ZipInfo(path)
    made.external_attr = (stat.S_IFREG | 0o644) << 16
    made.compress_type = ZIP_DEFLATED
    return made
