"""What does not work of a plugin although it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, Optional

from ..model.impairment import want_unmet
from ..model.state import PluginState, Reason
from .guard import shut_gates
from .reasons import stalled

if TYPE_CHECKING:
    from ..model.requirement import Requirement
    from .plugin import Plugin
    from .ports import Gate

__all__ = ["impairments_of"]


def impairments_of(plugin: "Plugin") -> Iterator[Reason]:
    """The impairments of a plugin; nothing of one that does not run.

    Wants that are not met come first, then what is kept from being called, then calls that take
    long.
    """
    if not plugin.running:
        return
    kernel = plugin._kernel
    for want in plugin.metadata.wants if plugin.state is PluginState.ENABLED else ():
        if want.applies():
            reason = _unmet(plugin, want)
            if reason is not None:
                yield reason
    if plugin.name in kernel.hook_control.blocked:
        yield _handlers_blocked(plugin)
    now = kernel.clock.monotonic()
    for name, gate in shut_gates(plugin.generation):
        yield _breaker_open(plugin, name, gate, now)
    if kernel.supervisor is not None:
        for call in kernel.supervisor.stalls(plugin):
            yield stalled(plugin, call)


def _unmet(plugin: "Plugin", want: "Requirement") -> Optional[Reason]:
    kernel = plugin._kernel
    provider = plugin.bindings.get(want.name) or kernel.plugins.get(want.name)
    if provider is None or provider is plugin:
        fitting = [p for p in kernel.providers(want.name) if p is not plugin]
        provider = fitting[0] if fitting else None
    if provider is None:
        return want_unmet(plugin.name, plugin.version, want, None, None)
    if provider.name == want.name and not want.contains(provider.version):
        return want_unmet(plugin.name, plugin.version, want, None, provider.version)
    if provider.state is PluginState.ENABLED:
        return None
    return want_unmet(plugin.name, plugin.version, want, provider.reason, provider.version)


def _handlers_blocked(plugin: "Plugin") -> Reason:
    return Reason(
        "handlers-blocked",
        f"the hook handlers of plugin {plugin.name!r} {plugin.version} are not called",
        f"host.block_handlers({plugin.name!r}) was called",
        f"host.unblock_handlers({plugin.name!r})",
    )


def _breaker_open(plugin: "Plugin", name: str, gate: "Gate", now: float) -> Reason:
    left = max(0.0, gate.until - now)
    return Reason(
        "breaker-open",
        f"the handlers of plugin {plugin.name!r} {plugin.version} for {name} are skipped after "
        f"{gate.failures} failures, {gate.skipped} calls so far; tried again in {left:g} s",
        f"{plugin.name} {plugin.version}: its handlers for {name} keep failing",
        "correct its code, then load it anew: disable and enable it",
    )
