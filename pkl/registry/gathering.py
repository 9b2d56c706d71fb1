"""From a folder of wheels to rows: those that are new are read, the broken are left out."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Mapping, NamedTuple, NoReturn, Optional

from ..errors import DiscoveryError
from ..files import atomic_write
from ..model.requirement import version_key
from ..model.wheel import WheelFacts
from .folder import digest
from .layout import FILES
from .record import WheelRow
from .wheel_name import WheelName, parse_wheel_name

__all__ = ["Gathered", "Problem", "ReadWheel", "gather", "wheels_in"]

ReadWheel = Callable[[str], WheelFacts]
"""Reads a wheel; raises ``DiscoveryError`` for one that cannot be used."""

_RACY_NS = 2_000_000_000
"""A file that changed less than this before it was read may change again unseen (git's rule)."""


class Problem(NamedTuple):
    """A wheel that was left out, and why."""

    file: str
    why: str


@dataclass
class Gathered:
    """The wheels of a registry.

    Attributes:
        rows: Those that can be used, by name.
        problems: Those that were left out.
        read: How many had to be read; the others had not changed.
        changed: Those that have another content than the last time under the same name.
    """

    rows: Dict[str, WheelRow] = field(default_factory=dict)
    problems: List[Problem] = field(default_factory=list)
    read: int = 0
    changed: List[str] = field(default_factory=list)


def wheels_in(*folders: str) -> Dict[str, str]:
    """The path of each wheel by its name; of two of one name, the one in the earlier folder.

    Raises:
        OSError: A folder cannot be listed.
    """
    found: Dict[str, str] = {}
    for folder in folders:
        for name in sorted(os.listdir(folder)):
            if name.endswith(".whl") and not name.startswith("."):
                found.setdefault(name, os.path.join(folder, name))
    return found


def gather(
    wheels: Mapping[str, str],
    out: str,
    known: Mapping[str, WheelRow],
    uploads: Mapping[str, int],
    *,
    read: ReadWheel,
    now: float,
) -> Gathered:
    """Makes a row of each wheel, and puts it into ``files/`` with its METADATA beside it.

    Args:
        wheels: The path of each wheel by its name.
        out: The root of the registry.
        known: What the last build recorded, by name.
        uploads: When each wheel came into the registry, by digest, as far as it is known.
        read: Reads one wheel.
        now: The time, in seconds since 1970.

    Raises:
        OSError: A wheel cannot be put into ``files/``.
    """
    found = Gathered()
    files = os.path.join(out, FILES)
    os.makedirs(files, exist_ok=True)
    for name, path in sorted(wheels.items()):
        row = _unchanged(known.get(name), path, os.path.join(files, name))
        if row is None:
            found.read += 1
            try:
                row = _read(name, path, files, uploads, read, now)
            except DiscoveryError as e:
                found.problems.append(Problem(name, str(e.details.get("why") or e.message)))
                continue
            if name in known and known[name].sha256 != row.sha256:
                found.changed.append(name)
        found.rows[name] = row
    return found


def _unchanged(row: Optional[WheelRow], path: str, target: str) -> Optional[WheelRow]:
    """The row, if the wheel is the one that it was made from, and is where it is served."""
    if row is None or not os.path.isfile(f"{target}.metadata"):
        return None
    try:
        found = os.stat(path)
    except OSError:
        return None
    same = (found.st_size, found.st_mtime_ns) == (row.size, row.mtime_ns)
    return row if same and _is_placed(found, target) else None


def _stamp(path: str) -> os.stat_result:
    try:
        return os.stat(path)
    except OSError as e:
        _refuse(os.path.basename(path), f"it cannot be read ({e.strerror or e})")


def _is_placed(source: os.stat_result, target: str) -> bool:
    """Whether the file that is served is the source, or a copy of it."""
    try:
        found = os.lstat(target)
    except OSError:
        return False
    stamps = (found.st_size, found.st_mtime_ns)
    return stat.S_ISREG(found.st_mode) and stamps == (source.st_size, source.st_mtime_ns)


def _read(
    name: str, path: str, files: str, uploads: Mapping[str, int], read: ReadWheel, now: float
) -> WheelRow:
    stated = parse_wheel_name(name)
    if stated is None:
        _refuse(name, "its name is not that of a wheel, such as acme_audit-1.4.0-py3-none-any.whl")
    before = _stamp(path)
    facts = read(path)
    _refuse_other_name(name, stated, facts)
    _refuse_twice(name, facts)
    target = os.path.join(files, name)
    if not _is_placed(before, target):
        _place(path, target)
    after = _stamp(path)
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        _refuse(name, "it was changed while it was read")
    sha256, size = digest(target)
    if os.path.exists(f"{target}.metadata"):
        with open(f"{target}.metadata", "rb") as file:
            placed = file.read(len(facts.metadata) + 1) == facts.metadata
    else:
        placed = False
    if not placed:
        atomic_write(f"{target}.metadata", facts.metadata, mode=0o644, fsync=False)
    racy = before.st_mtime_ns > int(now * 1e9) - _RACY_NS
    return WheelRow(
        name,
        size,
        0 if racy else before.st_mtime_ns,
        sha256,
        uploads.get(sha256, int(now)),
        facts.distribution,
        facts.version,
        facts.requires_python,
        hashlib.sha256(facts.metadata).hexdigest(),
        facts.plugins,
    )


def _refuse_other_name(name: str, stated: WheelName, facts: WheelFacts) -> None:
    if not stated.is_of(facts.distribution, facts.version):
        _refuse(name, f"it is of {facts.distribution} {facts.version}, and its name says otherwise")


def _refuse_twice(name: str, facts: WheelFacts) -> None:
    names = [each.name for each in facts.plugins]
    twice = sorted({each for each in names if names.count(each) > 1})
    if twice:
        _refuse(name, f"it offers the plugin {twice[0]!r} twice")
    for each in facts.plugins:
        if version_key(each.version) != version_key(facts.version):
            _refuse(name, f"its plugin {each.name!r} has another version, {each.version}")


def _refuse(name: str, why: str) -> NoReturn:
    raise DiscoveryError(f"{name} cannot be used: {why}", file=name, why=why)


def _place(source: str, target: str) -> None:
    """Makes a copy of the source appear at the target in one step.

    No link: whoever writes over the source later would change what is served.
    """
    temporary = f"{os.path.dirname(target)}/.{os.urandom(6).hex()}.tmp"
    try:
        shutil.copyfile(source, temporary)
        shutil.copystat(source, temporary)
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
