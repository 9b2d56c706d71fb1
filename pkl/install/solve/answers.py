"""What an installer answered, held against the registries and against the plugins' manifests.

The installer reads the same indexes as pkl, but pkl believes only what follows from a registry's
index: a wheel that its pages do not list, under that digest, is not taken (dependency confusion).
"""

from __future__ import annotations

from typing import (
    Dict,
    FrozenSet,
    List,
    Mapping,
    NamedTuple,
    NoReturn,
    Optional,
    Sequence,
    Set,
    Tuple,
)
from urllib.parse import unquote, urlsplit

from ...errors import BackendFailed, Fault, WheelRefused
from ...model.candidate import Candidate, Origin
from ...model.manifest import PluginMetadata
from ...model.plan import Plan
from ...model.requirement import parse_requirement, version_key
from ...model.state import Desired
from ...resolver import resolve
from ...resolver.problem import is_prerelease
from ..backends.backend import Resolved
from ..solution import Chosen, WheelRef
from ..wanted import HostSide, Root, RootKind
from .market import Market
from .oracle import Answer
from .universe import Entry, Universe

__all__ = ["Judge", "Judged", "Unsuitable"]


class Unsuitable(Exception):
    """An answer that the plugins' own requirements do not allow.

    Attributes:
        why: What speaks against it.
        besides: Versions of distributions that nobody asked for and that are at fault.
    """

    def __init__(self, why: str, besides: Sequence[Tuple[str, str]] = ()) -> None:
        super().__init__(why)
        self.why = why
        self.besides = tuple(besides)


class Judged(NamedTuple):
    """An answer that holds.

    Attributes:
        chosen: What goes into the generation, sorted by name.
        plan: The plan of all plugins.
        notes: Remarks for the user.
    """

    chosen: Tuple[Chosen, ...]
    plan: Plan
    notes: Tuple[str, ...]


