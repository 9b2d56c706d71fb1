"""Fills the site of a new generation: what stays is copied, what is new is unpacked and checked.

However a distribution comes to lie there, it looks the same afterwards: its files as its wheel
has them, and a RECORD of our own, so that two machines get the same bytes.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import shutil
import stat
from contextlib import suppress
from typing import Callable, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..errors import Fault, PklError
from ..files import atomic_write
from .backends.backend import Backend
from .environment.editable_info import write_info
from .solution import Chosen
from .wheels.audit import PlacedFile, WheelContent, audit_wheel
from .wheels.fetching import Fetcher
from .wheels.placed import check_placed
from .wheels.record import rows_of

__all__ = ["Placing", "files_of"]

_INSTALLER = b"pkl\n"
_BLOCK = 1 << 20
_NOTED = ("REQUESTED", "uv_cache.json", "uv_build.json")
"""What an installer writes beside; nobody asked for anything in a generation by itself."""


class Placing(NamedTuple):
    """What is to lie in a site.

    Attributes:
        fetched: The wheels to unpack: each with its path and what it adds.
        kept: What is copied from an earlier site, with its files there.
        source: That site; empty if nothing is.
        editable: The projects that are used in place and are not among ``kept``.
        remarks: What is to be said of what is kept.
    """

    fetched: Tuple[Tuple[Chosen, str, WheelContent], ...] = ()
    kept: Tuple[Tuple[Chosen, Tuple[PlacedFile, ...]], ...] = ()
    source: str = ""
    editable: Tuple[Chosen, ...] = ()
    remarks: Tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        chosen: Sequence[Chosen],
        before: Sequence[Chosen],
        source: str,
        *,
        fetcher: Fetcher,
        environment: Mapping[str, str],
        group: str,
    ) -> "Placing":
        """Decides what is copied, has the rest fetched, and audits that; nothing is placed.

        Args:
            chosen: All that is to lie in the site.
            before: What lies in an earlier site.
            source: That site; empty if there is none.
            fetcher: What brings wheels.
            environment: What can be imported from the host's environment, as
                ``names_of_environment`` gives it.
            group: The entry-point group of the host's plugins.

        Raises:
            WheelRefused: A wheel is not what was announced, or would do more than it may.
            RegistryError: A wheel cannot be had.
            StateUnavailable: A wheel cannot be kept.
        """
        known = {each.name: each for each in before}
        taken = dict(environment)
        kept: List[Tuple[Chosen, Tuple[PlacedFile, ...]]] = []
        new: List[Chosen] = []
        editable: List[Chosen] = []
        for each in chosen:
            files = _files_to_keep(each, known.get(each.name), source)
            if files is None:
                (editable if each.editable else new).append(each)
            else:
                kept.append((each, files))
                taken.update((file.path, each.name) for file in files)
        fetched = []
        notes = []
        for each in new:
            try:
                path = fetcher.fetch(each)
            except PklError:
                files = _files_as_they_are(each, known.get(each.name), source)
                if files is None:
                    raise
                kept.append((each, files))
                taken.update((file.path, each.name) for file in files)
                notes.append(
                    f"{each.name} {each.version} was changed or damaged since it was installed, "
                    "and its wheel cannot be had: it stays as it is"
                )
                continue
            content = audit_wheel(path, each, taken, groups=(group,))
            taken.update((file.path, each.name) for file in content.files)
            fetched.append((each, path, content))
        return cls(tuple(fetched), tuple(kept), source, tuple(editable), tuple(notes))

    @property
    def notes(self) -> Tuple[str, ...]:
        """What of the wheels is not installed, and what is kept though it should not be."""
        notes = (note for _, _, content in self.fetched for note in content.notes)
        return (*self.remarks, *notes)

    def fill(self, site: str, backend: Callable[[], Backend]) -> None:
        """Places all of it into an empty directory.

        Args:
            site: The directory.
            backend: What finds the installer that unpacks wheels; called only if there are any.

        Raises:
            BackendFailed: The installer failed, or did not place what is in the wheels.
            OSError: The system refused something.
        """
        if self.fetched:
            backend().place([path for _, path, _ in self.fetched], site)
            contents = [content for _, _, content in self.fetched]
            check_placed(site, contents)
            for content in contents:
                _write_record(site, content.name, content.files)
        for each, files in self.kept:
            _copy(self.source, site, files)
            _write_record(site, each.name, files)
        for each in self.editable:
            _write_record(site, each.name, write_info(site, each))


def _files_to_keep(
    chosen: Chosen, before: Optional[Chosen], source: str
) -> Optional[Tuple[PlacedFile, ...]]:
    """The files of a distribution that lies in a site already, all of them sound; else None."""
    if before is None or not source or before.version != chosen.version:
        return None
    if chosen.editable:
        # What it states is read anew, unless the project is not there any more.
        if before.editable != chosen.editable or os.path.isdir(chosen.editable):
            return None
    elif before.wheel is None or chosen.wheel is None or before.wheel[2] != chosen.wheel[2]:
        return None
    files = files_of(source, chosen.name)
    if files is None or not all(_is_as_listed(source, file) for file in files):
        return None
    return files


def _files_as_they_are(
    chosen: Chosen, before: Optional[Chosen], source: str
) -> Optional[Tuple[PlacedFile, ...]]:
    """The files that are left of a distribution that is not as its RECORD says; else None."""
    if before is None or not source or before.version != chosen.version:
        return None
    if before.wheel is None or chosen.wheel is None or before.wheel[2] != chosen.wheel[2]:
        return None
    found = []
    for file in files_of(source, chosen.name) or ():
        path = os.path.join(source, *file.path.split("/"))
        try:
            if stat.S_ISREG(os.lstat(path).st_mode):
                size = os.stat(path).st_size
                found.append(PlacedFile(file.path, size, _digest(path)))
        except OSError:
            continue
    return tuple(found) if any(f.path.endswith(".dist-info/METADATA") for f in found) else None


def files_of(site: str, name: str) -> Optional[Tuple[PlacedFile, ...]]:
    """The files of a distribution in the site of a generation; None if that cannot be told.

    Args:
        site: The site.
        name: The canonical name of the distribution.
    """
    info = _info_of(site, name)
    if info is None:
        return None
    try:
        with open(os.path.join(site, info, "RECORD"), "rb") as file:
            data = file.read()
    except OSError:
        return None
    faults: List[Fault] = []
    rows = rows_of(data, f"{info}/RECORD", faults)
    ours = (f"{info}/RECORD", f"{info}/INSTALLER")
    files = []
    for path, row in rows.items():
        if path in ours:
            continue
        inside = not os.path.isabs(path) and ".." not in path.split("/") and "\\" not in path
        if not inside or row.algorithm != "sha256" or row.size is None:
            return None
        files.append(PlacedFile(path, row.size, row.digest.hex()))
    return None if faults or not files else tuple(sorted(files))


def _info_of(site: str, name: str) -> Optional[str]:
    """The information directory of a distribution."""
    stem = name.replace("-", "_")
    try:
        names = sorted(os.listdir(site))
    except OSError:
        return None
    found = [
        each
        for each in names
        if each.endswith(".dist-info")
        and each.partition("-")[0].lower().replace(".", "_").replace("__", "_") == stem
    ]
    return found[0] if len(found) == 1 else None


def _is_as_listed(site: str, file: PlacedFile) -> bool:
    path = os.path.join(site, *file.path.split("/"))
    try:
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode) or found.st_size != file.size:
            return False
        return not file.sha256 or _digest(path) == file.sha256
    except OSError:
        return False


def _digest(path: str) -> str:
    sha256 = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(_BLOCK), b""):
            sha256.update(block)
    return sha256.hexdigest()


def _write_record(site: str, name: str, files: Iterable[PlacedFile]) -> None:
    """Writes the RECORD and the INSTALLER of a distribution; what else was noted down goes."""
    listed = [each for each in files if not each.path.endswith(".dist-info/RECORD")]
    info = next(
        each.path.partition("/")[0] for each in listed if each.path.endswith(".dist-info/METADATA")
    )
    for noted in _NOTED:
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(site, info, noted))
    path = os.path.join(site, info, "INSTALLER")
    atomic_write(path, _INSTALLER, mode=0o644, fsync=False)
    listed = [each for each in listed if each.path != f"{info}/INSTALLER"]
    listed.append(
        PlacedFile(f"{info}/INSTALLER", len(_INSTALLER), hashlib.sha256(_INSTALLER).hexdigest())
    )
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    for each in sorted(listed):
        digest = base64.urlsafe_b64encode(bytes.fromhex(each.sha256)).rstrip(b"=").decode("ascii")
        lines.writerow((each.path, f"sha256={digest}", each.size))
    lines.writerow((f"{info}/RECORD", "", ""))
    path = os.path.join(site, info, "RECORD")
    atomic_write(path, out.getvalue().encode("utf-8"), mode=0o644, fsync=False)


def _copy(source: str, site: str, files: Iterable[PlacedFile]) -> None:
    for file in files:
        parts = file.path.split("/")
        target = os.path.join(site, *parts)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(os.path.join(source, *parts), target, follow_symlinks=False)
        shutil.copymode(os.path.join(source, *parts), target, follow_symlinks=False)
