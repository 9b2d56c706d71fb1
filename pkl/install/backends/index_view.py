"""The one index that an installer is shown: of the user's indexes, the first that has a name.

uv and pip are told of no other index, and so they talk to nobody but pkl. That is what makes their
answers alike: which index serves a name, that an index which cannot be asked is not one without
the name, which files are too young, and that what the environment has is neither looked for nor
moved, is decided here and not by them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Type

from ...discovery.headers import read_headers
from ...errors import PathError, PklError, RegistryAbsent, RegistryGarbage
from ...model.requirement import specifier_contains, version_key
from ...names import canonical
from ...registry.address import is_local
from ...registry.folder import digest
from ...registry.layout import MAX_METADATA
from ...registry.simple import JSON_TYPE
from ...registry.transport import Transport
from ...registry.wheel_name import parse_wheel_name
from ..solution import Chosen, WheelRef
from ..wanted import Pinned
from ..wheels.fetching import MAX_WHEEL, Fetcher
from ..wheels.zip_reading import Unreadable, content_of, entries_of
from .backend import Query, Resolved
from .index_page import IndexPage, Listed
from .index_pages import IndexPages
from .index_server import Answer, IndexServer
from .stub_wheel import stub_file, stub_metadata, stub_wheel
from .wheel_choice import best_wheel

__all__ = ["IndexView"]

_DIRECT = re.compile(
    rb"^(Requires-Dist[ \t]*:[ \t]*[A-Za-z0-9._-]+)[ \t]*(?:\[[^\]\n]*\])?[ \t]*@[^;\r\n]*",
    re.MULTILINE | re.IGNORECASE,
)
_BYTES = "application/octet-stream"
_TEXT = "text/plain; charset=utf-8"


class _Project(NamedTuple):
    """What is shown of a distribution.

    Attributes:
        files: Its files, each with the number under which it can be fetched.
        source: The index that serves it; empty if none does.
        notes: Which files are not shown, and why.
        elsewhere: Its files that are not on this machine, where the network may not be used.
        pinned: What the environment has of it, which then is all there is; or None.
    """

    files: Tuple[Tuple[int, Listed], ...] = ()
    source: str = ""
    notes: Tuple[str, ...] = ()
    elsewhere: Tuple[Listed, ...] = ()
    pinned: Optional[Pinned] = None


class IndexView:
    """An index for one query, on this machine, until the block is left; a context manager.

    Args:
        query: What is asked.
        python_version: The version of Python that it is for.
        transport: What fetches pages.
        fetcher: What fetches wheels whose METADATA is nowhere else.

    Attributes:
        problems: What was wrong with the indexes; the installer's answer does not count then.
    """

    def __init__(
        self, query: Query, python_version: str, transport: Transport, fetcher: Fetcher
    ) -> None:
        self.problems: List[PklError] = []
        self._query = query
        self._python = python_version
        self._transport = transport
        self._fetcher = fetcher
        dated = query.uploaded_before is not None
        self._pages = IndexPages(query.indexes, transport, offline=query.offline, dated=dated)
        self._local = [_local(each) for each in query.wheels]
        self._pins = {canonical(each.name): each for each in query.installed}
        self._standing = {n: v for n, _, v in (each.partition("==") for each in query.standing)}
        self._projects: Dict[str, _Project] = {}
        self._listed: Dict[int, Tuple[str, Listed]] = {}
        self._metadata: Dict[int, bytes] = {}
        self._lock = threading.Lock()
        self._locks: Dict[str, threading.Lock] = {}
        self._server = IndexServer(self._respond)

    @property
    def url(self) -> str:
        """The URL of the index."""
        return f"{self._server.url}/simple"

    def __enter__(self) -> "IndexView":
        self._server.__enter__()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._server.__exit__(kind, error, trace)

    # What came of it

    @property
    def notes(self) -> Tuple[str, ...]:
        """Which files were not shown, and why, for all that was asked for."""
        found = [note for _, each in sorted(self._projects.items()) for note in each.notes]
        return tuple(found)

    def resolved(self, name: str, version: str) -> Resolved:
        """What an installer chose, with all that the index says of it.

        Raises:
            ValueError: There is no such version; nobody can have chosen it.
            PklError: Its METADATA cannot be had.
        """
        name = canonical(name)
        project = self._projects.get(name, _Project())
        if project.pinned is not None:
            return Resolved(name, project.pinned.version)
        wanted = version_key(version)
        of_it = [(n, each) for n, each in project.files if version_key(each.version) == wanted]
        others = [each for each in project.elsewhere if version_key(each.version) == wanted]
        wheels = [each for each in (*(e for _, e in of_it), *others) if each.wheel]
        fitting = {each.file: n for n, each in of_it if self._fits(each)}
        best = best_wheel(file for file in fitting if file.endswith(".whl"))
        if best is None and self._query.allow_builds:
            best = next((file for file in fitting if not file.endswith(".whl")), None)
        if best is None:
            raise ValueError(f"{name} {version} is not in any index")
        number = fitting[best]
        chosen = self._listed[number][1]
        return Resolved(
            name,
            version,
            chosen.url,
            chosen.sha256,
            "" if chosen in self._local else project.source,
            tuple(WheelRef(e.file, e.url, e.sha256, e.size, e.uploaded) for e in wheels),
            read_headers(self._metadata_of(number)).requires_dist if chosen.wheel else (),
        )

    def _fits(self, each: Listed) -> bool:
        return not each.requires_python or _contains(each.requires_python, self._python)

    # What is asked for

    def _respond(self, path: str) -> Optional[Answer]:
        """The answer to a request; a failure is kept, and there is none."""
        try:
            kind, _, rest = path.partition("/")
            if kind == "simple":
                return self._page(canonical(rest.strip("/")))
            number, _, file = rest.partition("/")
            if kind == "files" and number.isdigit() and int(number) in self._listed:
                return self._file(int(number), file)
        except PklError as e:
            with self._lock:
                self.problems.append(e)
        return None

    def _page(self, name: str) -> Optional[Answer]:
        project = self._project(name)
        if not project.files:
            return None
        rows = [self._row(number, each, project) for number, each in project.files]
        versions = sorted({each.version for _, each in project.files}, key=version_key)
        whole = {
            "meta": {"api-version": "1.1"},
            "name": name,
            "versions": versions,
            "files": rows,
        }
        return Answer(JSON_TYPE, json.dumps(whole).encode("ascii"))

    def _row(self, number: int, each: Listed, project: _Project) -> Dict[str, Any]:
        row: Dict[str, Any] = {
            "filename": each.file,
            "url": f"{self._server.url}/files/{number}/{each.file}",
            "hashes": {"sha256": each.sha256} if each.sha256 else {},
            "yanked": each.yanked,
        }
        if each.size is not None:
            row["size"] = each.size
        if each.requires_python:
            row["requires-python"] = each.requires_python
        if each.wheel:
            # Under its old name, pip 22.3 to 23.1 would fail over it (PEP 714).
            row["core-metadata"] = True
        return row

    def _file(self, number: int, file: str) -> Optional[Answer]:
        name, each = self._listed[number]
        if each.wheel and file == f"{each.file}.metadata":
            return Answer(_TEXT, _DIRECT.sub(_refuse_direct, self._metadata_of(number)))
        if file != each.file:
            return None
        pinned = self._projects[name].pinned
        if pinned is not None:
            return Answer(_BYTES, stub_wheel(pinned))
        if each.wheel:
            return Answer(_BYTES, self._fetched(name, each))
        return Answer(_BYTES, self._source(each))

    # Where it comes from

    def _project(self, name: str) -> _Project:
        with self._lock:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            if name not in self._projects:
                self._projects[name] = self._found(name)
            return self._projects[name]

    def _found(self, name: str) -> _Project:
        pinned = self._pins.get(name)
        if pinned is not None:
            stub = Listed(stub_file(pinned), pinned.version, True, "")
            return _Project(self._numbered(name, [stub]), pinned=pinned)
        local = [each for each in self._local if _name_of(each) == name]
        taken = {each.file for each in local}
        notes: List[str] = []
        served = self._pages.find(name)
        if served is None:
            unasked = None if local else self._pages.unasked(name)
            if unasked is not None:
                raise unasked
            return _Project(self._numbered(name, local))
        index, page = served
        found = [each for each in self._shown(name, page, notes) if each.file not in taken]
        shown = [each for each in found if self._is_here(name, each, notes)]
        gone = tuple(each for each in found if each not in shown)
        return _Project(self._numbered(name, [*local, *shown]), index, tuple(notes), gone)

    def _numbered(self, name: str, files: List[Listed]) -> Tuple[Tuple[int, Listed], ...]:
        with self._lock:
            first = len(self._listed)
            numbered = tuple(enumerate(files, first))
            self._listed.update({number: (name, each) for number, each in numbered})
        return numbered

    def _shown(self, name: str, page: IndexPage, notes: List[str]) -> List[Listed]:
        """The files that an installer may choose from."""
        before = self._query.uploaded_before
        found: List[Listed] = []
        left: Dict[str, List[str]] = {}
        for file in page.unfetchable:
            left.setdefault("is where pkl does not fetch from", []).append(file)
        for each in page.files:
            if not each.wheel and not self._query.allow_builds:
                why = "is a source archive, and building it would run its code"
            elif not each.sha256:
                why = "has no SHA-256 in the index"
            elif before is not None and self._is_young(name, each, before):
                why = "is too young" if each.uploaded else "does not say when it was uploaded"
            else:
                found.append(each)
                continue
            left.setdefault(why, []).append(each.file)
        for why, files in left.items():
            more = f" (and {len(files) - 1} more files of {name})" if len(files) > 1 else ""
            notes.append(f"{files[-1]} {why}{more}")
        return found

    def _is_young(self, name: str, listed: Listed, before: int) -> bool:
        """Whether a file is too young, or not dated; what is in place already is neither."""
        if listed.uploaded is not None and listed.uploaded <= before:
            return False
        there = self._standing.get(name)
        return there is None or version_key(there) != version_key(listed.version)

    def _metadata_of(self, number: int) -> bytes:
        """The METADATA of a wheel: from beside it, or else from the wheel itself."""
        name, each = self._listed[number]
        with self._lock:
            lock = self._locks.setdefault(f"{number}/metadata", threading.Lock())
        with lock:
            if number not in self._metadata:
                self._metadata[number] = self._read_metadata(name, each)
            return self._metadata[number]

    def _read_metadata(self, name: str, each: Listed) -> bytes:
        pinned = self._projects[name].pinned
        if pinned is not None:
            return stub_metadata(pinned)
        if each.metadata and (is_local(each.url) or not self._query.offline):
            place = f"{each.url}.metadata"
            try:
                data = self._transport.get(place, limit=MAX_METADATA).data or b""
            except RegistryAbsent:
                return _inside(self._fetched(name, each))
            if isinstance(each.metadata, str):
                _check(place, data, each.metadata)
            return data
        return _inside(self._fetched(name, each))

    def _is_here(self, name: str, each: Listed, notes: List[str]) -> bool:
        """Whether a file can be had; without the network, what was fetched once can."""
        if not self._query.offline or self._fetcher.is_here(_chosen(name, each)):
            return True
        notes.append(f"{each.file} is not on this machine, and --offline forbids to fetch it")
        return False

    def _fetched(self, name: str, each: Listed) -> str:
        return self._fetcher.fetch(_chosen(name, each))

    def _source(self, each: Listed) -> bytes:
        data = self._transport.get(each.url, limit=each.size or MAX_WHEEL).data or b""
        _check(each.url, data, each.sha256)
        return data


def _chosen(name: str, each: Listed) -> Chosen:
    wheel = WheelRef(each.file, each.url, each.sha256, each.size, each.uploaded)
    return Chosen(name, each.version, wheel=wheel)


def _refuse_direct(match: "re.Match[bytes]") -> bytes:
    """In place of a URL: a version that nothing has, so that nobody goes to that URL."""
    return match[1] + b" ==0+a.url.is.refused "


def _check(url: str, data: bytes, sha256: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise RegistryGarbage(
            f"{url} is not what the index states: its SHA-256 is {found}, and {sha256} is stated",
            url=url,
            hint="tell whoever runs the index",
        )


def _contains(specifier: str, version: str) -> bool:
    try:
        return specifier_contains(specifier, version, True)
    except PklError:
        return False


def _local(path: str) -> Listed:
    """A wheel of this machine, as an index would list it.

    Raises:
        PathError: It cannot be read, or its name is not that of a wheel.
    """
    name = os.path.basename(path)
    said = parse_wheel_name(name)
    if said is None:
        raise PathError(
            f"{path} is not named as a wheel is, such as acme_audit-1.4.0-py3-none-any.whl",
            file=path,
        )
    try:
        sha256, size = digest(path)
    except OSError as e:
        raise PathError(f"{path} cannot be read ({e.strerror or e})", file=path) from e
    return Listed(name, said.version, True, Path(path).as_uri(), sha256, size)


def _name_of(each: Listed) -> str:
    said = parse_wheel_name(each.file)
    return said.distribution if said is not None else ""


def _inside(path: str) -> bytes:
    """The METADATA in a wheel; nothing if it has none, or cannot be read: the audit says why."""
    try:
        with open(path, "rb") as file:
            for entry in entries_of(file, []):
                folder, _, last = entry.name.partition("/")
                if folder.endswith(".dist-info") and last == "METADATA":
                    if entry.size > MAX_METADATA:
                        break
                    return b"".join(content_of(file, entry))
    except (OSError, Unreadable):
        pass
    return b""