class Judge:
    """Checks the answers of one solve.

    Args:
        universe: What there is to choose from.
        market: Where that is from.
        host: What is there already.
        roots: What was asked for.
        desired: What people want of each plugin, by name.
        backend: What the installer is called, for errors.
        prereleases: As for ``solve``.
    """

    def __init__(
        self,
        universe: Universe,
        market: Market,
        host: HostSide,
        roots: Sequence[Root],
        desired: Mapping[str, Desired],
        backend: str,
        prereleases: bool = False,
    ) -> None:
        self._universe = universe
        self._market = market
        self._host = host
        self._pins = {each.name: each for each in host.pins}
        self._roots = sorted({each.name for each in roots})
        self._early = {each.name for each in roots if _asks_for_prerelease(each)}
        self._desired = desired
        self._backend = backend
        self._prereleases = True if prereleases else None
        self.standing = self._standing()
        """The plugins that start before anything is installed; they must go on doing so."""

    def judge(self, answer: Answer, asked: FrozenSet[str]) -> Judged:
        """What an answer comes to.

        Args:
            answer: The answer.
            asked: The distributions that the installer was asked for.

        Raises:
            Unsuitable: The plugins' own requirements do not allow it.
            WheelRefused: A wheel is not one that its registry lists.
            BackendFailed: The answer moves what the host has.
            RegistryError: A registry cannot be asked.
        """
        chosen: List[Chosen] = []
        beside: Set[Tuple[str, str]] = set()
        for each in answer:
            pin = self._pins.get(each.name)
            if pin is not None and version_key(pin.version) != version_key(each.version):
                raise BackendFailed(
                    f"{self._backend} chose {each.name} {each.version}, and the host has "
                    f"{pin.version} in {pin.location}, which nothing may move",
                    hint=f"tell whoever maintains pkl, with the output of {self._backend}",
                )
            if pin is not None or not each.url:
                continue
            found, is_plugin = self._identified(each)
            chosen.append(found)
            if is_plugin and each.name not in asked:
                beside.add((found.name, found.version))
        chosen.sort(key=lambda each: each.name)
        plan = self._planned(chosen)
        self._refuse_blocked(chosen, plan, sorted(beside))
        return Judged(tuple(chosen), plan, tuple(self._notes(chosen, plan)))

    # Whether each is what the registry says.

    def _identified(self, each: Resolved) -> Tuple[Chosen, bool]:
        """The distribution that an answer names, and whether it carries plugins."""
        universe = self._universe
        if each.name not in universe.distributions:
            universe.reach(self._market.carried(each.name))
        everyone = universe.distributions.get(each.name)
        if everyone is None:
            return self._library(each), False
        entries = universe.carriers(each.name, each.version)
        if not entries:
            why = f"no registry lists {each.name} {each.version} as what carries its plugins"
            raise Unsuitable(why, [(each.name, each.version)])
        faulty = next((e for e in entries if not universe.fits(e)), None)
        if faulty is not None:
            fault = faulty.fault
            why = fault.message if fault is not None else f"{each.name} {each.version} does not fit"
            raise Unsuitable(why, [(each.name, each.version)])
        return self._plugins(each, entries), True

    def _plugins(self, each: Resolved, entries: Sequence[Entry]) -> Chosen:
        first = entries[0].chosen
        if first.editable or (first.registry and first in self._market.given()):
            # The installer had a stand-in for it.
            return first
        wheel = _matching(first.wheels or ((first.wheel,) if first.wheel else ()), each)
        if wheel is None:
            self._refuse(each, first)
        carried: Dict[str, PluginMetadata] = {}
        for entry in entries:
            for plugin in entry.chosen.plugins:
                carried.setdefault(plugin.name, plugin)
        plugins = tuple(carried[name] for name in sorted(carried))
        requires = first.requires
        if first.registry:
            listed = self._market.listed(first.name, first.version, first.registry)
            requires = listed.requires if listed is not None else requires
        return Chosen(
            first.name,
            first.version,
            wheel=wheel,
            wheels=first.wheels,
            requires=requires,
            registry=first.registry,
            signer=first.signer,
            plugins=plugins,
        )

    def _library(self, each: Resolved) -> Chosen:
        listed = self._market.listed(each.name, each.version)
        wheel = None if listed is None else _matching(listed.wheels, each)
        if listed is None or wheel is None:
            self._refuse(each, listed)
        return Chosen(
            listed.name,
            listed.version,
            wheel=wheel,
            wheels=listed.wheels,
            requires=listed.requires,
            registry=listed.registry,
            signer=listed.signer,
        )

    def _refuse(self, each: Resolved, known: Optional[Chosen]) -> NoReturn:
        file = _file(each)
        if known is None:
            lists = "no registry that is known here lists such a wheel"
            rule = "must be listed by a registry that is known here"
        else:
            where = f"the registry {known.registry}" if known.registry else "what was given by path"
            lists = f"{where} has no such wheel"
            stated = " or ".join(sorted({wheel.sha256 for wheel in known.wheels})) or "nothing"
            rule = f"must be one that {where} lists, with the SHA-256 {stated}"
        raise WheelRefused(
            f"{each.name} {each.version} is not taken: {self._backend} found {file} at "
            f"{each.url}, and {lists}",
            faults=[Fault(file, each.sha256 or each.url, rule)],
            distribution=each.name,
            version=each.version,
            hint="pkl registry list shows which registries are asked; remove the one that is not "
            "to be trusted",
        )

    # Whether the plugins go together.

    def _standing(self) -> Tuple[str, ...]:
        plan = self._resolved(list(self._host.found), ())
        return tuple(sorted(each.name for each in plan.steps))

    def _planned(self, chosen: Sequence[Chosen]) -> Plan:
        candidates = list(self._host.found)
        for each in chosen:
            candidates += [self._candidate(each, plugin) for plugin in each.plugins]
        return self._resolved(candidates, self._roots)

    def _resolved(self, candidates: Sequence[Candidate], named: Sequence[str]) -> Plan:
        wanted = {
            each.name
            for each in candidates
            if self._desired.get(each.name, Desired.ENABLED) is Desired.ENABLED
        }
        return resolve(
            candidates,
            roots=sorted(wanted.union(named)),
            host_version=self._host.version,
            python_version=self._host.python_version,
            desired=self._desired,
            prereleases=self._prereleases,
        )

    def _candidate(self, chosen: Chosen, plugin: PluginMetadata) -> Candidate:
        """A plugin as the host will find it once it is installed."""
        has_manifest = plugin.file or set(plugin.data) - {"name", "version", "summary"}
        return Candidate(
            plugin.name,
            plugin,
            Origin.ENTRY_POINT,
            distribution=chosen.name,
            distribution_version=chosen.version,
            manifest_file=(plugin.file or f"the manifest of {plugin.name}")
            if has_manifest
            else None,
            group=self._host.group,
            # With a manifest, what distributions require has been seen to by the installer.
            requires_dist=() if has_manifest else chosen.requires,
        )

    def _refuse_blocked(
        self, chosen: Sequence[Chosen], plan: Plan, beside: Sequence[Tuple[str, str]]
    ) -> None:
        there = {each.name for each in plan.steps}
        for name in (*self._roots, *self.standing):
            if name not in there:
                reason = plan.blocked.get(name)
                why = reason.message if reason is not None else f"{name} is not there"
                raise Unsuitable(why, beside)

    def _notes(self, chosen: Sequence[Chosen], plan: Plan) -> List[str]:
        notes = [*self._prerelease_notes(chosen), *plan.notes]
        there = {each.name for each in plan.steps}
        for each in chosen:
            entries = self._universe.carriers(each.name, each.version)
            notes += [entry.note for entry in entries if entry.note]
            for plugin in each.plugins:
                reason = plan.blocked.get(plugin.name)
                if plugin.name not in there and reason is not None:
                    notes.append(
                        f"{plugin.name} comes along in {each.name} {each.version} and will not "
                        f"start: {reason.message}"
                    )
        return list(dict.fromkeys(notes))

    def _prerelease_notes(self, chosen: Sequence[Chosen]) -> List[str]:
        """The pre-releases that were taken without anybody asking for one."""
        if self._prereleases:
            return []
        return [
            f"{each.name} {each.version} is a pre-release; nothing else fits"
            for each in chosen
            if is_prerelease(each.version)
            and not self._early.intersection(plugin.name for plugin in each.plugins)
        ]


def _asks_for_prerelease(root: Root) -> bool:
    """Whether a pre-release of it is what was asked for."""
    return root.kind is not RootKind.REGISTRY or (
        parse_requirement(root.requirement).asks_for_prereleases
    )


def _file(each: Resolved) -> str:
    return unquote(urlsplit(each.url).path).rpartition("/")[2]


def _matching(wheels: Sequence[WheelRef], each: Resolved) -> Optional[WheelRef]:
    """The wheel that an answer names, if it is one of these and has the digest of that one."""
    file = _file(each)
    for wheel in wheels:
        if wheel.file == file:
            same = wheel.sha256 == each.sha256 if each.sha256 else wheel.url == each.url
            return wheel if same else None
    return None
