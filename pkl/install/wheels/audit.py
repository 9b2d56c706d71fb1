"""Whether a wheel is what was announced, and would do no more than add a plugin or a library.

Only the archive is read: nothing of it runs, and nothing is written. What is refused, and why, is
in ``docs/wheels.md``; the format is that of the "binary distribution format" specification.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import BinaryIO, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ...discovery.entry_points import MalformedEntryPoints, parse_entry_points
from ...discovery.headers import Headers, read_headers
from ...errors import Fault, WheelRefused
from ...model.requirement import version_key
from ...names import canonical, printable
from ...registry.wheel_name import WheelName, parse_wheel_name
from ..solution import Chosen
from .announced import differences
from .member_names import clashes, rule_against
from .record import Row, rows_of
from .taken import conflicts
from .wheel_layout import SIGNATURES, Layout, layout_of
from .zip_reading import Entry, Unreadable, content_of, entries_of, hashed

__all__ = ["PlacedFile", "WheelContent", "audit_wheel"]

_MAX_TEXT = 64 * 1024**2
"""How many bytes RECORD, METADATA and the like may have."""
_SHOWN = 20
"""How many faults the text of the error names; ``faults`` holds all of them."""
_COMMAND = re.compile(r"(?:pkl|pythonw?[\d.]*t?|pip[\d.]*|uvx?)(?:\.exe)?", re.IGNORECASE)
_WHEEL_VERSION = re.compile(rb"^Wheel-Version:\s*(\d+)\.(\d+)\s*$", re.MULTILINE)


class PlacedFile(NamedTuple):
    """A file that a wheel adds.

    Attributes:
        path: Below the directory of the generation, with slashes.
        size: How many bytes it has.
        sha256: Its digest, in hex; empty of RECORD, which an installer writes anew.
    """

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class WheelContent:
    """What a wheel adds.

    Attributes:
        name: The canonical name of the distribution.
        version: Its version.
        files: What is placed, sorted by path.
        metadata: What its METADATA says of it.
        commands: The commands that it has; a generation installs none.
        left_out: Files of it that would go elsewhere (``data``, ``headers``) and are not
            installed, by their path in the wheel.
    """

    name: str
    version: str
    files: Tuple[PlacedFile, ...]
    metadata: Headers
    commands: Tuple[str, ...] = ()
    left_out: Tuple[str, ...] = ()

    @property
    def notes(self) -> Tuple[str, ...]:
        """What of it is not installed, in lines for people."""
        found = []
        if self.commands:
            found.append(f"{self.name}: its commands are not installed ({_few(self.commands)})")
        if self.left_out:
            found.append(f"{self.name}: files for elsewhere are left out ({_few(self.left_out)})")
        return tuple(found)


def audit_wheel(
    path: str, expected: Chosen, taken: Mapping[str, str], *, groups: Sequence[str] = ()
) -> WheelContent:
    """What a wheel adds, if nothing speaks against it.

    Args:
        path: The wheel.
        expected: What it must turn out to be.
        taken: What is there already, each path with whose it is: the files of the generation so
            far, by their paths in it, and ``names_of_environment``. Whose ``os.path.isabs``
            holds is a place, whose owner is looked up.
        groups: The entry-point groups whose members are plugins; with any, the plugins in the
            wheel are compared with those of ``expected``.

    Raises:
        WheelRefused: With every reason.
        OSError: The wheel cannot be read.
    """
    faults: List[Fault] = []
    try:
        with open(path, "rb") as file:
            content = _Audit(path, file, expected, faults).content(taken)
    except Unreadable as e:
        content = None
        faults.append(Fault("", None, str(e)))
    if content is not None and not faults:
        faults += differences(path, expected, content.metadata, groups)
    if content is None or faults:
        raise _refused(path, expected, faults)
    return content


class _Audit:
    """One wheel while it is looked through."""

    def __init__(self, path: str, file: BinaryIO, expected: Chosen, faults: List[Fault]) -> None:
        self.file = file
        self.expected = expected
        self.faults = faults
        self.stated = _stated(path, expected, faults)
        self.entries: Dict[str, Entry] = {}

    def content(self, taken: Mapping[str, str]) -> Optional[WheelContent]:
        """What it adds; None if there is too much wrong with it to tell."""
        listed = entries_of(self.file, self.faults)
        names = [each.name for each in listed]
        named = [(name, rule_against(name)) for name in dict.fromkeys(names)]
        self.faults += [Fault(printable(name), name, rule) for name, rule in named if rule]
        self.faults += clashes(names)
        self.entries = {each.name: each for each in listed if not each.is_directory}
        if self.stated is None:
            return None
        said = self.stated
        layout = layout_of(list(self.entries), said.distribution, said.version, self.faults)
        if layout is None:
            return None
        digests = self._check_record(layout)
        headers = self._metadata(layout)
        commands = self._commands(layout)
        self._check_placed(layout, taken)
        files = [
            PlacedFile(where, self.entries[name].size, digests.get(name, ""))
            for name, where in layout.placed.items()
        ]
        return WheelContent(
            said.distribution,
            headers.version,
            tuple(sorted(files)),
            headers,
            commands,
            layout.elsewhere,
        )

    def _text(self, name: str) -> Optional[bytes]:
        """A file of its information directory; None, and a fault, if that cannot be had."""
        entry = self.entries.get(name)
        if entry is None:
            self.faults.append(Fault(name, None, "must be there"))
            return None
        if entry.size > _MAX_TEXT:
            rule = f"must have no more than {_MAX_TEXT} bytes"
            self.faults.append(Fault(name, entry.size, rule))
            return None
        return b"".join(content_of(self.file, entry))

    def _check_record(self, layout: Layout) -> Dict[str, str]:
        """The digest of each file, in hex; what RECORD says otherwise is a fault."""
        record = f"{layout.info}/RECORD"
        data = self._text(record)
        rows = rows_of(data, record, self.faults) if data is not None else {}
        unlisted = {record, *(f"{layout.info}/{each}" for each in SIGNATURES)}
        digests: Dict[str, str] = {}
        for name, entry in self.entries.items():
            found = hashed(self.file, entry, "sha256")
            if name != record:
                digests[name] = found.hex()
            if data is not None and name not in unlisted:
                self._check_row(name, entry, rows.get(name), found)
        for name in rows:
            if name not in self.entries:
                self.faults.append(Fault(printable(name), name, _missing(name)))
        return digests

    def _check_row(self, name: str, entry: Entry, row: Optional[Row], found: bytes) -> None:
        if row is None:
            rule = "must be listed in RECORD"
        elif not row.algorithm:
            rule = "must have a digest in RECORD"
        elif row.size is not None and row.size != entry.size:
            rule = f"must have the {row.size} bytes that RECORD states, and has {entry.size}"
        else:
            same = row.algorithm == "sha256"
            actual = found if same else hashed(self.file, entry, row.algorithm)
            if actual == row.digest:
                return
            rule = (
                f"must have the {row.algorithm} that RECORD states, {row.digest.hex()}, "
                f"and has {actual.hex()}"
            )
        self.faults.append(Fault(printable(name), entry.size, rule))

    def _metadata(self, layout: Layout) -> Headers:
        """What METADATA says; what differs from the name of the wheel is a fault."""
        wheel = self._text(f"{layout.info}/WHEEL")
        if wheel is not None:
            match = _WHEEL_VERSION.search(wheel.replace(b"\r\n", b"\n"))
            if match is None or match[1] != b"1":
                value = match[0].decode("ascii", "replace") if match else None
                rule = "must state Wheel-Version: 1.0, the version of the format that is known"
                self.faults.append(Fault(f"{layout.info}/WHEEL", value, rule))
        name = f"{layout.info}/METADATA"
        data = self._text(name)
        headers = read_headers(data or b"")
        said = self.stated
        if data is not None and said is not None and not said.is_of(headers.name, headers.version):
            rule = f"must be of {said.distribution} {said.version}, as the name of the wheel says"
            self.faults.append(Fault(name, f"{headers.name} {headers.version}", rule))
        return headers

    def _commands(self, layout: Layout) -> Tuple[str, ...]:
        """The names of its commands; those that must not be are faults."""
        name = f"{layout.info}/entry_points.txt"
        found = [(f"{layout.info[:-10]}.data/scripts/{each}", each) for each in layout.scripts]
        if name in self.entries:
            try:
                groups = parse_entry_points(self._text(name) or b"")
            except MalformedEntryPoints as e:
                self.faults.append(
                    Fault(f"{name}:{e.line}", None, f"must be readable: {e.message}")
                )
                groups = {}
            for group in ("console_scripts", "gui_scripts"):
                found += [(f"{name}:{e.line}", e.name) for e in groups.get(group, ())]
        for where, command in found:
            if _COMMAND.fullmatch(command):
                rule = f"must not be called {command}, which is the name of another command"
                self.faults.append(Fault(where, command, rule))
            elif rule_against(command) or "/" in command:
                rule = "must be the name of a command, and no path"
                self.faults.append(Fault(where, command, rule))
        return tuple(dict.fromkeys(command for _, command in found))

    def _check_placed(self, layout: Layout, taken: Mapping[str, str]) -> None:
        """What lands on what is there already, or on another file of the wheel itself."""
        if any(name != where for name, where in layout.placed.items()):
            again = clashes(layout.placed.values())
            self.faults += [each for each in again if each not in self.faults]
        assert self.stated is not None
        self.faults += conflicts(list(layout.placed.values()), taken, self.stated.distribution)


def _stated(path: str, expected: Chosen, faults: List[Fault]) -> Optional[WheelName]:
    """What the name of the wheel says; that of another distribution is a fault."""
    file = os.path.basename(path)
    said = parse_wheel_name(file)
    if said is None:
        rule = "must be named as a wheel is, such as acme_audit-1.4.0-py3-none-any.whl"
        faults.append(Fault(printable(file), file, rule))
    elif said.distribution != canonical(expected.name) or version_key(said.version) != version_key(
        expected.version
    ):
        rule = f"must be of {expected.name} {expected.version}, which was announced"
        faults.append(Fault(file, f"{said.distribution} {said.version}", rule))
    return said


def _missing(name: str) -> str:
    rule = rule_against(name)
    return (
        f"must be in the archive, being listed in RECORD, and {rule}"
        if rule
        else ("must be in the archive, being listed in RECORD")
    )


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(map(printable, names[:3]))
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _refused(path: str, expected: Chosen, faults: Sequence[Fault]) -> WheelRefused:
    file = os.path.basename(path)
    count = "for 1 reason" if len(faults) == 1 else f"for {len(faults)} reasons"
    lines = [f"{printable(file)} is refused {count}"]
    for each in faults[:_SHOWN]:
        lines.append(f"  {each.path}: it {each.rule}" if each.path else f"  it {each.rule}")
    if len(faults) > _SHOWN:
        lines.append(f"  and {len(faults) - _SHOWN} more")
    return WheelRefused(
        "\n".join(lines),
        faults=faults,
        distribution=expected.name,
        version=expected.version,
        file=path,
        hint=f"nothing was installed; tell whoever publishes {expected.name}, "
        f"or take another version of it",
    )
