"""What can be had: the plugins of registries and of this machine, with the wheels they are in."""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional, Protocol, Sequence, Tuple

from ...discovery.headers import read_headers
from ...errors import RegistryAbsent
from ...model.manifest import PluginMetadata
from ...model.requirement import version_key
from ...model.state import Reason
from ...names import canonical
from ...registry.catalog import Catalog, Offer, collision
from ...registry.fitting import candidates_of, fits_here
from ...registry.model import Release
from ...registry.packages import PackageIndex
from ...registry.simple import SimpleFile
from ..solution import Chosen, WheelRef

__all__ = ["Market", "RegistryMarket"]


class Market(Protocol):
    """All that a solve may choose from. Not for use from several threads at once."""

    def offers(self, plugin: str) -> Tuple[Chosen, ...]:
        """Every version of a plugin, each as the distribution that carries it.

        Args:
            plugin: Its canonical name.

        Raises:
            RegistryError: A registry cannot be asked.
        """
        ...

    def problem(self, plugin: str, version: str) -> Optional[Reason]:
        """Why a version may not be chosen: yanked, revoked, for another platform; or None.

        Args:
            plugin: Its canonical name.
            version: The version of the plugin.
        """
        ...

    def given(self) -> Tuple[Chosen, ...]:
        """What is no question of registries: given by path, or kept as it is installed."""
        ...

    def indexes(self) -> Tuple[str, ...]:
        """The simple indexes (PEP 503) that an installer looks into, the first that wins first."""
        ...

    def listed(self, distribution: str, version: str, registry: str = "") -> Optional[Chosen]:
        """What a registry's own package index says of a version of a distribution, or None.

        Args:
            distribution: Its canonical name.
            version: Its version.
            registry: The registry that is asked; empty for the first that has the name.

        Raises:
            RegistryError: A registry cannot be asked, or is not what it states.
        """
        ...

    def versions(self, distribution: str) -> Tuple[str, ...]:
        """The versions of a distribution that the first registry with it has for this platform.

        Args:
            distribution: Its canonical name.

        Raises:
            RegistryError: As ``listed``.
        """
        ...

    def carried(self, distribution: str) -> Tuple[str, ...]:
        """The plugins that a distribution is known to carry.

        Args:
            distribution: Its canonical name.
        """
        ...

    def providers(self, capability: str) -> Tuple[str, ...]:
        """The plugins that are known to provide a capability in some version.

        Args:
            capability: Its canonical name.
        """
        ...


