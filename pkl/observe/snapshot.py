"""The state of the process that belongs to nobody in particular, before and after some code ran."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
import warnings
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence, Tuple

from ..kernel.describe import describe
from ..kernel.receipt import Held
from .belongings import is_pkls
from .changes import GONE, Change, earlier, weakly
from .logs import attached, loggers
from .running import running_child, running_thread
from .signals import SIGNALS, changed_signal, raw_handler

__all__ = [
    "CELLS",
    "Snapshot",
    "cells",
    "differences",
    "filters_changed",
    "take_snapshot",
]

_LOGGING: Any = logging
_THREADING: Any = threading
_WARNINGS: Any = warnings
"""For what is there, but not in the documentation."""
_thread_excepthook = sys.modules["_thread"]._excepthook


class Snapshot(NamedTuple):
    """What was there; tuples of references, cheap to make."""

    cells: Tuple[Any, ...]
    lists: Tuple[Tuple[Any, ...], ...]
    environment: Dict[Any, Any]
    signals: List[Any]
    log_handlers: Tuple[Any, ...]
    threads: Tuple[int, ...]
    children: Tuple[Any, ...]
    """What ``subprocess`` keeps of children whose ``Popen`` is gone."""


def take_snapshot() -> Snapshot:
    """What is there now; it takes about two microseconds."""
    return Snapshot(
        cells(),
        tuple(map(tuple, _lists())),
        _environment().copy(),
        list(map(raw_handler, SIGNALS)),
        tuple(_all_log_handlers()),
        tuple(_THREADING._active),
        tuple(getattr(sys.modules.get("subprocess"), "_active", None) or ()),
    )


def _environment() -> Dict[Any, Any]:
    found: Dict[Any, Any] = getattr(os.environ, "_data", None) or dict(os.environ)
    return found


def _all_log_handlers() -> List[Any]:
    found: List[Any] = _LOGGING._handlerList
    return found


def cells() -> Tuple[Any, ...]:
    """What the cells hold now."""
    return (
        sys.excepthook,
        sys.unraisablehook,
        sys.displayhook,
        sys.breakpointhook,
        threading.excepthook,
        sys.stdin,
        sys.stdout,
        sys.stderr,
        sys.getrecursionlimit(),
        sys.getswitchinterval(),
        gc.isenabled(),
        logging.root.level,
        logging.root.manager.disable,
        _folder(),
    )


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""


def _collect_garbage(enabled: bool) -> None:
    if enabled:
        gc.enable()
    else:
        gc.disable()


class Cell(NamedTuple):
    """A place of the process that holds one value."""

    kind: str
    name: str
    put: Callable[[Any], object]
    default: Any = None
    """What it holds where a plugin that has stopped had it before."""


def _attribute(kind: str, module: Any, name: str) -> Cell:
    default = getattr(module, f"__{name}__", None)
    return Cell(kind, f"{module.__name__}.{name}", partial(setattr, module, name), default)


CELLS: Sequence[Cell] = (
    _attribute("hook", sys, "excepthook"),
    _attribute("hook", sys, "unraisablehook"),
    _attribute("hook", sys, "displayhook"),
    _attribute("hook", sys, "breakpointhook"),
    _attribute("hook", threading, "excepthook")._replace(default=_thread_excepthook),
    _attribute("stream", sys, "stdin"),
    _attribute("stream", sys, "stdout"),
    _attribute("stream", sys, "stderr"),
    Cell("setting", "the recursion limit", sys.setrecursionlimit),
    Cell("setting", "the switch interval", sys.setswitchinterval),
    Cell("setting", "garbage collection", _collect_garbage),
    Cell("logging", "the root logger's level", logging.root.setLevel),
    Cell("logging", "logging.disable", partial(setattr, logging.root.manager, "disable")),
    Cell("setting", "the working directory", os.chdir),
)
"""The cells, in the order of ``cells()``."""


def _lists() -> Tuple[List[Any], ...]:
    return (sys.path, sys.meta_path, sys.path_hooks, _WARNINGS.filters, gc.callbacks)


def filters_changed() -> None:
    """Tells ``warnings`` that somebody edited its list of filters."""
    tell = getattr(warnings, "_filters_mutated", None)
    if tell is not None:
        tell()


_LISTS: Sequence[Tuple[str, str, Callable[[], None]]] = (
    ("sys.path", "entry", lambda: None),
    ("import hook", "on sys.meta_path", lambda: None),
    ("import hook", "on sys.path_hooks", sys.path_importer_cache.clear),
    ("warnings filter", "", filters_changed),
    ("gc callback", "", lambda: None),
)


def differences(before: Snapshot, after: Snapshot) -> List[Change]:
    """What has changed, in an order in which undoing it backwards is right."""
    changes: List[Change] = []
    if before.cells != after.cells:
        changes += _changed_cells(before.cells, after.cells)
    if before.lists != after.lists:
        changes += _changed_lists(before.lists, after.lists)
    if before.environment != after.environment:
        changes += _changed_environment(before.environment, after.environment)
    if before.signals != after.signals:
        changes += _changed_signals(before.signals, after.signals)
    if before.log_handlers != after.log_handlers:
        changes += _new_log_handlers(before.log_handlers)
    if before.threads != after.threads:
        changes += _new_threads(before.threads)
    if before.children != after.children:
        changes += _new_children(before.children, after.children)
    return changes


def _changed_cells(before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    for index, (was, now) in enumerate(zip(before, after)):
        if was is not now and was != now:
            yield _changed_cell(index, earlier(was), weakly(now))


def _changed_cell(index: int, was: Callable[[], Any], now: Callable[[], Any]) -> Change:
    cell = CELLS[index]

    def remains() -> bool:
        found, left = cells()[index], now()
        return bool(found is left or found == left)

    def undo() -> None:
        value = was()
        cell.put(cell.default if value is GONE else value)

    return Change(Held(cell.kind, cell.name), remains, undo)


def _changed_lists(before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    for index, (was, now) in enumerate(zip(before, after)):
        for entry in now:
            if not _has(was, entry) and not is_pkls(type(entry)):
                yield _added(index, _shown(entry), weakly(entry))
        for place, entry in enumerate(was):
            if not _has(now, entry):
                yield _removed(index, _shown(entry), place, earlier(entry))


def _added(index: int, shown: str, get: Callable[[], Any]) -> Change:
    kind, where, changed = _LISTS[index]

    def undo() -> None:
        entries, entry = _lists()[index], get()
        for place, each in enumerate(entries):
            if _has((entry,), each):
                del entries[place]
                break
        changed()

    return Change(Held(kind, shown, where), lambda: _has(_lists()[index], get()), undo)


def _removed(index: int, shown: str, place: int, get: Callable[[], Any]) -> Change:
    kind, where, changed = _LISTS[index]

    def remains() -> bool:
        entry = get()
        return entry is not GONE and not _has(_lists()[index], entry)

    def undo() -> None:
        _lists()[index].insert(place, get())
        changed()

    return Change(Held(kind, shown, " ".join(("removed", where)).strip()), remains, undo)


def _has(entries: Sequence[Any], entry: Any) -> bool:
    if isinstance(entry, (str, tuple)):
        return entry in entries
    return any(each is entry for each in entries)


def _shown(entry: Any) -> str:
    if isinstance(entry, str):
        return entry
    if isinstance(entry, tuple) and len(entry) == 5:
        action, message, category, module, _ = entry
        texts = [getattr(each, "pattern", each) for each in (message, module)]
        about = [str(each) for each in texts if each]
        return " ".join([str(action), category.__name__, *about])
    if isinstance(entry, type) or hasattr(entry, "__code__"):
        return describe(entry)
    return describe(type(entry))


def _changed_environment(before: Dict[Any, Any], after: Dict[Any, Any]) -> Iterator[Change]:
    for key in [*after, *(key for key in before if key not in after)]:
        was, now = before.get(key), after.get(key)
        if was == now:
            continue

        def remains(key: Any = key, now: Any = now) -> bool:
            return bool(_environment().get(key) == now)

        def undo(key: Any = key, was: Any = was) -> None:
            name = os.fsdecode(key)
            if was is None:
                del os.environ[name]
            else:
                os.environ[name] = os.fsdecode(was)

        yield Change(Held("environment", os.fsdecode(key)), remains, undo)


def _changed_signals(before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    for number, was, now in zip(SIGNALS, before, after):
        if was is not now and was != now:
            yield changed_signal(number, earlier(was), weakly(now))


def _new_log_handlers(before: Sequence[Any]) -> Iterator[Change]:
    known = {id(each) for each in before}
    new = [each() for each in _all_log_handlers() if id(each) not in known]
    for logger in loggers():
        for handler in logger.handlers:
            if any(handler is each for each in new):
                yield attached(logger, handler)


def _new_threads(before: Sequence[int]) -> Iterator[Change]:
    for thread in threading.enumerate():
        ours = is_pkls(getattr(thread, "_target", None))
        if thread.ident not in before and thread is not threading.current_thread() and not ours:
            yield running_thread(thread)


def _new_children(before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    for child in after:
        if child not in before:
            yield running_child(child)
