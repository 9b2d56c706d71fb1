"""What the plugins of a host contribute to its points right now, and who hears when that changes.

All of it is one immutable value that is replaced as a whole: whoever reads it sees everything that
a plugin contributes, or nothing. A plugin's part is in it while the plugin runs, while it waits
for its triggers, and from the moment a start takes it into its plan until that has failed.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from threading import Lock
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Deque,
    Dict,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Tuple,
)

from ..model.candidate import Candidate
from ..model.contributions import Contribution, Points
from ..model.frozen import freeze
from ..model.graph import topological_order
from ..model.plan import Plan
from ..model.state import PluginState
from .context import _current
from .describe import describe
from .dispatch import call_one, passes
from .ownership import registrant
from .resource import Resource

if TYPE_CHECKING:
    from .core import Kernel
    from .plugin import Plugin
    from .ports import Undo

__all__ = ["Contributions", "ContributionsChange", "contributions", "on_contributions"]

Entries = Tuple[Contribution, ...]

_ON_ITS_WAY = (PluginState.UNLOADED, PluginState.LOADED, PluginState.ENABLING)


class ContributionsChange(NamedTuple):
    """What a handler is given that hears of a point."""

    point: str
    """The point."""
    before: Entries
    """All that was contributed to it when the handler last heard of it."""
    after: Entries
    """All that is contributed to it now."""

    @property
    def added(self) -> Entries:
        """What is there now and was not before."""
        return tuple(each for each in self.after if each not in self.before)

    @property
    def removed(self) -> Entries:
        """What was there before and is not now."""
        return tuple(each for each in self.before if each not in self.after)


class _Part:
    """What one plugin contributes; its values are made when they are first read."""

    __slots__ = ("_made", "candidate")

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate
        self._made: Dict[str, Contribution] = {}

    def entry(self, point: str) -> Optional[Contribution]:
        """What it contributes to a point, or None."""
        found = self._made.get(point)
        metadata = self.candidate.metadata
        if found is None and point in metadata.contributes:
            value = freeze(metadata.contributes[point])
            file = self.candidate.manifest_file
            made = Contribution(self.candidate.name, metadata.version, value, file)
            found = self._made.setdefault(point, made)
        return found


class _Snapshot:
    """All that is contributed at one moment."""

    __slots__ = ("_entries", "_parts")

    def __init__(self, parts: Tuple[_Part, ...] = ()) -> None:
        self._parts = parts
        self._entries: Dict[str, Entries] = {}

    def entries(self, point: str) -> Entries:
        """What is contributed to a point, in the order of the plan."""
        found = self._entries.get(point)
        if found is None:
            each = (part.entry(point) for part in self._parts)
            made = tuple(entry for entry in each if entry is not None)
            found = self._entries.setdefault(point, made)
        return found


class _Watch(Resource):
    """A handler that hears of a point, held by whoever added it."""

    def __init__(
        self, owner: "Contributions", point: str, handler: Callable[[ContributionsChange], Any]
    ) -> None:
        # Outside of any plugin it is the host that listens: this one, whichever is the default.
        self._subject = _current.get() or owner.kernel.subject
        self.owner = owner
        self.point = point
        self.handler = handler
        self.seen = owner.entries(point)

    def __repr__(self) -> str:
        return f"<watch of the point {self.point} by {describe(self.handler)}>"

    @property
    def staged(self) -> bool:
        """It hears nothing before its plugin is enabled."""
        return True

    def _activate(self, now: float) -> None:
        self.owner.add(self)

    def _cleanup(self) -> None:
        self.owner.remove(self)

    def hear(self, now: _Snapshot) -> None:
        """Calls the handler, as who added it, if its point is not what it was; contained."""
        subject, after = self._subject, now.entries(self.point)
        if not subject.live or not self.held or after == self.seen:
            return
        before, self.seen = self.seen, after
        change = ContributionsChange(self.point, before, after)
        try:
            call_one(subject, self.handler, (change,), {})
        except BaseException as error:
            if passes(error):
                raise
            where = f"{describe(self.handler)}, which heard of the point {self.point},"
            subject.kernel.contain(subject, error, where)


class Contributions:
    """The contributions of one host's plugins. Safe from any thread.

    Reading takes no lock. No handler is called under one.

    Args:
        kernel: The host's kernel.
    """

    def __init__(self, kernel: "Kernel") -> None:
        self.kernel = kernel
        self.points: Optional[Points] = None
        """What the host declares; None if it declares no points at all."""
        self.begun = False
        """Whether the host has been started."""
        self._lock = Lock()
        self._order: Dict[str, int] = {}
        self._expected: Dict[str, Candidate] = {}
        self._parts: Dict[str, _Part] = {}
        self._now = _Snapshot()
        self._watches: Dict[int, _Watch] = {}
        self._due = False
        self._turn: Deque[bool] = deque([True])
        self._closed = False

    def entries(self, point: str) -> Entries:
        """What is contributed to a point.

        Raises:
            PointNotFound: The host declares no such point.
        """
        now = self._now
        self._declared().check(point, self.kernel.name)
        return now.entries(point)

    def all_entries(self) -> Mapping[str, Entries]:
        """What is contributed to each point, all of it at one moment."""
        now = self._now
        return MappingProxyType({p: now.entries(p) for p in self._declared().declared})

    def _declared(self) -> Points:
        return self.points if self.points is not None else _NO_POINTS

    def watch(self, point: str, handler: Callable[[ContributionsChange], Any]) -> "Undo":
        """Calls a handler whenever what is contributed to a point changes; see ``PluginHost``."""
        if not callable(handler):
            raise TypeError(f"a handler must be callable, not {handler!r}")
        watch = _Watch(self, point, handler)
        watch._subject.kernel.resource_manager.register(watch)
        return watch.release

    def add(self, watch: _Watch) -> None:
        """Tells a handler of changes from now on, and of what it missed while it was staged."""
        self._watches[id(watch)] = watch
        self._due = True
        self.tell()

    def remove(self, watch: _Watch) -> None:
        """Tells a handler nothing any more."""
        self._watches.pop(id(watch), None)

    def expect(self, plan: Plan, *, starting: bool) -> None:
        """What a plan holds counts from now on, unless it has failed.

        Args:
            plan: The plan.
            starting: Whether it is about to be started; else it is what a start would do.
        """
        with self._lock:
            if not self.begun:
                self._expected.clear()  # what was only foreseen
            self.begun = self.begun or starting
            self._order = {step.name: place for place, step in enumerate(plan.steps)}
            self._expected.update((s.name, s.candidate) for s in plan.steps)
            self._renew()
        self.tell()

    def settle(self, plan: Plan) -> None:
        """The start of a plan has ended: what it did not bring up does not count."""
        with self._lock:
            for step in plan.steps:
                self._expected.pop(step.name, None)
            self._renew()
        self.tell()

    def replan(self, plan: Plan) -> None:
        """This is the order from now on, and manifests may have changed."""
        with self._lock:
            self._order = {step.name: place for place, step in enumerate(plan.steps)}
            self._renew()
        self.tell()

    def close(self) -> None:
        """Nothing is contributed any more, in one step: the host is being closed."""
        with self._lock:
            self._closed = True
            self._expected.clear()
            self._parts = {}
            self._publish()
        self.tell()

    def changed(self, plugin: "Plugin") -> None:
        """A plugin's state changed; ``tell`` is due once no lock is held. Calls nobody."""
        name = plugin.name
        if self.points is None or (
            name not in self._parts and not plugin.candidate.metadata.contributes
        ):
            return
        with self._lock:
            before = self._parts.get(name)
            after = self._part(name, plugin)
            if after is not before and not self._closed:
                self._put(name, after)
                self._publish()

    def tell(self) -> None:
        """Calls the handlers that have something to hear; at once over if somebody is at it."""
        while self._due:
            try:
                # The one slot there is: taking it is atomic.
                self._turn.pop()
            except IndexError:
                return
            try:
                while self._due:
                    self._due = False
                    for watch in list(self._watches.values()):
                        watch.hear(self._now)
            finally:
                self._turn.append(True)

    def _renew(self) -> None:
        if self.points is None or self._closed:
            return
        known = self.kernel.plugins
        for name in {*self._expected, *self._parts, *list(known)}:
            self._put(name, self._part(name, known.get(name)))
        self._publish()

    def _part(self, name: str, plugin: Optional["Plugin"]) -> Optional[_Part]:
        """What a plugin contributes right now; the same object as before if nothing changed."""
        expected = self._expected.get(name)
        candidate = expected
        if plugin is not None:
            candidate = plugin.candidate
            if plugin.state is not PluginState.ENABLED and (
                plugin.state not in _ON_ITS_WAY or (plugin.waiting is None and expected is None)
            ):
                return None
        if candidate is None or not candidate.metadata.contributes:
            return None
        before = self._parts.get(name)
        if before is not None and before.candidate == candidate:
            return before
        return _Part(candidate)

    def _put(self, name: str, part: Optional[_Part]) -> None:
        if part is None:
            self._parts.pop(name, None)
        else:
            self._parts[name] = part

    def _publish(self) -> None:
        self._now = _Snapshot(tuple(self._parts[name] for name in self._sorted()))
        self._due = True

    def _sorted(self) -> List[str]:
        """Those that contribute: as planned, and all others after what they require."""
        order, last = self._order, len(self._order)

        def place(name: str) -> Tuple[int, str]:
            return order.get(name, last), name

        if all(name in order for name in self._parts):
            return sorted(self._parts, key=place)
        rows = dict(self.kernel.plugins)
        names = sorted({*rows, *self._parts}, key=place)
        needs = {name: [need.name for need in row.needs] for name, row in rows.items()}
        with suppress(ValueError):  # of a cycle none can run, so none of it is asked for
            names = topological_order(names, needs)
        return [name for name in names if name in self._parts]


_NO_POINTS = Points({})


def contributions(point: str) -> Entries:
    """What plugins contribute to a point of the current plugin's host, else the default host.

    See ``PluginHost.contributions``.

    Raises:
        PointNotFound: The host declares no such point.
    """
    found: Entries = registrant().kernel.host.contributions(point)
    return found


def on_contributions(point: str, handler: Callable[[ContributionsChange], Any]) -> "Undo":
    """Calls ``handler(change)`` whenever what is contributed to a point changes; returns its undo.

    In a plugin, the handler is a resource of that plugin. See ``PluginHost.on_contributions``.

    Raises:
        PointNotFound: The host declares no such point.
        PluginNotRunning: The plugin has been stopped, or is stopping.
        TypeError: The handler cannot be called.
    """
    undo: "Undo" = registrant().kernel.host.on_contributions(point, handler)
    return undo
