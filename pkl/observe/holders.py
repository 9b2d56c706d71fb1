"""Who holds on to something: the way back from an object to a name that people know."""

from __future__ import annotations

import contextvars
import functools
import gc
import sys
import threading
from types import FrameType, ModuleType
from typing import Any, Dict, List, Optional, Sequence, Set

from ..errors.base import text_of
from ..kernel.describe import describe
from ..kernel.generation import MARK, Generation
from .belongings import Belongings

__all__ = ["holders_of"]

_STEPS = 20
"""How many references a holder may be away."""
_MOST = 20_000
"""How many objects are looked at."""
_NAMED = 3
"""How many holders are named."""
_Cached = type(functools.lru_cache(maxsize=1)(describe))
_UNSEEN = (
    "something that Python does not show (a context, an audit hook, a type of ctypes, or C code)"
)


def holders_of(targets: List[Any], mine: Belongings) -> List[str]:
    """The nearest things with a name that refer to one of the targets.

    Args:
        targets: Objects of the generation that are still in memory; empty afterwards.
        mine: Tells what else is of the generation, and so no answer.
    """
    running = _running_frames()
    modules = {
        id(module.__dict__): name
        for name, module in list(sys.modules.items())
        if isinstance(module, ModuleType)
    }
    named: List[str] = []
    seen: Set[int] = {id(targets), id(running), id(modules), id(named)}
    seen.update(map(id, targets))
    level = targets
    used = [targets]
    for _ in range(_STEPS):
        above: List[Any] = []
        used.append(above)
        seen.update((id(level), id(above), id(seen), id(used)))
        for holder in gc.get_referrers(*level):
            if id(holder) in seen or _is_ours(holder):
                continue
            seen.add(id(holder))
            name = _name(holder, level, modules, running, mine)
            if name is None:
                above.append(holder)
            elif name and name not in named:
                named.append(name)
        if len(named) >= _NAMED or not above or len(seen) > _MOST:
            break
        level = above
    named = named[:_NAMED] or [_UNSEEN + _suspects(mine, targets)]
    for each in used:
        each.clear()  # frames among them may lead back to this one
    return named


def _is_ours(holder: Any) -> bool:
    """Whether it is a frame of this search."""
    if type(holder) is not FrameType:
        return False
    return holder.f_globals is globals() or holder.f_globals.get("__name__") in _SEARCHING


_SEARCHING = ("pkl.observe.evidence", "pkl.kernel.receipt", "pkl.observe.accountant")


def _running_frames() -> Dict[int, str]:
    """The frames of every thread; walking them also makes those that Python has not made yet."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    found: Dict[int, str] = {}
    for ident, top in sys._current_frames().items():
        frame: Optional[FrameType] = top
        while frame is not None:
            found[id(frame)] = names.get(ident, str(ident))
            frame = frame.f_back
    return found


def _name(
    holder: Any,
    held: Sequence[Any],
    modules: Dict[int, str],
    running: Dict[int, str],
    mine: Belongings,
) -> Optional[str]:
    """What to call a holder: None to look further, nothing to leave it out."""
    kind = type(holder)
    if kind is dict:
        module = modules.get(id(holder))
        if module is None or mine.runs_in(holder):
            return None
        owner = holder.get(MARK)
        whose = f"plugin {owner.plugin.name}, " if isinstance(owner, Generation) else ""
        return f"{whose}module {module}: {_key(holder, held)}"
    if issubclass(kind, FrameType):
        if id(holder) not in running:
            return None
        code = holder.f_code
        place = f"{code.co_name} ({code.co_filename}:{holder.f_lineno})"
        return f"thread {running[id(holder)]}, running {place}"
    if issubclass(kind, BaseException):
        return None if mine.owns(holder) else f"an error that somebody keeps: {_text(holder)}"
    if issubclass(kind, threading.Thread):
        return f"thread {holder.name}" if holder.is_alive() else None
    if issubclass(kind, type):
        return None if mine.owns_class(holder) else f"class {holder.__module__}.{_of(holder)}"
    if issubclass(kind, contextvars.Context):
        return "a context, in which a context variable is set to it"
    if kind is _Cached and not mine.owns(holder):
        return f"the cache of {describe(holder.__wrapped__)}"
    return None


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {text_of(error)}"


def _of(cls: type) -> str:
    return getattr(cls, "__qualname__", cls.__name__)


def _key(namespace: Dict[Any, Any], held: Sequence[Any]) -> str:
    ids = set(map(id, held))
    names = [str(key) for key, value in list(namespace.items()) if id(value) in ids]
    return ", ".join(names[:_NAMED]) or "one of its variables"


def _suspects(mine: Belongings, targets: Sequence[Any]) -> str:
    """The functions that are referred to more often than Python can tell why."""
    functions = [
        (key, value)
        for target in targets
        if type(target) is dict
        for key, value in list(target.items())
        if type(value) is type(describe) and mine.owns(value)
    ][:20]
    suspects: List[str] = []
    while functions:
        name, function = functions.pop()
        visible = len(gc.get_referrers(function))
        if sys.getrefcount(function) - 2 > visible:
            suspects.append(name)
        del function
    return f"; suspects: {', '.join(sorted(suspects)[:_NAMED])}" if suspects else ""
