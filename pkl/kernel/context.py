"""Who is running: the current plugin, as one context variable for the process.

The variable holds a *subject*: a generation of a plugin, or a host standing for itself. It is
right across threads, tasks and executors that pkl starts, because each of them sets it, and
every switch restores what was there before.
"""

from __future__ import annotations

from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Set, Type

from ..errors import NoCurrentPlugin

if TYPE_CHECKING:
    from .core import Kernel
    from .plugin import Plugin
    from .resource import Resource

__all__ = ["Subject", "get_current_plugin", "plugin_context", "this"]


class Subject:
    """Somebody who can run code: a plugin's generation, or (``plugin`` is None) a host.

    Attributes:
        kernel: The kernel of the host it belongs to.
        plugin: The plugin, or None for the host itself.
        live: Whether handlers it subscribed may be called; False while staged and once stopped.
        dead: Whether its code may not be called at all any more.
        slow: Whether a call into it must take the careful path.
        resources: What it holds, by identity, in order of registration.
        async_calls: Its coroutines that have begun and not ended.
        executor: The pool that runs the functions it submits, once there is one.
        stop: Its stop token, once there is one.
        stop_asked: Whether it is to stop, or has stopped.
        tasks: The asyncio tasks it created that have not ended, and of which kind they are.
        threads: The identifiers of the threads that run as it.
        workers: The pool that runs its timers' callbacks, once there is one.
        gates: What stands before its failing handlers, by the event's or hook's name.
    """

    __slots__ = (
        "__weakref__",
        "async_calls",
        "dead",
        "executor",
        "gates",
        "kernel",
        "live",
        "plugin",
        "resources",
        "slow",
        "stop",
        "stop_asked",
        "tasks",
        "threads",
        "workers",
    )

    def __init__(self, kernel: "Kernel", plugin: Optional["Plugin"], live: bool) -> None:
        self.kernel = kernel
        self.plugin = plugin
        self.live = live
        self.dead = False
        self.slow = not live
        self.resources: Dict[int, "Resource"] = {}
        self.async_calls: List[Any] = []
        self.workers: Any = None
        self.gates: Dict[str, Any] = {}
        self.executor: Any = None
        self.stop: Any = None
        self.stop_asked = False
        self.tasks: Dict[Any, str] = {}
        self.threads: Set[int] = set()

    def forget_task(self, task: Any) -> None:
        """Takes a task that has ended off ``tasks``."""
        self.tasks.pop(task, None)

    def admit(self, caller: Optional["Subject"]) -> None:
        """Checks that ``caller`` may run this subject's code now; a host's always may be."""


_current: ContextVar[Optional[Subject]] = ContextVar("pkl_current", default=None)

_default_kernel: List[Callable[[], "Kernel"]] = []


def set_default_kernel(get: Callable[[], "Kernel"]) -> None:
    """Tells the kernel how to reach the default host; ``pkl.host`` calls it once."""
    _default_kernel[:] = [get]


def current_kernel() -> "Kernel":
    """The kernel of the host in whose name this code runs; the default host's outside of any."""
    subject = _current.get()
    return subject.kernel if subject is not None else _default_kernel[0]()


def current_subject() -> Subject:
    """Who runs this code; outside of any plugin or ``as_current()``, the default host."""
    subject = _current.get()
    return subject if subject is not None else _default_kernel[0]().subject


def get_current_plugin() -> Optional["Plugin"]:
    """The plugin whose code is running, or None outside of every plugin.

    Safe in any thread or task. A bare thread that a plugin started by itself has no current
    plugin; one started through pkl has.
    """
    subject = _current.get()
    return None if subject is None else subject.plugin


def this() -> "Plugin":
    """The current plugin; ``pkl.this`` is this function's result at each access.

    Raises:
        NoCurrentPlugin: No plugin is running here.
    """
    plugin = get_current_plugin()
    if plugin is None:
        raise NoCurrentPlugin(
            "there is no current plugin here",
            hint="use pkl.this in a plugin's module, handler or @syscall; elsewhere "
            "pkl.get_current_plugin() gives None",
        )
    return plugin


def notify_switch(old: Optional[Subject], new: Optional[Subject]) -> None:
    """Calls the context-switch hooks of the hosts concerned, if the plugin really changes."""
    if old is new:
        return
    kernels = [s.kernel for s in (old, new) if s is not None and s.kernel.switch_hooks]
    for kernel in dict.fromkeys(kernels):
        before = old.plugin if old is not None and old.kernel is kernel else None
        after = new.plugin if new is not None and new.kernel is kernel else None
        if before is not after:
            kernel.call_hooks(kernel.switch_hooks, "context-switch hook", before, after)


def switch(new: Optional[Subject]) -> Optional[Subject]:
    """Makes ``new`` the current subject and returns the previous one, to be switched back to."""
    old = _current.get()
    _current.set(new)
    if (old is not None and old.kernel.switch_hooks) or (
        new is not None and new.kernel.switch_hooks
    ):
        try:
            notify_switch(old, new)
        except BaseException:
            # Ctrl-C in a hook: whoever called gets nothing to switch back to.
            _current.set(old)
            raise
    return old


def switch_back(previous: Optional[Subject]) -> None:
    """Makes ``previous`` the current subject again, come what may."""
    old = _current.get()
    _current.set(previous)
    if (old is not None and old.kernel.switch_hooks) or (
        previous is not None and previous.kernel.switch_hooks
    ):
        notify_switch(old, previous)


class running_as:
    """``with running_as(subject):`` runs the block as that subject and restores the previous."""

    __slots__ = ("_previous", "_subject")

    def __init__(self, subject: Optional[Subject]) -> None:
        self._subject = subject

    def __enter__(self) -> None:
        self._previous = switch(self._subject)

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        switch_back(self._previous)


def plugin_context(host: Any, plugin: Optional["Plugin"]) -> running_as:
    """A context manager whose block runs as ``plugin``, or as ``host`` itself if it is None.

    Args:
        host: The ``PluginHost``.
        plugin: One of its plugins, in any state, or None.

    Raises:
        ValueError: The plugin belongs to another host.
    """
    if plugin is None:
        subject: Subject = host.kernel.subject
    elif plugin.host is not host:
        raise ValueError(f"plugin {plugin.name!r} belongs to another host")
    else:
        subject = plugin.generation
    return running_as(subject)
