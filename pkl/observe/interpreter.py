"""What a generation's code has put into the interpreter itself, found by whose it is."""

from __future__ import annotations

import atexit
import gc
import sys
import threading
from functools import partial
from typing import Any, Callable, Iterator, List, Tuple

from ..kernel.describe import describe
from ..kernel.receipt import Held
from .belongings import Belongings
from .changes import GONE, Change, weakly
from .signals import SIGNALS, changed_signal, raw_handler
from .snapshot import CELLS, cells

__all__ = ["in_the_interpreter"]

_SYS: Any = sys
"""For attributes that only some Pythons have."""
_EXIT: Any = atexit
_TOOLS = range(6)
"""The tool identifiers of ``sys.monitoring``."""


def in_the_interpreter(mine: Belongings) -> Iterator[Change]:
    """Everything of a generation that Python itself would call or keep."""
    yield from _hooks(mine)
    yield from _signal_handlers(mine)
    yield from _import_hooks(mine)
    yield from _listed(mine, gc.callbacks, "gc callback", "")
    yield from _exit_functions(mine)
    yield from _last_errors(mine)
    if sys.version_info >= (3, 12):
        yield from _monitoring(mine)


def _hooks(mine: Belongings) -> Iterator[Change]:
    for index, (cell, value) in enumerate(zip(CELLS, cells())):
        if cell.kind in ("hook", "stream") and value is not None and mine.owns(value):
            get = weakly(value)
            yield Change(
                Held(cell.kind, cell.name),
                partial(_is_in_cell, index, get),
                partial(cell.put, cell.default),
            )
    threads: Any = threading
    tracing: Tuple[Tuple[str, Any, Callable[[None], None]], ...] = (
        ("sys.settrace", sys.gettrace(), sys.settrace),
        ("sys.setprofile", sys.getprofile(), sys.setprofile),
        ("threading.settrace", threads._trace_hook, threads.settrace),
        ("threading.setprofile", threads._profile_hook, threads.setprofile),
    )
    for name, function, put in tracing:
        if function is not None and mine.owns(function):
            yield Change(Held("hook", name), lambda: True, partial(put, None))
    hooks = sys.get_asyncgen_hooks()
    if mine.owns(hooks.firstiter) or mine.owns(hooks.finalizer):
        undo = partial(sys.set_asyncgen_hooks, None, None)
        yield Change(Held("hook", "sys.set_asyncgen_hooks"), lambda: True, undo)


def _is_in_cell(index: int, get: Callable[[], Any]) -> bool:
    return cells()[index] is get()


def _signal_handlers(mine: Belongings) -> Iterator[Change]:
    for number in SIGNALS:
        handler = raw_handler(number)
        if handler is not None and not isinstance(handler, int) and mine.owns(handler):
            yield changed_signal(number, lambda: GONE, weakly(handler))


def _import_hooks(mine: Belongings) -> Iterator[Change]:
    yield from _listed(mine, sys.meta_path, "import hook", "on sys.meta_path")
    yield from _listed(mine, sys.path_hooks, "import hook", "on sys.path_hooks")
    for path, finder in list(sys.path_importer_cache.items()):
        if finder is not None and mine.owns(finder):
            yield Change(
                Held("import hook", describe(type(finder)), f"for {path}"),
                partial(sys.path_importer_cache.__contains__, path),
                partial(sys.path_importer_cache.pop, path, None),
            )


def _listed(mine: Belongings, entries: List[Any], kind: str, where: str) -> Iterator[Change]:
    for entry in list(entries):
        if mine.owns(entry):
            named = entry if isinstance(entry, type) or hasattr(entry, "__code__") else type(entry)
            get = weakly(entry)
            yield Change(
                Held(kind, describe(named), where),
                partial(_holds, entries, get),
                partial(_take_out, entries, get),
            )


def _holds(entries: List[Any], get: Callable[[], Any]) -> bool:
    entry = get()
    return any(each is entry for each in entries)


def _take_out(entries: List[Any], get: Callable[[], Any]) -> None:
    entry = get()
    entries[:] = [each for each in entries if each is not entry]


class _Listener:
    """Equal to nothing, and remembers what it was compared to."""

    def __init__(self) -> None:
        self.heard: List[Any] = []

    def __eq__(self, other: object) -> bool:
        self.heard.append(other)
        return False

    def __hash__(self) -> int:
        return id(self)


def _exit_functions(mine: Belongings) -> Iterator[Change]:
    if not _EXIT._ncallbacks():
        return
    # Python does not list them; but it compares each to what is to be unregistered.
    listener = _Listener()
    _EXIT.unregister(listener)
    for function in listener.heard:
        if mine.owns(function):
            yield Change(
                Held("atexit function", describe(function)),
                lambda: True,
                partial(atexit.unregister, function),
            )


def _last_errors(mine: Belongings) -> Iterator[Change]:
    traceback = getattr(sys, "last_traceback", None)
    while traceback is not None:
        if mine.runs_in(traceback.tb_frame.f_globals):
            yield Change(Held("error", "sys.last_traceback"), lambda: True, _forget_last_error)
            return
        traceback = traceback.tb_next
    if mine.owns(getattr(sys, "last_value", None)):
        yield Change(Held("error", "sys.last_value"), lambda: True, _forget_last_error)


def _forget_last_error() -> None:
    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        if hasattr(sys, name):
            delattr(sys, name)


def _monitoring(mine: Belongings) -> Iterator[Change]:
    monitoring = _SYS.monitoring
    for tool in _TOOLS:
        name = monitoring.get_tool(tool)
        if name is None or name in _FOREIGN_TOOLS:
            continue
        found = False
        for event in _events(monitoring):
            # Asking for a callback is setting another.
            callback = monitoring.register_callback(tool, event, None)
            if callback is not None and not mine.owns(callback):
                monitoring.register_callback(tool, event, callback)
            found = found or (callback is not None and mine.owns(callback))
        if found:
            yield Change(
                Held("monitoring tool", str(name)), lambda: True, partial(_free_tool, tool)
            )


def _free_tool(tool: int) -> None:
    monitoring = _SYS.monitoring
    monitoring.set_events(tool, 0)
    monitoring.free_tool_id(tool)


def _events(monitoring: Any) -> List[int]:
    return [v for n, v in vars(monitoring.events).items() if n.isupper() and v]


def _tools() -> List[str]:
    monitoring = getattr(sys, "monitoring", None)
    return [] if monitoring is None else [monitoring.get_tool(tool) for tool in _TOOLS]


_FOREIGN_TOOLS = frozenset(name for name in _tools() if name is not None)
"""Tools that were in use before any plugin could be: debuggers, coverage."""
