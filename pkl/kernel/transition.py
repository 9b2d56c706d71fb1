"""One transition of a plugin at a time: a token per plugin that others wait for, with a bound.

No lock is held while plugin code runs: a token is a row in a table, and the table's lock is
held only to read and write rows. A wait that would close a loop raises instead of hanging.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from threading import Condition, get_ident
from typing import TYPE_CHECKING, Any, Dict, FrozenSet, Iterator, Optional, Tuple

from ..errors import TransitionDeadlock, TransitionTimeout

if TYPE_CHECKING:
    from .plugin import Plugin

__all__ = ["Actor", "Transitions", "current_actor", "standing_for"]

Actor = Tuple[int, int]
"""Who carries out a transition: a thread, and in it a task (0 for none)."""

_stand_ins: Dict[Actor, Actor] = {}


def current_actor() -> Actor:
    """The running thread and task, or whom that task stands for."""
    asyncio: Any = sys.modules.get("asyncio")
    if asyncio is not None:
        try:
            task = asyncio.current_task()
        except RuntimeError:
            task = None
        if task is not None:
            actor = get_ident(), id(task)
            return _stand_ins.get(actor, actor)
    return get_ident(), 0


@contextmanager
def standing_for(actor: Actor) -> Iterator[None]:
    """The block, in a task of its own, acts for somebody who waits until it has ended.

    A thread that runs an async handler on a loop is in the same transition there.
    """
    here = current_actor()
    _stand_ins[here] = actor
    try:
        yield
    finally:
        del _stand_ins[here]


class Transitions:
    """The tokens of one host's plugins. Safe from any thread or task."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._held: Dict[str, Tuple[Actor, int]] = {}
        self._awaited: Dict[Actor, str] = {}

    def take(self, plugin: "Plugin", actor: Actor) -> bool:
        """Takes the plugin's token if it is free or the actor's own already (it then counts)."""
        with self._changed:
            holder = self._held.get(plugin.name)
            if holder is None:
                self._held[plugin.name] = (actor, 1)
            elif holder[0] == actor:
                self._held[plugin.name] = (actor, holder[1] + 1)
            else:
                return False
            self._awaited.pop(actor, None)
            return True

    def give(self, plugin: "Plugin", actor: Actor) -> None:
        """Gives the token back."""
        with self._changed:
            holder, times = self._held[plugin.name]
            if times > 1:
                self._held[plugin.name] = (holder, times - 1)
            else:
                del self._held[plugin.name]
                self._changed.notify_all()

    def nested(self, plugin: "Plugin", actor: Actor) -> bool:
        """Whether the actor is inside a transition of this plugin already."""
        with self._changed:
            holder = self._held.get(plugin.name)
            return holder is not None and holder[0] == actor

    def idle(self, actor: Actor) -> bool:
        """Whether the actor is in no transition at all."""
        with self._changed:
            return all(holder != actor for holder, _ in self._held.values())

    def announce(self, plugin: "Plugin", actor: Actor, blocking: bool) -> None:
        """Notes that the actor is about to wait for the plugin's token.

        Args:
            plugin: The plugin.
            actor: Who waits.
            blocking: Whether its thread stands still meanwhile, and with it every task there.

        Raises:
            TransitionDeadlock: Whoever holds it waits, in the end, for this actor.
        """
        stopped = (actor[0], get_ident()) if blocking else ()
        with self._changed:
            name: Optional[str] = plugin.name
            chain = []
            while name is not None and name not in chain:
                chain.append(name)
                holder = self._held.get(name)
                if holder is None:
                    break
                if holder[0] == actor or holder[0][0] in stopped:
                    raise TransitionDeadlock(
                        f"waiting for plugin {plugin.name!r} to finish its transition would wait "
                        f"for this very call: {' -> '.join(chain)}",
                        plugin=plugin.name,
                        version=plugin.version,
                        hint="do not start or stop plugins that wait for this one from within "
                        "its own transition, and use the async twin on an event loop",
                    )
                name = self._awaited.get(holder[0])
            self._awaited[actor] = plugin.name

    def withdraw(self, actor: Actor) -> None:
        """Takes ``announce`` back."""
        with self._changed:
            self._awaited.pop(actor, None)

    def waiting_for(self, actor: Actor) -> FrozenSet[Actor]:
        """Everybody who waits, in the end, for a token that this actor holds."""
        with self._changed:
            return frozenset(each for each in self._awaited if self._waits_for(each, actor))

    def _waits_for(self, waiting: Actor, actor: Actor) -> bool:
        seen = set()
        while waiting not in seen:
            seen.add(waiting)
            holder = self._held.get(self._awaited.get(waiting, ""))
            if holder is None:
                return False
            if holder[0] == actor:
                return True
            waiting = holder[0]
        return False

    def wait(self, plugin: "Plugin", seconds: float) -> None:
        """Blocks while the plugin's token is held, until some token is given back."""
        with self._changed:
            if plugin.name in self._held:
                self._changed.wait(seconds)

    @staticmethod
    def overdue(plugin: "Plugin", seconds: float) -> TransitionTimeout:
        """The error for a wait that exceeded its bound."""
        return TransitionTimeout(
            f"another thread or task has been in a transition of plugin {plugin.name!r} "
            f"(state: {plugin.state.value}) for more than {seconds:g} s",
            plugin=plugin.name,
            version=plugin.version,
            hint="look at what its on_enable or on_disable handlers wait for",
        )
