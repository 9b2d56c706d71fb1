"""Python source as part of a generation: marked before it runs, and never from stale bytecode."""

from __future__ import annotations

import os
import sys
import time
from _imp import _fix_co_filename  # type: ignore[attr-defined]
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import MAGIC_NUMBER, cache_from_source, decode_source, source_hash
from io import FileIO
from marshal import dumps, loads
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Optional, Tuple
from weakref import ref

from .lines import CODES, Text, text_for

if TYPE_CHECKING:
    from .modules import GenerationModules

__all__ = ["RACY_NS", "SourceLoader"]

RACY_NS = 2_000_000_000
"""A file changed less than these nanoseconds ago may change again and keep its stamp."""

_HEADER = 16


class SourceLoader(SourceFileLoader):
    """Loads one module from its ``.py`` file.

    A first generation takes the code from the ``.pyc``, if the source has been at rest for two
    seconds and the ``.pyc`` is younger than it and fits it. Every other load compiles the bytes
    of the source.
    """

    def __init__(self, name: str, path: str, modules: "ref[GenerationModules]") -> None:
        super().__init__(name, path)
        self._modules = modules
        self._code: Optional[CodeType] = None
        self._text: Optional[Text] = None
        self._cache = ""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Makes the module and marks it; its code is read and compiled here already.

        Raises:
            SyntaxError: The source is not Python.
            OSError: It cannot be read.
            ImportError: The generation has been stopped.
        """
        modules = self._generation(spec.name)
        self._code = self._compiled(modules)
        if self._text is not None:
            spec.origin = self._text.name
        if self._cache and spec.origin == self.path:
            spec.cached = self._cache  # or importlib would work it out once more
        return modules.new_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Runs the module's code.

        Raises:
            PluginNotRunning: The generation has been stopped.
            BaseException: What the code raised.
        """
        self._generation(module.__name__).run(module, super().exec_module)

    def get_code(self, fullname: str) -> CodeType:
        """The module's code: that of ``create_module`` once, else what the file holds now.

        Raises:
            SyntaxError: The source is not Python.
            OSError: It cannot be read.
            ImportError: The generation has been stopped.
        """
        modules = self._generation(fullname)
        code, self._code = self._code, None
        return self._compiled(modules) if code is None else code

    def get_source(self, fullname: str) -> str:
        """The text that the loaded code was made from; what the file holds if that is not kept."""
        text = self._text
        if text is None or text.source is None:
            return decode_source(self.get_data(self.path))
        return decode_source(text.source)

    def _generation(self, name: str) -> "GenerationModules":
        modules = self._modules()
        if modules is None:
            raise ImportError(f"{name!r} belongs to a plugin that is gone", name=name)
        return modules

    def _compiled(self, modules: "GenerationModules") -> CodeType:
        path = self.path
        if modules.owner.number == 1:
            stat = os.stat(path)
            if time.time_ns() - stat.st_mtime_ns > RACY_NS:
                return self._at_rest(stat, modules.write_bytecode)
        source, stat = _read(path)
        return self._from_source(source, stat)

    def _from_source(self, source: bytes, stat: os.stat_result) -> CodeType:
        self._text = text_for(self.path, source, (stat.st_mtime_ns, stat.st_size))
        return CODES.code(self._text.name, source)

    def _at_rest(self, stat: os.stat_result, write: bool) -> CodeType:
        try:
            cache = cache_from_source(self.path)
        except NotImplementedError:
            cache = ""
        self._cache = cache
        code = _cached(cache, self.path, stat) if cache else None
        if code is not None:
            self._text = text_for(self.path, None, (stat.st_mtime_ns, stat.st_size))
            if self._text.name != self.path:
                _fix_co_filename(code, self._text.name)
            return code
        source, now = _read(self.path)
        code = self._from_source(source, now)
        if (
            write
            and cache
            and not sys.dont_write_bytecode
            and (now.st_mtime_ns, now.st_size) == (stat.st_mtime_ns, stat.st_size)
            and code.co_filename == self.path
        ):
            header = MAGIC_NUMBER + bytes(4) + _stamp(stat)
            self._cache_bytecode(self.path, cache, header + dumps(code))  # type: ignore[attr-defined]
        return code


def _read(path: str) -> Tuple[bytes, os.stat_result]:
    with FileIO(path) as file:
        return file.read(), os.fstat(file.fileno())


def _cached(cache: str, path: str, source: os.stat_result) -> Optional[CodeType]:
    """The code that a ``.pyc`` holds, if it certainly is that of the source (PEP 3147, PEP 552)."""
    try:
        data, stat = _read(cache)
    except OSError:
        return None
    if len(data) < _HEADER or data[:4] != MAGIC_NUMBER:
        return None
    flags = int.from_bytes(data[4:8], "little")
    if flags == 0:
        # Two texts of one size within a second have one header: then its own age decides.
        if data[8:_HEADER] != _stamp(source) or stat.st_mtime_ns <= source.st_mtime_ns:
            return None
    elif flags & ~0b11 or data[8:_HEADER] != source_hash(_read(path)[0]):
        return None
    try:
        code = loads(memoryview(data)[_HEADER:])
    except (EOFError, ValueError, TypeError):
        return None
    if not isinstance(code, CodeType):
        return None
    if code.co_filename != path:
        _fix_co_filename(code, path)
    return code


def _stamp(source: os.stat_result) -> bytes:
    seconds = int(source.st_mtime) & 0xFFFFFFFF
    return seconds.to_bytes(4, "little") + (source.st_size & 0xFFFFFFFF).to_bytes(4, "little")
