"""Watches hook calls: what ``host.trace_hooks`` adds, and what it costs only while added."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Callable, Coroutine, Mapping, Optional

if TYPE_CHECKING:
    from .core import Kernel

__all__ = ["atraced", "traced"]


def traced(
    kernel: "Kernel", name: str, arguments: Mapping[str, Any], run: Callable[[], Any]
) -> Any:
    """Runs a call with the tracers around it; what they raise is reported and no more."""
    began = _before(kernel, name, arguments)
    try:
        result = run()
    except BaseException as error:
        _after(kernel, name, arguments, None, error, began)
        raise
    _after(kernel, name, arguments, result, None, began)
    return result


async def atraced(
    kernel: "Kernel", name: str, arguments: Mapping[str, Any], running: Coroutine[Any, Any, Any]
) -> Any:
    """The async twin of ``traced``."""
    began = _before(kernel, name, arguments)
    try:
        result = await running
    except BaseException as error:
        _after(kernel, name, arguments, None, error, began)
        raise
    _after(kernel, name, arguments, result, None, began)
    return result


def _before(kernel: "Kernel", name: str, arguments: Mapping[str, Any]) -> float:
    hooks = [t.before for t in kernel.hook_control.tracers if t.before is not None]
    kernel.call_hooks(hooks, "hook tracer", name, arguments)
    return perf_counter()


def _after(
    kernel: "Kernel",
    name: str,
    arguments: Mapping[str, Any],
    result: Any,
    error: Optional[BaseException],
    began: float,
) -> None:
    seconds = perf_counter() - began
    hooks = [t.after for t in kernel.hook_control.tracers if t.after is not None]
    kernel.call_hooks(hooks, "hook tracer", name, arguments, result, error, seconds)
