"""References to a stopped generation's code that only a look through all objects finds, undone.

Nothing here changes what others mean: caches may forget, and what a stopped plugin has registered
or suspended is its own.
"""

from __future__ import annotations

import codecs
import encodings
import functools
import gc
import os
import sys
import traceback
import typing
from types import FunctionType, GeneratorType, TracebackType
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

from ..kernel.context import running_as
from ..kernel.describe import describe
from ..kernel.receipt import Held
from .belongings import Belongings

__all__ = ["repair"]

_NOTES = "__notes__"
_PACKAGE = __name__.split(".", 1)[0]


def repair(mine: Belongings) -> List[Held]:
    """Undoes what can be undone; what it was."""
    done: List[Held] = []
    for thing in gc.get_objects():
        kind = type(thing)
        try:
            if kind is _Cached:
                done += _cache(mine, thing)
            elif kind is FunctionType:
                done += _dispatch(mine, thing)
            elif kind is GeneratorType:
                done += _generator(mine, thing)
            elif issubclass(kind, BaseException):
                done += _traceback(mine, thing)
        except Exception as error:
            done.append(Held("object", describe(kind), f"looking at it raised {error!r}"))
    for clear in list(getattr(typing, "_cleanups", ())):
        clear()
    _warned(mine)
    done += _unlisted(mine)
    return done


_Cached = type(functools.lru_cache(maxsize=1)(repair))


_PLAIN = (str, int, float, bytes, type, FunctionType, type(None))


def _touches(mine: Belongings, thing: Any, depth: int, seen: Set[int]) -> bool:
    """Whether something of the generation is in it, a few steps down."""
    if mine.owns(thing):
        return True
    if not depth or issubclass(type(thing), _PLAIN) or id(thing) in seen:
        return False
    seen.add(id(thing))
    return any(_touches(mine, each, depth - 1, seen) for each in gc.get_referents(thing))


def _cache(mine: Belongings, cached: Any) -> Iterator[Held]:
    if mine.owns(cached):
        return
    held = Held("cache", describe(cached.__wrapped__))
    function = (cached.__wrapped__, cached.__dict__)
    if cached.cache_parameters()["maxsize"] is None:
        # Such a cache never forgets by itself, and some rely on that: only the entries go.
        tables = [each for each in gc.get_referents(cached) if type(each) is dict]
        for table in tables:
            if table is cached.__dict__:
                continue
            for key, value in list(table.items()):
                if _touches(mine, (key, value), 3, set()):
                    table.pop(key, None)
                    yield held
    else:
        for each in gc.get_referents(cached):
            own = any(each is part for part in function) or isinstance(each, dict)
            if not own and _touches(mine, each, 3, set()):
                cached.cache_clear()
                yield held
                return


def _dispatch(mine: Belongings, function: Any) -> Iterator[Held]:
    """What ``functools.singledispatch`` functions of others know of the generation's."""
    clear = getattr(function, "_clear_cache", None)
    dispatch = getattr(function, "dispatch", None)
    if clear is None or not isinstance(dispatch, FunctionType) or mine.owns(function):
        return
    names = dispatch.__code__.co_freevars
    cells = dict(zip(names, dispatch.__closure__ or ()))
    registry: Dict[Any, Any] = cells["registry"].cell_contents if "registry" in cells else {}
    for cls, implementation in list(registry.items()):
        if mine.owns(cls) or mine.owns(implementation):
            del registry[cls]
            clear()
            yield Held("implementation", describe(implementation), f"of {describe(function)}")


def _generator(mine: Belongings, generator: Any) -> Iterator[Held]:
    frame = generator.gi_frame
    if frame is None or generator.gi_running or not mine.runs_in(frame.f_globals):
        return
    del frame
    note = ""
    try:
        with running_as(mine.generation):
            # Not close(), by which Python 3.13 leaves the frame's function where it is.
            generator.throw(GeneratorExit())
            note = "it went on when it was to end"
    except (GeneratorExit, StopIteration):
        pass
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        note = f"closing it raised {type(error).__name__}: {error}"
    yield Held("generator", describe(generator), note)


def _passes_through(mine: Belongings, entry: Optional[TracebackType]) -> bool:
    while entry is not None:
        if mine.runs_in(entry.tb_frame.f_globals):
            return True
        entry = entry.tb_next
    return False


def _traceback(mine: Belongings, error: BaseException) -> Iterator[Held]:
    """Takes the generation's frames out of a kept error; their text stays as a note."""
    if not _passes_through(mine, error.__traceback__):
        return
    kept: Optional[TracebackType] = None
    last: Optional[TracebackType] = None
    cut: List[str] = []
    entry = error.__traceback__
    while entry is not None:
        after = entry.tb_next
        namespace = entry.tb_frame.f_globals
        if mine.runs_in(namespace):
            cut += traceback.format_tb(entry, 1)
        # The frames of pkl that led there have the plugin's functions in their variables.
        elif str(namespace.get("__name__")).split(".", 1)[0] != _PACKAGE:
            if last is None:
                kept = entry
            else:
                last.tb_next = entry
            last = entry
        entry = after
    if last is not None:
        last.tb_next = None
    error.__traceback__ = kept
    # As add_note() does it, which Python has from 3.11 on.
    notes: Any = getattr(error, "__notes__", None)
    text = "In code of a plugin that was stopped since:\n" + "".join(cut).rstrip()
    setattr(error, _NOTES, [*(notes if type(notes) is list else ()), text])
    yield Held("traceback", type(error).__name__, "of an error that somebody keeps")


def _warned(mine: Belongings) -> None:
    """Has modules forget which warnings of the generation's kinds they have shown."""
    for module in list(sys.modules.values()):
        registry = getattr(module, "__dict__", {}).get("__warningregistry__") or {}
        for key in list(registry):
            if isinstance(key, tuple) and len(key) > 1 and mine.owns(key[1]):
                registry.pop(key, None)


def _forking() -> None:
    """Does nothing; where Python keeps this is where it keeps what it calls at a fork."""


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_forking, after_in_parent=_forking, after_in_child=_forking)


def _unlisted(mine: Belongings) -> Iterator[Held]:
    """What Python keeps in lists that it shows to nobody: they are where a known entry is."""
    strict = codecs.lookup_error("strict")
    for place in gc.get_referrers(encodings.search_function, strict, _forking):
        if type(place) is list:
            found: List[Tuple[str, Any]] = [("", each) for each in place]
            kind = "fork handler" if _forking in place else "codec"
            known = _forking in place or encodings.search_function in place
        elif type(place) is dict and place.get("strict") is strict and "ignore" in place:
            found, kind, known = list(place.items()), "codec error handler", True
        else:
            continue
        for name, each in found if known else ():
            if mine.owns(each):
                if type(place) is dict:
                    place.pop(name, None)
                else:
                    place.remove(each)
                    if kind == "codec":
                        _forget_codecs(mine)
                yield Held(kind, name or describe(each))


def _forget_codecs(mine: Belongings) -> None:
    """Lets Python's cache of codecs forget those that the generation made."""
    utf8 = codecs.lookup("utf-8")
    for place in gc.get_referrers(utf8):
        if type(place) is dict and place.get("utf_8", place.get("utf-8")) is utf8:
            for name, info in list(place.items()):
                if isinstance(info, tuple) and any(mine.owns(part) for part in info):
                    del place[name]
