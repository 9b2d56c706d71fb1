"""Watches hook calls: what ``host.trace_hooks`` adds, and what it costs only while added."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Callable, Coroutine, Optional

from .hook_call import HookCall

if TYPE_CHECKING:
    from .core import Kernel

__all__ = ["atraced", "traced"]


def traced(kernel: "Kernel", call: HookCall, run: Callable[[], Any]) -> Any:
    """Runs a call with the tracers around it; what they raise is reported and no more."""
    began = _before(kernel, call)
    try:
        result = run()
    except BaseException as error:
        _after(kernel, call, None, error, began)
        raise
    _after(kernel, call, result, None, began)
    return result


async def atraced(kernel: "Kernel", call: HookCall, running: Coroutine[Any, Any, Any]) -> Any:
    """The async twin of ``traced``."""
    began = _before(kernel, call)
    try:
        result = await running
    except BaseException as error:
        _after(kernel, call, None, error, began)
        raise
    _after(kernel, call, result, None, began)
    return result


def _before(kernel: "Kernel", call: HookCall) -> float:
    hooks = [t.before for t in kernel.hook_control.tracers if t.before is not None]
    kernel.call_hooks(hooks, "hook tracer", call.hook.full_name, call.bound)
    return perf_counter()


def _after(
    kernel: "Kernel", call: HookCall, result: Any, error: Optional[BaseException], began: float
) -> None:
    seconds = perf_counter() - began
    hooks = [t.after for t in kernel.hook_control.tracers if t.after is not None]
    kernel.call_hooks(hooks, "hook tracer", call.hook.full_name, call.bound, result, error, seconds)
