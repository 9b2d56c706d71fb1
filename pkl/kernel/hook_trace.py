"""Watches hook calls: what ``host.trace_hooks`` adds, and what it costs only while added."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Callable, Coroutine, Mapping, NamedTuple, Optional

from .hook_call import HookCall

if TYPE_CHECKING:
    from .core import Kernel

__all__ = ["Tracer", "atraced", "traced"]


class Tracer(NamedTuple):
    """Two functions around each hook call.

    Attributes:
        before: Called with the hook's name and its arguments by name.
        after: Called with these, the result, the error (or None), and the seconds it took.
    """

    before: Optional[Callable[[str, Mapping[str, Any]], Any]]
    after: Optional[Callable[[str, Mapping[str, Any], Any, Optional[BaseException], float], Any]]


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
    hooks = [t.before for t in kernel.tracers if t.before is not None]
    kernel.call_hooks(hooks, "hook tracer", call.hook.full_name, call.bound)
    return perf_counter()


def _after(
    kernel: "Kernel", call: HookCall, result: Any, error: Optional[BaseException], began: float
) -> None:
    seconds = perf_counter() - began
    hooks = [t.after for t in kernel.tracers if t.after is not None]
    kernel.call_hooks(hooks, "hook tracer", call.hook.full_name, call.bound, result, error, seconds)
