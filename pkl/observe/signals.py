"""The signal handlers of the process."""

from __future__ import annotations

import signal
import sys
import threading
from typing import Any, Callable

from ..kernel.receipt import Held
from .changes import GONE, Change, Unwilling

__all__ = [
    "SIGNALS",
    "changed_signal",
    "default_handler",
    "raw_handler",
]

raw_handler: Callable[[int], Any] = sys.modules["_signal"].getsignal
"""``signal.getsignal`` without the making of enum members."""
_REAL_TIME = int(getattr(signal, "SIGRTMIN", 1 << 16)) + 1
SIGNALS = [int(number) for number in signal.valid_signals() if number < _REAL_TIME]
"""The signals that can be handled, but for the thirty real-time ones that have no name."""


def changed_signal(number: int, was: Callable[[], Any], now: Callable[[], Any]) -> Change:
    """The change of a signal's handler.

    Args:
        number: The signal.
        was: Gives the handler before it, or ``GONE``.
        now: Gives the plugin's handler, or ``GONE``.
    """

    def undo() -> None:
        handler = was()
        _set_signal(number, default_handler(number) if handler is GONE else handler)

    return Change(
        Held("signal", _signal_name(number)), lambda: bool(raw_handler(number) == now()), undo
    )


def default_handler(number: int) -> Any:
    """What Python has a signal handled by if nobody says otherwise."""
    if number == signal.SIGINT:
        return signal.default_int_handler
    ignored = {getattr(signal, name, None) for name in ("SIGPIPE", "SIGXFSZ", "SIGXFZ")}
    return signal.SIG_IGN if number in ignored else signal.SIG_DFL


def _signal_name(number: int) -> str:
    """What people call a signal."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _set_signal(number: int, handler: Any) -> None:
    """Sets a signal's handler.

    Raises:
        Unwilling: Python does that in the main thread only, or the handler is not Python's.
    """
    if threading.current_thread() is not threading.main_thread():
        raise Unwilling("Python sets signal handlers in the main thread only")
    if handler is None:
        raise Unwilling("the handler before it was not set by Python")
    signal.signal(number, handler)
