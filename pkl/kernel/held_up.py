"""What BLOCKED plugins wait for, told anew when that is there and something else is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, List, Optional, Set

from ..model.state import PluginState, Reason
from .binding import bind, conflicting, not_running_reason
from .reasons import REQUIREMENT_FAILED, blocked_error, root_cause

if TYPE_CHECKING:
    from .core import Kernel
    from .plugin import Plugin

__all__ = ["CURABLE", "restate"]

CURABLE = frozenset(
    (
        "missing",
        "unsatisfied",
        REQUIREMENT_FAILED,
        "requirement-blocked",
        "capability",
        "cycle",
        "conflict",
    )
)
"""Reasons that may go away because another plugin was started, or (a conflict) stopped."""

_S = PluginState


def restate(kernel: "Kernel") -> None:
    """Gives each BLOCKED plugin whose cause is gone the one that is left; nothing is started.

    A plugin has its reason only after what it requires has, so that the cause is the root.
    """
    done: Set["Plugin"] = set()
    for first in list(kernel.held_up.values()):
        pending = [first]
        while pending:
            plugin = pending[-1]
            before = [] if plugin in done else _held_up_needs(kernel, plugin, done)
            done.add(plugin)
            if before:
                pending += before
                continue
            pending.pop()
            _restate(kernel, plugin)


def _held_up_needs(kernel: "Kernel", plugin: "Plugin", done: Set["Plugin"]) -> List["Plugin"]:
    return [n for n in _needed(kernel, plugin) if n not in done and n.state is _S.BLOCKED]


def _needed(kernel: "Kernel", plugin: "Plugin") -> List["Plugin"]:
    """What it is bound to; before it was ever bound, the plugins that its manifest names."""
    if plugin.bound:
        return list(plugin.needs)
    named = [kernel.plugins.get(requirement.name) for requirement in plugin.metadata.requires]
    return [each for each in named if each is not None and each is not plugin]


def _restate(kernel: "Kernel", plugin: "Plugin") -> None:
    reason = plugin.reason
    if plugin.state is not _S.BLOCKED or reason is None or reason.code not in CURABLE:
        return
    if reason.code == "conflict" and conflicting(kernel, plugin):
        return
    idle = [need for need in _needed(kernel, plugin) if need.state is not _S.ENABLED]
    if any(root_cause(need) == reason.cause for need in idle):
        return
    left = bind(kernel, plugin, search=False) or _first_idle(plugin)
    if left is None or _of_one_requirement(plugin, left, reason):
        return
    with kernel.mutex:
        if plugin.state is _S.BLOCKED and plugin.reason is reason:
            plugin.reason = left
            plugin.error = blocked_error(plugin, left)


def _first_idle(plugin: "Plugin") -> Optional[Reason]:
    for need in plugin.needs:
        if need.state is not _S.ENABLED:
            return not_running_reason(plugin, need)
    return None


def _of_one_requirement(plugin: "Plugin", one: Reason, other: Reason) -> bool:
    """Whether both say that the same requirement of a plugin is unmet: then the first is kept,
    which the resolver may have made and knows more."""
    if one.code == REQUIREMENT_FAILED or other.code in (REQUIREMENT_FAILED, "requirement-blocked"):
        return False
    asked = [f"requires {requirement.text}" for requirement in plugin.metadata.requires]
    return any(text in one.message and text in other.message for text in asked)
