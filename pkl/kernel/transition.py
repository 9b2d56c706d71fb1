"""One transition of a plugin at a time: a token per plugin that others wait for, with a bound.

No lock is held while plugin code runs: a token is a row in a table, and the table's lock is
held only to read and write rows. A wait that would close a loop raises instead of hanging, also
where the loop leads through an import: the waiting thread imports what the one needs that it
waits for.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from threading import Condition, get_ident
from typing import (
    TYPE_CHECKING,
    Any,
    Collection,
    Dict,
    FrozenSet,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Protocol,
    Set,
    Tuple,
)

from ..errors import TransitionDeadlock, TransitionTimeout
from .import_locks import import_waits, importing_threads

if TYPE_CHECKING:
    from ..model.state import PluginState

__all__ = [
    "Actor",
    "Token",
    "Transitions",
    "current_actor",
    "no_longer_standing",
    "standing_for",
]

Actor = Tuple[int, int]
"""Who carries out a transition: a thread, and in it a task (0 for none)."""


class Token(Protocol):
    """What one at a time holds: a plugin, or its start on somebody's need."""

    @property
    def _kernel(self) -> Any: ...

    @property
    def name(self) -> str:
        """The plugin's name."""

    @property
    def version(self) -> str:
        """The plugin's version."""

    @property
    def state(self) -> "PluginState":
        """The plugin's state."""


_stand_ins: Dict[Actor, Actor] = {}


def current_actor() -> Actor:
    """The running thread and task, or whom these stand for."""
    asyncio: Any = sys.modules.get("asyncio")
    if asyncio is not None:
        try:
            task = asyncio.current_task()
        except RuntimeError:
            task = None
        if task is not None:
            actor = get_ident(), id(task)
            return _stand_ins.get(actor, actor)
    actor = get_ident(), 0
    return _stand_ins.get(actor, actor)


@contextmanager
def standing_for(actor: Actor) -> Iterator[None]:
    """The block, in a task or thread of its own, acts for somebody who waits until it has ended.

    A thread that runs an async handler on a loop is in the same transition there.
    """
    here = current_actor()
    _stand_ins[here] = actor
    try:
        yield
    finally:
        no_longer_standing(here)


def no_longer_standing(here: Actor) -> None:
    """Ends ``standing_for`` from outside, where nobody waits for the block any more."""
    _stand_ins.pop(here, None)


def _threads_of(actor: Actor) -> Set[int]:
    """The threads in which an actor gets on: its own, and that of a task that stands for it."""
    return {actor[0], *(here[0] for here, who in list(_stand_ins.items()) if who[0] == actor[0])}


class _Wait(NamedTuple):
    """A wait for a token.

    Attributes:
        plugin: Whose token.
        thread: The thread that stands still meanwhile; None if it goes on with other tasks.
    """

    plugin: "Token"
    thread: Optional[int]


_Way = Tuple[str, ...]
"""What a wait leads through, in words: plugins' names, and imports."""


_changed = Condition()
_held: Dict["Token", Tuple[Actor, int]] = {}
_awaited: Dict[Actor, _Wait] = {}
# One table for all hosts: a loop may lead through plugins of several.


