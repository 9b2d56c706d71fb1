"""What an application does to all hook calls of a host: watch them, and leave plugins out."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Callable, FrozenSet, List, Mapping, NamedTuple, Optional

if TYPE_CHECKING:
    from .ports import Undo

__all__ = ["HookControl", "Tracer"]


class Tracer(NamedTuple):
    """Two functions around each hook call.

    Attributes:
        before: Called with the hook's name and its arguments by name.
        after: Called with these, the result, the error (or None), and the seconds it took.
    """

    before: Optional[Callable[[str, Mapping[str, Any]], Any]]
    after: Optional[Callable[[str, Mapping[str, Any], Any, Optional[BaseException], float], Any]]


class HookControl:
    """The tracers and blocked plugins of one host. Safe from any thread.

    Args:
        changed: Called after each change.

    Attributes:
        tracers: Those that watch, in order.
        blocked: Plugins whose handlers are not called.
        active: Whether there is either.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self.tracers: "tuple[Tracer, ...]" = ()
        self.blocked: FrozenSet[str] = frozenset()
        self.active = False
        self._tracing: List[List[Any]] = []
        self._blocks: List[List[Any]] = []
        self._lock = Lock()
        self._changed = changed

    def trace(self, tracer: Tracer) -> "Undo":
        """Adds a tracer; returns what takes it away."""
        return self._add(self._tracing, tracer)

    def block(self, name: str) -> "Undo":
        """Leaves a plugin's handlers out, until this is undone as often as it was done."""
        return self._add(self._blocks, name)

    def unblock(self, name: str) -> bool:
        """Undoes every block of a plugin; whether there was one."""
        with self._lock:
            was = name in self.blocked
            self._blocks[:] = [each for each in self._blocks if each[0] != name]
            self._update()
        self._changed()
        return was

    def _add(self, held: List[List[Any]], what: Any) -> "Undo":
        entry = [what]  # told from an equal one by identity
        with self._lock:
            held.append(entry)
            self._update()
        self._changed()

        def undo() -> None:
            with self._lock:
                held[:] = [each for each in held if each is not entry]
                self._update()
            self._changed()

        return undo

    def _update(self) -> None:
        self.tracers = tuple(entry[0] for entry in self._tracing)
        self.blocked = frozenset(entry[0] for entry in self._blocks)
        self.active = bool(self.tracers or self.blocked)
