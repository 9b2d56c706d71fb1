"""What a handler takes, read off its code, and which of a hook's arguments it is passed.

inspect would know all of this, but importing it costs more than all of pkl.
"""

from __future__ import annotations

from functools import partial
from operator import itemgetter
from types import FunctionType
from typing import Any, Callable, Dict, FrozenSet, List, NamedTuple, Optional, Tuple

__all__ = ["Misfit", "Parameters", "Taking", "parameters_of", "take"]

_VARARGS, _VARKEYWORDS = 0x04, 0x08

_DEEP = 50
"""Layers of partials and callable objects after which nothing is known of what is below."""


class Parameters(NamedTuple):
    """What a callable takes; without ``self``, and without what a partial has filled in."""

    positional: Tuple[str, ...]
    """Those that may be passed by position, in order."""
    positional_only: int
    """How many of these may not be passed by name."""
    keyword_only: Tuple[str, ...]
    """Those that are only passed by name."""
    optional: FrozenSet[str]
    """Those that have a default."""
    any_positional: bool
    """Whether it takes ``*args``."""
    any_keyword: bool
    """Whether it takes ``**kwargs``."""


_NONE = Parameters((), 0, (), frozenset(), False, False)


class Taking(NamedTuple):
    """How to pass a handler some of a hook's arguments."""

    positions: Tuple[int, ...]
    """Which arguments to pass by position, as indexes into what the hook declares."""
    keywords: Tuple[Tuple[str, int], ...]
    """Which to pass by name."""

    def picker(self) -> Optional[Callable[[Any], Tuple[Any, ...]]]:
        """What takes its share out of the arguments; None if some go by name."""
        if self.keywords:
            return None
        first = self.positions[0] if self.positions else 0
        if self.positions == tuple(range(first, first + len(self.positions))):
            return itemgetter(slice(first, first + len(self.positions)))
        return itemgetter(*self.positions)

    def call(self, function: Callable[..., Any], given: Tuple[Any, ...]) -> Any:
        """Calls a function with its share of the arguments."""
        positional = [given[i] for i in self.positions]
        if not self.keywords:
            return function(*positional)
        return function(*positional, **{name: given[i] for name, i in self.keywords})


class Misfit(Exception):
    """A callable needs arguments that the hook does not pass.

    Attributes:
        names: These arguments.
    """

    def __init__(self, names: List[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


def parameters_of(function: Any) -> Optional[Parameters]:
    """What a callable takes; None where it has no Python code to read it from.

    Looks through bound methods, classes, callable objects, partials and wrappers made with
    ``functools.wraps``.
    """
    bound = 0
    filled: Dict[str, Any] = {}
    layers = 0
    while not isinstance(function, FunctionType):
        layers += 1
        if layers > _DEEP:
            return None
        if isinstance(function, partial):
            bound += len(function.args)
            filled = {**function.keywords, **filled}
            function = function.func
        elif isinstance(function, type):
            made: Any = function
            if made.__init__ is object.__init__ and made.__new__ is object.__new__:
                return _NONE
            bound += 1
            function = made.__init__
        elif getattr(function, "__func__", None) is not None:
            bound += getattr(function, "__self__", None) is not None
            function = function.__func__
        else:
            bound += 1
            function = vars(type(function)).get("__call__")
    outer = _read(function, bound, filled)
    inner = getattr(function, "__wrapped__", None)
    if inner is None or not (outer.any_keyword or outer.any_positional):
        return outer
    within = parameters_of(inner)
    if within is None:
        return outer
    shown = within._replace(
        positional=within.positional[bound:],
        positional_only=max(0, within.positional_only - bound),
    )
    if not outer.any_keyword:
        return shown._replace(positional_only=len(shown.positional), keyword_only=())
    if not outer.any_positional:
        named = shown.positional[shown.positional_only :] + shown.keyword_only
        return shown._replace(positional=(), positional_only=0, keyword_only=named)
    return shown


def _read(function: Any, bound: int, filled: Dict[str, Any]) -> Parameters:
    code = function.__code__
    count = code.co_argcount
    names: Tuple[str, ...] = code.co_varnames[:count]
    keyword_only: Tuple[str, ...] = code.co_varnames[count : count + code.co_kwonlyargcount]
    optional = set(function.__kwdefaults__ or ())
    optional.update(names[count - len(function.__defaults__ or ()) :])
    named = names[bound:]
    for at, name in enumerate(named):
        if name in filled and at >= code.co_posonlyargcount - bound:
            # What a partial fills in by name can only be followed by names.
            keyword_only = named[at:] + keyword_only
            named = named[:at]
            break
    return Parameters(
        named,
        max(0, min(code.co_posonlyargcount - bound, len(named))),
        tuple(name for name in keyword_only if name not in filled),
        frozenset(optional),
        bool(code.co_flags & _VARARGS),
        bool(code.co_flags & _VARKEYWORDS),
    )


def take(parameters: Optional[Parameters], declared: Tuple[str, ...]) -> Optional[Taking]:
    """How to pass a callable the arguments that it takes.

    Args:
        parameters: What it takes; None for a callable of which nothing is known.
        declared: What the hook passes, in order.

    Returns:
        None where it takes all of them by position, in order.

    Raises:
        Misfit: It needs others.
    """
    if parameters is None:
        return None
    positional, keywords, unknown = _sort(parameters, declared)
    if unknown:
        raise Misfit(unknown)
    if (
        parameters.any_positional
        and not keywords
        and tuple(positional) == declared[: len(positional)]
    ):
        return None
    if parameters.any_keyword:
        known = {*parameters.positional, *parameters.keyword_only}
        keywords += [name for name in declared if name not in known]
    if not keywords and tuple(positional) == declared:
        return None
    at = {name: index for index, name in enumerate(declared)}
    return Taking(
        tuple(at[name] for name in positional), tuple((name, at[name]) for name in keywords)
    )


def _sort(
    parameters: Parameters, declared: Tuple[str, ...]
) -> Tuple[List[str], List[str], List[str]]:
    """What to pass by position and by name, and what it needs in vain."""
    positional: List[str] = []
    keywords: List[str] = []
    unknown: List[str] = []
    gap = False
    for at, name in enumerate(parameters.positional):
        by_position = at < parameters.positional_only
        if name in declared and not (gap and by_position):
            (keywords if gap else positional).append(name)
        elif name in parameters.optional:
            gap = True
        else:
            unknown.append(name)
    for name in parameters.keyword_only:
        if name in declared:
            keywords.append(name)
        elif name not in parameters.optional:
            unknown.append(name)
    return positional, keywords, unknown
