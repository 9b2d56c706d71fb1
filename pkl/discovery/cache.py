"""What was found in one directory, kept on disk; never stale, never required.

One file for each (entry of ``sys.path`` or of ``paths``, group). Its first line says what it is
about and holds a checksum of the rest, and whatever is wrong with it, it is as if it were not
there. A file is believed only while every path it was made from has the stamp it had then; a
path that had changed within two seconds before it was read is not written down at all, for it
may change again without its stamp showing it (git's "racy" rule).

One hole remains: editing ``entry_points.txt`` in place, in a distribution that offered nothing
in the group, changes no stamp that is looked at. Installers replace files and directories, so
only an editor can do it; ``refresh=True`` sees it.
"""

from __future__ import annotations

import binascii
import json
import os
import stat
import sys
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ..files import atomic_write
from ..paths import user_cache_dir
from ..version import VERSION
from .disk import Stamp, is_racy
from .findings import Distributions, Findings
from .records import dump_candidates, dump_failures, load_candidates, load_failures

__all__ = ["Cache"]

SCHEMA = "pkl.discovery-cache/1"
MAX_BYTES = 64 * 1024 * 1024
"""A larger cache file is not read."""
MAX_FILES = 256
"""How many files are kept; the ones that were written longest ago go first."""

_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
_READ |= getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class Cache:
    """Findings kept in a directory; none of its methods raises for what is on the disk.

    Args:
        directory: Where the files are; the user's cache directory if None. It is made when
            something is first written.
    """

    def __init__(self, directory: Optional[str] = None) -> None:
        self.directory = directory or os.path.join(user_cache_dir(), "discovery")

    def read(
        self, path: str, kind: Sequence[str], stamped: Stamp, search: Sequence[str], *, fold: bool
    ) -> Optional[Findings]:
        """What was found in a directory, if that is known and nothing it came from has changed.

        Args:
            path: The directory, absolute.
            kind: What was looked for in it.
            stamped: Its present stamp.
            search: All entries of ``sys.path``; some findings hold only for the same ones.
            fold: Whether names are folded, as in a host's own group.
        """
        key = _key(path, kind)
        data = _read(self._file(key))
        if data is None:
            return None
        try:
            head, _, rest = data.partition(b"\n")
            header = json.loads(head)
            if header["key"] != key or header["crc32"] != binascii.crc32(rest):
                return None
            if header["stamp"] != list(stamped or ()):
                return None
            body, _, names = rest.partition(b"\n")
            found = json.loads(body)
            if found["search"] and found["search"] != list(search):
                return None
            if not _unchanged(path, found["inside"], found["outside"]):
                return None
            return _loaded(path, found, names, fold)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            return None

    def write(
        self,
        found: Findings,
        kind: Sequence[str],
        began_ns: int,
        search: Sequence[str],
        *,
        fold: bool,
    ) -> bool:
        """Keeps what was found, unless something it came from may change unseen.

        Args:
            found: What was found, with all it was made from.
            kind: What was looked for.
            began_ns: ``time.time_ns()`` from before anything was read.
            search: As for ``read``.
            fold: As for ``read``.

        Returns:
            Whether it was written.
        """
        stamped = found.watched[0][1]
        if stamped is None or not found.lasting:
            return False
        if any(is_racy(each, began_ns) for _, each in found.watched):
            return False
        key = _key(found.path, kind)
        inside, outside = _parted(found)
        infos: Mapping[str, str] = found.distributions.infos if found.distributions else {}
        body = {
            "inside": inside,
            "outside": outside,
            "search": list(search) if found.searched else [],
            "candidates": dump_candidates(found.candidates, fold),
            "failures": dump_failures(found.failures),
            "skipped": dump_failures([("", each) for each in found.skipped]),
            "source_trees": found.distributions.source_trees if found.distributions else None,
        }
        try:
            rest = b"\n".join((_json(body), _json(["/".join(infos), "/".join(infos.values())])))
            head = _json({"key": key, "stamp": stamped, "crc32": binascii.crc32(rest)})
            self._prepare()
            atomic_write(self._file(key), head + b"\n" + rest, fsync=False)
        except (OSError, ValueError):
            return False
        return True

    def unsound(self) -> List[Tuple[str, str]]:
        """The files that will never be believed, each with the reason.

        Raises:
            OSError: The directory is there and cannot be listed.
        """
        found: List[Tuple[str, str]] = []
        try:
            names = sorted(os.listdir(self.directory))
        except FileNotFoundError:
            return found
        for name in names:
            path = os.path.join(self.directory, name)
            data = _read(path)
            if data is None:
                found.append((path, "it cannot be read, or is not a file of ours alone"))
                continue
            head, _, rest = data.partition(b"\n")
            try:
                sound = json.loads(head)["crc32"] == binascii.crc32(rest)
            except (ValueError, TypeError, LookupError, RecursionError):
                sound = False
            if not sound:
                found.append((path, "it is damaged"))
        return found

    def _file(self, key: Sequence[str]) -> str:
        name = f"{binascii.crc32('/'.join(key).encode('utf-8', 'replace')):08x}"
        base = "".join(c if c.isalnum() else "-" for c in os.path.basename(key[-1]))[:40]
        return os.path.join(self.directory, f"{base or 'root'}-{name}.json")

    def _prepare(self) -> None:
        """Makes the directory, and room in it."""
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        with os.scandir(self.directory) as entries:
            files = [entry.path for entry in entries if entry.name.endswith(".json")]
        if len(files) >= MAX_FILES:
            files.sort(key=_modified)
            for file in files[: len(files) - MAX_FILES + 1]:
                _remove(file)


