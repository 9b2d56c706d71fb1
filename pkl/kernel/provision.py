"""``provide``: offers a service to the other plugins of a host, for as long as its plugin runs."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, List, Optional

from ..errors import CapabilityNotProvided, ServiceRefused
from ..model.requirement import Provided
from ..model.version import is_version, version_key
from .context import Subject
from .generation import Generation, not_running
from .interface import ServiceName, capability_name, check_implementation, name_of
from .log import warn_of
from .ownership import registrant
from .resource import Resource

if TYPE_CHECKING:
    from .plugin import Plugin

__all__ = ["Provision", "provide", "report_unkept", "unkept"]

_numbers = count(1)


class Provision(Resource):
    """A service that somebody provides, made by ``provide``; ``release()`` takes it back.

    Attributes:
        version: The version of the service.
        rank: Higher is taken first.
        capability: The capability that it is, or None.
        interface: The name of the interface, or None for a capability without one.
    """

    def __init__(
        self,
        subject: Subject,
        names: List[ServiceName],
        implementation: Any,
        version: str,
        rank: int,
    ) -> None:
        self._subject = subject
        self._names = names
        self._implementation = implementation
        self.version = version
        self.rank = rank
        self.capability = next((n.capability for n in names if n.capability), None)
        self.interface = next((n.text for n in names if not n.capability), None)
        self._version_key = version_key(version)
        self._number = next(_numbers)

    def __repr__(self) -> str:
        return f"<Provision of {self.text} {self.version} by {provider_of(self._subject)}>"

    @property
    def text(self) -> str:
        """What it provides, for people."""
        return self._names[0].text

    @property
    def staged(self) -> bool:
        """Nobody sees it before its plugin is enabled."""
        return True

    def _activate(self, now: float) -> None:
        self._subject.kernel.services.publish(self)

    def _cleanup(self) -> None:
        self._subject.kernel.services.withdraw([self])


def provider_of(subject: Subject) -> str:
    """Somebody who provides or uses a service, for people."""
    plugin = subject.plugin
    if plugin is None:
        return f"the host {subject.kernel.name!r}"
    return f"plugin {plugin.name!r} {plugin.version}"


def provide(
    interface: Any,
    implementation: Any,
    *,
    version: Optional[str] = None,
    rank: int = 0,
    capability: Optional[str] = None,
) -> Provision:
    """Provides a service: an object that other plugins reach with ``use(interface)``.

    It is a resource: staged until the plugin is enabled, and taken back when it stops. Its
    methods run as the plugin that provides it. Safe from any thread.

    Args:
        interface: A class, a Protocol, or the name of a capability.
        implementation: An instance of the class; for a Protocol an object, or module, that has
            its members; for a capability anything but None.
        version: Its version; by default that which the manifest states for the capability, else
            the plugin's (of a host: the host's).
        rank: Users take the highest rank first, then the highest version, then by plugin name.
        capability: The capability of the manifest that this service is, beside an interface.

    Returns:
        The resource; its ``release()`` takes the service back.

    Raises:
        ServiceRefused: The implementation is not what the interface says, or the version is
            none, or not the one that the manifest promises; nothing was registered.
        PluginNotRunning: The current plugin has been stopped, or is being.
        HostClosed: It is the host's own, and the host is closed.
    """
    names = [name_of(interface)]
    check_implementation(interface, implementation)
    if capability is not None:
        if names[0].capability is not None:
            raise ServiceRefused(f"{names[0].text} is a capability already: leave capability= out")
        names.append(name_of(capability_name(capability)))
    if isinstance(rank, bool) or not isinstance(rank, int):
        raise ServiceRefused(f"the rank of a service is an integer, not {rank!r}")
    subject = registrant(2)
    if isinstance(subject, Generation) and subject.closed:
        raise not_running(subject.plugin, subject)
    provision = Provision(
        subject, names, implementation, _version(subject, names[-1].capability, version), rank
    )
    subject.kernel.resource_manager.register(provision)
    return provision


def _version(subject: Subject, capability: Optional[str], version: Optional[str]) -> str:
    if version is not None and not (isinstance(version, str) and is_version(version)):
        raise ServiceRefused(
            f"{version!r} is not the version of a service (PEP 440)", hint='write version="1.2"'
        )
    plugin = subject.plugin
    if plugin is None:
        return version or subject.kernel.host_version or "0"
    promised = {p.name: p.version for p in plugin.metadata.provides}.get(capability or "")
    if promised is None:
        return version or plugin.version
    if version is not None and version_key(version) != version_key(promised):
        raise ServiceRefused(
            f"plugin {plugin.name!r} {plugin.version} provides {capability} {version}, but its "
            f"manifest promises {capability} {promised}",
            plugin=plugin.name,
            version=plugin.version,
            distribution=plugin.candidate.distribution,
            file=plugin.candidate.manifest_file,
            hint="leave version= out, or correct provides in the manifest",
        )
    return version or promised


def unkept(plugin: "Plugin") -> List[Provided]:
    """The capabilities that an enabled plugin's manifest promises and that it does not provide."""
    promised = [p for p in plugin.metadata.provides if p.name != plugin.name]
    if not promised:
        return []
    kept = {p.capability for p in plugin._kernel.services.of(plugin.generation)}
    return [p for p in promised if p.name not in kept]


def report_unkept(plugin: "Plugin") -> None:
    """Logs, and tells ``host.on_error`` of, each promise that a plugin just enabled breaks."""
    for promised in unkept(plugin):
        error = CapabilityNotProvided(
            f"plugin {plugin.name!r} {plugin.version} promises the capability {promised} in its "
            "manifest and does not provide it",
            plugin=plugin.name,
            version=plugin.version,
            distribution=plugin.candidate.distribution,
            file=plugin.candidate.manifest_file,
            hint=f'call provide(…, capability="{promised.name}") in its module or in on_enable, '
            "or take it out of provides",
            capability=promised.name,
        )
        warn_of(plugin, "%s", error)
        plugin._kernel.contain(plugin.generation, error, "its manifest", log=False)
