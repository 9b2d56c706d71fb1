"""What source text belongs to which code: caches for compiled code and for tracebacks."""

from __future__ import annotations

import os.path
import sys
from collections import OrderedDict
from importlib.util import decode_source
from threading import RLock
from types import CodeType
from typing import List, Optional, Tuple
from weakref import WeakValueDictionary

__all__ = ["CODES", "CodeCache", "Text", "forget_lines", "text_for"]

Stamp = Tuple[int, int]
"""Modification time in nanoseconds and size in bytes."""


class CodeCache:
    """Compiled code by file name and source bytes, the least recently used thrown out.

    The source itself is the key, so an answer can never be that of another text.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._codes: "OrderedDict[Tuple[str, bytes], CodeType]" = OrderedDict()
        self._lock = RLock()

    def __len__(self) -> int:
        return len(self._codes)

    def code(self, file: str, source: bytes) -> CodeType:
        """The code of ``source`` as the module file ``file``, compiled now if it is not known.

        Raises:
            SyntaxError: The source is not Python.
            ValueError: It holds null bytes.
        """
        key = (file, source)
        with self._lock:
            found = self._codes.get(key)
            if found is not None:
                self._codes.move_to_end(key)
                return found
        code: CodeType = compile(source, file, "exec", dont_inherit=True)
        if len(source) <= self._limit:
            with self._lock:
                if key not in self._codes:
                    self._codes[key] = code
                    self._size += len(source)
                while self._size > self._limit:
                    (_, oldest), _ = self._codes.popitem(last=False)
                    self._size -= len(oldest)
        return code


CODES = CodeCache(limit=8 * 1024 * 1024)
"""The cache of this process, bounded by the bytes of source it covers."""


class Text:
    """One text that a file has had, kept while code that was made from it lives.

    Code knows its source by a file name only. So while code of an older text lives, code of the
    next text of the same file is compiled under another spelling of the path (``/a/./b.py``),
    and each shows its own lines in tracebacks.

    Attributes:
        name: The spelling of the path that code made from this text carries.
        source: The text's bytes; None where the code came from a ``.pyc`` and nobody read it.
        stamp: The file's stamp when it was read.
    """

    __slots__ = ("__weakref__", "_entry", "name", "source", "stamp")

    def __init__(self, name: str, source: Optional[bytes], stamp: Stamp) -> None:
        self.name = name
        self.source = source
        self.stamp = stamp
        self._entry: Optional[Tuple[int, None, List[str], str]] = None
        if source is not None:
            self._show(source)

    def is_of(self, source: Optional[bytes], stamp: Stamp) -> bool:
        """Whether this is the text that was just read."""
        if self.source is not None and source is not None:
            return self.source == source
        return self.stamp == stamp

    def learn(self, source: bytes) -> None:
        """Takes over the bytes of a text that was known by its stamp only."""
        if self.source is None:
            self.source = source
            self._show(source)

    def hide(self) -> None:
        """Shows no lines at all: the file has changed and this text was never read."""
        if self.source is None and self._entry is None:
            self._show(b"")

    def _show(self, source: bytes) -> None:
        import linecache

        # Without a modification time linecache takes the entry as it is and never looks at the
        # file again.
        self._entry = (len(source), None, _lines(source), self.name)
        linecache.cache[self.name] = self._entry

    def __del__(self) -> None:
        # Not imported here: at the end of the interpreter nothing can be.
        linecache = sys.modules.get("linecache") if self._entry is not None else None
        if linecache is not None and linecache.cache.get(self.name) is self._entry:
            del linecache.cache[self.name]


def _lines(source: bytes) -> List[str]:
    try:
        # Detecting the encoding costs ten times the rest, and means nothing for ASCII.
        text = source.decode("ascii") if source.isascii() else decode_source(source)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        return []
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    last = lines.pop()
    shown = [f"{line}\n" for line in lines]
    if last:
        shown.append(f"{last}\n")
    return shown


_texts: "WeakValueDictionary[str, Text]" = WeakValueDictionary()
_texts_lock = RLock()


def text_for(path: str, source: Optional[bytes], stamp: Stamp) -> Text:
    """The text of a file, under a name that no living code of another text of it has.

    Args:
        path: The file.
        source: Its bytes, or None if they were not read.
        stamp: Its stamp, taken before it was read.
    """
    folder, base = os.path.split(path)
    name = path
    with _texts_lock:
        while True:
            text = _texts.get(name)
            if text is None:
                text = _texts[name] = Text(name, source, stamp)
                return text
            if text.is_of(source, stamp):
                if source is not None:
                    text.learn(source)
                return text
            text.hide()
            folder = os.path.join(folder, ".")
            name = os.path.join(folder, base)


def forget_lines(file: str) -> None:
    """Lets tracebacks read a file's lines again."""
    import linecache

    linecache.cache.pop(file, None)