def _key(path: str, kind: Sequence[str]) -> List[str]:
    return [SCHEMA, VERSION, str(sys.implementation.cache_tag), *kind, path]


def _modified(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return  # another process was quicker, or may not


def _read(path: str) -> Optional[bytes]:
    """The file's content, if it is ours, is a plain file, and no one else may write to it."""
    try:
        fd = os.open(path, _READ)
    except OSError:
        return None
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_BYTES:
            return None
        if hasattr(os, "geteuid") and (found.st_uid != os.geteuid() or found.st_mode & 0o022):
            return None
        parts: List[bytes] = []
        while True:
            part = os.read(fd, found.st_size + 1)
            if not part:
                return b"".join(parts)
            parts.append(part)
    except OSError:
        return None
    finally:
        os.close(fd)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _parted(found: Findings) -> Tuple[List[Any], List[Any]]:
    """What was watched below the entry, as relative paths, and elsewhere; the entry left out."""
    inside: List[Any] = [[], []]
    outside: List[Any] = [[], []]
    start = os.path.join(found.path, "")
    for path, stamped in dict(found.watched[1:]).items():
        paths, stamps = inside if path.startswith(start) else outside
        paths.append(path[len(start) :] if paths is inside[0] else path)
        stamps.append(stamped)
    return inside, outside


def _unchanged(path: str, inside: Any, outside: Any) -> bool:
    """Whether everything that was watched still has the stamp it had."""
    if inside[0]:
        if os.stat in os.supports_dir_fd and os.path.isdir(path):
            # Several hundred paths need not be walked from the root of the file system.
            fd = os.open(path, os.O_RDONLY)
            try:
                if not _same(inside, fd):
                    return False
            finally:
                os.close(fd)
        elif not _same([[os.path.join(path, each) for each in inside[0]], inside[1]], None):
            return False
    return _same(outside, None)


def _same(watched: Any, directory: Optional[int]) -> bool:
    paths, stamps = watched
    if len(paths) != len(stamps):
        return False
    look = os.stat
    for path, then in zip(paths, stamps):
        try:
            now = look(path, dir_fd=directory)
        except (OSError, ValueError):
            if then is not None:
                return False
        else:
            if then != [now.st_mtime_ns, now.st_ctime_ns, now.st_ino, now.st_size]:
                return False
    return True


def _loaded(path: str, found: Any, names: bytes, fold: bool) -> Findings:
    """What was found, from a body that has the right checksum.

    Raises:
        ValueError, TypeError, LookupError, AttributeError: It is not of the shape that is written.
    """
    distributions = None
    if found["source_trees"] is not None:
        distributions = Distributions(lambda: _infos(names), list(found["source_trees"]))
    return Findings(
        path,
        load_candidates(found["candidates"], fold),
        load_failures(found["failures"]),
        [each for _, each in load_failures(found["skipped"])],
        distributions,
    )


def _infos(names: bytes) -> Dict[str, str]:
    try:
        keys, infos = json.loads(names)
        return dict(zip(keys.split("/"), infos.split("/")))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}  # only a forged file passes the checksum and comes here
