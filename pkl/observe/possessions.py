"""Files, sockets, pools and processes that a generation's own data refers to."""

from __future__ import annotations

import io
import sys
from collections import deque
from concurrent.futures import Executor
from functools import partial
from types import FunctionType, ModuleType
from typing import Any, Callable, Deque, Dict, Iterator, List, Sequence, Set, Tuple

from ..kernel.receipt import Held
from .belongings import Belongings
from .changes import GONE, Change, weakly
from .running import running_child

__all__ = ["possessions"]

_MOST = 2000
"""How many objects are looked at."""

Found = Dict[int, Tuple[Any, List[int]]]
"""Each thing that can be open, with the number of references to it that were seen."""


def possessions(mine: Belongings, namespaces: Sequence[Dict[str, Any]]) -> Iterator[Change]:
    """What is open, in module variables and in lists, dictionaries and instances below them.

    It is closed only if the plugin alone refers to it: what a plugin was given, or has given
    away, is somebody else's too.
    """
    found = _walk(mine, namespaces)
    for key in list(found):
        thing, seen = found.pop(key)
        references = sys.getrefcount(thing) - 2  # ``thing`` and the argument
        alone = references <= seen[0]
        if _is_a(thing, "subprocess", "Popen"):
            if thing.poll() is None:
                yield running_child(thing)
            continue
        kind, what, is_open, close = _described(thing)
        get = weakly(thing)
        undo = partial(_apply, get, close) if alone else None
        note = "" if alone else "others refer to it too"
        yield Change(Held(kind, what, note), partial(_check, get, is_open), undo)


def _apply(get: Callable[[], Any], close: Callable[[Any], object]) -> None:
    close(get())


def _check(get: Callable[[], Any], is_open: Callable[[Any], bool]) -> bool:
    thing = get()
    return thing is not GONE and is_open(thing)


def _described(
    thing: Any,
) -> Tuple[str, str, Callable[[Any], bool], Callable[[Any], object]]:
    if _is_a(thing, "socket", "socket"):
        return "socket", f"{thing.fileno()}", _open_socket, type(thing).close
    if isinstance(thing, Executor):
        return "executor", type(thing).__name__, _open_executor, _shut_down
    name = getattr(thing, "name", None)
    return "open file", str(name or type(thing).__name__), _open_file, type(thing).close


def _open_file(thing: Any) -> bool:
    return not thing.closed


def _open_socket(thing: Any) -> bool:
    return bool(thing.fileno() >= 0)


def _open_executor(thing: Any) -> bool:
    return not getattr(thing, "_shutdown", False)


def _shut_down(thing: Any) -> None:
    thing.shutdown(wait=False)


_OPENABLE = (io.FileIO, io.BufferedIOBase, io.TextIOBase, Executor)
_IN_MEMORY = (io.StringIO, io.BytesIO)
_PLAIN = (str, int, float, FunctionType, ModuleType, type, type(None))
_CONTAINERS = (list, tuple, set, frozenset, deque)


def _classes(module: str, name: str) -> Tuple[type, ...]:
    """A class of a module that plugins may have imported; pkl itself does without."""
    found = getattr(sys.modules.get(module), name, None)
    return (found,) if isinstance(found, type) else ()


def _is_a(thing: object, module: str, name: str) -> bool:
    return isinstance(thing, _classes(module, name))


def _walk(mine: Belongings, namespaces: Sequence[Dict[str, Any]]) -> Found:
    openable = (*_OPENABLE, *_classes("socket", "socket"), *_classes("subprocess", "Popen"))
    found: Found = {}
    looked_at: Set[int] = set()
    queue: Deque[Any] = deque(namespaces)
    while queue and len(looked_at) < _MOST:
        holder = queue.popleft()
        if id(holder) in looked_at:
            continue
        looked_at.add(id(holder))
        values = list(holder.values()) if isinstance(holder, dict) else list(holder)
        for value in values:
            kind = type(value)  # not isinstance(), which asks the object
            if issubclass(kind, _PLAIN):
                continue
            if issubclass(kind, openable):
                if not issubclass(kind, _IN_MEMORY):
                    found.setdefault(id(value), (value, [0]))[1][0] += 1
            elif issubclass(kind, (dict, *_CONTAINERS)):
                queue.append(value)
            elif mine.owns_class(kind):
                queue.append(getattr(value, "__dict__", {}))
        del values
    return found
