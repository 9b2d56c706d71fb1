"""What can be wrong with the handlers of events and hooks."""

from __future__ import annotations

from .base import GatheredError, PklError

__all__ = ["HandlerErrors", "HandlerRefused", "WrapperFault"]


class HandlerRefused(PklError, TypeError):
    """A handler does not fit the event or hook it subscribes to; nothing was registered."""

    code = "E_HANDLER"
    exit_status = 5


class WrapperFault(PklError, RuntimeError):
    """A wrapper of a hook yielded not once, but never or twice."""

    code = "E_WRAPPER"
    exit_status = 9


class HandlerErrors(GatheredError, RuntimeError):
    """What the handlers of an ``@event(errors="raise")`` raised, gathered."""

    code = "E_HANDLERS"
    exit_status = 9