class Transitions:
    """The tokens of one host's plugins. Safe from any thread or task."""

    def __init__(self) -> None:
        self._changed = _changed
        self._held = _held
        self._awaited = _awaited

    def take(self, plugin: "Token", actor: Actor) -> bool:
        """Takes the plugin's token if it is free or the actor's own already (it then counts)."""
        with self._changed:
            holder = self._held.get(plugin)
            if holder is None:
                self._held[plugin] = (actor, 1)
            elif holder[0] == actor:
                self._held[plugin] = (actor, holder[1] + 1)
            else:
                return False
            self._awaited.pop(actor, None)
            return True

    def give(self, plugin: "Token", actor: Actor) -> None:
        """Gives the token back."""
        with self._changed:
            holder, times = self._held[plugin]
            if times > 1:
                self._held[plugin] = (holder, times - 1)
            else:
                del self._held[plugin]
                self._changed.notify_all()

    def nested(self, plugin: "Token", actor: Actor) -> bool:
        """Whether the actor is inside a transition of this plugin already."""
        with self._changed:
            holder = self._held.get(plugin)
            return holder is not None and holder[0] == actor

    def idle(self, actor: Actor) -> bool:
        """Whether the actor is in no transition of this host at all."""
        with self._changed:
            return all(
                holder != actor or plugin._kernel.transitions is not self
                for plugin, (holder, _) in self._held.items()
            )

    def busy(self, kernel: Any) -> bool:
        """Whether anybody is in a transition of a plugin of that kernel."""
        with self._changed:
            return any(token._kernel is kernel for token in self._held)

    def announce(self, plugin: "Token", actor: Actor, blocking: bool) -> None:
        """Notes that the actor is about to wait for the plugin's token.

        Args:
            plugin: The plugin.
            actor: Who waits.
            blocking: Whether its thread stands still meanwhile, and with it every task there.

        Raises:
            TransitionDeadlock: Whoever holds it waits, in the end, for this actor.
        """
        here = get_ident()
        threads = frozenset((actor[0], here))
        wait = _Wait(plugin, here if blocking else None)

        def way_back() -> _Way:
            start: List[Tuple[_Way, _Wait]] = [((plugin.name,), wait)]
            return self._way(start, actor, threads if blocking else (), threads)

        with self._changed:
            way = way_back()
            # Imports are not under this lock: what was seen of them has to be seen twice.
            if way and way == way_back():
                # Who raises waits no more: nobody else is to see the same loop.
                self._awaited.pop(actor, None)
                raise _deadlock(plugin, way)
            self._awaited[actor] = wait

    def withdraw(self, actor: Actor) -> None:
        """Takes ``announce`` back."""
        with self._changed:
            self._awaited.pop(actor, None)

    def waiting_for(self, actor: Actor) -> FrozenSet[Actor]:
        """Everybody who waits, in the end, for a token that this actor holds, or for an import
        that it is in the middle of. Threads in an import are there as actors without a task."""
        threads = frozenset((actor[0], get_ident()))
        with self._changed:
            found = {
                each
                for each, wait in self._awaited.items()
                if self._way([((wait.plugin.name,), wait)], actor, (), threads)
            }
            for thread in importing_threads():
                ways, mine = self._through_imports(thread, (), threads)
                if mine or self._way(ways, actor, (), threads):
                    found.add((thread, 0))
            return frozenset(found)

    def _way(
        self,
        todo: List[Tuple[_Way, _Wait]],
        actor: Actor,
        stopped: Collection[int],
        importing: FrozenSet[int],
    ) -> _Way:
        """How waits lead to an actor; empty if they do not.

        Args:
            todo: The waits to begin with, and how they came about.
            actor: To whom.
            stopped: Threads that stand still, so that none of their tasks gets on.
            importing: The threads whose imports are that actor's.
        """
        seen: Set["Token"] = set()
        while todo:
            way, wait = todo.pop()
            holder = self._held.get(wait.plugin)
            if holder is None or wait.plugin in seen:
                continue
            seen.add(wait.plugin)
            who = holder[0]
            if who == actor or who[0] in stopped:
                return way
            further = self._awaited.get(who)
            if further is not None:
                todo.append(((*way, further.plugin.name), further))
            for thread in _threads_of(who):
                ways, mine = self._through_imports(thread, way, importing)
                if mine:
                    return mine
                todo += ways
        return ()

    def _through_imports(
        self, thread: int, way: _Way, importing: FrozenSet[int]
    ) -> Tuple[List[Tuple[_Way, _Wait]], _Way]:
        """What a thread waits for in the import system.

        Returns:
            The waits for tokens of those who import it, and, if one of ``importing`` does, the
            way there.
        """
        waits: List[Tuple[_Way, _Wait]] = []
        seen: Set[int] = set()
        todo = [(way, thread)]
        while todo:
            way, thread = todo.pop()
            for module, owner in import_waits(thread):
                further = (*way, f"the import of {module}")
                if owner in importing:
                    return [], further
                if owner in seen:
                    continue
                seen.add(owner)
                for wait in self._awaited.values():
                    if wait.thread == owner:
                        waits.append(((*further, wait.plugin.name), wait))
                todo += [(further, each) for each in _threads_of((owner, 0))]
        return waits, ()

    def wait(self, plugin: "Token", seconds: float) -> None:
        """Blocks while the plugin's token is held, until some token is given back."""
        with self._changed:
            if plugin in self._held:
                self._changed.wait(seconds)

    @staticmethod
    def overdue(plugin: "Token", seconds: float) -> TransitionTimeout:
        """The error for a wait that exceeded its bound."""
        return TransitionTimeout(
            f"another thread or task has been in a transition of plugin {plugin.name!r} "
            f"(state: {plugin.state.value}) for more than {seconds:g} s",
            plugin=plugin.name,
            version=plugin.version,
            hint="look at what its on_enable or on_disable handlers wait for",
        )


def _deadlock(plugin: "Token", way: _Way) -> TransitionDeadlock:
    if any(each.startswith("the import of ") for each in way):
        hint = (
            "do not start or stop plugins while a module is being imported that they import "
            "themselves; do it once the import has ended"
        )
    else:
        hint = (
            "do not start or stop plugins that wait for this one from within its own transition, "
            "and use the async twin on an event loop"
        )
    return TransitionDeadlock(
        f"waiting for plugin {plugin.name!r} to finish its transition would wait for this very "
        f"call: {' -> '.join(way)}",
        plugin=plugin.name,
        version=plugin.version,
        hint=hint,
    )
