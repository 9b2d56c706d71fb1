"""Why a service cannot be used: who could provide it, and why nobody of them does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

from ..errors import ServiceUnavailable
from .provision import Provision, provider_of

if TYPE_CHECKING:
    from .plugin import Plugin
    from .service_handle import ServiceHandle

__all__ = ["unavailable"]


def unavailable(
    handle: "ServiceHandle", refused: Optional[Provision] = None, waited: Optional[float] = None
) -> ServiceUnavailable:
    """The error for the use of a service that nobody provides; says why nobody does.

    Args:
        handle: Whose service it is.
        refused: A provider that was asked and does not run any more.
        waited: Seconds that were waited for one.
    """
    subject = handle._subject
    user, plugin = provider_of(subject), subject.plugin
    fields: Dict[str, Any] = {"service": handle.asked}
    if plugin is not None:
        fields.update(plugin=plugin.name, version=plugin.version)
    if handle.ended:
        return ServiceUnavailable(
            f"{user} uses the {handle.asked} through a handle that was released",
            hint="ask for the service again: use(…)",
            **fields,
        )
    within = f" within {waited:g} s" if waited is not None else ""
    lines, hint = _why(handle, refused)
    return ServiceUnavailable(
        "\n  ".join([f"{user} uses the {handle.asked}, which nobody provides{within}", *lines]),
        hint=hint or "install or enable a plugin that provides it",
        **fields,
    )


def _why(handle: "ServiceHandle", refused: Optional[Provision]) -> Tuple[List[str], str]:
    """What is known of those who could provide it, and what would help."""
    kernel = handle._subject.kernel
    registry, key = kernel.services, handle._name.key
    lines: List[str] = []
    hints: List[str] = []
    for found in registry.provisions(key):
        if found._subject.live and not handle.fits(found):
            lines.append(
                f"{provider_of(found._subject)} provides {found.version}, "
                f"which is not {handle.specifier}"
            )
    known: Dict[str, "Plugin"] = {}
    former = registry.past(key)
    if refused is not None and refused.plugin is not None:
        former.setdefault(refused.plugin.name, refused.version)
    for name, version in sorted(former.items()):
        plugin = kernel.plugins.get(name)
        if plugin is not None:
            known[name] = plugin
            lines.append(f"{_plugin(plugin)}, which provided {version}, {_state(plugin)}")
    if handle._name.capability is not None:
        for plugin in kernel.providers(handle._name.capability):
            if plugin.name not in known and not _provides(plugin, key):
                known[plugin.name] = plugin
                lines.append(f"{_plugin(plugin)} promises it and {_state(plugin)}")
    for plugin in list(kernel.plugins.values()):
        if plugin.name not in known and not plugin.generation.live and _provides(plugin, key):
            known[plugin.name] = plugin
            lines.append(f"{_plugin(plugin)} provides it once it is enabled")
    for plugin in known.values():
        reason = plugin.reason
        if reason is not None and reason.remedy:
            hints.append(reason.remedy)
    if lines and not known:
        hints.append(f"install a provider that is {handle.specifier}, or ask for other versions")
    return lines, hints[0] if hints else ""


def _plugin(plugin: "Plugin") -> str:
    return f"plugin {plugin.name!r} {plugin.version}"


def _state(plugin: "Plugin") -> str:
    if plugin.generation.live:
        return "does not provide it now"
    reason = plugin.reason
    why = f": {reason.cause}" if reason is not None and reason.cause else ""
    return f"is not running (state: {plugin.state.value}){why}"


def _provides(plugin: "Plugin", key: object) -> bool:
    """Whether a plugin holds a provision of it, staged ones included."""
    return any(
        isinstance(each, Provision) and any(name.key == key for name in each._names)
        for each in list(plugin.generation.resources.values())
    )
