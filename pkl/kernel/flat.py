"""Coroutines that await each other as deep as they like, without the interpreter's stack.

A chain of requirements may be thousands of plugins long, and a Python call for each of them would
end in RecursionError. ``await Deep(coroutine)`` hands a coroutine to the ``Flat`` that runs its
caller: it keeps those who wait on a list and resumes each with the result of the one above it.
"""

from __future__ import annotations

from typing import Any, Coroutine, Generator, Generic, List, Optional, TypeVar

__all__ = ["Deep", "Flat", "complete"]

T = TypeVar("T")


class Deep(Generic[T]):
    """``await Deep(coroutine)`` inside of a ``Flat`` is ``await coroutine``, but costs no stack."""

    __slots__ = ("coroutine",)

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self.coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, T]:
        return (yield self)  # type: ignore[no-any-return]


class Flat(Generic[T]):
    """``await Flat(coroutine)`` runs a coroutine and all that it awaits through ``Deep``."""

    __slots__ = ("_coroutine",)

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, T]:
        waiting: List[Coroutine[Any, Any, Any]] = [self._coroutine]
        value: Any = None
        error: Optional[BaseException] = None
        while True:
            try:
                if error is None:
                    item = waiting[-1].send(value)
                else:
                    thrown, error = error, None
                    try:
                        item = waiting[-1].throw(thrown)
                    finally:
                        del thrown
            except StopIteration as stop:
                del waiting[-1]
                if not waiting:
                    return stop.value  # type: ignore[no-any-return]
                value = stop.value
            except BaseException as raised:
                del waiting[-1]
                if not waiting:
                    raise
                error = raised
            else:
                value = None
                if isinstance(item, Deep):
                    waiting.append(item.coroutine)
                    continue
                try:
                    value = yield item
                except BaseException as raised:
                    error = raised


def complete(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine that never suspends, and returns its result."""
    steps = Flat(coroutine).__await__()
    try:
        steps.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    steps.close()
    raise AssertionError("a blocking transition suspended")
