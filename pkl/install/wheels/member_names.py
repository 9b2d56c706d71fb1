"""Which names the files of a wheel may have, whatever system and file system they land on."""

from __future__ import annotations

import re
import unicodedata
from typing import Dict, Iterable, List, Tuple

from ...errors import Fault
from ...names import printable

__all__ = ["MAX_PART", "MAX_PATH", "clashes", "folded", "rule_against"]

MAX_PATH = 1024
"""How many bytes of UTF-8 the path of a file in a wheel may have."""
MAX_PART = 255
"""How many bytes each of its parts may have; more, and most file systems refuse it."""

_DRIVE = re.compile(r"[A-Za-z]:")


def rule_against(name: str) -> str:
    """The rule that the name of a file or directory in a wheel breaks; empty if it breaks none.

    Args:
        name: As it stands in the archive; of a directory, with a slash at its end.
    """
    path = name[:-1] if name.endswith("/") else name
    if not path:
        return "must have a name"
    if path.startswith("/") or _DRIVE.match(path):
        return "must be a relative path"
    if printable(path) != path:
        return "must hold no control characters, and none that are not seen"
    if "\\" in path or ":" in path:
        return "must hold no backslash and no colon, which mean other places on some systems"
    parts = path.split("/")
    if ".." in parts:
        return "must not lead out of its directory with .."
    if "" in parts or "." in parts:
        return "must have no empty part, and none that is ."
    if any(part[-1] in " ." for part in parts):
        return "must have no part that ends with a dot or a space, which some systems drop"
    if len(_bytes(path)) > MAX_PATH or any(len(_bytes(part)) > MAX_PART for part in parts):
        return f"must be no longer than {MAX_PATH} bytes, and {MAX_PART} in each part"
    return ""


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def folded(name: str) -> str:
    """What a name is on a file system that knows no capitals and one spelling of each letter."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def clashes(names: Iterable[str]) -> List[Fault]:
    """Names that some file system cannot tell apart, and files where others need a directory.

    Args:
        names: Files and directories, the latter with a slash at their end; a directory may come
            more than once, and need not come at all.
    """
    found: List[Fault] = []
    files: Dict[str, str] = {}
    spellings: Dict[str, str] = {}
    directories: Dict[str, str] = {}
    for name in names:
        path = name.rstrip("/")
        for parent, spelled in _parents(path):
            _note_spelling(found, spellings, parent, spelled)
            directories.setdefault(parent, name)
        key = folded(path)
        if name.endswith("/"):
            _note_spelling(found, spellings, key, path)
            continue
        other = spellings.setdefault(key, path)
        if other != path:
            rule = f"must not differ from {printable(other)} in case alone"
            found.append(Fault(path, other, rule))
        elif key in files:
            found.append(Fault(path, path, "must be there once, and is there twice"))
        files.setdefault(key, path)
    for key in sorted(files.keys() & directories.keys()):
        inside = directories[key]
        rule = f"must not be a file and a directory, as {printable(inside)} makes it"
        found.append(Fault(files[key], inside, rule))
    return found


def _note_spelling(found: List[Fault], spellings: Dict[str, str], key: str, spelled: str) -> None:
    other = spellings.setdefault(key, spelled)
    if other != spelled:
        rule = f"must not differ from {printable(other)}/ in case alone"
        fault = Fault(f"{spelled}/", other, rule)
        if fault not in found:
            found.append(fault)


def _parents(path: str) -> Iterable[Tuple[str, str]]:
    """Each directory above a file, as it compares and as it is spelled."""
    end = path.find("/")
    while end >= 0:
        yield folded(path[:end]), path[:end]
        end = path.find("/", end + 1)
