"""Whose is it: the owner of a function, an event or a registration."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any, Optional

from .context import Subject, _current, current_subject
from .generation import MARK, Generation

__all__ = ["owner_of", "registrant"]

_PACKAGE = __name__.split(".", 1)[0]


def owner_of(function: Any, depth: int = 2) -> Optional[Generation]:
    """The generation that owns a function being declared, or None for the host.

    In this order: the generation whose module defines it; the host, if it is defined at the
    level of a module that no plugin owns, whoever imports that first; the current plugin.

    Args:
        function: The function that is declared.
        depth: How many frames up the declaring code is.
    """
    namespace = getattr(function, "__globals__", None)
    current = _current.get()
    running = current if isinstance(current, Generation) else None
    if namespace is None:
        namespace = sys._getframe(depth).f_globals
    owner = namespace.get(MARK)
    if owner is not None:
        return owner if isinstance(owner, Generation) else None
    if running is None:
        return None
    if running.adopting and _looks_own(running, namespace):
        return running
    frame: Optional[FrameType] = sys._getframe(depth)
    while frame is not None:
        if frame.f_globals is namespace and frame.f_code.co_name == "<module>":
            return None
        frame = frame.f_back
    return running


def _looks_own(generation: Generation, namespace: Any) -> bool:
    """Whether a module that a custom loader is executing belongs to the plugin it loads."""
    file = namespace.get("__file__")
    location = generation.plugin.candidate.location
    if file and location:
        return str(file).startswith(location)
    return sys.modules.get(namespace.get("__name__", "")) is None


def registrant(depth: int = 2) -> Subject:
    """Who registers something: the current plugin or host; in a plugin's bare thread, the
    generation whose module the calling code belongs to; else the default host.

    Args:
        depth: How many frames up the registering code is; frames of pkl itself are skipped.
    """
    current = _current.get()
    if current is not None:
        return current
    frame: Optional[FrameType] = sys._getframe(depth)
    while frame is not None and frame.f_globals.get("__name__", "").split(".", 1)[0] == _PACKAGE:
        frame = frame.f_back
    if frame is not None:
        owner = frame.f_globals.get(MARK)
        if isinstance(owner, Generation):
            return owner
    return current_subject()
