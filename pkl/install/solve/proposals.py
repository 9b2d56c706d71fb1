"""What our own resolver would choose, given what was learned; and why it cannot, if it cannot.

What was asked for and what the host has are two more plugins to the resolver, which require the
rest: both or nothing. They are called otherwise in every text.
"""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ...model.candidate import Candidate, Origin
from ...model.manifest import PluginMetadata
from ...model.plan import Plan
from ...model.requirement import specifier_contains, version_key
from ...model.state import Desired, Reason
from ...resolver import Nogood, resolve
from ...resolver.problem import is_prerelease
from ..wanted import HostSide, Root
from .universe import Entry, Universe

__all__ = ["Proposal", "Proposer"]

REQUEST = "pkl-what-is-asked-for"
HOST = "pkl-what-the-host-has"

_WORDS = (
    (re.compile(rf"{REQUEST} 0 requires"), "you ask for"),
    (re.compile(rf"{HOST} 0 requires"), "the host has"),
    (re.compile(rf"{REQUEST}( 0)? cannot start"), "what you ask for cannot be had"),
    (re.compile(rf"{HOST}( 0)? cannot start"), "what the host has would not start"),
    (re.compile(rf"{REQUEST}( 0)?"), "what you ask for"),
    (re.compile(rf"{HOST}( 0)?"), "what the host has"),
)


class Proposal(NamedTuple):
    """What the resolver would choose.

    Attributes:
        plan: Its plan, with the two plugins of ours.
        pins: The distributions with the one version that was chosen.
        ranges: The same with every version that would do as well, the others being as chosen.
        blocked: Why there is none; None if there is one.
        proof: The proof of that, line by line.
    """

    plan: Plan
    pins: Dict[str, FrozenSet[str]]
    ranges: Dict[str, FrozenSet[str]]
    blocked: Optional[Reason] = None
    proof: Tuple[str, ...] = ()


