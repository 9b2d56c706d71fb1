"""What an installation would change, as a value: what comes, what goes, and what that means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .consent.holding import Held, Settled
from .environment.generation import GenerationRecord
from .solution import Chosen, Solution

__all__ = ["InstallPlan", "Part", "plan_of"]


class Part(NamedTuple):
    """One plugin or library of a plan.

    Attributes:
        name: The plugin; of a library, the distribution.
        before: Its version as it is there; None if it is not.
        after: Its version as it will be there; None if it will not.
        distribution: What carries it.
        library: Whether it is a library, which is there because a plugin needs it.
        registry: The registry that it comes from; empty of a file of this machine.
        editable: The project that is used in place; empty otherwise.
        asks: What it asks to be allowed, as far as that is consented to with this plan; each a
            line for people.
    """

    name: str
    before: Optional[str]
    after: Optional[str]
    distribution: str
    library: bool = False
    registry: str = ""
    editable: str = ""
    asks: Tuple[str, ...] = ()

    @property
    def sign(self) -> str:
        """``+`` for what comes, ``~`` for what changes, ``-`` for what goes."""
        return "+" if self.before is None else "-" if self.after is None else "~"

    def text(self, arrow: str = "→") -> str:
        """In a line: ``~ audit 1.0 → 1.1``."""
        versions = [each for each in (self.before, self.after) if each is not None]
        words = f"{self.sign} {self.name} " + f" {arrow} ".join(dict.fromkeys(versions))
        notes = []
        if self.library:
            notes.append("library")
        elif self.distribution != self.name:
            notes.append(self.distribution)
        if self.editable:
            notes.append(f"in place: {self.editable}")
        elif self.before is not None and self.before == self.after:
            notes.append(f"from {self.registry}" if self.registry else "another build")
        return f"{words} ({', '.join(notes)})" if notes else words

    def as_dict(self) -> Dict[str, Any]:
        """The part as a JSON object."""
        return {
            "name": self.name,
            "from": self.before,
            "to": self.after,
            "distribution": self.distribution,
            "library": self.library,
            "registry": self.registry or None,
            "editable": self.editable or None,
            "asks": list(self.asks),
        }


@dataclass(frozen=True)
class InstallPlan:
    """What a verb is about to do, and what of it was held.

    Attributes:
        settled: The solution, with the consents that come with it and the updates that are held.
        base: The generation that counted when this was planned; None if there was none.
        added: What comes.
        changed: What changes its version, or where it comes from.
        removed: What goes.
        kept: What stays as it is.
        running: The processes that run with an earlier generation, by its number; they keep it
            until they start again.
        roots_change: Whether what was asked for is another, even where nothing else changes.
        notes: Remarks, such as a pre-release that was taken.
    """

    settled: Settled
    base: Optional[int]
    added: Tuple[Part, ...] = ()
    changed: Tuple[Part, ...] = ()
    removed: Tuple[Part, ...] = ()
    kept: Tuple[Part, ...] = ()
    running: Tuple[Tuple[int, Tuple[int, ...]], ...] = ()
    roots_change: bool = False
    notes: Tuple[str, ...] = ()

    @property
    def solution(self) -> Solution:
        """What is to be in place."""
        return self.settled.solution

    @property
    def held(self) -> Tuple[Held, ...]:
        """The updates that nobody has consented to."""
        return self.settled.held

    @property
    def parts(self) -> Tuple[Part, ...]:
        """All that changes: what comes, what changes, what goes; plugins before libraries."""
        return (*self.added, *self.changed, *self.removed)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.parts and not self.roots_change

    def lines(self, arrow: str = "→") -> List[str]:
        """The plan for people: a line for each part, and what each asks to be allowed below it."""
        found = []
        for part in self.parts:
            found.append(part.text(arrow))
            found += [f"    {each}" for each in part.asks]
        for held in self.held:
            found.append(f"HELD {held.text(arrow)}")
        return found

    def as_dict(self) -> Dict[str, Any]:
        """The plan as JSON fields."""
        return {
            "added": [each.as_dict() for each in self.added],
            "changed": [each.as_dict() for each in self.changed],
            "removed": [each.as_dict() for each in self.removed],
            "kept": [each.as_dict() for each in self.kept],
            "held": [each.as_dict() for each in self.held],
            "running": [
                {"generation": number, "processes": list(pids)} for number, pids in self.running
            ],
            "notes": list(self.notes),
        }


def plan_of(
    before: Optional[GenerationRecord],
    settled: Settled,
    *,
    base: Optional[int],
    running: Optional[Mapping[int, Sequence[int]]] = None,
    notes: Sequence[str] = (),
) -> InstallPlan:
    """What changes from a generation to a solution.

    Args:
        before: What is there; None if nothing is, or if it cannot be read.
        settled: What is to be there.
        base: The number of the generation that counts.
        running: The processes that run with each generation.
        notes: Remarks.
    """
    there = {each.name: each for each in before.distributions} if before is not None else {}
    to_be = {each.name: each for each in settled.solution.chosen}
    asks: Dict[str, List[str]] = {}
    for _, changes in settled.consented:
        for change in changes:
            asks.setdefault(change.plugin, []).append(change.text)
    sorted_in: Dict[str, List[Part]] = {"+": [], "~": [], "-": [], "=": []}
    for name in sorted({*there, *to_be}):
        old, new = there.get(name), to_be.get(name)
        for part in _parts(old, new, asks):
            sorted_in["=" if part.sign == "~" and _same(old, new) else part.sign].append(part)
    roots = before.roots if before is not None else ()
    added, changed, removed, kept = (
        tuple(sorted(each, key=lambda part: (part.library, part.name)))
        for each in sorted_in.values()
    )
    return InstallPlan(
        settled,
        base,
        added,
        changed,
        removed,
        kept,
        tuple((number, tuple(pids)) for number, pids in (running or {}).items()),
        set(roots) != set(settled.solution.roots) or (before is None and bool(to_be)),
        (*notes, *settled.solution.notes, *settled.notes),
    )


def _same(old: Optional[Chosen], new: Optional[Chosen]) -> bool:
    if old is None or new is None:
        return False
    # Of a project that is used in place nothing changes here; its files are its own.
    wheels = [each.wheel.sha256 if each.wheel is not None else "" for each in (old, new)]
    return (old.version, old.editable, wheels[0]) == (new.version, new.editable, wheels[1])


def _parts(
    old: Optional[Chosen], new: Optional[Chosen], asks: Mapping[str, Sequence[str]]
) -> List[Part]:
    """The plugins of a distribution, or itself as a library."""
    one = new or old
    assert one is not None
    versions: Dict[str, List[Optional[str]]] = {}
    for at, each in enumerate((old, new)):
        for plugin in each.plugins if each is not None else ():
            versions.setdefault(plugin.name, [None, None])[at] = plugin.version
    library = not versions
    if library:
        versions[one.name] = [
            old.version if old is not None else None,
            new.version if new is not None else None,
        ]
    return [
        Part(
            name,
            before,
            after,
            one.name,
            library,
            one.registry,
            one.editable,
            tuple(asks.get(name, ())) if after is not None else (),
        )
        for name, (before, after) in sorted(versions.items())
    ]