class RegistryMarket:
    """The registries that the user knows, and what was given by path.

    What is given by path outranks every registry: nothing else of these plugins is offered. So
    does what is installed from a registry that is not known any more, and has to be kept as it is.

    Args:
        catalog: The registries; None if none is known.
        given: What was given by path, or is kept as it is installed.
        registries: The registry that a plugin must come from, by its canonical name.
    """

    def __init__(
        self,
        catalog: Optional[Catalog],
        given: Sequence[Chosen] = (),
        registries: Optional[Mapping[str, str]] = None,
    ) -> None:
        self._catalog = catalog
        self._given = tuple(given)
        self._registries = dict(registries or {})
        clients = catalog.clients if catalog is not None else ()
        self._packages = {each.name: PackageIndex(each) for each in clients}
        self._offers: Dict[str, Tuple[Offer, ...]] = {}
        self._chosen: Dict[str, Tuple[Chosen, ...]] = {}
        self._problems: Dict[str, Dict[object, Reason]] = {}
        self._carriers: Dict[str, Mapping[str, Sequence[str]]] = {}

    def offers(self, plugin: str) -> Tuple[Chosen, ...]:
        """Every version of a plugin, each as the distribution that carries it."""
        if plugin not in self._chosen:
            given = tuple(c for c in self._given if any(p.name == plugin for p in c.plugins))
            self._chosen[plugin] = given or tuple(
                self._as_chosen(offer, release)
                for offer in self._of(plugin)
                for release in offer.page.releases
            )
        return self._chosen[plugin]

    def problem(self, plugin: str, version: str) -> Optional[Reason]:
        """Why a version may not be chosen, or None."""
        if any(p.name == plugin for c in self._given for p in c.plugins):
            return None
        if plugin not in self._problems:
            offers = self._of(plugin)
            fault = collision(offers) if len(offers) > 1 else None
            self._problems[plugin] = {
                version_key(each.version): each.fault
                for offer in offers
                for each in candidates_of(
                    offer.page, offer.url, offer.client.revoked(), fault=fault
                )
                if each.fault is not None
            }
        return self._problems[plugin].get(version_key(version))

    def given(self) -> Tuple[Chosen, ...]:
        """What is no question of registries."""
        return self._given

    def indexes(self) -> Tuple[str, ...]:
        """The simple indexes of the registries, in the user's order."""
        return tuple(each.url for each in self._packages.values())

    def listed(self, distribution: str, version: str, registry: str = "") -> Optional[Chosen]:
        """What a registry's own package index says of a version of a distribution, or None."""
        found = self._serving(distribution, registry)
        if found is None:
            return None
        packages, listed = found
        files = [each for each in listed if version_key(each.version) == version_key(version)]
        if not files:
            return None
        best = next((each for each in files if fits_here(each.file)), None)
        headers = read_headers(packages.metadata(best or files[0]))
        return Chosen(
            canonical(distribution),
            files[0].version,
            wheel=self._ref(packages, best) if best is not None else None,
            wheels=tuple(self._ref(packages, each) for each in files),
            requires=headers.requires_dist,
            registry=packages.client.name,
            signer=_signer(packages),
        )

    def versions(self, distribution: str) -> Tuple[str, ...]:
        """The versions that the first registry with the distribution has for this platform."""
        found = self._serving(distribution, "")
        listed = [] if found is None else [e for e in found[1] if fits_here(e.file)]
        return tuple(dict.fromkeys(each.version for each in listed))

    def carried(self, distribution: str) -> Tuple[str, ...]:
        """The plugins that a distribution is known to carry."""
        found = {p.name for each in self._given if each.name == distribution for p in each.plugins}
        for registry in self._packages:
            found.update(self._names(registry).get(distribution, ()))
        return tuple(sorted(found))

    def providers(self, capability: str) -> Tuple[str, ...]:
        """The plugins that are known to provide a capability in some version."""
        found = {
            p.name
            for each in self._given
            for p in each.plugins
            if any(offered.name == capability for offered in p.provides)
        }
        for packages in self._packages.values():
            for name, entry in packages.client.index().plugins.items():
                if capability in entry.provides:
                    found.add(name)
        return tuple(sorted(found))

    def _names(self, registry: str) -> Mapping[str, Sequence[str]]:
        """The plugins that each distribution of a registry carries, as its index says."""
        if registry not in self._carriers:
            found: Dict[str, List[str]] = {}
            for name, entry in self._packages[registry].client.index().plugins.items():
                found.setdefault(entry.distribution or name, []).append(name)
            self._carriers[registry] = found
        return self._carriers[registry]

    def _of(self, plugin: str) -> Tuple[Offer, ...]:
        """The plugin in the registries that may serve it: one, or all of a collision."""
        if self._catalog is None:
            return ()
        if plugin not in self._offers:
            offers = self._catalog.offers(plugin)
            meant = self._registries.get(plugin, "")
            if meant:
                if meant not in self._packages:
                    raise RegistryAbsent(
                        f"{plugin} is to come from the registry {meant!r}, which is not known here",
                        hint="pkl registry list shows those that are",
                        plugin=plugin,
                    )
                offers = tuple(each for each in offers if each.client.name == meant)
            winner = next((each for each in offers if each.client.known.wins), None)
            self._offers[plugin] = (winner,) if winner is not None else offers
        return self._offers[plugin]

    def _as_chosen(self, offer: Offer, release: Release) -> Chosen:
        packages = self._packages[offer.client.name]
        wheels = tuple(
            WheelRef(e.file, packages.wheel_url(e.file), e.sha256, e.size, e.uploaded)
            for e in release.files
        )
        return Chosen(
            canonical(offer.page.distribution),
            release.version,
            wheel=next((each for each in wheels if fits_here(each.file)), None),
            wheels=wheels,
            registry=offer.client.name,
            signer=_signer(packages),
            plugins=(release.metadata, *self._beside(offer, release)),
        )

    def _beside(self, offer: Offer, release: Release) -> List[PluginMetadata]:
        """What else the wheels of a release carry: what other pages list with the same wheels."""
        files = {each.sha256 for each in release.files}
        carrier = canonical(offer.page.distribution)
        found: List[PluginMetadata] = []
        for name in self._names(offer.client.name).get(carrier, ()):
            page = offer.client.page(name) if name != offer.page.name else None
            other = page.release(release.version) if page is not None else None
            if other is not None and files & {each.sha256 for each in other.files}:
                found.append(other.metadata)
        return found

    def _serving(
        self, distribution: str, registry: str
    ) -> Optional[Tuple[PackageIndex, List[SimpleFile]]]:
        """The first registry that has a distribution, and its wheels there."""
        for name, packages in self._packages.items():
            if not registry or name == registry:
                files = packages.files(distribution)
                if files:
                    return packages, list(files)
        return None

    def _ref(self, packages: PackageIndex, each: SimpleFile) -> WheelRef:
        url = packages.wheel_url(each.file)
        return WheelRef(each.file, url, each.sha256, each.size, each.uploaded)


def _signer(packages: PackageIndex) -> str:
    key = packages.client.signer
    return key.fingerprint if key is not None else ""
