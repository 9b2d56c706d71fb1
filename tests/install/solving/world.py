"""A world of two layers in memory: plugins in distributions, libraries, a host, an installer."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from packaging.requirements import Requirement
from packaging.version import Version

from pkl.errors import NoSolution
from pkl.install.backends.backend import Query, Resolved
from pkl.install.solution import Chosen, Solution, WheelRef
from pkl.install.solve.solving import solve
from pkl.install.wanted import HostSide, Pinned, Root
from pkl.model.candidate import Candidate
from pkl.model.manifest import PluginMetadata
from pkl.model.state import Reason
from pkl.names import canonical
from tests.resolver.making import made

__all__ = ["World", "found", "root", "versions"]

INDEX = "https://plugins.example/simple"
AGE = 1_700_000_000


def root(text: str, **more: Any) -> Root:
    """What ``pkl install TEXT`` asks for."""
    name = canonical(Requirement(text).name)
    return Root(name, text, **more)


def found(text: str, **keys: Any) -> Candidate:
    """A plugin that is there without pkl."""
    return made(text, **keys)


def versions(solution: Solution) -> Dict[str, str]:
    """What goes into the generation."""
    return {each.name: each.version for each in solution.chosen}


class World:
    """Plugins and libraries, the market that offers them, and an installer that knows them.

    The installer is exact: it tries versions from the highest down and gives up nowhere.

    Attributes:
        asked: The questions that were put to it.
        lies: What it answers instead, by name of the distribution.
        problems: Why versions may not be chosen, by plugin and version.
        blind: Whether the market does not say what distributions require; only the installer
            finds it out.
        forgetful: Whether the installer cares for no preferences, as pip does.
    """

    name = "fake"
    version = "1.0"

    def __init__(self) -> None:
        self.distributions: Dict[str, Dict[str, Chosen]] = {}
        self.pins: List[Pinned] = []
        self.found: List[Candidate] = []
        self.host_version: Optional[str] = "2.0"
        self.asked: List[Query] = []
        self.lies: Dict[str, Resolved] = {}
        self.problems: Dict[Tuple[str, str], Reason] = {}
        self.blind = False
        self.forgetful = False

    # What there is.

    def plugin(
        self,
        text: str,
        *libraries: str,
        distribution: str = "",
        registry: str = "main",
        uploaded: Optional[int] = AGE,
        editable: str = "",
        **keys: Any,
    ) -> Chosen:
        """Adds ``name==version`` of a plugin, in the distribution ``acme-name`` of that version."""
        name, _, version = text.partition("==")
        said = {key.replace("_", "-"): value for key, value in keys.items()}
        carrier = distribution or f"acme-{name}=={version}"
        carrier, _, carried = carrier.partition("==")
        metadata = PluginMetadata({"name": name, "version": version, **said}, distribution=carrier)
        before = self.distributions.setdefault(carrier, {}).get(carried)
        plugins = (*(before.plugins if before else ()), metadata)
        url = "https://plugins.example/files" if registry else "file:///wheels"
        wheel = _wheel(carrier, carried, url, uploaded)
        made = Chosen(
            carrier,
            carried,
            wheel=None if editable else wheel,
            wheels=() if editable else (wheel,),
            requires=tuple(libraries) or (before.requires if before else ()),
            registry=registry,
            plugins=plugins,
            editable=editable,
        )
        self.distributions[carrier][carried] = made
        return made

    def library(self, text: str, *requires: str) -> None:
        """Adds ``name==version`` of a library."""
        name, _, version = text.partition("==")
        wheel = _wheel(name, version, "https://plugins.example/files", AGE)
        made = Chosen(name, version, wheel, (wheel,), tuple(requires), "main")
        self.distributions.setdefault(name, {})[version] = made

    def pin(self, text: str) -> None:
        """Has the host's environment have ``name==version``."""
        name, _, version = text.partition("==")
        self.pins.append(Pinned(name, version, f"/host/{name}-{version}.dist-info"))

    @property
    def host(self) -> HostSide:
        """The host."""
        return HostSide(
            "app", self.host_version, "pkl.plugins", "3.11.7", tuple(self.found), tuple(self.pins)
        )

    def solve(self, *roots: "str | Root", **more: Any) -> Solution:
        """Solves for these roots."""
        wanted = [each if isinstance(each, Root) else root(each) for each in roots]
        return solve(wanted, market=self, backend=self, host=self.host, **more)

    # The market.

    def offers(self, plugin: str) -> Tuple[Chosen, ...]:
        """Every version of a plugin; what is given by path outranks the registry."""
        all_ = [
            replace(each, requires=()) if self.blind else each
            for by_version in self.distributions.values()
            for each in by_version.values()
            if any(p.name == plugin for p in each.plugins)
        ]
        given = [each for each in all_ if each.registry in ("", "gone")]
        return tuple(given or all_)

    def problem(self, plugin: str, version: str) -> Optional[Reason]:
        """Why a version may not be chosen."""
        return self.problems.get((plugin, version))

    def given(self) -> Tuple[Chosen, ...]:
        """What is not of a registry, or of one that is gone."""
        every = (each for by in self.distributions.values() for each in by.values())
        return tuple(each for each in every if each.registry in ("", "gone"))

    def indexes(self) -> Tuple[str, ...]:
        """The one index."""
        return (INDEX,)

    def listed(self, distribution: str, version: str, registry: str = "") -> Optional[Chosen]:
        """What is known of a distribution, as a library."""
        made = self.distributions.get(distribution, {}).get(version)
        if made is None or made.registry in ("", "gone"):
            return None
        return replace(made, requires=()) if self.blind else made

    def versions(self, distribution: str) -> Tuple[str, ...]:
        """All versions."""
        return () if self.blind else tuple(self.distributions.get(distribution, {}))

    def carried(self, distribution: str) -> Tuple[str, ...]:
        """The plugins in a distribution."""
        by_version = self.distributions.get(distribution, {})
        return tuple(sorted({p.name for each in by_version.values() for p in each.plugins}))

    def providers(self, capability: str) -> Tuple[str, ...]:
        """The plugins that provide a capability."""
        every = (each for by in self.distributions.values() for each in by.values())
        plugins = (p for each in every for p in each.plugins)
        return tuple(sorted({p.name for p in plugins if _provides(p, capability)}))

    # The installer.

    def resolve(self, query: Query) -> Tuple[Resolved, ...]:
        """Versions that fit together, the highest that were met first."""
        self.asked.append(query)
        pins = {each.name: each.version for each in query.installed}
        limits = [Requirement(each) for each in query.constraints]
        wanted = [Requirement(each) for each in query.requirements]
        preferred = dict(each.split("==") for each in query.preferred)
        preferred = {} if self.forgetful else preferred
        chosen = self._search(wanted, limits, pins, preferred, {}, query.prereleases)
        if chosen is None:
            proof = [f"because {', '.join(query.requirements)} do not go together"]
            proof += [f"and {each.name} is {each.version} there" for each in query.installed]
            raise NoSolution("no versions fit together", proof=proof)
        return tuple(self._answered(name, chosen[name], pins) for name in sorted(chosen))

    def place(self, wheels: Sequence[str], target: str) -> None:
        """No test of solving places anything."""
        raise AssertionError("nothing is placed by a solve")

    def _answered(self, name: str, version: str, pins: Mapping[str, str]) -> Resolved:
        if name in self.lies:
            return self.lies[name]
        if name in pins:
            return Resolved(name, version)
        wheel = self.distributions[name][version].wheel
        if wheel is None:
            return Resolved(name, version, "file:///stub.whl", "0" * 64)
        if self.distributions[name][version].registry == "gone":
            return Resolved(name, version, "file:///stub.whl", "0" * 64)
        return Resolved(name, version, wheel.url, wheel.sha256, INDEX)

    def _search(
        self,
        wanted: List[Requirement],
        limits: List[Requirement],
        pins: Mapping[str, str],
        preferred: Mapping[str, str],
        chosen: Dict[str, str],
        prereleases: bool,
    ) -> Optional[Dict[str, str]]:
        bounds: Dict[str, List[Requirement]] = {}
        for each in (*wanted, *limits):
            bounds.setdefault(canonical(each.name), []).append(each)
        for each in wanted:
            name = canonical(each.name)
            if not any(
                all(r.specifier.contains(v, prereleases=True) for r in bounds[name])
                for v in ([chosen[name]] if name in chosen else self._there(name, pins))
            ):
                return None
        missing = next((w for w in wanted if canonical(w.name) not in chosen), None)
        if missing is None:
            return chosen
        name = canonical(missing.name)
        for version in self._fitting(missing, pins, preferred, prereleases):
            needs = [] if name in pins else self.distributions[name][version].requires
            asked = [Requirement(each) for each in needs]
            asked = [r for r in asked if r.marker is None or r.marker.evaluate({"extra": ""})]
            result = self._search(
                [*wanted, *asked], limits, pins, preferred, {**chosen, name: version}, prereleases
            )
            if result is not None:
                return result
        return None

    def _there(self, name: str, pins: Mapping[str, str]) -> List[str]:
        return [pins[name]] if name in pins else list(self.distributions.get(name, {}))

    def _fitting(
        self,
        wanted: Requirement,
        pins: Mapping[str, str],
        preferred: Mapping[str, str],
        prereleases: bool,
    ) -> Iterator[str]:
        name = canonical(wanted.name)
        there = self._there(name, pins)
        fits = [v for v in there if wanted.specifier.contains(v, prereleases=True)]
        if not prereleases and not wanted.specifier.prereleases:
            fits = [v for v in fits if not Version(v).is_prerelease] or fits
        fits.sort(key=lambda v: (v == preferred.get(name), Version(v)), reverse=True)
        yield from fits


def _wheel(name: str, version: str, url: str, uploaded: Optional[int]) -> WheelRef:
    file = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    digest = hashlib.sha256(f"{url}/{file}".encode()).hexdigest()
    return WheelRef(file, f"{url}/{file}", digest, 1000, uploaded)


def _provides(plugin: PluginMetadata, capability: str) -> bool:
    return any(offered.name == capability for offered in plugin.provides)
