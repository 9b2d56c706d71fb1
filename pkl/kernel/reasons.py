"""Words for why a plugin is not running, and the errors that carry them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Dict, List, Optional, Sequence, Tuple, Type

from ..errors import PklError, PluginBlocked, PluginEnableError, PluginLoadError, PluginStageError
from ..model.state import Reason
from .generation import MARK, Generation

if TYPE_CHECKING:
    from .plugin import Plugin

__all__ = ["blocked_error", "failure", "root_cause", "where_raised"]


def where_raised(error: BaseException, generation: Optional[Generation] = None) -> str:
    """``file:line`` of the innermost line of the plugin's code that an error passed through.

    The innermost line of all where none is the plugin's; empty where nothing is known.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno or 0}"
    place = own = ""
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{code.co_filename}:{trace.tb_lineno}"
        if generation is not None and trace.tb_frame.f_globals.get(MARK) is generation:
            own = place
        trace = trace.tb_next
    return own or place


def described(error: BaseException) -> str:
    """An exception in one line."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


_STAGES: Dict[str, Tuple[str, Type[PluginStageError]]] = {
    "load": ("could not be loaded", PluginLoadError),
    "enable": ("failed while it was being enabled", PluginEnableError),
}


def failure(
    plugin: "Plugin", stage: str, error: BaseException, cleanup: Sequence[BaseException]
) -> Tuple[Reason, Exception]:
    """The reason and the error of a plugin that failed at a stage (``load`` or ``enable``).

    The error's ``__cause__`` is what the plugin raised; what its clean-up raised is in
    ``error.cleanup`` and in its text.
    """
    words, kind = _STAGES[stage]
    candidate = plugin.candidate
    where = where_raised(error, plugin.generation)
    at = f" ({where})" if where else ""
    carried = f", from {candidate.source}" if candidate.source else ""
    if isinstance(error, PluginLoadError):
        # pkl's own loader says it all already: what, of which distribution, in which file.
        at = ""
        message = error.message
    else:
        message = (
            f"plugin {plugin.name!r} {plugin.version}{carried} {words}: {described(error)}{at}"
        )
    for each in cleanup:
        message += f"\n  cleaning up after it failed too: {described(each)}"
    remedy = "correct its code, then enable it again"
    if isinstance(error, PklError) and error.hint:
        remedy = error.hint
    elif isinstance(error, ModuleNotFoundError) and error.name:
        remedy = f"install what it imports: pip install {error.name.split('.')[0]}"
    cause = f"{plugin.name} {plugin.version}: {described(error)}{at}"
    reason = Reason(stage, message, cause, remedy)
    made = kind(
        message,
        plugin=plugin.name,
        version=plugin.version,
        distribution=candidate.distribution,
        file=where or None,
        hint=remedy,
        stage=stage,
    )
    made.__cause__ = error
    made.cleanup = tuple(cleanup)
    return reason, made


def blocked_error(plugin: "Plugin", reason: Reason) -> PluginBlocked:
    """The error for enabling or loading a blocked plugin by hand."""
    message = reason.message
    if reason.cause and reason.cause not in message:
        message += f"\n  because {reason.cause}"
    return PluginBlocked(
        message,
        reason_code=reason.code,
        plugin=plugin.name,
        version=plugin.version,
        distribution=plugin.candidate.distribution,
        file=plugin.candidate.manifest_file,
        hint=reason.remedy,
    )


def root_cause(plugin: "Plugin") -> str:
    """The one line that explains why a plugin is not running, followed to its root."""
    reason = plugin.reason
    if reason is not None:
        return reason.cause or reason.message
    return f"{plugin.name} {plugin.version} is {plugin.state.value}"


def cycle_reason(plugin: "Plugin", chain: List["Plugin"]) -> Reason:
    """The reason of a plugin whose requirements lead back to it, naming every edge's file."""
    ring = [*chain, chain[0]]
    lines = []
    for one, other in zip(ring, ring[1:]):
        text = next(
            (r.text for r in one.metadata.requires if one.bindings.get(r.name) is other),
            other.name,
        )
        file = one.candidate.manifest_file or one.candidate.source
        lines.append(f"{one.name} {one.version} requires {text} ({file})")
    names = " -> ".join(p.name for p in ring)
    return Reason(
        "cycle",
        f"plugin {plugin.name!r} {plugin.version} is part of a cycle of requirements: {names}\n  "
        + "\n  ".join(lines),
        f"cycle of requirements: {names}",
        "remove one of these requirements, or make it a want: wants = […]",
    )


def python_version() -> str:
    """The running Python's version, as ``requires-python`` compares it."""
    return ".".join(str(n) for n in sys.version_info[:3])
