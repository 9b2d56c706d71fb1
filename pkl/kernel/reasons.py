"""Words for why a plugin is not running, and the errors that carry them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence, Tuple, Type

from ..errors import (
    PklError,
    PluginBlocked,
    PluginCrashed,
    PluginEnableError,
    PluginLoadError,
    PluginStageError,
    StopTimeout,
)
from ..errors.base import text_of
from ..model.state import PluginState, Reason
from .generation import MARK, Generation

if TYPE_CHECKING:
    from .plugin import Plugin
    from .ports import Stalled

__all__ = [
    "REQUIREMENT_FAILED",
    "RESTING",
    "blocked_error",
    "crashed",
    "crashed_with",
    "cycle_reason",
    "described",
    "failure",
    "host_closed",
    "overran",
    "python_version",
    "refused_with",
    "replaced",
    "resting",
    "root_cause",
    "stalled",
    "stopped",
    "stopped_by_parent",
    "stopped_with",
    "unwanted",
    "where_raised",
]


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
    text = text_of(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


RESTING = frozenset(("not-enabled", "not-loaded"))
"""Codes of reasons that only say that nobody has asked for the plugin yet."""


def resting(plugin: "Plugin") -> Reason:
    """Why a plugin does not run of which nothing more is known than its state."""
    whose = f"plugin {plugin.name!r} {plugin.version}"
    if plugin.state is PluginState.LOADED:
        code, message = "not-enabled", f"{whose} is loaded and has not been enabled"
    elif plugin.state is PluginState.UNLOADED:
        had = "was unloaded" if plugin.generation.number else "has not been loaded"
        code, message = "not-loaded", f"{whose} {had}"
    else:
        code, message = "stopped", f"{whose} was stopped"
    cause = f"{plugin.name} {plugin.version} is {plugin.state.value}"
    return Reason(code, message, cause, _enable_again(plugin))


def unwanted(plugin: "Plugin") -> Reason:
    """The reason of a plugin that people do not want to be started."""
    text = f"{plugin.name} is {plugin.desired.value}"
    remedy = f"pkl enable {plugin.name}, or host.set_desired({plugin.name!r}, 'enabled')"
    return Reason(
        plugin.desired.value,
        f"plugin {plugin.name!r} {plugin.version} is {plugin.desired.value}",
        text,
        remedy,
    )


def stopped(plugin: "Plugin", by: "Optional[Plugin]" = None) -> Reason:
    """The reason of a plugin that somebody stopped.

    Args:
        plugin: The plugin.
        by: Who did: the plugin itself, one that it is a child of, or (None) the host.
    """
    whose, named = f"plugin {plugin.name!r} {plugin.version}", f"{plugin.name} {plugin.version}"
    code = "stopped"
    if by is plugin:
        code, what = "stopped-itself", "disabled itself"
    elif by is not None:
        what = f"was disabled by {by.name} {by.version}, which loaded it"
    else:
        what = "was disabled"
    return Reason(code, f"{whose} {what}", f"{named} {what}", _enable_again(plugin))


def stopped_with(user: "Plugin", plugin: "Plugin", cause: str = "") -> Reason:
    """The reason of a dependant that was stopped because what it requires was.

    Args:
        user: The dependant.
        plugin: What it requires, directly or not.
        cause: Why that was stopped; by default, somebody's wish.
    """
    return Reason(
        "stopped-with",
        _together(user, plugin),
        cause or f"{plugin.name} {plugin.version} was disabled",
        _enable_again(user),
    )


def replaced(rival: "Plugin", plugin: "Plugin") -> Reason:
    """The reason of a plugin that was stopped because it conflicts with one that was started."""
    new = f"{plugin.name} {plugin.version}"
    return Reason(
        "replaced",
        f"plugin {rival.name!r} {rival.version} was stopped to make way for {new}, with which it "
        "conflicts",
        f"{new} was enabled in its place",
        f"to have it instead: host.get_plugin({rival.name!r}).enable(replace=True)",
    )


def _together(user: "Plugin", plugin: "Plugin") -> str:
    how = "which it requires" if plugin in user.needs else "which it needs through others"
    return f"plugin {user.name!r} was stopped together with {plugin.name!r}, {how}"


REQUIREMENT_FAILED = "requirement-failed"
"""Code of the reason of a plugin that requires one which is there and does not run."""


def crashed_with(user: "Plugin", plugin: "Plugin", crash: Reason) -> Reason:
    """The reason of a dependant that was stopped because what it requires crashed.

    Args:
        user: The dependant.
        plugin: What it requires.
        crash: Why that, or what that requires in turn, does not run.
    """
    return Reason(
        REQUIREMENT_FAILED,
        _together(user, plugin),
        crash.cause,
        crash.remedy,
    )


def stopped_by_parent(child: "Plugin", parent: "Plugin", cause: str = "") -> Reason:
    """The reason of a child that was stopped because its parent was.

    Args:
        child: The child.
        parent: Its parent.
        cause: Why that was stopped; by default, somebody's wish.
    """
    return Reason(
        "parent-stopped",
        f"plugin {child.name!r} was stopped together with its parent {parent.name!r}",
        cause or f"{parent.name} {parent.version} was disabled",
        f"enable {parent.name} again: host.get_plugin({parent.name!r}).enable(), or let it live "
        f"on by itself: host.get_plugin({child.name!r}).enable(detach=True)",
    )


def overran(reason: Reason, overdue: "StopTimeout") -> Reason:
    """The reason of a plugin that was stopped at its deadline, because it did not end before.

    Args:
        reason: Why it was stopped at all.
        overdue: What did not end, and where it is.
    """
    lines = [line.strip() for line in overdue.message.split("\n")]
    first, *places = lines[0].partition("; ")[0], *lines[1:]
    still = f": {', '.join(places)}" if places else ""
    return Reason(
        "deadline",
        f"{reason.message}; it was given up at its deadline: {first}{still}",
        f"{first}{still} ({reason.cause})",
        f"{reason.remedy}; only a new process is rid of what still runs",
    )


def refused_with(plugin: "Plugin", critical: "Plugin") -> Reason:
    """The reason of a plugin that was stopped, or is not started, because a critical one cannot
    run."""
    known = critical.reason
    return Reason(
        "refused",
        f"plugin {plugin.name!r} {plugin.version} does not run because the start was refused: "
        f"{critical.name} {critical.version} is critical and does not run",
        root_cause(critical),
        known.remedy if known is not None and known.remedy else f"pkl why {critical.name}",
    )


def host_closed(plugin: "Plugin") -> Reason:
    """The reason of a plugin whose host was closed."""
    host = plugin._kernel.name
    return Reason(
        "host-closed",
        f"plugin {plugin.name!r} {plugin.version} was stopped with the host {host!r}, which was "
        "closed",
        f"the host {host!r} was closed",
        "make a new PluginHost and start it; a closed one does not start again",
    )


def stalled(plugin: "Plugin", call: "Stalled") -> Reason:
    """What is said of a plugin of which a call takes long."""
    return Reason(
        call.state,
        str(call),
        f"{plugin.name} {plugin.version}: {call.what} does not return",
        f"stop it, although the call itself cannot be: pkl disable {plugin.name}",
    )


def _enable_again(plugin: "Plugin") -> str:
    return f"enable it: host.get_plugin({plugin.name!r}).enable()"


_STAGES: Dict[str, Tuple[str, Type[PluginStageError]]] = {
    "config": ("could not be given its settings", PluginLoadError),
    "load": ("could not be loaded", PluginLoadError),
    "enable": ("failed while it was being enabled", PluginEnableError),
    "crash": ("crashed while it was running", PluginCrashed),
}


def crashed(plugin: "Plugin", error: BaseException) -> Tuple[Reason, Exception]:
    """The reason and the error of a plugin that failed while it ran."""
    return failure(plugin, "crash", error, ())


def failure(
    plugin: "Plugin", stage: str, error: BaseException, cleanup: Sequence[BaseException]
) -> Tuple[Reason, Exception]:
    """The reason and the error of a plugin that failed at a stage, one of ``_STAGES``.

    The error's ``__cause__`` is what the plugin raised; what its clean-up raised is in
    ``error.cleanup`` and in its text.
    """
    words, kind = _STAGES[stage]
    candidate = plugin.candidate
    where = where_raised(error, plugin.generation)
    at = f" ({where})" if where else ""
    carried = f", from {candidate.source}" if candidate.source else ""
    if isinstance(error, PluginLoadError) or (stage == "config" and isinstance(error, PklError)):
        # pkl itself says it all already: what, of which distribution, in which file.
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
    if stage == "config":
        where, cause = "", ": ".join(line.strip() for line in message.split("\n")[:2])
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


def blocked_error(plugin: "Plugin", reason: Reason, **details: Any) -> PluginBlocked:
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
        **details,
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
