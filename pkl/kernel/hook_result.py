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
    Tuple,
    Union,
    overload,
)

if TYPE_CHECKING:
    from .context import Subject
    from .plugin import Plugin

__all__ = ["HookResult", "Results"]


class HookResult(NamedTuple):
    """One handler's answer."""

    value: Any
    """What the handler returned; never None, which is no answer."""
    plugin: Optional["Plugin"]
    """Whose handler it is; None for the host's."""
    duration: float
    """Seconds it took."""


class Results(_Sequence):  # type: ignore[type-arg]
    """The answers of a hook, in order of the handlers: a list of ``HookResult``.

    ``values`` are the bare answers. Items are made when they are first looked at.
    """

    __slots__ = ("_answers", "_items")

    def __init__(self, answers: List[Tuple[Any, "Subject", float]]) -> None:
        """Makes a list of answers: of each the value, whose it is, and how long it took."""
        self._answers = answers
        self._items: Optional[List[HookResult]] = None

    @property
    def values(self) -> List[Any]:
        """The bare answers."""
        return [answer[0] for answer in self._answers]

    def _made(self) -> List[HookResult]:
        items = self._items
        if items is None:
            items = self._items = [HookResult(v, s.plugin, took) for v, s, took in self._answers]
        return items

    def __len__(self) -> int:
        return len(self._answers)

    def __iter__(self) -> Iterator[HookResult]:
        return iter(self._made())

    @overload
    def __getitem__(self, index: int) -> HookResult: ...

    @overload
    def __getitem__(self, index: slice) -> List[HookResult]: ...

    def __getitem__(self, index: Union[int, slice]) -> Any:
        return self._made()[index]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Results):
            return self._made() == other._made()
        return self._made() == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Results({self._made()!r})"
