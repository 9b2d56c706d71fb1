"""What can be wrong with services: promised and not provided, or used and not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from ..kernel.provision import unkept
from ..kernel.service_words import unavailable
from ..model.finding import WARNING, Finding
from ..model.state import PluginState

if TYPE_CHECKING:
    from ..kernel.core import Kernel

__all__ = ["broken_promises", "missing_services"]


def broken_promises(kernel: "Kernel") -> Iterator[Finding]:
    """Capabilities that manifests promise and that their running plugins do not provide."""
    for plugin in list(kernel.plugins.values()):
        if plugin.state is not PluginState.ENABLED:
            continue
        for promised in unkept(plugin):
            yield Finding(
                WARNING,
                "capability-not-provided",
                f"plugin {plugin.name!r} promises the capability {promised} in its manifest and "
                "does not provide it",
                plugin=plugin.name,
                file=plugin.candidate.manifest_file,
                hint=f'provide it: provide(…, capability="{promised.name}")',
            )


def missing_services(kernel: "Kernel") -> Iterator[Finding]:
    """Services that somebody who runs uses, not as optional, and that nobody provides."""
    for handle in kernel.services.handles():
        user = handle._subject
        if handle or handle.optional or not user.live:
            continue
        error = unavailable(handle)
        yield Finding(
            WARNING,
            "service-missing",
            "; ".join(line.strip() for line in error.message.splitlines()),
            plugin=error.plugin,
            hint=error.hint,
        )
