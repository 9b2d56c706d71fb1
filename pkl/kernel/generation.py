"""One load of a plugin's code: what it may do, what it holds, and which of its calls run."""

from __future__ import annotations

import sys
from _thread import get_ident
from types import CodeType, FrameType
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    FrozenSet,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
    TypeVar,
)

from ..errors import PluginNotRunning
from ..names import identifier
from .context import Subject, _current

if TYPE_CHECKING:
    from .core import Kernel
    from .plugin import Plugin
    from .ports import LoadedCode
    from .transition import Actor

__all__ = [
    "MARK",
    "AsyncCall",
    "Calls",
    "Generation",
    "async_calls_on_this_stack",
    "not_running",
    "refuse_stopped",
    "runs_plugin_code",
]

MARK = "__pkl_generation__"
"""The key under which a module's dictionary holds the generation that owns it."""

F = TypeVar("F", bound=Callable[..., Any])

_entry_codes: Set[CodeType] = set()


def runs_plugin_code(function: F) -> F:
    """Marks a kernel function whose local ``generation`` says whose code it is running.

    Whether a call is in flight is then read off the stacks when somebody needs to know, so that
    the calls themselves need not count.
    """
    _entry_codes.add(getattr(function, "__code__"))  # noqa: B009 - F need not be a function type
    return function


class AsyncCall:
    """A coroutine of a plugin that has begun and not ended; suspended ones are on no stack."""

    __slots__ = ("actor", "begun", "exempt", "thread")

    def __init__(self) -> None:
        self.actor: Optional["Actor"] = None
        """Who carries it out, noted when it waits for somebody's transition."""
        self.thread = get_ident()
        """Where it began, and where its loop resumes it."""
        self.begun = False
        """Set once it was admitted: it may go on while the plugin's calls are drained."""
        self.exempt = False
        """Set where the plugin was stopped from within this very call: it may finish."""

    def waits(self, waiting: FrozenSet["Actor"]) -> bool:
        """Whether it is the call of one of these, or cannot go on while its thread is."""
        return self.actor in waiting or (self.thread, 0) in waiting


class Calls(NamedTuple):
    """How many calls of a plugin are in flight, and how many of them on the asking thread."""

    running: int
    here: int


