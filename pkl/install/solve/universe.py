"""What a solve chooses from: every plugin that the roots can reach, filtered before anything else.

A plugin that is there without pkl is the only candidate of its name: nothing that pkl installs
comes before it on ``sys.path``.
"""

from __future__ import annotations

from typing import (
    Dict,
    FrozenSet,
    Iterable,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
)

from ...model.candidate import Candidate, Origin
from ...model.manifest import PluginMetadata
from ...model.requirement import is_version, specifier_admits, version_key
from ...model.state import Reason
from ...registry.moments import moment_text
from ...resolver import Nogood
from ..consent.age import TOO_YOUNG
from ..solution import Chosen
from ..wanted import HostSide, Root, RootKind
from .market import Market

__all__ = ["Entry", "Universe"]


class Entry(NamedTuple):
    """One version of a plugin, as the distribution that carries it.

    Attributes:
        plugin: What its manifest says.
        chosen: The distribution.
        fault: Why it may not be chosen, or None.
        note: What is to be said if it is chosen.
    """

    plugin: PluginMetadata
    chosen: Chosen
    fault: Optional[Reason] = None
    note: str = ""


class Universe:
    """The plugins that the roots can reach, in every version.

    Args:
        roots: What was asked for.
        market: What there is.
        host: What is there already, and must stay as it is.
        kept: Versions of distributions that may stay although they were withdrawn.
        uploaded_before: Nothing younger from a registry, in seconds since 1970; None for any age.

    Attributes:
        entries: By canonical name of the plugin, its versions.

    Raises:
        RegistryError: A registry cannot be asked.
    """

    def __init__(
        self,
        roots: Sequence[Root],
        market: Market,
        host: HostSide,
        kept: Mapping[str, str],
        uploaded_before: Optional[int],
    ) -> None:
        self.entries: Dict[str, Tuple[Entry, ...]] = {}
        self._market = market
        self._host = host
        self._kept = kept
        self._uploaded_before = uploaded_before
        self._meant = {each.name: each for each in roots}
        self._exactly = {each.name: _exact(each.requirement) for each in roots}
        self._found: Dict[str, List[Candidate]] = {}
        for candidate in host.found:
            self._found.setdefault(candidate.name, []).append(candidate)
            for offered in candidate.metadata.provides:
                self._found.setdefault(offered.name, [])
        self._seen: Set[str] = set()
        self.reach([each.name for each in roots])

    def reach(self, names: Iterable[str]) -> None:
        """Adds these plugins, and all that any version of them requires."""
        waiting = [name for name in names if name not in self._seen]
        while waiting:
            name = waiting.pop()
            if name in self._seen:
                continue
            self._seen.add(name)
            if self._found.get(name):
                continue
            offered = self._market.offers(name)
            if not offered and name not in self._found:
                waiting.extend(self._market.providers(name))
            if offered:
                self.entries[name] = tuple(
                    self._entry(each, plugin)
                    for each in offered
                    for plugin in each.plugins
                    if plugin.name == name
                )
            for entry in self.entries.get(name, ()):
                for requirement in entry.plugin.requires:
                    if requirement.name not in self._seen:
                        waiting.append(requirement.name)

    # What there is.

    def candidates(self, faults: Mapping[Tuple[str, str], Reason]) -> List[Candidate]:
        """All of it for the resolver.

        Args:
            faults: Why versions of distributions cannot be had, beside what is known of them.
        """
        found = list(self._host.found)
        for name, entries in self.entries.items():
            for each in entries:
                fault = each.fault or faults.get((each.chosen.name, each.chosen.version))
                local = not each.chosen.registry
                found.append(
                    Candidate(
                        name,
                        each.plugin,
                        Origin.PATH if local else Origin.REGISTRY,
                        location=_place(each.chosen) if local else None,
                        distribution=each.chosen.name,
                        distribution_version=each.chosen.version,
                        manifest_file=each.plugin.file,
                        fault=fault,
                    )
                )
        return found

    def entry(self, plugin: str, version: str, distribution: str) -> Optional[Entry]:
        """A version of a plugin in one distribution."""
        key = version_key(version)
        for each in self.entries.get(plugin, ()):
            if each.chosen.name == distribution and version_key(each.plugin.version) == key:
                return each
        return None

    def called(self, distribution: str, version: str) -> str:
        """A version of a distribution for people: by its plugins."""
        entries = self.carriers(distribution, version)
        plugins = sorted({f"{each.plugin.name} {each.plugin.version}" for each in entries})
        own = f"{distribution} {version}"
        return own if plugins in ([], [own]) else f"{' and '.join(plugins)} ({own})"

    def carriers(self, distribution: str, version: str) -> List[Entry]:
        """What a version of a distribution carries, as far as it was reached."""
        key = version_key(version)
        return [
            each
            for entries in self.entries.values()
            for each in entries
            if each.chosen.name == distribution and version_key(each.chosen.version) == key
        ]

    @property
    def distributions(self) -> Dict[str, FrozenSet[str]]:
        """Every version there is of the distributions that carry plugins."""
        found: Dict[str, Set[str]] = {}
        for entries in self.entries.values():
            for each in entries:
                found.setdefault(each.chosen.name, set()).add(each.chosen.version)
        return {name: frozenset(found[name]) for name in sorted(found)}

    @property
    def alive(self) -> Dict[str, FrozenSet[str]]:
        """Of these the versions that may be chosen."""
        bad: Dict[str, Set[str]] = {}
        for entries in self.entries.values():
            for each in entries:
                if not self.fits(each):
                    bad.setdefault(each.chosen.name, set()).add(each.chosen.version)
        everyone = self.distributions
        return {name: everyone[name] - frozenset(bad.get(name, ())) for name in everyone}

    def fits(self, entry: Entry) -> bool:
        """Whether a version may be chosen, whatever else is."""
        said, host = entry.plugin, self._host
        return (
            entry.fault is None
            and is_version(said.version)
            and said.tier in ("", "in-process")
            and specifier_admits(said.requires_host, host.version)
            and specifier_admits(said.requires_python, host.python_version)
        )

    def couplings(self) -> List[Nogood]:
        """Plugins of one distribution come in one version of it, and a plugin from one only."""
        owners: Dict[str, List[str]] = {}
        for name, entries in self.entries.items():
            for distribution in {each.chosen.name for each in entries}:
                owners.setdefault(distribution, []).append(name)
        found: List[Nogood] = []
        for distribution, names in sorted(owners.items()):
            names.sort()
            for i, one in enumerate(names):
                for other in names[i + 1 :]:
                    found += self._coupled(distribution, one, other)
        return found

    def _coupled(self, distribution: str, one: str, other: str) -> List[Nogood]:
        found: List[Nogood] = []
        for each in self.entries[one]:
            if each.chosen.name != distribution:
                continue
            apart = frozenset(
                e.plugin.version
                for e in self.entries[other]
                if e.chosen.name == distribution
                and version_key(e.chosen.version) != version_key(each.chosen.version)
            )
            if apart:
                why = f"both are in the distribution {distribution}"
                mine = frozenset((each.plugin.version,))
                found.append(Nogood(((one, mine), (other, apart)), why))
        return found

    # What rules a version out before anything is asked of others.

    def _entry(self, chosen: Chosen, plugin: PluginMetadata) -> Entry:
        reason, note = self._reason(chosen, plugin)
        return Entry(plugin, chosen, reason, note)

    def _reason(self, chosen: Chosen, plugin: PluginMetadata) -> Tuple[Optional[Reason], str]:
        called, root = f"{plugin.name} {plugin.version}", self._meant.get(plugin.name)
        if root is not None and not _is_meant(root, chosen):
            where = root.path or f"the registry {root.registry}"
            text = f"{called} is not from {where}, as was asked for"
            return Reason("source", text, text, f"pkl install {plugin.name}"), ""
        for each in chosen.plugins:
            there = self._found.get(each.name)
            if there:
                text = (
                    f"{called} comes in {chosen.name} {chosen.version}, which also carries "
                    f"{each.name}, and that is there already ({there[0].source})"
                )
                return Reason("collision", text, text, f"remove {there[0].source} first"), ""
        problem = self._market.problem(plugin.name, plugin.version)
        if problem is not None and problem.code == "yanked" and self._stays(chosen, plugin):
            return self._too_young(chosen, called), problem.message
        return problem or self._too_young(chosen, called), ""

    def _stays(self, chosen: Chosen, plugin: PluginMetadata) -> bool:
        """Whether exactly this version is locked or was asked for (PEP 592)."""
        key = version_key(chosen.version)
        wanted = (self._kept.get(chosen.name), self._exactly.get(plugin.name))
        return any(each is not None and version_key(each) == key for each in wanted)

    def _too_young(self, chosen: Chosen, called: str) -> Optional[Reason]:
        limit = self._uploaded_before
        if limit is None or not chosen.registry or chosen.wheel is None:
            return None
        there = self._kept.get(chosen.name)
        if there is not None and version_key(there) == version_key(chosen.version):
            return None  # it is in place already
        if chosen in self._market.given():
            return None
        uploaded = chosen.wheel.uploaded
        if uploaded is not None and uploaded <= limit:
            return None
        text = f"{called} is left out: its registry does not say when it was uploaded"
        if uploaded is not None:
            text = (
                f"{called} is left out: it was uploaded on {moment_text(uploaded)}, and nothing "
                f"is taken that is younger than {moment_text(limit)}"
            )
        return Reason(TOO_YOUNG, text, text, "wait, or ask for a lower --min-age")


def _exact(requirement: str) -> Optional[str]:
    """The one version that a requirement names, or None."""
    _name, separator, version = requirement.partition("==")
    version = version.strip()
    return version if separator and is_version(version) else None


def _is_meant(root: Root, chosen: Chosen) -> bool:
    """Whether a distribution is from where its root says."""
    if root.kind is RootKind.EDITABLE:
        return chosen.editable == root.path
    if root.kind is RootKind.WHEEL:
        return not chosen.registry and not chosen.editable
    return not root.registry or chosen.registry == root.registry


def _place(chosen: Chosen) -> str:
    if chosen.editable or chosen.wheel is None:
        return chosen.editable
    return chosen.wheel.url
