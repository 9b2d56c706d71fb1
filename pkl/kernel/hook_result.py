"""What a hook's handlers answered, each answer with whose it is and how long it took."""

from __future__ import annotations

from collections.abc import Sequence as _Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
    overload,
)

if TYPE_CHECKING:
    from .context import Subject
    from .plugin import Plugin

__all__ = ["HookResult", "Results", "noted"]


class HookResult(NamedTuple):
    """One handler's answer."""

    value: Any
    """What the handler returned; never None, which is no answer."""
    plugin: Optional["Plugin"]
    """Whose handler it is; None for the host's."""
    duration: float
    """Seconds it took."""


_Called = Tuple["Subject", Any, Any]

_new = object.__new__


class Results(_Sequence):  # type: ignore[type-arg]
    """The answers of a hook, in order of the handlers: a list of ``HookResult``.

    ``values`` are the bare answers. Items are made when they are first looked at.
    """

    __slots__ = ("_state",)

    _state: Tuple[Optional[Sequence[_Called]], List[Any]]
    """Who was called and the notes of the call; or None and the items."""

    @classmethod
    def of(cls, items: List[HookResult]) -> "Results":
        """The answers as they are given."""
        results = _new(cls)
        results._state = None, items
        return results

    @property
    def values(self) -> List[Any]:
        """The bare answers."""
        called, log = self._state
        if called is None:
            return [item.value for item in log]
        return [value for value in log[1::2] if value is not None]

    def _items(self) -> List[HookResult]:
        called, log = self._state
        if called is None:
            return log
        items = [
            HookResult(log[at], entry[0].plugin, log[at + 1] - log[at - 1])
            for at, entry in zip(range(1, len(log), 2), called)
            if log[at] is not None
        ]
        self._state = None, items
        return items

    def __len__(self) -> int:
        return len(self._items())

    def __iter__(self) -> Iterator[HookResult]:
        return iter(self._items())

    @overload
    def __getitem__(self, index: int) -> HookResult: ...

    @overload
    def __getitem__(self, index: slice) -> List[HookResult]: ...

    def __getitem__(self, index: Union[int, slice]) -> Any:
        return self._items()[index]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Results):
            return self._items() == other._items()
        return self._items() == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Results({self._items()!r})"


def noted(called: Sequence[_Called], log: List[Any]) -> Results:
    """The results of a call, from its notes: a call takes notes and works nothing out.

    Args:
        called: Who was called, in order: of each triple, the subject.
        log: A moment, and then what each of them answered (None is no answer) and the moment
            when it had, in turn.
    """
    results = _new(Results)
    results._state = called, log
    return results