class Generation(Subject):
    """One load of a plugin's code, and the subject that its code runs as.

    Attributes:
        number: Counts from 1; 0 before the first load.
        open: Whether others may call in; True from ENABLING until calls are drained.
        closed: Whether it was open and is no longer, so that its calls are drained.
        stopping: Whether its resources are being released, so that none may be added.
        dead: Whether the plugin itself may no longer call in either.
        code: What the loader returned, or None.
        events: The events it declared, by name.
        handlers: Lifecycle handlers by event name (``on_enable``, ``on_disable``, ``on_unload``).
        adopting: True while a custom loader runs, whose modules carry no mark yet.
        built_on: The generations of what it requires that were there when it was imported.
    """

    __slots__ = (
        "adopting",
        "built_on",
        "closed",
        "code",
        "events",
        "handlers",
        "number",
        "open",
        "stopping",
    )

    plugin: "Plugin"

    def __init__(self, kernel: "Kernel", plugin: "Plugin", number: int) -> None:
        super().__init__(kernel, plugin, live=False)
        self.number = number
        self.open = False
        # Before the first load there is nobody to hold anything.
        self.closed = self.stopping = self.dead = number == 0
        self.code: Optional["LoadedCode"] = None
        self.events: Dict[str, Any] = {}
        self.handlers: Dict[str, List[Callable[..., Any]]] = {}
        self.adopting = False
        self.built_on: Tuple[Tuple["Plugin", "Generation"], ...] = ()

    def __repr__(self) -> str:
        return f"<Generation {self.number} of {self.plugin.name}>"

    def close(self) -> None:
        """Refuses new calls from outside and keeps its handlers from being called."""
        self.live = self.open = False  # what is refused is not live any more
        self.closed = self.slow = True

    def refresh_path(self) -> None:
        """Recomputes ``slow`` after ``open`` or the host's observers changed."""
        self.slow = not self.open or bool(self.kernel.switch_hooks)

    def admit(self, caller: Optional[Subject]) -> None:
        """Checks that ``caller`` may run this generation's code now.

        Others may while it is open, the host from its load on, the plugin itself to the end.

        Raises:
            PluginNotRunning: It may not; the text says why.
        """
        if self.open:
            return
        if caller is self and not self.dead:
            return
        if not self.closed and (caller is None or caller.plugin is None):
            return
        raise not_running(self.plugin, self)

    def calls_elsewhere(
        self, waiting: FrozenSet["Actor"] = frozenset(), apart: Sequence[AsyncCall] = ()
    ) -> Calls:
        """The calls of this plugin that run in other threads or tasks than the one that asks.

        Those in its own threads are not counted; whoever stops it waits for the threads.

        Args:
            waiting: Those who wait for the one that asks; their calls are not counted.
            apart: Calls that are not counted either.
        """
        own = [*async_calls_on_this_stack(), *apart]
        suspended = [
            call for call in list(self.async_calls) if call not in own and not call.waits(waiting)
        ]
        here = get_ident()
        on_stacks = sum(1 for thread in self.threads_inside() if (thread, 0) not in waiting)
        return Calls(len(suspended) + on_stacks, sum(1 for c in suspended if c.thread == here))

    def threads_inside(self) -> List[int]:
        """The other threads, but for its own, that run a call of this plugin right now."""
        here = get_ident()
        return [
            thread
            for thread in sys._current_frames()
            if thread != here and thread not in self.threads and self.runs_on(thread)
        ]

    def runs_on(self, thread: int) -> bool:
        """Whether a thread runs a call of this plugin right now, other than a coroutine's."""
        # The other thread may move while its stack is read, and frames that have returned lose
        # their way to their callers: a walk during which it moved is taken again.
        for _ in range(20):
            top = sys._current_frames().get(thread)
            if top is None:
                return False
            at = top.f_lasti
            frame: Optional[FrameType] = top
            while frame is not None:
                if frame.f_code in _entry_codes and frame.f_locals.get("generation") is self:
                    # The step of a coroutine is counted with the coroutine.
                    return not isinstance(frame.f_locals.get("call"), AsyncCall)
                frame = frame.f_back
            if sys._current_frames().get(thread) is top and top.f_lasti == at:
                return False
        return True

    def exempt_calls(self, waiting: FrozenSet["Actor"] = frozenset()) -> None:
        """Lets coroutine calls finish although the plugin stops.

        Those on this very stack, and those of others who wait for the one that asks.
        """
        for call in async_calls_on_this_stack():
            call.exempt = True
        for call in list(self.async_calls):
            if call.waits(waiting):
                call.exempt = True


def async_calls_on_this_stack() -> List[AsyncCall]:
    """The coroutine calls, of whatever plugin, that led to the code that asks."""
    found: List[AsyncCall] = []
    frame: Optional[FrameType] = sys._getframe()
    while frame is not None:
        if frame.f_code in _entry_codes:
            call = frame.f_locals.get("call")
            if isinstance(call, AsyncCall):
                found.append(call)
        frame = frame.f_back
    return found


def refuse_stopped() -> None:
    """Refuses code of a generation whose resources are being released, or have been.

    Raises:
        PluginNotRunning: Such code is running here.
    """
    subject = _current.get()
    if isinstance(subject, Generation) and subject.stopping:
        raise not_running(subject.plugin, subject)


_NO_MORE_THAN_THE_STATE = ("not-enabled", "not-loaded", "stopped")
"""Codes of reasons that would only say the state a second time."""


def not_running(plugin: "Plugin", generation: Optional[Generation] = None) -> PluginNotRunning:
    """The error for a call into a plugin that is not running, saying why it is not."""
    whose = f"plugin {plugin.name!r} {plugin.version}"
    if generation is not None and generation.dead and generation is not plugin.generation:
        return PluginNotRunning(
            f"this code belongs to an earlier load of {whose} that has been stopped",
            plugin=plugin.name,
            version=plugin.version,
            hint=f"import it again: from pkl.plugins import {identifier(plugin.name)}",
        )
    reason = plugin.reason
    if reason is not None and reason.code in _NO_MORE_THAN_THE_STATE:
        reason = None
    why = f": {reason.message}" if reason is not None and reason.message else ""
    remedy = reason.remedy if reason is not None and reason.remedy else "enable the plugin first"
    return PluginNotRunning(
        f"{whose} is not running (state: {plugin.state.value}){why}",
        plugin=plugin.name,
        version=plugin.version,
        hint=remedy,
        state=plugin.state.value,
    )
