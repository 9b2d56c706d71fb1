"""One wheel file: its metadata and its plugins, read without unpacking or running anything."""

from __future__ import annotations

import os
import stat
from typing import List, NoReturn, Sequence

from ..errors import DiscoveryError, RequirementError
from ..model.candidate import Candidate
from ..model.manifest import PluginMetadata
from ..model.requirement import check_specifier, is_version
from ..model.wheel import WheelFacts
from .archive import BrokenArchive
from .candidates import add_rows
from .distribution import Distribution
from .findings import Findings
from .scan import Scan, open_tree, scan

__all__ = ["read_wheel"]

_MAX_DIRECTORY = 32 * 1024 * 1024
"""The largest list of contents of an archive, in bytes: some 300,000 files."""
_END = b"PK\5\6"
_END_SIZE = 22
_MAX_COMMENT = 65535


def read_wheel(path: str, groups: Sequence[str]) -> WheelFacts:
    """What a wheel says of itself and of the plugins it carries.

    Args:
        path: The wheel.
        groups: The entry-point groups whose members are plugins.

    Raises:
        DiscoveryError: It is damaged, or one of its plugins could never start; the text says why.
    """
    _refuse_endless(path)
    try:
        open_tree(path)
    except OSError as e:
        _refuse(path, f"it is {e}" if isinstance(e, BrokenArchive) else str(e))
    found = scan(path)
    if found.failures:
        _refuse(path, found.failures[0][1].message)
    if found.tree is None or len(found.infos) != 1:
        _refuse(path, f"it holds {len(found.infos)} .dist-info directories, and must hold one")
    return _facts(path, found, groups)


def _facts(path: str, found: Scan, groups: Sequence[str]) -> WheelFacts:
    assert found.tree is not None
    (info,) = found.infos.values()
    distribution = Distribution(found.tree, info)
    headers = distribution.headers
    if distribution.problem:
        _refuse(path, distribution.problem)
    if not is_version(headers.version):
        _refuse(path, f"its version {headers.version!a} is not a version (PEP 440)")
    try:
        check_specifier(headers.requires_python)
    except RequirementError:
        _refuse(path, f"its Requires-Python {headers.requires_python!a} cannot be read (PEP 440)")
    plugins: List[PluginMetadata] = []
    for offer in found.offers:
        for group in groups:
            rows = Findings(path)
            add_rows(rows, offer, group, (), foreign=False, watch=False)
            if rows.failures:
                _refuse(path, rows.failures[0][1].message)
            plugins += [_startable(path, each) for _, each in rows.candidates]
    try:
        data = found.tree.read(distribution.metadata_file) or b""
    except OSError as e:
        _refuse(path, str(e))
    return WheelFacts(headers.name, headers.version, headers.requires_python, data, tuple(plugins))


def _startable(path: str, candidate: Candidate) -> PluginMetadata:
    """The metadata of a plugin, if anything could ever start it."""
    if candidate.fault is not None:
        _refuse(path, candidate.fault.message)
    if candidate.location is None:
        what = f"the entry point of {candidate.name!r} names {candidate.target}, which is not in it"
        _refuse(path, what)
    return candidate.metadata


def _refuse_endless(path: str) -> None:
    """Refuses what is no file, and an archive whose list of contents would fill the memory."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            _refuse(path, "it is not a file")
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _END_SIZE - _MAX_COMMENT))
            tail = file.read()
    except OSError as e:
        _refuse(path, f"it cannot be read ({e.strerror or e})")
    at = tail.rfind(_END)
    if at >= 0 and int.from_bytes(tail[at + 12 : at + 16], "little") > _MAX_DIRECTORY:
        _refuse(path, "it lists more files than a wheel holds")


def _refuse(path: str, why: str) -> NoReturn:
    raise DiscoveryError(
        f"{os.path.basename(path)} cannot be used: {why}",
        file=path,
        hint=f"pkl check {path}",
        why=why,
    )
