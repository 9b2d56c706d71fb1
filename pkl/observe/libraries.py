"""What a generation's code has put into the standard library, found by whose it is."""

from __future__ import annotations

import copyreg
import logging
import sys
import threading
import warnings
import weakref
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Mapping

from ..kernel.describe import describe
from ..kernel.generation import Generation
from ..kernel.receipt import Held
from .belongings import Belongings, is_pkls
from .changes import Change, weakly
from .logs import attached, loggers
from .running import running_child, running_thread
from .snapshot import filters_changed

__all__ = ["in_libraries"]

_LOGGING: Any = logging
_WARNINGS: Any = warnings
_FINALIZE: Any = weakref.finalize
_COPYREG: Any = copyreg


def in_libraries(mine: Belongings, generation: Generation) -> Iterator[Change]:
    """Everything of a generation that modules of the standard library would call or keep."""
    yield from _threads(mine, generation)
    yield from _remembered_hooks(mine)
    yield from _logging(mine)
    yield from _warnings(mine)
    yield from _finalizers(mine)
    yield from _keyed(mine, copyreg.dispatch_table, "pickling", "for copyreg")
    yield from _asyncio(mine, generation)
    yield from _processes(mine)
    ctypes: Any = sys.modules.get("ctypes")
    if ctypes is not None:
        for name in ("_pointer_type_cache", "_c_functype_cache"):
            yield from _keyed(mine, getattr(ctypes, name, {}), "type", f"in ctypes.{name}")
    sqlite: Any = sys.modules.get("sqlite3.dbapi2")
    if sqlite is not None:
        yield from _keyed(mine, sqlite.adapters, "adapter", "of sqlite3")
        yield from _keyed(mine, sqlite.converters, "converter", "of sqlite3")


def _keyed(mine: Belongings, table: Any, kind: str, where: str) -> Iterator[Change]:
    """The entries of a table whose key or value is the generation's, or made of what is."""
    for key, value in list(table.items()):
        parts = [value]
        for part in key if isinstance(key, tuple) else (key,):
            parts += part if isinstance(part, tuple) else (part,)
        owned = next((each for each in parts if mine.owns(each)), None)
        if owned is not None:
            shown = describe(owned if hasattr(owned, "__qualname__") else type(owned))
            yield Change(
                Held(kind, shown, where), partial(_has_key, table, key), partial(table.pop, key)
            )


def _has_key(table: Mapping[Any, Any], key: Any) -> bool:
    return key in table


def _threads(mine: Belongings, generation: Generation) -> Iterator[Change]:
    own = set(generation.threads)
    frames = sys._current_frames()
    for thread in threading.enumerate():
        if thread.ident in own or thread is threading.current_thread():
            continue
        if isinstance(thread, threading.Timer) and mine.owns(thread.function):
            held = Held("timer", describe(thread.function), "threading.Timer")
            yield Change(held, thread.is_alive, thread.cancel)
            continue
        frame = frames.get(thread.ident or 0)
        where = ""
        while frame is not None and not where:
            if mine.runs_in(frame.f_globals):
                code = frame.f_code
                where = f"in {code.co_name} ({code.co_filename}:{frame.f_lineno})"
            frame = frame.f_back
        target = getattr(thread, "_target", None)
        if where or mine.owns(thread) or (target is not None and mine.owns(target)):
            yield running_thread(thread, where)


def _remembered_hooks(mine: Belongings) -> Iterator[Change]:
    """The hooks that were set when a thread was made, which it keeps for when they are gone."""
    make: Any = getattr(threading, "_make_invoke_excepthook", None)
    for thread in threading.enumerate():
        remembered = getattr(thread, "_invoke_excepthook", None)
        cells = getattr(remembered, "__closure__", None) or ()
        if make is not None and any(mine.owns(cell.cell_contents) for cell in cells):
            if is_pkls(getattr(thread, "_target", None)):
                _remember_again(thread, make)
                continue
            held = Held("hook", "for exceptions", f"as thread {thread.name} remembers it")
            yield Change(held, lambda: True, partial(_remember_again, thread, make))


def _remember_again(thread: Any, make: Callable[[], Any]) -> None:
    thread._invoke_excepthook = make()


