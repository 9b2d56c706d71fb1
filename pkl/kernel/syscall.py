"""``@syscall``: functions whose body always runs as the plugin that defined them."""

from __future__ import annotations

import sys
from functools import wraps
from typing import Any, AsyncGenerator, Callable, Generator, TypeVar, cast

from .context import Subject, _current, current_kernel, switch, switch_back
from .generation import runs_plugin_code
from .ownership import owner_of
from .steps import Driven, drive

if sys.version_info >= (3, 10):
    from typing import ParamSpec
else:
    from typing_extensions import ParamSpec

__all__ = ["STEPPED", "as_owner", "flags_of", "is_async", "plugin_call", "syscall"]

P = ParamSpec("P")
R = TypeVar("R")

_GENERATOR, _COROUTINE, _ITERABLE_COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x100, 0x200
"""Code flags (``inspect.CO_*``); inspect is not imported because it is slow to."""

STEPPED = _GENERATOR | _COROUTINE | _ITERABLE_COROUTINE | _ASYNC_GENERATOR
"""The flags of functions whose body runs step by step."""


def flags_of(function: Any) -> int:
    """The code flags of a function, method or partial; 0 where it has no code."""
    while True:
        inner = getattr(function, "__func__", None) or getattr(function, "func", None)
        code = getattr(function, "__code__", None)
        if code is not None:
            return int(code.co_flags)
        if inner is None:
            inner = vars(type(function)).get("__call__")
            if getattr(inner, "__code__", None) is None:
                return 0
        function = inner


def is_async(function: Any) -> bool:
    """Whether calling it gives a coroutine."""
    return bool(flags_of(function) & (_COROUTINE | _ITERABLE_COROUTINE))


def syscall(function: Callable[P, R]) -> Callable[P, R]:
    """Makes a function run as the plugin that defines it, whoever calls it.

    Works on functions, methods, coroutine functions, generator functions and async generator
    functions, and keeps their kind, signature and types. In a module that no plugin owns the
    body runs as the host. The plugin itself may call it from its load to the end of its stop,
    others while it is enabling, enabled or disabling. Generators and coroutines check and
    switch at each step: the first step raises, not the call. Safe from any thread or task.

    Raises:
        PluginNotRunning: On a call (or step) while the plugin is not running.
    """
    if isinstance(function, (staticmethod, classmethod)):
        inner = syscall(function.__func__)
        return cast("Callable[P, R]", type(function)(inner))
    owner = owner_of(function)
    if owner is not None:
        return as_owner(function, owner)
    flags = flags_of(function)
    if flags & STEPPED:
        return _stepped(function, _current_host, flags)
    return _host_call(function, _current_host)


def _current_host() -> Subject:
    return current_kernel().subject


def as_owner(function: Callable[P, R], owner: Subject) -> Callable[P, R]:
    """A function that does what ``function`` does, as ``owner``, whatever its kind."""
    flags = flags_of(function)
    if flags & STEPPED:
        return _stepped(function, lambda: owner, flags)
    if owner.plugin is None:
        return _host_call(function, lambda: owner)
    return plugin_call(function, owner, _careful)


def plugin_call(
    function: Callable[P, R],
    generation: Subject,
    careful: Callable[[Subject, Callable[..., R], Any, Any], R],
) -> Callable[P, R]:
    """A function that runs as a plugin whenever that needs no thought, else through ``careful``.

    Args:
        function: A plain function: no coroutine function, no generator function.
        generation: Whose it is.
        careful: Called with these two, the arguments and the keyword arguments while the plugin
            is not open to everybody, or somebody observes who runs.
    """
    set_, reset = _current.set, _current.reset

    @runs_plugin_code
    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if generation.slow:
            return careful(generation, function, args, kwargs)
        token = set_(generation)
        try:
            return function(*args, **kwargs)
        finally:
            reset(token)

    return call


@runs_plugin_code
def _careful(generation: Subject, function: Callable[..., R], args: Any, kwargs: Any) -> R:
    """The path of a call that must be checked, or that somebody observes."""
    generation.admit(_current.get())
    previous = switch(generation)
    try:
        return function(*args, **kwargs)
    finally:
        switch_back(previous)


def _host_call(function: Callable[P, R], whose: Callable[[], Subject]) -> Callable[P, R]:
    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return _careful(whose(), function, args, kwargs)

    return call


def _stepped(function: Callable[P, R], whose: Callable[[], Subject], flags: int) -> Callable[P, R]:
    if flags & _ASYNC_GENERATOR:

        @wraps(function)
        async def async_generator(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[Any, Any]:
            subject = whose()
            inner = cast("AsyncGenerator[Any, Any]", function(*args, **kwargs))
            step: Any = inner.__anext__()
            try:
                while True:
                    try:
                        item = await Driven(step, subject, counted=False)
                    except StopAsyncIteration:
                        return
                    try:
                        sent = yield item
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        step = inner.athrow(error)
                    else:
                        step = inner.asend(sent)
            finally:
                await Driven(inner.aclose(), subject, counted=False, checked=False)

        return cast("Callable[P, R]", async_generator)
    if flags & _GENERATOR and not flags & _ITERABLE_COROUTINE:

        @wraps(function)
        def generator(*args: P.args, **kwargs: P.kwargs) -> Generator[Any, Any, Any]:
            inner = function(*args, **kwargs)
            return (yield from drive(inner, whose()))

        return cast("Callable[P, R]", generator)

    @wraps(function)
    async def coroutine(*args: P.args, **kwargs: P.kwargs) -> Any:
        return await Driven(function(*args, **kwargs), whose())

    return cast("Callable[P, R]", coroutine)
