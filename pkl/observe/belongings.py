"""Whose is it: tells the functions, classes and instances of one generation from all others."""

from __future__ import annotations

import functools
import weakref
from types import FunctionType, MethodType, ModuleType
from typing import Any, Dict, Iterator, List, Optional, Sequence, Set

from ..kernel.generation import MARK, Generation

__all__ = ["Belongings", "is_pkls"]

_PACKAGE = __name__.split(".", 1)[0]

_WRAPPINGS = 10
"""How many decorators, partials and methods around a function are looked through."""


class Belongings:
    """What was made by the code of one generation.

    Functions are known by the module dictionary they run in, classes by their functions or by
    being where their module says they are, instances by their class.

    Args:
        generation: The generation.
        namespaces: The dictionaries of its modules.
    """

    def __init__(self, generation: Generation, namespaces: Sequence[Dict[str, Any]]) -> None:
        self._generation = weakref.ref(generation)
        self._names = {str(each.get("__name__")) for each in namespaces}
        self._classes = {id(each): weakref.ref(each) for each in classes_in(namespaces)}

    @property
    def generation(self) -> Optional[Generation]:
        """The generation, while something else keeps it."""
        return self._generation()

    def classes(self) -> List[type]:
        """Its classes that are still in memory."""
        return [cls for ref in self._classes.values() if (cls := ref()) is not None]

    def owns(self, thing: Any) -> bool:
        """Whether a function, class, module or instance was made by this generation's code."""
        for _ in range(_WRAPPINGS):
            # Never isinstance(): it asks the object, and proxies import or connect when asked.
            kind = type(thing)
            if kind is FunctionType:
                if self.runs_in(thing.__globals__):
                    return True
                thing = thing.__dict__.get("__wrapped__")
            elif kind is MethodType:
                if self.owns_class(type(thing.__self__)):
                    return True
                thing = thing.__func__
            elif issubclass(kind, functools.partial):
                thing = thing.func
            elif kind in (staticmethod, classmethod):
                thing = thing.__func__
            elif kind is property:
                thing = thing.fget
            else:
                break
        if thing is None:
            return False
        kind = type(thing)
        if issubclass(kind, type):
            return self.owns_class(thing)
        if issubclass(kind, ModuleType):
            return self.runs_in(vars(thing))
        return self.owns_class(kind)

    def runs_in(self, namespace: Dict[str, Any]) -> bool:
        """Whether code with these globals is this generation's."""
        mark = namespace.get(MARK)
        return mark is not None and mark is self._generation()

    def owns_class(self, cls: type) -> bool:
        """Whether a class was defined by this generation's code."""
        known = self._classes.get(id(cls))
        if known is not None and known() is cls:
            return True
        try:
            if cls.__module__ not in self._names:
                return False
            members = list(cls.__dict__.values())
        except Exception:
            return False
        for member in members:
            inner = getattr(member, "__func__", getattr(member, "fget", member))
            if isinstance(inner, FunctionType) and MARK in inner.__globals__:
                return self.runs_in(inner.__globals__)
        # One without functions that is in none of its modules; another generation has the same
        # names, but that is seldom alive at the same time.
        return "<locals>" in cls.__qualname__


def classes_in(namespaces: Sequence[Dict[str, Any]]) -> Iterator[type]:
    """The classes that modules define, those within classes included."""
    for namespace in namespaces:
        name = namespace.get("__name__")
        heap: List[Any] = list(namespace.values())
        seen: Set[int] = set()
        while heap:
            value = heap.pop()
            if not isinstance(value, type) or id(value) in seen:
                continue
            seen.add(id(value))
            if value.__dict__.get("__module__") == name:
                yield value
                heap.extend(value.__dict__.values())


def is_pkls(thing: Any) -> bool:
    """Whether a class or function is pkl's: what it needs for itself is no plugin's."""
    return str(getattr(thing, "__module__", "")).split(".", 1)[0] == _PACKAGE
