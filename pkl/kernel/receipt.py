"""The account of what a stopped generation held: taken back, left, and who holds on to its code."""

from __future__ import annotations

from threading import RLock
from typing import Any, Callable, Dict, List, NamedTuple, Protocol, Sequence, Tuple

__all__ = ["Evidence", "Held", "Leftover", "Receipt"]


class Held(NamedTuple):
    """Something that a plugin held."""

    kind: str
    """What it is: ``thread``, ``handler``, ``environment``, ``signal`` and so on."""
    what: str
    """Which one, for people."""
    note: str = ""
    """Where it is, or why it could not be taken back; may be empty."""

    def __str__(self) -> str:
        return f"{self.kind} {self.what}" + (f" ({self.note})" if self.note else "")

    def as_dict(self) -> Dict[str, str]:
        """For JSON."""
        return {"kind": self.kind, "what": self.what, "note": self.note}


class Leftover(NamedTuple):
    """Something that could not be taken back, and whether it is still there."""

    held: Held
    remains: Callable[[], bool]


class Search(NamedTuple):
    """What a look through the memory of the process has found."""

    taken_back: Sequence[Held]
    """References of others that could be undone."""
    holders: Sequence[str]
    """What holds on to the code all the same; not empty unless the code is gone."""


class Evidence(Protocol):
    """What knows whether the code of a generation is still in memory."""

    def gone(self) -> bool:
        """Whether nothing of it is left; costs next to nothing."""

    def expected(self) -> str:
        """Why it is right that its code is still there; empty if it is not."""

    def search(self) -> Search:
        """Collects garbage, undoes what can be undone, and names who holds what is left."""


class Receipt:
    """What one generation of a plugin held when it stopped, and what is left of it.

    Made by the host at each stop. What it says about things that were left changes when these
    go; nothing in it keeps the plugin's code alive. Safe from any thread.

    Attributes:
        plugin: The plugin's name.
        version: Its version.
        generation: Which load of its code this was, from 1.
    """

    def __init__(
        self,
        plugin: str,
        version: str,
        generation: int,
        taken_back: Sequence[Held],
        left: Sequence[Leftover],
        unsure: Sequence[Leftover],
        evidence: Evidence,
    ) -> None:
        self.plugin = plugin
        self.version = version
        self.generation = generation
        self._taken_back: List[Held] = list(taken_back)
        self._left = tuple(left)
        self._unsure = tuple(unsure)
        self._evidence = evidence
        self._lock = RLock()
        self._verified = False
        self._released = False
        self._holders: Tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Receipt of {self.plugin} {self.version} #{self.generation}: {self.status}>"

    @property
    def status(self) -> str:
        """``released`` once its code is gone from memory, ``retained`` if a search found who holds
        it, ``pending`` until either is known."""
        if not self._released and self._evidence.gone():
            self._released = True
        if self._released:
            return "released"
        return "retained" if self._verified else "pending"

    @property
    def taken_back(self) -> Tuple[Held, ...]:
        """What was released or undone."""
        return tuple(self._taken_back)

    @property
    def left(self) -> Tuple[Held, ...]:
        """What could not be taken back and is still there."""
        return _remaining(self._left)

    @property
    def unsure(self) -> Tuple[Held, ...]:
        """What changed while the plugin was starting, when others ran too, so that nobody knows
        whose it is; left as it is."""
        return _remaining(self._unsure)

    @property
    def holders(self) -> Tuple[str, ...]:
        """Who holds on to its code, as far as a search could tell; empty once it is released."""
        return () if self.status == "released" else self._holders

    @property
    def clean(self) -> bool:
        """Whether nothing was left and nobody is known to hold on to its code."""
        return not self.left and self.status != "retained"

    def verify(self) -> "Receipt":
        """Finds out now whether the code is gone; undoes what holds it and can be undone.

        It collects garbage and may look through all objects of the process, which takes
        milliseconds to tenths of a second. Of a host whose clock runs this happens by itself, a
        second after a stop.

        Returns:
            The receipt itself, whose ``status`` is ``pending`` only if the plugin's
            ``on_unload`` handlers have still to run.
        """
        with self._lock:
            if self.status == "released" or self._evidence.expected():
                return self
            found = self._evidence.search()
            self._taken_back.extend(found.taken_back)
            self._holders = tuple(found.holders)
            self._verified = True
        return self

    def as_dict(self) -> Dict[str, Any]:
        """For JSON."""
        return {
            "plugin": self.plugin,
            "version": self.version,
            "generation": self.generation,
            "status": self.status,
            "taken_back": [each.as_dict() for each in self.taken_back],
            "left": [each.as_dict() for each in self.left],
            "unsure": [each.as_dict() for each in self.unsure],
            "holders": list(self.holders),
        }

    def as_text(self) -> str:
        """For people, a line for each thing."""
        expected = self._evidence.expected() if self.status == "pending" else ""
        status = f"{self.status}: {expected}" if expected else self.status
        lines = [f"{self.plugin} {self.version}, load {self.generation}: {status}"]
        for title, rows in (
            ("taken back", self.taken_back),
            ("left", self.left),
            ("unsure", self.unsure),
            ("held by", self.holders),
        ):
            lines += [f"  {title}: {row}" for row in rows]
        return "\n".join(lines)


def _remaining(leftovers: Sequence[Leftover]) -> Tuple[Held, ...]:
    return tuple(each.held for each in leftovers if each.remains())
