"""Whether what an installer unpacked is what the audit saw, and nothing else."""

from __future__ import annotations

import os
from typing import Dict, Iterator, List, Sequence

from ...errors import BackendFailed
from ...names import printable
from ...registry.folder import digest
from .audit import PlacedFile, WheelContent

__all__ = ["check_placed"]

_ADDED = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json", "uv_build.json")
"""What installers write into a ``.dist-info`` directory of their own accord."""
_ELSEWHERE = ("bin", "Scripts", "include", "Include")
"""Where commands and headers end up if all goes into one directory."""
_SHOWN = 10


def check_placed(target: str, contents: Sequence[WheelContent]) -> None:
    """Removes commands and files for elsewhere, and compares all others with what was audited.

    Args:
        target: The directory into which the wheels were unpacked.
        contents: What was audited of each.

    Raises:
        BackendFailed: A file is missing, differs, is no file, or nobody knows it.
        OSError: The directory cannot be read.
    """
    expected: Dict[str, PlacedFile] = {f.path: f for each in contents for f in each.files}
    infos = {path.partition("/")[0] for path in expected if path.endswith(".dist-info/METADATA")}
    removable = {
        left.partition("/")[2].partition("/")[2] for each in contents for left in each.left_out
    }
    seen = set()
    problems: List[str] = []
    for path in list(_files(target)):
        full = os.path.join(target, *path.split("/"))
        top, _, rest = path.partition("/")
        known = expected.get(path)
        if known is not None:
            seen.add(path)
            if not _is_same(full, known):
                problems.append(f"{path} is not what the wheel holds")
        elif top in infos and rest in _ADDED:
            if rest == "direct_url.json":
                os.unlink(full)  # It would name a path of the cache.
        elif top in _ELSEWHERE or path in removable or path == ".lock":
            os.unlink(full)
        else:
            problems.append(f"{path} is in no wheel")
    problems += [f"{path} is missing" for path in sorted(expected.keys() - seen)]
    if problems:
        more = [f"  and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        lines = [f"  {printable(each)}" for each in problems[:_SHOWN]]
        raise BackendFailed(
            "\n".join(["what was unpacked is not what was audited", *lines, *more]),
            problems=problems,
            hint="nothing was changed; try again, and with another installer if it stays so",
        )
    _remove_empty(target)


def _files(target: str) -> Iterator[str]:
    """Every file below, relative and with slashes, and every link to a directory."""
    for folder, names, files in os.walk(target):
        below = os.path.relpath(folder, target)
        start = "" if below == os.curdir else below.replace(os.sep, "/") + "/"
        for name in sorted(files + [each for each in names if _is_link(folder, each)]):
            yield start + name


def _is_link(folder: str, name: str) -> bool:
    return os.path.islink(os.path.join(folder, name))


def _is_same(path: str, known: PlacedFile) -> bool:
    if os.path.islink(path) or not os.path.isfile(path):
        return False
    return not known.sha256 or digest(path) == (known.sha256, known.size)


def _remove_empty(target: str) -> None:
    """Removes the directories that are left empty."""
    for folder, _, _ in list(os.walk(target, topdown=False)):
        if folder != target and not os.listdir(folder):
            os.rmdir(folder)