def _logging(mine: Belongings) -> Iterator[Change]:
    for logger in loggers():
        for handler in list(logger.handlers):
            if mine.owns(handler) or mine.owns(getattr(handler, "formatter", None)):
                yield attached(logger, handler)
            yield from _log_filters(mine, handler, f"of a handler of {_named(logger)}")
        yield from _log_filters(mine, logger, f"of {_named(logger)}")
    if mine.owns(logging.getLoggerClass()):
        undo = partial(logging.setLoggerClass, logging.Logger)
        yield Change(Held("logging", "the logger class"), lambda: True, undo)
    if mine.owns(logging.getLogRecordFactory()):
        put = partial(logging.setLogRecordFactory, logging.LogRecord)
        yield Change(Held("logging", "the record factory"), lambda: True, put)


def _named(logger: logging.Logger) -> str:
    return "the root logger" if logger is logging.root else f"logger {logger.name}"


def _log_filters(mine: Belongings, filterer: Any, where: str) -> Iterator[Change]:
    for each in list(filterer.filters):
        if mine.owns(each):
            named = each if hasattr(each, "__code__") else type(each)
            yield Change(
                Held("logging filter", describe(named), where),
                partial(_filters, filterer, weakly(each)),
                partial(filterer.removeFilter, each),
            )


def _filters(filterer: Any, get: Callable[[], Any]) -> bool:
    return get() in filterer.filters


def _warnings(mine: Belongings) -> Iterator[Change]:
    for entry in list(_WARNINGS.filters):
        if mine.owns(entry[2]):
            held = Held("warnings filter", f"{entry[0]} {entry[2].__name__}")
            yield Change(held, partial(_has_filter, entry), partial(_drop_filter, entry))
    show = _WARNINGS.showwarning
    if mine.owns(show):
        original = getattr(_WARNINGS, "_showwarning_orig", None)
        if original is not None:
            undo = partial(setattr, warnings, "showwarning", original)
            yield Change(Held("hook", "warnings.showwarning"), lambda: True, undo)


def _has_filter(entry: Any) -> bool:
    return entry in _WARNINGS.filters


def _drop_filter(entry: Any) -> None:
    _WARNINGS.filters.remove(entry)
    filters_changed()


def _finalizers(mine: Belongings) -> Iterator[Change]:
    registry: Dict[Any, Any] = _FINALIZE._registry
    for finalizer, info in list(registry.items()):
        if mine.owns(info.func):
            yield Change(
                Held("finalizer", describe(info.func)),
                partial(_is_alive, finalizer),
                finalizer.detach,
            )


def _is_alive(finalizer: Any) -> bool:
    return bool(finalizer.alive)


def _asyncio(mine: Belongings, generation: Generation) -> Iterator[Change]:
    loop = generation.kernel.loop
    if loop is not None and not loop.is_closed():
        if mine.owns(loop.get_exception_handler()):
            undo = partial(loop.set_exception_handler, None)
            yield Change(Held("hook", "the event loop's exception handler"), lambda: True, undo)
        handles: List[Any] = list(getattr(loop, "_scheduled", ()))
        for handle in handles:
            callback = getattr(handle, "_callback", None)
            if callback is not None and not handle.cancelled() and mine.owns(callback):
                cancel = partial(loop.call_soon_threadsafe, handle.cancel)
                held = Held("timer", describe(callback), "loop.call_later")
                yield Change(held, lambda: True, cancel)
    events: Any = sys.modules.get("asyncio.events")
    policy = getattr(events, "_event_loop_policy", None)
    if policy is not None and mine.owns(policy):
        put = partial(setattr, events, "_event_loop_policy", None)
        yield Change(Held("hook", "asyncio's event loop policy"), lambda: True, put)


def _processes(mine: Belongings) -> Iterator[Change]:
    found: Any = sys.modules.get("multiprocessing.process")
    for process in list(getattr(found, "_children", ())):
        target = getattr(process, "_target", None)
        popen = getattr(process, "_popen", None)
        if popen is not None and (mine.owns(process) or mine.owns(target)):
            yield running_child(popen)
