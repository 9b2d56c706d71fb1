"""A zip archive read so that nobody could read it otherwise: one file, one name, one content.

A zip archive says most things twice: in its central directory and in front of each file. Readers
differ in whom they believe, so what one of them checks need not be what another unpacks. Here all
that is said must agree (APPNOTE.TXT, 4.3), there is nothing between the files, and nothing is
unpacked beyond what was said of its size.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import zipfile
import zlib
from typing import BinaryIO, Iterator, List, NamedTuple, Sequence, Tuple

from ...errors import Fault

__all__ = [
    "MAX_FILES",
    "MAX_RATIO",
    "MAX_TOTAL",
    "Entry",
    "Unreadable",
    "content_of",
    "entries_of",
    "hashed",
]

MAX_FILES = 100_000
"""How many files and directories a wheel may hold."""
MAX_TOTAL = 8 * 1024**3
"""How many bytes it may have once it is unpacked."""
MAX_RATIO = 200
"""How many times larger than the archive all of it may be once it is unpacked."""
_SMALL = 16 * 1024**2
"""What is smaller than this may be compressed as well as it likes."""
_MAX_DIRECTORY = 32 * 1024**2

_END = struct.Struct("<4s4H2LH")
_LOCATOR_SIZE = 20
_LOCAL = struct.Struct("<4s5H3L2H")
_WIDE = struct.Struct("<2H2Q")
_DESCRIPTORS = (12, 16, 20, 24)
"""Bytes that may follow a file whose sizes were not known when it was begun."""
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_SIZES_FOLLOW = 0x8
_UTF8 = 0x800
_UNICODE_PATH = b"\x75\x70"
_CHUNK = 1 << 18


class Unreadable(ValueError):
    """It is no archive that can be relied on; the text goes on after ``it``."""


class Entry(NamedTuple):
    """A file or directory in the archive.

    Attributes:
        name: As it stands there; of a directory, with a slash at its end.
        size: How many bytes it has, unpacked.
        crc: Its CRC-32.
        start: Where its content begins in the archive.
        packed: How many bytes that is there.
        deflated: Whether it is compressed.
    """

    name: str
    size: int
    crc: int
    start: int
    packed: int
    deflated: bool

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return self.name.endswith("/")


def entries_of(file: BinaryIO, faults: List[Fault]) -> List[Entry]:
    """Everything that is in an archive, in its order; nothing is unpacked.

    Args:
        file: The archive.
        faults: Takes what is wrong with single files; these are among the answer all the same.

    Raises:
        Unreadable: It is no zip archive, or does not agree with itself.
    """
    directory, count = _directory_of(file)
    try:
        with zipfile.ZipFile(file) as archive:
            listed = sorted(archive.infolist(), key=lambda each: each.header_offset)
    except Exception as e:
        # zipfile raises whatever its parsing runs into: BadZipFile, struct.error,
        # NotImplementedError, UnicodeDecodeError, OverflowError.
        raise Unreadable(f"is no sound zip archive: {e}") from e
    if len(listed) != count:
        raise Unreadable(f"lists {len(listed)} files, and says that there are {count}")
    _refuse_bomb(listed, directory)
    if directory and (not listed or listed[0].header_offset):
        raise Unreadable("has something in front of its first file")
    found: List[Entry] = []
    ends = [each.header_offset for each in listed[1:]] + [directory]
    for info, end in zip(listed, ends):
        entry = _entry(file, info, faults)
        gap = end - entry.start - entry.packed
        allowed = _DESCRIPTORS if info.flag_bits & _SIZES_FOLLOW else (0,)
        if gap not in allowed:
            shared = "shares bytes with" if gap < 0 else "is not followed by"
            raise Unreadable(f"is ambiguous: {entry.name!a} {shared} what comes after it")
        found.append(entry)
    return found


def _directory_of(file: BinaryIO) -> Tuple[int, int]:
    """Where the list of contents begins, which ends with the file; and how long it says it is."""
    size = file.seek(0, os.SEEK_END)
    if size < _END.size:
        raise Unreadable("is no zip archive: it is too short")
    file.seek(max(0, size - _END.size - _LOCATOR_SIZE))
    wide = file.read(_LOCATOR_SIZE)[:4] == b"PK\6\7"
    file.seek(size - _END.size)
    sign, disk, first, here, count, length, offset, comment = _END.unpack(file.read(_END.size))
    if sign != b"PK\5\6" or comment:
        file.seek(0)
        if file.read(4) not in (b"PK\3\4", b"PK\5\6"):
            raise Unreadable("is no zip archive")
        raise Unreadable("is cut off, or has something behind its end, such as a comment")
    if wide or 0xFFFF in (count, disk) or 0xFFFFFFFF in (length, offset):
        raise Unreadable("is larger than 4 GiB or holds more files than a wheel does")
    if disk or first or here != count:
        raise Unreadable("is only a part of an archive")
    if length > _MAX_DIRECTORY or count > MAX_FILES:
        raise Unreadable(f"lists more than the {MAX_FILES} files that a wheel may hold")
    if offset + length != size - _END.size:
        raise Unreadable("has something in front of it, or before its list of contents")
    return offset, count


def _refuse_bomb(listed: Sequence[zipfile.ZipInfo], packed: int) -> None:
    total = sum(each.file_size for each in listed)
    if total > MAX_TOTAL:
        raise Unreadable(f"would have {total} bytes once unpacked, and may have {MAX_TOTAL}")
    if total > _SMALL and total > MAX_RATIO * packed:
        raise Unreadable(
            f"would grow from {packed} to {total} bytes when it is unpacked, which is more than"
            f" {MAX_RATIO} times as much"
        )


def _entry(file: BinaryIO, info: zipfile.ZipInfo, faults: List[Fault]) -> Entry:
    """One file, if what stands in front of it is what the list of contents says of it."""
    name, flags = info.orig_filename, info.flag_bits
    file.seek(info.header_offset)
    head = file.read(_LOCAL.size)
    if len(head) < _LOCAL.size or head[:4] != b"PK\3\4":
        raise Unreadable(f"is damaged: {name!a} is not where it is said to be")
    _, _, said_flags, method, _, _, crc, packed, size, length, more = _LOCAL.unpack(head)
    said_name, extra = file.read(length), file.read(more)
    raw = name.encode("utf-8" if flags & _UTF8 else "cp437", "surrogatepass")
    if said_name != raw:
        raise Unreadable(f"is ambiguous: {name!a} is called {said_name!a} in front of its content")
    if size == packed == 0xFFFFFFFF:
        packed, size = _wide(extra)
    stated = (info.CRC, info.compress_size, info.file_size)
    if (said_flags, method) != (flags, info.compress_type) or (
        not flags & _SIZES_FOLLOW and (crc, packed, size) != stated
    ):
        raise Unreadable(f"is ambiguous: what is said of {name!a} in two places differs")
    rule = _rule_against(info, name, extra)
    if rule:
        faults.append(Fault(name, oct(info.external_attr >> 16), rule))
    return Entry(
        name,
        info.file_size,
        info.CRC,
        info.header_offset + _LOCAL.size + length + more,
        info.compress_size,
        info.compress_type == zipfile.ZIP_DEFLATED,
    )


def _wide(extra: bytes) -> Tuple[int, int]:
    """The sizes that did not fit in front of a file (APPNOTE.TXT, 4.5.3): packed, unpacked."""
    if len(extra) >= _WIDE.size:
        kind, length, size, packed = _WIDE.unpack(extra[: _WIDE.size])
        if kind == 1 and length >= 16:
            return packed, size
    return -1, -1


def _rule_against(info: zipfile.ZipInfo, name: str, extra: bytes) -> str:
    """The rule that a file breaks by what it is, whatever it is called."""
    flags, mode = info.flag_bits, info.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if flags & _ENCRYPTED:
        return "must not be encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "must be stored or deflated; not every installer can unpack anything else"
    if info.compress_type == zipfile.ZIP_STORED:
        if flags & _SIZES_FOLLOW and info.file_size:
            return "must state its size in front of its content, as it is not compressed"
        if info.compress_size != info.file_size:
            return "must have one size, as it is not compressed"
    if kind == stat.S_IFLNK:
        return "must not be a symbolic link"
    if kind not in (0, stat.S_IFDIR if name.endswith("/") else stat.S_IFREG):
        return "must be a file, or a directory if its name says so"
    if name.endswith("/") and info.file_size:
        return "must be empty, being a directory"
    if not name.isascii() and not flags & _UTF8:
        return "must be marked as UTF-8, as its name is not ASCII"
    if any(_UNICODE_PATH in each for each in (info.extra, extra)) and _has_other_name(info, extra):
        return "must have one name, and has another one for some readers"
    return ""


def _has_other_name(info: zipfile.ZipInfo, extra: bytes) -> bool:
    """Whether there is an Info-ZIP Unicode path among the extra fields (APPNOTE.TXT, 4.6.9)."""
    for field in (info.extra, extra):
        at = 0
        while at + 4 <= len(field):
            if field[at : at + 2] == _UNICODE_PATH:
                return True
            at += 4 + int.from_bytes(field[at + 2 : at + 4], "little")
    return False


def content_of(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    """The content of a file, in pieces, and never more than is said of its size.

    Raises:
        Unreadable: It is damaged, or has another size or checksum than is said.
    """
    crc = size = 0
    for piece in _pieces(file, entry):
        size += len(piece)
        if size > entry.size:
            break
        crc = zlib.crc32(piece, crc)
        yield piece
    if size != entry.size or crc != entry.crc:
        raise Unreadable(f"is damaged: {entry.name!a} is not what the archive says of it")


def _pieces(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    file.seek(entry.start)
    left = entry.packed
    unpack = zlib.decompressobj(-zlib.MAX_WBITS)
    while left > 0:
        chunk = file.read(min(_CHUNK, left))
        if not chunk:
            return
        left -= len(chunk)
        if not entry.deflated:
            yield chunk
            continue
        try:
            while chunk:
                yield unpack.decompress(chunk, _CHUNK)
                chunk = unpack.unconsumed_tail
        except zlib.error as e:
            raise Unreadable(f"is damaged: {entry.name!a} cannot be unpacked ({e})") from e
        if unpack.unused_data:
            raise Unreadable(f"is ambiguous: {entry.name!a} ends before its content does")
    if entry.deflated:
        yield unpack.flush()
        if not unpack.eof:
            raise Unreadable(f"is damaged: {entry.name!a} is cut off")


def hashed(file: BinaryIO, entry: Entry, algorithm: str) -> bytes:
    """The digest of the content of a file.

    Args:
        file: The archive.
        entry: The file in it.
        algorithm: As ``hashlib.new`` names it.

    Raises:
        Unreadable: As ``content_of``.
    """
    digest = hashlib.new(algorithm)
    for piece in content_of(file, entry):
        digest.update(piece)
    return digest.digest()
