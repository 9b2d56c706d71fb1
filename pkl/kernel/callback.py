"""``bind``: a plugin's function, to be handed to code that knows nothing of plugins."""

from __future__ import annotations

import sys
from typing import Callable, TypeVar

from ..errors import HandlerRefused
from .generation import Generation
from .ownership import registrant
from .syscall import as_owner

if sys.version_info >= (3, 10):
    from typing import ParamSpec
else:
    from typing_extensions import ParamSpec

__all__ = ["bind"]

P = ParamSpec("P")
R = TypeVar("R")


def bind(function: Callable[P, R]) -> Callable[P, R]:
    """A function that runs as the current plugin, whoever calls it and in whatever thread.

    For callbacks handed to code outside of pkl: a thread or executor of the standard library,
    a future, a signal handler, ``weakref.finalize``, a C library. It keeps the function's kind:
    a generator or coroutine switches at each step. Bound outside of plugins it runs as the host.
    Once the plugin is stopped, calling it raises; calls in flight are waited for, as those of a
    ``@syscall`` are. Safe from any thread.

    Raises:
        HandlerRefused: It cannot be called.
        PluginNotRunning: The current plugin has been stopped; so does each call, once it has.
    """
    if not callable(function):
        raise HandlerRefused(f"{function!r} cannot be called, so it cannot be bound")
    subject = registrant(2)
    if isinstance(subject, Generation) and subject.dead:
        subject.admit(subject)
    return as_owner(function, subject)
