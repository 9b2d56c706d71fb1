"""Drives generators and coroutines step by step, switching to their owner at each step.

A token of ``ContextVar.reset`` is only good in the context that made it, and generators travel
between contexts: every step therefore sets the owner and sets the previous value back.
"""

from __future__ import annotations

from _thread import get_ident
from typing import Any, Callable, Generator, Optional

from .context import Subject, _current, switch, switch_back
from .generation import AsyncCall, runs_plugin_code

__all__ = ["Driven", "drive"]


@runs_plugin_code
def drive(
    inner: Any, generation: Subject, call: Optional[AsyncCall] = None, checked: bool = True
) -> Generator[Any, Any, Any]:
    """Runs ``inner`` (anything with send, throw and close) as ``generation``, step by step.

    Each step is refused once the plugin no longer admits its caller; ``inner`` is then closed,
    as its owner, and PluginNotRunning raised.

    Args:
        inner: A generator, a coroutine, or a step of an async generator.
        generation: Whose code it is; a host's subject too.
        call: For coroutines, which are in flight while suspended too: their record.
        checked: False for what must run whatever the plugin's state, such as closing.
    """
    step = inner.send
    value: Any = None
    if call is not None:
        call.thread = get_ident()
        generation.async_calls.append(call)
    try:
        while True:
            if checked and generation.slow and not _may_go_on(call, generation):
                try:
                    generation.admit(_current.get())
                except BaseException:
                    _close(inner, generation)
                    raise
            if call is not None:
                call.begun = True
            try:
                item = _advance(generation, step, value, call)
            except StopIteration as stop:
                return stop.value
            try:
                value = yield item
                step = inner.send
            except GeneratorExit:
                _close(inner, generation)
                raise
            except BaseException as error:
                value = error
                step = inner.throw
    finally:
        if call is not None:
            generation.async_calls.remove(call)


@runs_plugin_code
def _advance(
    generation: Subject, step: Callable[[Any], Any], value: Any, call: Optional[AsyncCall]
) -> Any:
    """One step; its frame is that of this step alone, and ``call`` says that it is counted."""
    previous = switch(generation)
    try:
        return step(value)
    finally:
        switch_back(previous)


def _may_go_on(call: Optional[AsyncCall], generation: Subject) -> bool:
    """Whether a coroutine in flight needs no admission: it is waited for, or it is on the very
    stack that stopped the plugin."""
    return call is not None and (call.exempt or (call.begun and not generation.dead))


def _close(inner: Any, generation: Subject) -> None:
    previous = switch(generation)
    try:
        inner.close()
    finally:
        switch_back(previous)


class Driven:
    """An awaitable that drives a coroutine as its owner.

    Args:
        inner: The coroutine.
        generation: Its owner.
        counted: Whether it is in flight from its first step to its last, suspended or not.
        checked: Whether each step asks the owner for admission.
    """

    __slots__ = ("_call", "_checked", "_generation", "_inner")

    def __init__(
        self, inner: Any, generation: Subject, *, counted: bool = True, checked: bool = True
    ) -> None:
        self._inner = inner
        self._generation = generation
        self._call = AsyncCall() if counted else None
        self._checked = checked

    @property
    def begun(self) -> bool:
        """Whether its first step was admitted; always False for one that is not counted."""
        return self._call is not None and self._call.begun

    def __await__(self) -> Generator[Any, Any, Any]:
        return drive(self._inner, self._generation, self._call, self._checked)
