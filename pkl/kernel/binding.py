"""Binds what a plugin requires to the plugins that provide it, or says why it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, List, Optional, Tuple

from ..errors import PklError, PluginNotFound
from ..model.requirement import Requirement, specifier_contains
from ..model.state import PluginState, Reason
from .plugin import Plugin
from .reasons import REQUIREMENT_FAILED, python_version, root_cause

if TYPE_CHECKING:
    from .core import Kernel

__all__ = ["bind", "conflicting", "unbind"]


def bind(kernel: "Kernel", plugin: Plugin, search: bool = True) -> Optional[Reason]:
    """Finds a provider for each requirement; None if all are met, else why not.

    A provider that the plan chose is kept while it fits. What a plugin is bound to is in
    ``bindings``; whoever provides a requirement knows its ``users``.

    Args:
        kernel: The host's kernel.
        plugin: The plugin.
        search: Whether the sources are searched for what the host does not know yet.
    """
    metadata = plugin.metadata
    version = kernel.host_version
    if (
        metadata.requires_host
        and version is not None
        and not specifier_contains(metadata.requires_host, version, True)
    ):
        return _misfit(plugin, "host-version", "the host", metadata.requires_host, version)
    if metadata.requires_python:
        running = python_version()
        if not specifier_contains(metadata.requires_python, running, True):
            return _misfit(plugin, "python-version", "Python", metadata.requires_python, running)
    if metadata.tier not in ("", "in-process"):
        return Reason(
            "tier",
            f"plugin {plugin.name!r} {plugin.version} asks for the tier {metadata.tier!r}, and "
            "this host runs plugins in-process only",
            f"{plugin.name} {plugin.version} asks to be confined, which this host cannot do",
            'to run it unconfined all the same, set tier = "in-process" in its manifest',
        )
    bound: Dict[str, Plugin] = {}
    for requirement in metadata.requires:
        if not requirement.applies():
            continue
        provider, reason = _provider(kernel, plugin, requirement, search)
        if provider is None:
            return reason
        bound[requirement.name] = provider
    needed = set(bound)
    for want in metadata.wants:
        if want.applies():
            provider = _wanted(kernel, want, plugin.bindings.get(want.name))
            if provider is not None and provider is not plugin:
                bound.setdefault(want.name, provider)
    for name, planned in plugin.bindings.items():
        # What the plan knew and the manifest does not say: Requires-Dist of the distribution.
        if name not in bound and name in plugin.planned:
            bound[name] = planned
            needed.add(name)
    with kernel.mutex:
        if plugin.running:
            return None  # another thread has started it meanwhile, on what it was bound to then
        unbind(plugin)
        plugin.bindings = bound
        plugin.needs = tuple(dict.fromkeys(bound[name] for name in bound if name in needed))
        for provider in plugin.needs:
            provider.users[plugin.name] = plugin
        plugin.bound = True
    return None


def _wanted(kernel: "Kernel", want: Requirement, chosen: Optional[Plugin]) -> Optional[Plugin]:
    """The provider of a want, if there is one that fits; a want out of bounds is left alone."""
    provider = _known_provider(kernel, want, chosen)
    if provider is None and want.name not in kernel.plugins:
        found = kernel.finder.peek(want.name)
        if found is not None and want.contains(found.version):
            provider = kernel.add(found)
    return provider


def unbind(plugin: Plugin) -> None:
    """Takes the plugin off the ``users`` of those it is bound to."""
    for provider in plugin.needs:
        if provider.users.get(plugin.name) is plugin:
            del provider.users[plugin.name]
    plugin.needs = ()
    plugin.bound = False


def _misfit(plugin: Plugin, code: str, what: str, specifier: str, version: str) -> Reason:
    message = f"plugin {plugin.name!r} {plugin.version} needs {what} {specifier}; it is {version}"
    return Reason(
        code,
        message,
        f"{plugin.name} {plugin.version} needs {what} {specifier}, which is {version}",
        f"pkl upgrade {plugin.name}, or run it with {what} {specifier}",
    )


def _provider(
    kernel: "Kernel", plugin: Plugin, requirement: Requirement, search: bool
) -> Tuple[Optional[Plugin], Optional[Reason]]:
    chosen = plugin.bindings.get(requirement.name)
    provider = _known_provider(kernel, requirement, chosen)
    if provider is None and requirement.name not in kernel.plugins:
        try:
            if not search:
                raise PluginNotFound(f"the host does not know {requirement.name!r}")
            provider = kernel.add(kernel.finder.by_name(requirement.name))
        except PluginNotFound as error:
            return None, _missing(plugin, requirement, error)
        except PklError as error:
            return None, Reason(
                "requirement-blocked",
                f"{_asks(plugin, requirement)}, which cannot be used",
                error.message.splitlines()[0],
                error.hint,
            )
    if provider is None:
        provider = kernel.plugins.get(requirement.name)
    if provider is not None and not _provides(provider, requirement):
        return None, Reason(
            "unsatisfied",
            f"{_asks(plugin, requirement)}, but {provider.name} is {provider.version} "
            f"({provider.candidate.source})",
            f"{plugin.name} {plugin.version} requires {requirement.text}; found {provider.name} "
            f"{provider.version}",
            f"install a {provider.name} that fits: pip install "
            f'"{provider.candidate.distribution or provider.name}{requirement.specifier}"',
        )
    return provider, None


def _asks(plugin: Plugin, requirement: Requirement) -> str:
    file = plugin.candidate.manifest_file or plugin.candidate.source
    return f"plugin {plugin.name!r} {plugin.version} requires {requirement.text} ({file})"


def _missing(plugin: Plugin, requirement: Requirement, error: PluginNotFound) -> Reason:
    meant = error.details.get("did_you_mean")
    guess = f"; did you mean {meant!r}?" if meant else ""
    return Reason(
        "missing",
        f"{_asks(plugin, requirement)}, which is not installed{guess}",
        f"{requirement.name} is missing ({plugin.name} {plugin.version} requires "
        f"{requirement.text})",
        f'pkl install "{requirement.name}{requirement.specifier}"',
    )


def _provides(plugin: Plugin, requirement: Requirement) -> bool:
    if plugin.name == requirement.name:
        return requirement.contains(plugin.version)
    return any(
        p.name == requirement.name and requirement.contains(p.version)
        for p in plugin.metadata.provides
    )


def _known_provider(
    kernel: "Kernel", requirement: Requirement, chosen: Optional[Plugin]
) -> Optional[Plugin]:
    """The chosen provider if it still fits, the plugin of that name, or one with the capability."""
    if chosen is not None and _provides(chosen, requirement) and not _hopeless(chosen):
        return chosen
    named = kernel.plugins.get(requirement.name)
    if named is not None:
        return named if _provides(named, requirement) else None
    fitting = [p for p in kernel.providers(requirement.name) if _provides(p, requirement)]
    if not fitting:
        return None
    return min(fitting, key=lambda p: (p.state is not PluginState.ENABLED, _hopeless(p), p.name))


def _hopeless(plugin: Plugin) -> bool:
    return plugin.state in (PluginState.ERROR, PluginState.BLOCKED)


def conflicting(kernel: "Kernel", plugin: Plugin) -> List[Plugin]:
    """The running plugins that conflict with this one, whichever of the two says so."""
    found = []
    for requirement in plugin.metadata.conflicts:
        other = kernel.plugins.get(requirement.name)
        for each in [other] if other is not None else kernel.providers(requirement.name):
            if each is not plugin and each.running and _provides(each, requirement):
                found.append(each)
    for each in kernel.quarrelsome():
        if each is not plugin and any(_provides(plugin, r) for r in each.metadata.conflicts):
            found.append(each)
    return list(dict.fromkeys(found))


def not_running_reason(plugin: Plugin, provider: Plugin) -> Reason:
    """The reason of a plugin whose requirement is there but cannot be started."""
    text = next(
        (r.text for r in plugin.metadata.requires if plugin.bindings.get(r.name) is provider),
        provider.name,
    )
    known = provider.reason
    return Reason(
        REQUIREMENT_FAILED,
        f"plugin {plugin.name!r} {plugin.version} requires {text}, which is not running "
        f"(state: {provider.state.value})",
        root_cause(provider),
        known.remedy if known is not None else f"enable {provider.name} first",
    )