class Proposer:
    """Asks the resolver, again and again with more that was learned.

    Args:
        universe: What there is to choose from.
        roots: What was asked for.
        host: What is there already.
        standing: The plugins that start already.
        desired: What people want of each plugin, by name.
        locked: The version that each distribution is locked at, by name.
        prereleases: Whether pre-releases may be chosen where there is something else.
    """

    def __init__(
        self,
        universe: Universe,
        roots: Sequence[Root],
        host: HostSide,
        standing: Sequence[str],
        desired: Mapping[str, Desired],
        locked: Mapping[str, str],
        prereleases: bool,
    ) -> None:
        self._universe = universe
        self._roots = roots
        self._host = host
        self._desired = desired
        self._prereleases = prereleases
        self._locked = {
            name: each.plugin.version
            for name, entries in universe.entries.items()
            for each in entries
            if _same(locked.get(each.chosen.name), each.chosen.version)
        }
        self._ours = [
            _ours(REQUEST, [each.requirement for each in roots], "the request"),
            _ours(HOST, standing, "the host"),
        ]

    def propose(
        self, nogoods: Sequence[Nogood], faults: Mapping[Tuple[str, str], Reason], full: bool
    ) -> Proposal:
        """What the resolver would choose.

        Args:
            nogoods: What may not be chosen together.
            faults: Why versions of distributions cannot be had.
            full: Whether the proof of a refusal is wanted in full.
        """
        host = self._host
        plan = resolve(
            [*self._universe.candidates(faults), *self._ours],
            roots=[REQUEST, HOST],
            host_version=host.version,
            python_version=host.python_version,
            desired=self._desired,
            locked=self._locked,
            prereleases=True if self._prereleases else None,
            nogoods=[*self._universe.couplings(), *nogoods],
        )
        for name in (REQUEST, HOST):
            reason = plan.blocked.get(name)
            if reason is not None:
                proof = tuple(map(_said, plan.explain(name, full).split("\n")))
                said = Reason(reason.code, *map(_said, reason[1:]))
                return Proposal(plan, {}, {}, said, proof)
        pins: Dict[str, FrozenSet[str]] = {}
        entries = self._chosen(plan)
        for entry in entries.values():
            pins[entry.chosen.name] = frozenset((entry.chosen.version,))
        return Proposal(plan, pins, self._ranges(plan, entries, faults))

    def _chosen(self, plan: Plan) -> Dict[str, Entry]:
        found: Dict[str, Entry] = {}
        for step in plan.steps:
            candidate = step.candidate
            entry = self._universe.entry(step.name, step.version, candidate.distribution or "")
            if entry is not None:
                found[step.name] = entry
        return found

    def _ranges(
        self,
        plan: Plan,
        chosen: Mapping[str, Entry],
        faults: Mapping[Tuple[str, str], Reason],
    ) -> Dict[str, FrozenSet[str]]:
        """For each distribution, the versions that meet what all that is chosen asks of them."""
        asked, there = self._asked(plan), [each.candidate.metadata for each in plan.steps]
        found: Dict[str, Set[str]] = {}
        for name, entry in sorted(chosen.items()):
            others = [said for said in there if said.name != name]
            fitting = {
                each.chosen.version
                for each in self._universe.entries[name]
                if each.chosen.name == entry.chosen.name
                and (each.chosen.name, each.chosen.version) not in faults
                and self._universe.fits(each)
                and self._may_stand_in(each, entry)
                and all(_offers(each.plugin, *demand) for demand in asked.get(name, ()))
                and _goes_with(each.plugin, others)
            }
            fitting.add(entry.chosen.version)
            if entry.chosen.name in found:
                found[entry.chosen.name] &= fitting
            else:
                found[entry.chosen.name] = fitting
        return {name: frozenset(versions) for name, versions in found.items()}

    def _asked(self, plan: Plan) -> Dict[str, List[Tuple[str, str]]]:
        """What is asked of each plugin: the name by which, and the bounds."""
        found: Dict[str, List[Tuple[str, str]]] = {}
        for step in plan.steps:
            for requirement in step.candidate.metadata.requires:
                server = step.bindings.get(requirement.name)
                if server is not None:
                    demand = (requirement.name, requirement.specifier)
                    found.setdefault(server, []).append(demand)
        return found

    def _may_stand_in(self, each: Entry, chosen: Entry) -> bool:
        """Whether a version may stand in for the one chosen: a pre-release only for another."""
        if self._prereleases or not is_prerelease(each.plugin.version):
            return True
        return is_prerelease(chosen.plugin.version)


def _goes_with(said: PluginMetadata, others: Sequence[PluginMetadata]) -> bool:
    """Whether a version of a plugin has in the others what it requires, and no conflict."""
    return (
        all(
            not r.applies({"extra": ""})
            or _offers(said, r.name, r.specifier)
            or any(_offers(each, r.name, r.specifier) for each in others)
            for r in said.requires
        )
        and not any(_offers(each, r.name, r.specifier) for each in others for r in said.conflicts)
        and not any(_offers(said, r.name, r.specifier) for each in others for r in each.conflicts)
    )


def _offers(said: PluginMetadata, name: str, specifier: str) -> bool:
    """Whether a version of a plugin offers a name within bounds, as itself or as a capability."""
    if said.name == name:
        return specifier_contains(specifier, said.version, True)
    return any(
        offered.name == name and specifier_contains(specifier, offered.version, True)
        for offered in said.provides
    )


def _ours(name: str, requires: Sequence[str], where: str) -> Candidate:
    metadata = PluginMetadata({"name": name, "version": "0", "requires": list(requires)})
    return Candidate(name, metadata, Origin.PATH, location=where, manifest_file=where)


def _same(one: Optional[str], other: str) -> bool:
    return one is not None and version_key(one) == version_key(other)


def _said(text: str) -> str:
    """A text of the resolver with our two plugins called by what they stand for."""
    for pattern, words in _WORDS:
        text = pattern.sub(words, text)
    return text
