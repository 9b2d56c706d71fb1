"""What a solve has learned: versions that cannot be had, and versions that do not go together."""

from __future__ import annotations

from typing import Dict, FrozenSet, List, Mapping, Tuple

from ...model.requirement import version_key
from ...model.state import Reason
from ...resolver import Nogood
from .universe import Universe

__all__ = ["Lessons"]


class Lessons:
    """Facts about distributions, kept as facts about the plugins that they carry.

    Args:
        universe: What there is to choose from.

    Attributes:
        nogoods: Versions of plugins that may not all be chosen.
        faults: Why a version of a distribution cannot be had at all.
    """

    def __init__(self, universe: Universe) -> None:
        self.nogoods: List[Nogood] = []
        self.faults: Dict[Tuple[str, str], Reason] = {}
        self._universe = universe

    def exclude(self, core: Mapping[str, FrozenSet[str]], why: str, remedy: str = "") -> None:
        """Notes that these may not all be chosen.

        Args:
            core: Distributions, each with the versions that are meant.
            why: What speaks against it.
            remedy: What to do about it.
        """
        if len(core) == 1:
            ((name, versions),) = core.items()
            for version in sorted(versions, key=version_key):
                called = self._universe.called(name, version)
                text = why if why.startswith(called) else f"{called} cannot be had: {why}"
                said = Reason("libraries", text, text, remedy or f"ask for another version: {name}")
                self.faults.setdefault((name, version), said)
            return
        terms: List[List[Tuple[str, FrozenSet[str]]]] = [[]]
        for name, versions in sorted(core.items()):
            # A distribution is chosen with any of its plugins.
            carried = self._carried(name, versions)
            terms = [
                [*before, (plugin, frozenset(found))]
                for before in terms
                for plugin, found in sorted(carried.items())
            ]
        self.nogoods += [Nogood(tuple(each), why) for each in terms]

    def _carried(self, distribution: str, versions: FrozenSet[str]) -> Dict[str, List[str]]:
        """The versions of each plugin in these versions of a distribution."""
        keys = {version_key(each) for each in versions}
        found: Dict[str, List[str]] = {}
        for plugin, entries in self._universe.entries.items():
            for each in entries:
                chosen = each.chosen
                if chosen.name == distribution and version_key(chosen.version) in keys:
                    found.setdefault(plugin, []).append(each.plugin.version)
        return found

    def lines(self) -> List[str]:
        """Each in a line."""
        found = []
        for nogood in self.nogoods:
            names = [f"{name} {max(v, key=version_key)}" for name, v in nogood.terms]
            found.append(f"{' and '.join(names)}: {nogood.why}")
        return [*found, *(each.message for each in self.faults.values())]
