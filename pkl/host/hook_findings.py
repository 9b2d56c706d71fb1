"""What can be wrong with the handlers of hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, Optional

from ..kernel.base_hook import BaseHook
from ..kernel.deprecated import deprecations
from ..kernel.describe import describe, place_of
from ..kernel.hook_subscription import HookSubscription
from ..model.finding import ERROR, NOTE, WARNING, Finding
from ..names import did_you_mean

if TYPE_CHECKING:
    from ..kernel.core import Kernel

__all__ = ["blocked_handlers", "deprecated_hooks", "unfit_handlers", "unknown_hooks"]


def blocked_handlers(kernel: "Kernel") -> Iterator[Finding]:
    """Plugins whose handlers the application keeps from being called."""
    for name in sorted(kernel.hook_control.blocked):
        yield Finding(
            NOTE,
            "handlers-blocked",
            f"the hook handlers of plugin {name!r} are blocked by the application",
            plugin=name,
            hint="call what host.block_handlers() returned to have them called again",
        )


def unknown_hooks(kernel: "Kernel") -> Iterator[Finding]:
    """Handlers that name a hook which nobody declares, unless they say it is optional.

    Nothing is said of a hook whose plugin is known and not running: it may well declare it.
    """
    for each in _handlers(kernel):
        if not each.by_name or each.optional:
            continue
        owner, _, hook = each.route.name.rpartition(".")
        plugin = kernel.plugins.get(owner)
        if plugin is None:
            meant = did_you_mean(owner, kernel.plugins)
            other = None if meant is None else f"{meant}.{hook}"
            why = f"there is no plugin {owner!r}"
        elif not plugin.running:
            continue
        else:
            declared = plugin.generation.events
            if isinstance(declared.get(hook), BaseHook):
                continue
            known = [name for name, event in declared.items() if isinstance(event, BaseHook)]
            meant = did_you_mean(hook, known)
            other = None if meant is None else f"{owner}.{meant}"
            why = f"plugin {owner!r} {plugin.version} declares no such hook"
        yield _finding(
            each,
            ERROR,
            "unknown-hook",
            f"{describe(each.handler)} answers the hook {each.route.name}, but {why}",
            (f"did you mean {other!r}? " if other else "")
            + "optional=True says that the hook need not exist",
        )


def unfit_handlers(kernel: "Kernel") -> Iterator[Finding]:
    """Handlers that named a hook before it was there, and do not fit it."""
    for each in _handlers(kernel):
        if each.refusal is not None:
            for argument in each.refusal.details.get("arguments") or [None]:
                yield _finding(
                    each,
                    ERROR,
                    "unfit-handler",
                    each.refusal.message,
                    each.refusal.hint,
                    argument,
                )


def deprecated_hooks(kernel: "Kernel") -> Iterator[Finding]:
    """Handlers of hooks that are deprecated, and those that take deprecated arguments."""
    for each in _handlers(kernel):
        hook = each.route.event
        if not each.bound or not isinstance(hook, BaseHook):
            continue
        for argument, advice in deprecations(hook, each.taking):
            if argument is None:
                code, does = "deprecated-hook", f"answers the deprecated hook {hook.full_name}"
            else:
                code = "deprecated-argument"
                does = f"takes the deprecated {argument} of the hook {hook.full_name}"
            yield _finding(
                each,
                WARNING,
                code,
                f"{describe(each.handler)} {does}: {advice}",
                advice,
                argument,
            )


def _handlers(kernel: "Kernel") -> Iterator[HookSubscription]:
    """The handlers of every plugin and of the host, those that wait included."""
    for plugin in (None, *(p for _, p in sorted(kernel.plugins.items()))):
        for resource in kernel.resource_manager.get_resources(plugin):
            if isinstance(resource, HookSubscription):
                yield resource


def _finding(
    subscription: HookSubscription,
    severity: str,
    code: str,
    message: str,
    hint: str,
    argument: Optional[str] = None,
) -> Finding:
    file, line = place_of(subscription.handler)
    plugin = subscription.plugin
    return Finding(
        severity,
        code,
        message,
        plugin=None if plugin is None else plugin.name,
        hook=subscription.route.name,
        argument=argument,
        file=file,
        line=line,
        hint=hint,
    )
